package worker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/imapsource"
	"mailflume/ingest/oauth"
	"mailflume/ingest/pop3source"
	"mailflume/publish"
	"mailflume/publish/s3blob"
)

// builder makes the engine's mailboxes out of the configuration's. Token sources are shared by all
// mailboxes of a credential, stores by all of a tenant, TLS session caches by all of a server.
type builder struct {
	mu      sync.Mutex // guards the maps: a reload and the sweeper meet there
	w       *Worker
	onToken func(credential string, i oauth.RefreshInfo)
	now     func() time.Time       // nil: time.Now
	tokens  map[string]issuing     // by all that makes a credential
	gates   map[string]*oauth.Gate // by token endpoint and client
	stores  map[string]publish.BlobStore
	tls     map[string]*tls.Config
	signIns signIns
	trace   func(m *config.Mailbox, line string) // nil: nobody listens
}

func newBuilder(w *Worker) *builder {
	return &builder{w: w, tokens: map[string]issuing{}, gates: map[string]*oauth.Gate{}, stores: map[string]publish.BlobStore{}, tls: map[string]*tls.Config{}}
}

func (b *builder) build(cfg *config.Config) ([]ingest.Mailbox, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	perHost := map[string]int{}
	for _, m := range cfg.Mailboxes {
		perHost[m.Host]++
	}
	out := make([]ingest.Mailbox, 0, len(cfg.Mailboxes))
	for _, m := range cfg.Mailboxes {
		idle := m.Idle && perHost[m.Host] <= cfg.Limits.ConnectionsPerHost
		if m.Idle && !idle {
			b.w.log.Debug().Str("mailbox", m.ID).Int("mailboxes", perHost[m.Host]).Msg("polling instead of IDLE: more mailboxes than limits.connections_per_host")
		}
		box, err := b.mailbox(cfg, m, idle)
		if err != nil {
			return nil, fmt.Errorf("mailbox %s: %w", m.Name(), err)
		}
		out = append(out, box)
	}
	return out, nil
}

func (b *builder) mailbox(cfg *config.Config, m *config.Mailbox, idle bool) (ingest.Mailbox, error) {
	src, err := b.source(cfg, m, idle)
	if err != nil {
		return ingest.Mailbox{}, err
	}
	store, err := b.store(cfg, m.Tenant)
	if err != nil {
		return ingest.Mailbox{}, err
	}
	canary, err := b.canary(m)
	if err != nil {
		return ingest.Mailbox{}, err
	}
	var holds int64
	if _, ok := store.(*s3blob.Store); ok {
		holds = 4 * s3blob.Holds // the original, both bodies, and an attachment at a time
	}
	return ingest.Mailbox{
		Holds: holds,
		Key:   m.Key(), Host: m.Host, Source: b.w.crash.Source(src), Start: m.Start.Ingest(), Blobs: b.w.crash.Blobs(store), Raw: cfg.Blobs.Raw, Attachments: cfg.Blobs.Attachments,
		Info:  publish.MailboxInfo{ID: m.ID, Address: m.Address, Protocol: string(m.Protocol), Tenant: m.Tenant, Labels: m.Labels},
		After: m.After.Ingest(), PollEvery: time.Duration(m.PollEvery), Canary: canary,
		Restart: func(start ingest.Start) (ingest.Source, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.starting(cfg, m, false, start)
		},
		Definition: fmt.Sprint(m.Definition(), idle, int64(cfg.Limits.MessageSize)),
	}, nil
}

func (b *builder) source(cfg *config.Config, m *config.Mailbox, idle bool) (ingest.Source, error) {
	return b.starting(cfg, m, idle, m.Start.Ingest())
}

// starting makes a mailbox's source with a start of its own.
func (b *builder) starting(cfg *config.Config, m *config.Mailbox, idle bool, start ingest.Start) (ingest.Source, error) {
	login, err := b.login(m)
	if err != nil {
		return nil, err
	}
	return b.assemble(cfg, m, login, idle, start)
}

// assemble makes a mailbox's source with a login of its own.
func (b *builder) assemble(cfg *config.Config, m *config.Mailbox, login ingest.Login, idle bool, start ingest.Start) (ingest.Source, error) {
	end, err := b.endpoint(m)
	if err != nil {
		return nil, err
	}
	if b.trace != nil {
		end.Trace = func(line string) { b.trace(m, line) }
	}
	if m.Protocol == config.POP3 {
		return pop3source.New(pop3source.Options{
			Endpoint: end, Login: login, Start: start, After: m.After.Ingest(), MaxMessage: int64(cfg.Limits.MessageSize),
			Now: b.now,
		})
	}
	return imapsource.New(imapsource.Options{
		Endpoint: end, Login: login, Folders: m.Folders, Exclude: m.Exclude, Start: start, After: m.After.Ingest(),
		Idle: idle, MaxMessage: int64(cfg.Limits.MessageSize), Now: b.now,
	})
}

// endpoint shares one TLS configuration, and with it the session cache, between the mailboxes of a server.
func (b *builder) endpoint(m *config.Mailbox) (ingest.Endpoint, error) {
	key := m.Host + "\x00" + m.CAFile
	c := b.tls[key]
	if c == nil {
		c = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: m.Host, ClientSessionCache: tls.NewLRUClientSessionCache(32)}
		if m.CAFile != "" {
			pool, err := certPool(m.CAFile)
			if err != nil {
				return ingest.Endpoint{}, fmt.Errorf("ca_file: %w", err)
			}
			c.RootCAs = pool
		}
		b.tls[key] = c
	}
	return ingest.Endpoint{Addr: net.JoinHostPort(m.Host, strconv.Itoa(m.Port)), Security: m.TLS, TLS: c}, nil
}

func (b *builder) login(m *config.Mailbox) (ingest.Login, error) {
	tokens, err := b.tokenSource(m)
	return ingest.Login{User: m.User, Mechanism: m.Auth, Tokens: tokens}, err
}

func (b *builder) close() error {
	var errs []error
	for _, e := range b.tokens {
		errs = append(errs, e.Close())
	}
	for _, s := range b.stores {
		if c, ok := s.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
