package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

var tokenHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// sign returns a connection token for one user (HS256), valid for an hour.
func sign(secret []byte, user string) string {
	claims := fmt.Sprintf(`{"sub":"%s","exp":%d}`, user, time.Now().Add(time.Hour).Unix())
	signed := tokenHeader + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
