package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

var errToken = errors.New("invalid token")

type claims struct {
	Subject   string `json:"sub"`
	ExpiresAt int64  `json:"exp"`
}

// verify reads a JSON Web Token that is signed with HS256 (RFC 7515).
func verify(token string, secret []byte) (claims, error) {
	signed, signature, _ := cutLast(token, ".")
	header, payload, isComplete := strings.Cut(signed, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if !isComplete || err != nil {
		return claims{}, errToken
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	if !hmac.Equal(mac.Sum(nil), given) {
		return claims{}, errToken
	}
	var h struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	if decode(header, &h) != nil || h.Algorithm != "HS256" || decode(payload, &c) != nil {
		return claims{}, errToken
	}
	if c.ExpiresAt != 0 && c.ExpiresAt <= time.Now().Unix() {
		return claims{}, errToken
	}
	return c, nil
}

func decode(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
