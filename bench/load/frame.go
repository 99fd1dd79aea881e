package main

import (
	"encoding/binary"
	"fmt"
)

const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

const final, masked = 0x80, 0x80

// clientFrame returns a frame as clients send it (RFC 6455, section 5.2). The mask of zeros does not change the payload, and
// costs the server as much as any other mask.
func clientFrame(opcode byte, payload []byte) []byte {
	frame := []byte{final | opcode}
	if len(payload) < 126 {
		frame = append(frame, masked|byte(len(payload)))
	} else {
		frame = append(frame, masked|126)
		frame = binary.BigEndian.AppendUint16(frame, uint16(len(payload)))
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, payload...)
}

// eachFrame passes on the complete frames and returns the rest.
func eachFrame(data []byte, handle func(opcode byte, payload []byte) error) ([]byte, error) {
	for len(data) >= 2 {
		header, length := 2, int(data[1])
		switch {
		case length == 126 && len(data) >= 4:
			header, length = 4, int(binary.BigEndian.Uint16(data[2:]))
		case length == 127 && len(data) >= 10:
			header, length = 10, int(binary.BigEndian.Uint64(data[2:]))
		case length > 127:
			return nil, fmt.Errorf("the server sent a masked frame")
		case length >= 126:
			return data, nil
		}
		if len(data) < header+length {
			break
		}
		if err := handle(data[0]&0xf, data[header:header+length]); err != nil {
			return nil, err
		}
		data = data[header+length:]
	}
	return data, nil
}
