// Centrifugo's engine, the Centrifuge library, with the features that the bench needs: connection tokens, an API key, history
// with recovery in channels that begin with "kept:", and Redis between processes. Centrifugo adds configuration, namespaces,
// proxies and metrics, so it is never faster than this program.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"
)

const keptNamespace = "kept:"

type options struct {
	listen      string
	tokenSecret string
	apiKey      string
	redisURL    string
	historySize int
	historyTTL  time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:8000", "address for HTTP and WebSocket")
	flag.StringVar(&o.tokenSecret, "token-secret", "", "secret of the connection tokens (HS256)")
	flag.StringVar(&o.apiKey, "api-key", "", "expected value of the X-API-Key header")
	flag.StringVar(&o.redisURL, "redis", "", "URL of the Redis between processes; empty for a single process")
	flag.IntVar(&o.historySize, "history-size", 100, "size of the history of each channel in kept:")
	flag.DurationVar(&o.historyTTL, "history-ttl", 5*time.Minute, "time to live of the history")
	flag.Parse()
	if o.tokenSecret == "" || o.apiKey == "" {
		log.Fatal("-token-secret and -api-key are required")
	}
	node, err := newNode(o)
	if err != nil {
		log.Fatal(err)
	}
	websocket := centrifuge.WebsocketConfig{
		CheckOrigin: func(*http.Request) bool { return true },
		// What the library recommends for many idle connections: the stack of a read loop stays small.
		ProcessCommandsOffReadLoop: true,
	}
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, websocket))
	http.Handle("/api/publish", publishHandler(node, o))
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	log.Fatal(http.ListenAndServe(o.listen, nil))
}

func newNode(o options) (*centrifuge.Node, error) {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, err
	}
	if o.redisURL != "" {
		if err := useRedis(node, o.redisURL); err != nil {
			return nil, err
		}
	}
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		claims, err := verify(e.Token, []byte(o.tokenSecret))
		if err != nil {
			return centrifuge.ConnectReply{}, centrifuge.DisconnectInvalidToken
		}
		credentials := &centrifuge.Credentials{UserID: claims.Subject, ExpireAt: claims.ExpiresAt}
		return centrifuge.ConnectReply{Credentials: credentials}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(e centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			isKept := strings.HasPrefix(e.Channel, keptNamespace)
			reply(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EnableRecovery: isKept}}, nil)
		})
	})
	return node, node.Run()
}

func useRedis(node *centrifuge.Node, url string) error {
	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: url})
	if err != nil {
		return err
	}
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{Shards: []*centrifuge.RedisShard{shard}})
	if err != nil {
		return err
	}
	node.SetBroker(broker)
	return nil
}
