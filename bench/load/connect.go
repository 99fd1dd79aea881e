package main

import "fmt"

// warmUpConnections connect and disconnect first, because one-time allocations and compiled code do not belong to a connection.
const warmUpConnections = 500

// connect connects the clients as fast as the server allows, and measures the memory growth of the server when they are idle.
func connect(l *loop, o options) (result, error) {
	t := &tally{}
	channel := func(i int) string { return fmt.Sprintf("%s-%d", o.channel, i) }
	early, _, err := connectAll(l, t, o, min(warmUpConnections, o.subscribers), channel)
	if err != nil {
		return result{}, err
	}
	for _, s := range early {
		if err := s.close(); err != nil {
			return result{}, err
		}
	}
	if err := l.runUntil(l.now() + int64(o.settle)); err != nil {
		return result{}, err
	}
	residentBefore, err := residentBytes(o.pids)
	if err != nil {
		return result{}, err
	}
	before, err := usageNow(o)
	if err != nil {
		return result{}, err
	}
	_, took, err := connectAll(l, t, o, o.subscribers, channel)
	if err != nil {
		return result{}, err
	}
	after, err := usageNow(o)
	if err != nil {
		return result{}, err
	}
	if err := l.runUntil(l.now() + int64(o.settle)); err != nil {
		return result{}, err
	}
	resident, err := residentBytes(o.pids)
	r := result{Seconds: took.Seconds(), Connections: o.subscribers, ResidentBytes: resident - residentBefore}
	after.chargeTo(&r, before)
	return r, err
}
