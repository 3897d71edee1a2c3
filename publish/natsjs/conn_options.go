package natsjs

import (
	"crypto/tls"
	"time"

	"github.com/nats-io/nats.go"
)

// Options say how to reach a NATS server. The zero value of everything but URL works.
type Options struct {
	URL    string // nats://host:port, several separated by commas
	Name   string // connection name, shown by the server; default mailflume
	Worker string // id of this worker, written into every message
	Domain string // JetStream domain, if the account is reached through a leaf node

	CredentialsFile string                 // JWT and nkey seed; read again on every connect
	NkeySeedFile    string                 // nkey seed
	User            string                 // with Password
	Password        func() (string, error) // asked on every connect; nil: empty
	Token           func() string          // shared token; a func, so that nothing prints it

	TLS       *tls.Config                // nil: as the URL and the server ask for
	Dialer    nats.CustomDialer          // nil: net.Dialer
	InProcess nats.InProcessConnProvider // a server in this process: no socket is used

	Hooks          Hooks
	PublishTimeout time.Duration // one attempt's wait for an answer; default 5 s
	SyncInterval   time.Duration // the server's sync_interval; default 2 min, that of an unconfigured server; negative: always
	RetryMax       time.Duration // longest pause between two attempts; default 30 s
	Patience       time.Duration // for the first connection to a server that refuses it or whose name nobody knows, and for JetStream at one without; default: as long as there is time
	LookEvery      time.Duration // how often writes look whether the stream is still as it must be; default 3 min
}

// Hooks report what a connection goes through. They are called one at a time, from goroutines of
// the connection, and must not block. Any may be nil.
type Hooks struct {
	Disconnected func(err error)
	Reconnected  func(url string)
	Error        func(err error) // what has no caller: permission problems appear only here
	// Waiting is told when a write waits for the server, again when the reason changes, and nil
	// once nothing waits any more. The error wraps ErrUnavailable, ErrFull, ErrDenied or ErrUnsafe.
	Waiting func(err error)
	Resumed func() // before that nil, if what waited last has its answer and did not give up
}

const (
	defaultPublishTimeout = 5 * time.Second
	defaultSyncInterval   = 2 * time.Minute
	defaultRetryMax       = 30 * time.Second
	defaultLookEvery      = 3 * time.Minute
	firstRetry            = 250 * time.Millisecond
)

func (o *Options) fill() {
	if o.Name == "" {
		o.Name = "mailflume"
	}
	if o.PublishTimeout <= 0 {
		o.PublishTimeout = defaultPublishTimeout
	}
	if o.RetryMax <= 0 {
		o.RetryMax = defaultRetryMax
	}
	if o.LookEvery <= 0 {
		o.LookEvery = defaultLookEvery
	}
	switch {
	case o.SyncInterval == 0:
		o.SyncInterval = defaultSyncInterval
	case o.SyncInterval < 0:
		o.SyncInterval = 0
	}
	if o.URL == "" {
		o.URL = nats.DefaultURL
	}
	o.Worker = headerSafe(o.Worker)
}

// headerSafe keeps the printable ASCII of s, at most 128 bytes of it.
func headerSafe(s string) string {
	out := make([]byte, 0, min(len(s), maxToken))
	for i := 0; i < len(s) && len(out) < maxToken; i++ {
		if ' ' < s[i] && s[i] < 0x7f {
			out = append(out, s[i])
		}
	}
	return string(out)
}

// natsOptions translates o. A publish never waits in the client's reconnect buffer: there it would
// land after its caller was told it had failed. Reconnecting never ends, and neither does it on
// refused credentials: they may be renewed.
func (c *Conn) natsOptions() ([]nats.Option, error) {
	o := &c.opt
	opts := []nats.Option{
		nats.Name(o.Name), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.ReconnectWait(500 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, time.Second), nats.Timeout(5 * time.Second),
		nats.ConnectHandler(c.onConnect), nats.ReconnectHandler(c.onReconnect), nats.DisconnectErrHandler(c.onDisconnect),
		nats.ReconnectErrHandler(c.onConnectError), nats.ErrorHandler(c.onError), nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	}
	if o.CredentialsFile != "" {
		opts = append(opts, nats.UserCredentials(o.CredentialsFile))
	}
	if o.NkeySeedFile != "" {
		nkey, err := nats.NkeyOptionFromSeed(o.NkeySeedFile)
		if err != nil {
			return nil, err
		}
		opts = append(opts, nkey)
	}
	if o.User != "" {
		opts = append(opts, nats.UserInfoHandler(c.userInfo))
	}
	if o.Token != nil {
		c.sent.Keep(o.Token())
		opts = append(opts, nats.TokenHandler(o.Token))
	}
	if o.TLS != nil {
		opts = append(opts, nats.Secure(o.TLS))
	}
	if o.Dialer != nil {
		opts = append(opts, nats.SetCustomDialer(o.Dialer))
	}
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	return opts, nil
}

// userInfo is asked by the client on every connect. A password that cannot be read is reported and
// the server's refusal of the empty one takes its course.
func (c *Conn) userInfo() (user, password string) {
	if c.opt.Password == nil {
		return c.opt.User, ""
	}
	p, err := c.opt.Password()
	if err != nil {
		c.report(err)
	}
	c.sent.Keep(p)
	return c.opt.User, p
}
