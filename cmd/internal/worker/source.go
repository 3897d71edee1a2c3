package worker

import (
	"crypto/x509"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/submit"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
	"mailflume/publish/natsjs"
)

// OpenSource returns the Source of one mailbox, for a command that reads it without a worker, and what
// to call when it is no longer needed. Sign-ins are looked up through conn.
func OpenSource(cfg *config.Config, conn *natsjs.Conn, m *config.Mailbox) (src ingest.Source, done func(), err error) {
	b := newBuilder(nil)
	b.signIns = signInsOf(cfg, conn)
	b.onToken = func(string, oauth.RefreshInfo) {}
	src, err = b.source(cfg, m, false)
	return src, func() { _ = b.close() }, err
}

// Parts makes single parts of a worker as the worker would, for a command that looks at each of them.
// It is safe for concurrent use.
type Parts struct {
	cfg *config.Config
	b   *builder
}

// NewParts makes parts of cfg's worker. onToken hears of every token request.
func NewParts(cfg *config.Config, onToken func(credential string, i oauth.RefreshInfo)) *Parts {
	b := newBuilder(nil)
	b.onToken = onToken
	return &Parts{cfg: cfg, b: b}
}

// SignIns has sign-ins of delegated credentials looked up through conn from now on.
func (p *Parts) SignIns(conn *natsjs.Conn) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	p.b.signIns = signInsOf(p.cfg, conn)
}

// Trace has the dialogues of the sources that are made from now on told, without what signs in.
func (p *Parts) Trace(tell func(m *config.Mailbox, line string)) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	p.b.trace = tell
}

// Login returns how a mailbox signs in; its token source is shared as in a worker.
func (p *Parts) Login(m *config.Mailbox) (ingest.Login, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return p.b.login(m)
}

// Source returns the Source of a mailbox that signs in with login.
func (p *Parts) Source(m *config.Mailbox, login ingest.Login) (ingest.Source, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return p.b.assemble(p.cfg, m, login, false, m.Start.Ingest())
}

// Submission returns how the worker submits probes of a mailbox.
func (p *Parts) Submission(m *config.Mailbox) (submit.Options, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	opt, err := p.b.submission(m)
	if tell := p.b.trace; tell != nil {
		opt.Endpoint.Trace = func(line string) { tell(m, line) }
	}
	return opt, err
}

// Close ends what the parts share.
func (p *Parts) Close() error { return p.b.close() }

// CertPool reads a ca_file.
func CertPool(path string) (*x509.CertPool, error) { return certPool(path) }
