// Runs centrifuge-go. Reads commands from standard input and writes replies and events to standard output, as JSON lines.
// client-program.ts describes them.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

const replyTimeout = 10 * time.Second

type settings struct {
	URL      string   `json:"url"`
	Protocol string   `json:"protocol"`
	Tokens   []string `json:"tokens"`
}

type command struct {
	ID       int                        `json:"id"`
	Do       string                     `json:"do"`
	Channel  string                     `json:"channel"`
	Tokens   []string                   `json:"tokens"`
	Data     json.RawMessage            `json:"data"`
	Method   string                     `json:"method"`
	Limit    int32                      `json:"limit"`
	Since    *centrifuge.StreamPosition `json:"since"`
	Reverse  bool                       `json:"reverse"`
	Commands []command                  `json:"commands"`
}

// fields is one JSON object of the output.
type fields map[string]any

type program struct {
	client   *centrifuge.Client
	payloads payloads
	output   sync.Mutex
}

func main() {
	var given settings
	if err := json.Unmarshal([]byte(os.Args[1]), &given); err != nil {
		panic(err)
	}
	p := &program{payloads: payloads{binary: given.Protocol == "protobuf"}}
	config := centrifuge.Config{}
	if len(given.Tokens) > 0 {
		next := p.tokenSource(given.Tokens, fields{"event": "token"})
		config.GetToken = func(centrifuge.ConnectionTokenEvent) (string, error) { return next() }
	}
	if given.Protocol == "protobuf" {
		p.client = centrifuge.NewProtobufClient(given.URL, config)
	} else {
		p.client = centrifuge.NewJsonClient(given.URL, config)
	}
	p.watchClient()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		go p.execute(c)
	}
	p.client.Close()
}

// tokenSource returns a function that returns the next token at each call, as an application's backend does, and reports it.
func (p *program) tokenSource(tokens []string, event fields) func() (string, error) {
	var mu sync.Mutex
	return func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		p.print(event)
		if len(tokens) == 0 {
			return "", centrifuge.ErrUnauthorized
		}
		token := tokens[0]
		tokens = tokens[1:]
		return token, nil
	}
}

func (p *program) execute(c command) {
	result, err := p.run(c)
	if err == nil {
		p.print(fields{"reply": c.ID, "result": result})
		return
	}
	problem := fields{"code": 0, "message": err.Error()}
	var fromServer *centrifuge.Error
	if errors.As(err, &fromServer) {
		problem = fields{"code": fromServer.Code, "message": fromServer.Message}
	}
	p.print(fields{"reply": c.ID, "error": problem})
}

func (p *program) run(c command) (fields, error) {
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	switch c.Do {
	case "connect":
		return fields{}, p.client.Connect()
	case "disconnect":
		return fields{}, p.client.Disconnect()
	case "subscribe":
		return fields{}, p.subscribe(c)
	case "unsubscribe":
		subscription, ok := p.client.GetSubscription(c.Channel)
		if !ok {
			return nil, errors.New("there is no such subscription")
		}
		return fields{}, subscription.Unsubscribe()
	case "publish":
		_, err := p.client.Publish(ctx, c.Channel, p.payloads.encode(c.Data))
		return fields{}, err
	case "presence":
		found, err := p.client.Presence(ctx, c.Channel)
		clients := fields{}
		for id, info := range found.Clients {
			clients[id] = p.payloads.info(info)
		}
		return fields{"clients": clients}, err
	case "presenceStats":
		stats, err := p.client.PresenceStats(ctx, c.Channel)
		return fields{"clients": stats.NumClients, "users": stats.NumUsers}, err
	case "history":
		return p.history(ctx, c)
	case "rpc":
		result, err := p.client.RPC(ctx, c.Method, p.payloads.encode(c.Data))
		return fields{"data": p.payloads.decode(result.Data)}, err
	case "batch":
		// The library combines concurrent commands on the wire.
		var all sync.WaitGroup
		for _, each := range c.Commands {
			all.Add(1)
			go func(each command) {
				defer all.Done()
				p.execute(each)
			}(each)
		}
		all.Wait()
		return fields{}, nil
	}
	return nil, errors.New("unknown command " + c.Do)
}

func (p *program) subscribe(c command) error {
	if known, ok := p.client.GetSubscription(c.Channel); ok {
		return known.Subscribe()
	}
	config := centrifuge.SubscriptionConfig{JoinLeave: true}
	if len(c.Tokens) > 0 {
		next := p.tokenSource(c.Tokens, fields{"event": "token", "channel": c.Channel})
		config.GetToken = func(centrifuge.SubscriptionTokenEvent) (string, error) { return next() }
	}
	subscription, err := p.client.NewSubscription(c.Channel, config)
	if err != nil {
		return err
	}
	p.watchSubscription(subscription)
	return subscription.Subscribe()
}

func (p *program) history(ctx context.Context, c command) (fields, error) {
	found, err := p.client.History(ctx, c.Channel,
		centrifuge.WithHistoryLimit(c.Limit),
		centrifuge.WithHistorySince(c.Since),
		centrifuge.WithHistoryReverse(c.Reverse))
	publications := []fields{}
	for _, each := range found.Publications {
		publications = append(publications, p.payloads.publication(each))
	}
	return fields{"publications": publications, "offset": found.Offset, "epoch": found.Epoch}, err
}

func (p *program) print(line fields) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	p.output.Lock()
	defer p.output.Unlock()
	os.Stdout.Write(append(text, '\n'))
}
