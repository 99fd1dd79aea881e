package main

import "github.com/centrifugal/centrifuge-go"

func (p *program) watchClient() {
	p.client.OnConnecting(func(e centrifuge.ConnectingEvent) {
		p.print(fields{"event": "connecting", "code": e.Code, "reason": e.Reason})
	})
	p.client.OnConnected(func(e centrifuge.ConnectedEvent) {
		p.print(fields{"event": "connected", "client": e.ClientID})
	})
	p.client.OnDisconnected(func(e centrifuge.DisconnectedEvent) {
		p.print(fields{"event": "disconnected", "code": e.Code, "reason": e.Reason})
	})
	p.client.OnError(func(e centrifuge.ErrorEvent) {
		p.print(fields{"event": "error", "message": e.Error.Error()})
	})
	p.client.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		p.printSubscribed(e.Channel, e.WasRecovering, e.Recovered, e.StreamPosition)
	})
	p.client.OnUnsubscribed(func(e centrifuge.ServerUnsubscribedEvent) {
		p.print(fields{"event": "unsubscribed", "channel": e.Channel})
	})
	p.client.OnPublication(func(e centrifuge.ServerPublicationEvent) {
		p.printPublication(e.Channel, e.Publication)
	})
	p.client.OnJoin(func(e centrifuge.ServerJoinEvent) { p.printJoinOrLeave("join", e.Channel, e.ClientInfo) })
	p.client.OnLeave(func(e centrifuge.ServerLeaveEvent) { p.printJoinOrLeave("leave", e.Channel, e.ClientInfo) })
}

func (p *program) watchSubscription(s *centrifuge.Subscription) {
	s.OnSubscribing(func(e centrifuge.SubscribingEvent) {
		p.print(fields{"event": "subscribing", "channel": s.Channel, "code": e.Code, "reason": e.Reason})
	})
	s.OnSubscribed(func(e centrifuge.SubscribedEvent) {
		p.printSubscribed(s.Channel, e.WasRecovering, e.Recovered, e.StreamPosition)
	})
	s.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) {
		p.print(fields{"event": "unsubscribed", "channel": s.Channel, "code": e.Code, "reason": e.Reason})
	})
	s.OnError(func(e centrifuge.SubscriptionErrorEvent) {
		p.print(fields{"event": "error", "channel": s.Channel, "message": e.Error.Error()})
	})
	s.OnPublication(func(e centrifuge.PublicationEvent) { p.printPublication(s.Channel, e.Publication) })
	s.OnJoin(func(e centrifuge.JoinEvent) { p.printJoinOrLeave("join", s.Channel, e.ClientInfo) })
	s.OnLeave(func(e centrifuge.LeaveEvent) { p.printJoinOrLeave("leave", s.Channel, e.ClientInfo) })
}

func (p *program) printSubscribed(channel string, wasRecovering, recovered bool, at *centrifuge.StreamPosition) {
	line := fields{
		"event": "subscribed", "channel": channel, "wasRecovering": wasRecovering, "recovered": recovered,
	}
	if at != nil {
		line["epoch"] = at.Epoch
	}
	p.print(line)
}

func (p *program) printPublication(channel string, publication centrifuge.Publication) {
	line := p.payloads.publication(publication)
	line["event"] = "publication"
	line["channel"] = channel
	p.print(line)
}

func (p *program) printJoinOrLeave(event, channel string, info centrifuge.ClientInfo) {
	line := p.payloads.info(info)
	line["event"] = event
	line["channel"] = channel
	p.print(line)
}
