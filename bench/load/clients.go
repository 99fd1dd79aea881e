package main

import (
	"fmt"
	"slices"
	"time"
)

// patience limits every wait for the server.
const patience = 20 * time.Second

// connectAll connects the subscribers, spread over the servers, a few at a time. The tokens are created before the first one
// connects.
func connectAll(l *loop, t *tally, o options, count int, channel func(i int) string) ([]*subscriber, time.Duration, error) {
	tokens := make([]string, count)
	for i := range tokens {
		tokens[i] = sign([]byte(o.tokenSecret), fmt.Sprintf("user-%d", i))
	}
	all := make([]*subscriber, 0, count)
	before, start := t.subscribed, l.now()
	for t.subscribed-before < count {
		for len(all) < count && len(all)-(t.subscribed-before) < o.parallel {
			i := len(all)
			isSampled := i%max(1, count/o.sampled) == 0
			s, err := subscribe(l, t, o.servers[i%len(o.servers)], tokens[i], channel(i), isSampled)
			if err != nil {
				return nil, 0, err
			}
			all = append(all, s)
		}
		if l.now()-start > int64(patience) {
			return nil, 0, fmt.Errorf("only %d of %d clients were subscribed in time", t.subscribed-before, count)
		}
		if err := l.turn(l.now() + int64(100*time.Millisecond)); err != nil {
			return nil, 0, err
		}
	}
	return all, time.Duration(l.now() - start), nil
}

func openPublishers(l *loop, o options, onResponse func(*publisher) error) ([]*publisher, error) {
	all := make([]*publisher, o.publishers)
	for i := range all {
		var err error
		if all[i], err = newPublisher(l, o.servers[i%len(o.servers)], o.apiKey, o.channel, o.payload, onResponse); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// awaitDeliveries checks that every publication has reached every subscriber once.
func awaitDeliveries(l *loop, t *tally, expected int) error {
	for end := l.now() + int64(patience); t.deliveries < expected; {
		if l.now() > end {
			return fmt.Errorf("%d of %d deliveries did not arrive", expected-t.deliveries, expected)
		}
		if err := l.turn(end); err != nil {
			return err
		}
	}
	if t.deliveries > expected {
		return fmt.Errorf("%d more deliveries than were published", t.deliveries-expected)
	}
	return nil
}

// measure runs the loop for the duration and returns the differences of all counters.
func measure(l *loop, t *tally, o options, published *int) (result, error) {
	var m result
	before, err := usageNow(o)
	if err != nil {
		return m, err
	}
	publishedBefore, deliveriesBefore, start := *published, t.deliveries, l.now()
	t.isOpen = true
	if err := l.runUntil(start + int64(o.duration)); err != nil {
		return m, err
	}
	t.isOpen = false
	m.Seconds = time.Duration(l.now() - start).Seconds()
	m.Published = *published - publishedBefore
	m.Deliveries = t.deliveries - deliveriesBefore
	after, err := usageNow(o)
	if err != nil {
		return m, err
	}
	after.chargeTo(&m, before)
	slices.Sort(t.latencies)
	m.LatencyP50Ms, m.LatencyP99Ms = percentileMs(t.latencies, 0.5), percentileMs(t.latencies, 0.99)
	return m, nil
}

func percentileMs(sorted []int64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(share*float64(len(sorted)-1))]) / 1e6
}
