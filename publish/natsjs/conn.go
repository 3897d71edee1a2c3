package natsjs

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/redact"
)

// Conn is a connection to a NATS server that keeps itself alive until Close. It is safe for
// concurrent use.
type Conn struct {
	nc  *nats.Conn
	js  jetstream.JetStream
	opt Options

	sent   redact.Memory
	closed chan struct{} // closed when the client's last callback has run

	hookMu sync.Mutex // serialises the hooks

	mu       sync.Mutex
	wake     chan struct{} // closed and replaced whenever the server is there again
	visits   int           // how often it was there again
	first    error         // why the first connection did not come about
	denied   error         // the newest permission violation, and when it came
	deniedAt time.Time
	stream   streamInfo
	watch    watch
	waiters  map[*wait]struct{} // the writes that wait for the server
	told     error              // what Hooks.Waiting was told last: a sentinel or nil
}

// streamInfo is what the log needs to know about its stream.
type streamInfo struct {
	name, prefix string
	maxAge       time.Duration
	maxMsgSize   int32
	replicas     int
}

// Connect returns once the server has accepted the connection. It waits for a server that is not
// there yet until ctx ends, and returns ErrDenied at once when the server refuses the credentials.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	o.fill()
	c := &Conn{opt: o, closed: make(chan struct{}), wake: make(chan struct{}), waiters: map[*wait]struct{}{}, watch: watch{turn: make(chan struct{}, 1)}}
	opts, err := c.natsOptions()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", publish.ErrDenied, err)
	}
	up := c.wake // onConnect replaces it
	nc, err := nats.Connect(o.URL, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", classify(c.masked(err)))
	}
	c.nc = nc
	if err := c.awaitFirst(ctx, up); err != nil {
		_ = c.Close()
		return nil, err
	}
	if o.Domain != "" {
		c.js, err = jetstream.NewWithDomain(nc, o.Domain)
	} else {
		c.js, err = jetstream.New(nc)
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("connect to NATS: %w", classify(err))
	}
	return c, nil
}

// awaitFirst waits for the first connection. A refusal in a later round of the client's own retry
// loop reaches no callback, only its LastError: hence the ticker.
func (c *Conn) awaitFirst(ctx context.Context, up <-chan struct{}) (err error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	started, w := time.Now(), wait{c: c}
	defer func() { w.gaveUp = err != nil; w.done() }()
	for !c.nc.IsConnected() {
		c.mu.Lock()
		first := c.first
		c.mu.Unlock()
		if err := errors.Join(first, c.masked(c.nc.LastError())); isDenied(err) {
			return fmt.Errorf("connect to NATS: %w: %w", publish.ErrDenied, err)
		}
		waited := time.Since(started)
		if c.opt.Patience > 0 && waited > c.opt.Patience && isAbsent(first) {
			return c.noConnection(first)
		}
		if !w.began && (isAbsent(first) || first != nil && waited > time.Second) {
			w.began = true
			c.updateWaiting(&w, c.noConnection(first), true)
		}
		select {
		case <-up:
			up = nil
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("connect to NATS at %s: %w", c.where(c.nc), ended(ctx, first))
		}
	}
	return nil
}

func (c *Conn) noConnection(why error) error {
	return fmt.Errorf("%w: connect to NATS at %s: %w", publish.ErrUnavailable, c.where(c.nc), why)
}

// where names the servers, without what stands in their URLs of users and passwords.
func (c *Conn) where(nc *nats.Conn) string {
	if c.opt.InProcess != nil {
		return "this process"
	}
	var hosts []string
	for _, s := range nc.Servers() {
		if u, err := url.Parse(s); err == nil {
			hosts = append(hosts, u.Host)
		}
	}
	return strings.Join(hosts, ", ")
}

// Close ends the connection and waits until its goroutines have returned their last callback.
func (c *Conn) Close() error {
	c.nc.Close()
	select {
	case <-c.closed:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("%w: the connection's callbacks did not return; a hook blocks", publish.ErrUnavailable)
	}
}

// api returns the subject prefix of the JetStream API.
func (c *Conn) api() string {
	if c.opt.Domain != "" {
		return "$JS." + c.opt.Domain + ".API."
	}
	return "$JS.API."
}

// Connected reports whether the server is there right now.
func (c *Conn) Connected() bool { return c.nc.IsConnected() }

// URL is the address of the server the connection is on, without credentials.
func (c *Conn) URL() string { return c.nc.ConnectedUrlRedacted() }

// masked is an error without the secrets that a server may repeat of those it was sent.
func (c *Conn) masked(err error) error {
	if err == nil {
		return nil
	}
	return c.sent.Masker().Error(err)
}

func (c *Conn) onConnect(*nats.Conn) { c.wakeUp() }

func (c *Conn) onReconnect(nc *nats.Conn) {
	c.wakeUp()
	c.hookMu.Lock()
	defer c.hookMu.Unlock()
	if c.opt.Hooks.Reconnected != nil {
		c.opt.Hooks.Reconnected(nc.ConnectedUrlRedacted())
	}
}

func (c *Conn) onDisconnect(nc *nats.Conn, err error) {
	c.hookMu.Lock()
	defer c.hookMu.Unlock()
	if c.opt.Hooks.Disconnected != nil && err != nil {
		c.opt.Hooks.Disconnected(classify(fmt.Errorf("not connected to NATS at %s: %w", c.where(nc), c.masked(err))))
	}
}

func (c *Conn) onConnectError(_ *nats.Conn, err error) {
	c.mu.Lock()
	c.first = c.masked(err)
	c.mu.Unlock()
}

func (c *Conn) onError(_ *nats.Conn, _ *nats.Subscription, err error) {
	err = c.masked(err)
	if isDenied(err) {
		c.mu.Lock()
		c.denied, c.deniedAt = err, time.Now()
		c.mu.Unlock()
	}
	c.report(classify(err))
}

// report hands an error that has no caller to the hook.
func (c *Conn) report(err error) {
	c.hookMu.Lock()
	defer c.hookMu.Unlock()
	if c.opt.Hooks.Error != nil {
		c.opt.Hooks.Error(err)
	}
}

func (c *Conn) wakeUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.wake)
	c.wake = make(chan struct{})
	c.visits++
}

// visit tells one connection to the server from the next.
func (c *Conn) visit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.visits
}

// woken returns a channel that is closed when the server is there again.
func (c *Conn) woken() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wake
}

// deniedSince returns the permission violation that came at or after t, if any.
func (c *Conn) deniedSince(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.denied != nil && !c.deniedAt.Before(t) {
		return c.denied
	}
	return nil
}
