// The load client of the bench: one run against one server of one or several processes. It writes the result to stdout as
// JSON. It uses the Centrifugo protocol on raw sockets in one thread, and checks that every publication reached every
// subscriber. Linux only.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	servers     []string
	pids        []int
	storePids   []int
	tokenSecret string
	apiKey      string
	channel     string
	subscribers int
	bystanders  int
	publishers  int
	payload     int
	sampled     int
	warmUp      time.Duration
	duration    time.Duration
	window      int
	rate        int
	parallel    int
	settle      time.Duration
}

func main() {
	runtime.LockOSThread()
	debug.SetGCPercent(800)
	mode, o, err := parse(os.Args[1:])
	if err == nil {
		err = raiseFileLimit()
	}
	var r result
	if err == nil {
		r, err = run(mode, o)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(mode string, o options) (result, error) {
	l, err := newLoop()
	if err != nil {
		return result{}, err
	}
	switch mode {
	case "saturate":
		return saturate(l, o)
	case "rate":
		return atRate(l, o)
	case "connect":
		return connect(l, o)
	}
	return result{}, fmt.Errorf("unknown mode %q: saturate, rate or connect", mode)
}

func parse(args []string) (mode string, o options, err error) {
	if len(args) == 0 {
		return "", o, fmt.Errorf("usage: load saturate|rate|connect [flags]; load saturate -help lists them")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	servers := flags.String("servers", "127.0.0.1:8000", "addresses of the server's processes")
	pids := flags.String("pids", "", "process ids of the server, for its CPU and memory")
	storePids := flags.String("store-pids", "", "process ids of the store, for its CPU")
	flags.StringVar(&o.tokenSecret, "token-secret", "", "secret of the connection tokens (HS256)")
	flags.StringVar(&o.apiKey, "api-key", "", "value of the X-API-Key header")
	flags.StringVar(&o.channel, "channel", "bench", "channel of all subscribers; connect: prefix of the channels, one per subscriber")
	flags.IntVar(&o.subscribers, "subscribers", 500, "clients, spread over the servers")
	flags.IntVar(&o.bystanders, "bystanders", 0, "saturate: additional clients, each with its own channel, that receive nothing")
	flags.IntVar(&o.publishers, "publishers", 16, "publishing keep-alive connections, spread over the servers")
	flags.IntVar(&o.payload, "payload", 100, "size of the data of a publication, in bytes")
	flags.IntVar(&o.sampled, "sampled", 20, "subscribers that measure the latency of each delivery, which costs the client CPU")
	flags.DurationVar(&o.warmUp, "warm-up", time.Second, "duration of the load before the measurement")
	flags.DurationVar(&o.duration, "duration", 2*time.Second, "duration of the measurement")
	flags.IntVar(&o.window, "window", 64, "saturate: largest number of publications in flight to the subscribers")
	flags.IntVar(&o.rate, "rate", 100, "rate: publications per second")
	flags.IntVar(&o.parallel, "parallel", 64, "connect: largest number of clients that connect at a time")
	flags.DurationVar(&o.settle, "settle", time.Second, "connect: pause before the memory is measured")
	_ = flags.Parse(args[1:]) // it exits on an error
	o.servers = strings.Split(*servers, ",")
	if o.pids, err = numbers(*pids); err == nil {
		o.storePids, err = numbers(*storePids)
	}
	return args[0], o, err
}

func numbers(list string) (all []int, err error) {
	for _, part := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		number, err := strconv.Atoi(part)
		if err != nil {
			return nil, err
		}
		all = append(all, number)
	}
	return all, nil
}

func raiseFileLimit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
