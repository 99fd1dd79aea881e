package main

import (
	"fmt"
	"net"
	"syscall"
	"time"
)

// source is a connection that the loop watches. An error ends the run, because the results are for all connections or none.
type source interface {
	read(buffer []byte) error
}

// loop handles all connections in one thread, with one wait for many connections and one read each, so that the client uses
// as little CPU as possible beside the servers.
type loop struct {
	epoll   int
	sources []source // by file descriptor
	events  []syscall.EpollEvent
	buffer  []byte
	started time.Time
	// afterTurn is called when everything that has arrived was passed on.
	afterTurn func() error
	// wakeAt ends a wait early, so that afterTurn can do what is due. 0 means never.
	wakeAt int64
}

func newLoop() (*loop, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &loop{
		epoll:   epoll,
		events:  make([]syscall.EpollEvent, 256),
		buffer:  make([]byte, 1<<20),
		started: time.Now(),
	}, nil
}

// now is the time since the start of the process, in ns: the clock of all latencies.
func (l *loop) now() int64 {
	return int64(time.Since(l.started))
}

// dial connects. On loopback, this takes only a system call.
func (l *loop) dial(address string) (int, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return 0, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	name := syscall.SockaddrInet4{Port: to.Port}
	copy(name.Addr[:], to.IP.To4())
	if err := syscall.Connect(fd, &name); err != nil {
		return 0, fmt.Errorf("connect to %s: %w", address, err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return 0, err
	}
	return fd, syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
}

func (l *loop) watch(fd int, s source) error {
	for len(l.sources) <= fd {
		l.sources = append(l.sources, nil)
	}
	l.sources[fd] = s
	return syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

func (l *loop) close(fd int) error {
	l.sources[fd] = nil
	return syscall.Close(fd)
}

// turn waits for data, at most until the given time of the loop's clock, and passes it on.
func (l *loop) turn(until int64) error {
	if l.wakeAt != 0 {
		until = min(until, l.wakeAt)
	}
	wait := max(0, until-l.now())
	// Rounded up, because a turn that ends early would cause a busy loop.
	count, err := syscall.EpollWait(l.epoll, l.events, int((wait+999_999)/1_000_000))
	if err == syscall.EINTR {
		return nil
	}
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range l.events[:count] {
		if s := l.sources[event.Fd]; s != nil {
			if err := s.read(l.buffer); err != nil {
				return err
			}
		}
	}
	if l.afterTurn != nil {
		return l.afterTurn()
	}
	return nil
}

// runUntil runs the loop until the given time of its clock.
func (l *loop) runUntil(end int64) error {
	for l.now() < end {
		if err := l.turn(end); err != nil {
			return err
		}
	}
	return nil
}

// receive reads once. It is not an error if there is nothing to read. The end of the stream is an error.
func receive(fd int, buffer []byte) (int, error) {
	count, err := syscall.Read(fd, buffer)
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read: %w", err)
	case count == 0:
		return 0, fmt.Errorf("the server closed a connection")
	}
	return count, nil
}

// send writes a request immediately. A connection has one request in flight, so it always fits.
func send(fd int, data []byte) error {
	count, err := syscall.Write(fd, data)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if count < len(data) {
		return fmt.Errorf("wrote %d of %d bytes", count, len(data))
	}
	return nil
}
