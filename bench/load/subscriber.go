package main

import (
	"bytes"
	"fmt"
)

// tally counts what all subscribers have received together.
type tally struct {
	subscribed int
	deliveries int
	// latencies of the sampled subscribers in ns, recorded while isOpen.
	latencies []int64
	isOpen    bool
}

const upgrade = "GET /connection/websocket HTTP/1.1\r\n" +
	"Host: %s\r\n" +
	"Connection: Upgrade\r\n" +
	"Upgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

type step int

const (
	upgrading step = iota
	connecting
	subscribing
	subscribed
)

// subscriber is one client of the Centrifugo protocol (JSON), subscribed to one channel. It sends a command when it has the
// reply to the previous one, as the client libraries do.
type subscriber struct {
	loop      *loop
	tally     *tally
	fd        int
	step      step
	isSampled bool
	token     string
	channel   string
	rest      []byte // the received part of an incomplete frame
}

func subscribe(l *loop, t *tally, address, token, channel string, isSampled bool) (*subscriber, error) {
	fd, err := l.dial(address)
	if err != nil {
		return nil, err
	}
	s := &subscriber{loop: l, tally: t, fd: fd, token: token, channel: channel, isSampled: isSampled}
	if err := l.watch(fd, s); err != nil {
		return nil, err
	}
	return s, send(fd, fmt.Appendf(nil, upgrade, address))
}

func (s *subscriber) close() error {
	return s.loop.close(s.fd)
}

func (s *subscriber) read(buffer []byte) error {
	kept := copy(buffer, s.rest)
	count, err := receive(s.fd, buffer[kept:])
	if err != nil || count == 0 {
		return err
	}
	data := buffer[:kept+count]
	if s.step == upgrading {
		if data, err = s.upgraded(data); err != nil {
			return err
		}
	}
	if s.step != upgrading {
		if data, err = eachFrame(data, s.handle); err != nil {
			return err
		}
	}
	s.rest = append(s.rest[:0], data...)
	return nil
}

func (s *subscriber) upgraded(data []byte) ([]byte, error) {
	head, rest, isComplete := bytes.Cut(data, []byte("\r\n\r\n"))
	if !isComplete {
		return data, nil
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		return nil, fmt.Errorf("the server refused the upgrade: %.200q", data)
	}
	s.step = connecting
	return rest, s.sendText(fmt.Sprintf(`{"id":1,"connect":{"token":"%s"}}`, s.token))
}

func (s *subscriber) handle(opcode byte, payload []byte) error {
	switch opcode {
	case opPing:
		return send(s.fd, clientFrame(opPong, payload))
	case opClose:
		return fmt.Errorf("the server closed a subscriber: %q", payload)
	case opText:
		return s.receiveText(payload)
	}
	return nil
}

func (s *subscriber) receiveText(payload []byte) error {
	if string(payload) == "{}" {
		return s.sendText("{}") // a ping of the protocol, and its pong
	}
	if s.step == subscribed {
		s.count(payload)
		return nil
	}
	if bytes.Contains(payload, []byte(`"error":`)) {
		return fmt.Errorf("the server refused a command: %s", payload)
	}
	switch {
	case s.step == connecting && bytes.Contains(payload, []byte(`"connect":`)):
		s.step = subscribing
		return s.sendText(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"%s"}}`, s.channel))
	case s.step == subscribing && bytes.Contains(payload, []byte(`"subscribe":`)):
		s.step = subscribed
		s.token = ""
		s.tally.subscribed++
	}
	return nil
}

// count counts the publications in a message: servers may combine several.
func (s *subscriber) count(payload []byte) {
	for {
		i := bytes.Index(payload, timeKey)
		if i < 0 {
			return
		}
		s.tally.deliveries++
		payload = payload[i+len(timeKey):]
		if s.isSampled && s.tally.isOpen {
			s.tally.latencies = append(s.tally.latencies, s.loop.now()-readTime(payload))
		}
	}
}

func (s *subscriber) sendText(text string) error {
	return send(s.fd, clientFrame(opText, []byte(text)))
}
