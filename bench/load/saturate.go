package main

import "fmt"

// saturate publishes as fast as the server allows: each publisher sends its next request when it has the response to the last
// one, as long as the subscribers are at most a window of publications behind.
func saturate(l *loop, o options) (result, error) {
	t := &tally{}
	bystanding := func(i int) string { return fmt.Sprintf("%s-bystander-%d", o.channel, i) }
	if _, _, err := connectAll(l, t, o, o.bystanders, bystanding); err != nil {
		return result{}, err
	}
	if _, _, err := connectAll(l, t, o, o.subscribers, func(int) string { return o.channel }); err != nil {
		return result{}, err
	}
	published, isOver := 0, false
	var waiting []*publisher
	next := func(p *publisher) error {
		if isOver {
			return nil
		}
		if published-t.deliveries/o.subscribers >= o.window {
			waiting = append(waiting, p)
			return nil
		}
		published++
		return p.publish(l.now())
	}
	publishers, err := openPublishers(l, o, next)
	if err != nil {
		return result{}, err
	}
	l.afterTurn = func() error {
		resumed := waiting
		waiting = nil
		for _, p := range resumed {
			if err := next(p); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range publishers {
		if err := next(p); err != nil {
			return result{}, err
		}
	}
	if err := l.runUntil(l.now() + int64(o.warmUp)); err != nil {
		return result{}, err
	}
	measured, err := measure(l, t, o, &published)
	if err != nil {
		return result{}, err
	}
	isOver = true
	return measured, awaitDeliveries(l, t, published*o.subscribers)
}
