package main

import (
	"encoding/base64"
	"encoding/json"

	"github.com/centrifugal/centrifuge-go"
)

// payloads converts payloads to and from JSON values. Bytes, which only Protobuf can carry, become {"base64": "..."}.
type payloads struct {
	binary bool
}

type encodedBytes struct {
	Base64 *string `json:"base64"`
}

func (p payloads) encode(value json.RawMessage) []byte {
	var given encodedBytes
	if p.binary && json.Unmarshal(value, &given) == nil && given.Base64 != nil {
		decoded, err := base64.StdEncoding.DecodeString(*given.Base64)
		if err != nil {
			panic(err)
		}
		return decoded
	}
	return value
}

func (payloads) decode(data []byte) any {
	switch {
	case len(data) == 0:
		return nil
	case json.Valid(data):
		return json.RawMessage(data)
	}
	text := base64.StdEncoding.EncodeToString(data)
	return encodedBytes{&text}
}

func (p payloads) publication(from centrifuge.Publication) fields {
	line := fields{"data": p.decode(from.Data), "offset": from.Offset, "tags": from.Tags}
	if from.Info != nil {
		line["info"] = p.info(*from.Info)
	}
	return line
}

func (p payloads) info(from centrifuge.ClientInfo) fields {
	return fields{
		"client": from.Client, "user": from.User,
		"connInfo": p.decode(from.ConnInfo), "chanInfo": p.decode(from.ChanInfo),
	}
}
