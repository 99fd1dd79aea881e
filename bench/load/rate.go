package main

import "time"

// atRate publishes at fixed times, however long the responses take. A publication that has to wait for a publisher counts from
// its planned time.
func atRate(l *loop, o options) (result, error) {
	t := &tally{}
	if _, _, err := connectAll(l, t, o, o.subscribers, func(int) string { return o.channel }); err != nil {
		return result{}, err
	}
	var free []*publisher
	publishers, err := openPublishers(l, o, func(p *publisher) error {
		free = append(free, p)
		return nil
	})
	if err != nil {
		return result{}, err
	}
	free = publishers
	published := 0
	var due []int64
	pause := int64(time.Second) / int64(o.rate)
	nextDue := l.now()
	l.wakeAt = nextDue
	l.afterTurn = func() error {
		now := l.now()
		for ; nextDue <= now; nextDue += pause {
			due = append(due, now)
		}
		for len(due) > 0 && len(free) > 0 {
			p, at := free[0], due[0]
			free, due = free[1:], due[1:]
			published++
			if err := p.publish(at); err != nil {
				return err
			}
		}
		l.wakeAt = nextDue
		return nil
	}
	if err := l.runUntil(l.now() + int64(o.warmUp)); err != nil {
		return result{}, err
	}
	measured, err := measure(l, t, o, &published)
	if err != nil {
		return result{}, err
	}
	l.afterTurn, l.wakeAt = nil, 0
	return measured, awaitDeliveries(l, t, published*o.subscribers)
}
