package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

var timeKey = []byte(`"at":"`)

const timeDigits = 16

// publisher is one keep-alive connection to the server's HTTP API with at most one request in flight.
type publisher struct {
	loop       *loop
	fd         int
	request    []byte
	timeAt     int // position of the time in the request
	response   []byte
	onResponse func(*publisher) error
}

func newPublisher(l *loop, address, apiKey, channel string, payloadBytes int, onResponse func(*publisher) error) (*publisher, error) {
	fd, err := l.dial(address)
	if err != nil {
		return nil, err
	}
	body := fmt.Sprintf(`{"channel":"%s","data":%s}`, channel, payload(payloadBytes))
	request := []byte(fmt.Sprintf("POST /api/publish HTTP/1.1\r\nHost: %s\r\nX-API-Key: %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", address, apiKey, len(body), body))
	p := &publisher{loop: l, fd: fd, request: request, onResponse: onResponse}
	p.timeAt = bytes.Index(request, timeKey) + len(timeKey)
	return p, l.watch(fd, p)
}

// payload returns a JSON object of the given size with a placeholder for the time.
func payload(size int) string {
	empty := fmt.Sprintf(`{%s%s","pad":""}`, timeKey, strings.Repeat("0", timeDigits))
	return empty[:len(empty)-2] + strings.Repeat("x", max(0, size-len(empty))) + empty[len(empty)-2:]
}

// publish sends a message that contains its planned time.
func (p *publisher) publish(at int64) error {
	writeTime(p.request[p.timeAt:], at)
	return send(p.fd, p.request)
}

func (p *publisher) read(buffer []byte) error {
	count, err := receive(p.fd, buffer)
	if err != nil || count == 0 {
		return err
	}
	p.response = append(p.response, buffer[:count]...)
	isComplete, err := checkResponse(p.response)
	if err != nil || !isComplete {
		return err
	}
	p.response = p.response[:0]
	return p.onResponse(p)
}

var contentLength = []byte("content-length: ")

func checkResponse(response []byte) (isComplete bool, err error) {
	head, body, isComplete := bytes.Cut(response, []byte("\r\n\r\n"))
	if !isComplete {
		return false, nil
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
		return false, fmt.Errorf("the server refused to publish: %.300q", response)
	}
	_, length, hasLength := bytes.Cut(bytes.ToLower(head), contentLength)
	if !hasLength {
		return false, fmt.Errorf("a response without a length: %.300q", response)
	}
	length, _, _ = bytes.Cut(length, []byte("\r\n"))
	size, err := strconv.Atoi(string(length))
	if err != nil || len(body) < size {
		return false, err
	}
	if !bytes.Contains(body, []byte(`"result":`)) {
		return false, fmt.Errorf("the server refused to publish: %.300q", body)
	}
	return true, nil
}

const hexDigits = "0123456789abcdef"

func writeTime(into []byte, at int64) {
	for i := timeDigits - 1; i >= 0; i-- {
		into[i] = hexDigits[at&0xf]
		at >>= 4
	}
}

func readTime(text []byte) (at int64) {
	for _, digit := range text[:timeDigits] {
		at <<= 4
		if digit >= 'a' {
			at |= int64(digit-'a') + 10
		} else {
			at |= int64(digit - '0')
		}
	}
	return at
}
