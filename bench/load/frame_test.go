package main

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func serverFrame(payload string) []byte {
	frame := []byte{final | opText}
	if len(payload) < 126 {
		frame = append(frame, byte(len(payload)))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, 126), uint16(len(payload)))
	}
	return append(frame, payload...)
}

func TestFramesAreFoundWhereverTheStreamIsSplit(t *testing.T) {
	payloads := []string{"", "{}", strings.Repeat("a", 125), strings.Repeat("b", 126), strings.Repeat("c", 300)}
	var stream []byte
	for _, payload := range payloads {
		stream = append(stream, serverFrame(payload)...)
	}
	for cut := range stream {
		var found []string
		collect := func(opcode byte, payload []byte) error {
			found = append(found, string(payload))
			return nil
		}
		rest, err := eachFrame(bytes.Clone(stream[:cut]), collect)
		if err != nil {
			t.Fatal(err)
		}
		rest, err = eachFrame(append(bytes.Clone(rest), stream[cut:]...), collect)
		if err != nil || len(rest) > 0 || strings.Join(found, "|") != strings.Join(payloads, "|") {
			t.Fatalf("split at %d: %q, %d bytes left, %v", cut, found, len(rest), err)
		}
	}
}

func TestCombinedPublicationsAreCountedIndividually(t *testing.T) {
	l, err := newLoop()
	if err != nil {
		t.Fatal(err)
	}
	s := &subscriber{loop: l, tally: &tally{isOpen: true}, step: subscribed, isSampled: true}
	one := []byte(`{"push":{"channel":"a","pub":{"data":` + payload(100) + `}}}`)
	writeTime(one[bytes.Index(one, timeKey)+len(timeKey):], l.now())
	s.count(bytes.Join([][]byte{one, one, one}, []byte("\n")))
	if s.tally.deliveries != 3 || len(s.tally.latencies) != 3 {
		t.Fatalf("%d deliveries, latencies %v", s.tally.deliveries, s.tally.latencies)
	}
	for _, latency := range s.tally.latencies {
		if latency < 0 || latency > 1e9 {
			t.Fatalf("latency of %d ns", latency)
		}
	}
}

func TestPayloadHasTheRequestedSize(t *testing.T) {
	if text := payload(100); len(text) != 100 {
		t.Fatalf("%d bytes: %s", len(text), text)
	}
}
