package catalogue

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/submit"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
	"mailflume/publish/natsjs"
)

// Found is what an operator is told of a failure.
type Found struct {
	Row
	Fault  ingest.Fault
	Worker ingest.Fault // as a worker sees it, which does not read tokens
	Text   string       // the error, then what to do, line by line
	Later  []string     // the same, of what shows only when the mailbox is read or a probe is sent; nil: the report has it
	Report *check.Report
}

// Find returns the rows with a number; there are several where a failure has several signals.
func Find(n int) (out []Row) {
	for _, r := range Rows() {
		if r.N == n {
			out = append(out, r)
		}
	}
	return out
}

// Stand plays a row until end is called. path is the configuration that leads there. Key signs the
// issuer's tokens; nil: a new one.
func Stand(r Row, key *rsa.PrivateKey) (path string, end func() error, err error) {
	if r.Where != "" {
		return "", nil, fmt.Errorf("row %d is not reproduced here: %s", r.N, r.Where)
	}
	s, err := build(r, key)
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(s.dir, "mailflume.yaml"), s.close, nil
}

// Reproduce plays a row and looks at it with the real check and, if that finds nothing, as a worker
// does.
func Reproduce(ctx context.Context, r Row, key *rsa.PrivateKey) (found *Found, err error) {
	path, end, err := Stand(r, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	found = &Found{Row: r}
	found.Report = check.Run(ctx, cfg, check.Options{Mailboxes: cfg.Mailboxes, Reach: func(context.Context) (natsjs.Options, func(), error) {
		return natsjs.Options{}, nil, errors.New("there is no NATS on this stage")
	}})
	for _, sec := range found.Report.Sections {
		for _, st := range sec.Steps {
			if st.Fault.Code != "" {
				found.Fault, found.Worker, found.Text = st.Fault, st.Fault, st.Text+"\n"+strings.Join(st.Next, "\n")
				if st.Name == "claims" {
					found.Worker = ingest.FaultOf(read(ctx, cfg))
				}
				return found, nil
			}
		}
	}
	return found, found.look(ctx, cfg)
}

// look does what comes after a check.
func (f *Found) look(ctx context.Context, cfg *config.Config) error {
	var next []string
	var failure error
	if f.SMTP != "" {
		next, failure = probe(ctx, cfg)
	} else {
		failure = read(ctx, cfg)
	}
	if failure == nil {
		return nil
	}
	f.Fault = ingest.FaultOf(failure)
	f.Worker = f.Fault
	if next == nil {
		_, usual := ingest.Explain(f.Fault.Code)
		next = []string{usual}
	}
	f.Later = append([]string{failure.Error()}, next...)
	f.Text = strings.Join(f.Later, "\n")
	return nil
}

// probe submits a probe as check --send does, and says what to do as that would.
func probe(ctx context.Context, cfg *config.Config) (next []string, err error) {
	parts := worker.NewParts(cfg, func(string, oauth.RefreshInfo) {})
	defer parts.Close() // nothing of it is needed any more
	m := cfg.Mailboxes[0]
	opt, err := parts.Submission(m)
	if err != nil {
		return nil, err
	}
	_, err = submit.Send(ctx, opt, m.Address, m.Address, []byte("Subject: probe\r\n\r\n"))
	token, _ := opt.Login.Tokens.Token(ctx, "") // without one there are no ids
	says, _ := oauth.Describe(token.Value)
	return check.Advice(ingest.FaultOf(err).Code, m, says), err
}

// read reads the mailbox once and returns the first thing that fails.
func read(ctx context.Context, cfg *config.Config) error {
	src, done, err := worker.OpenSource(cfg, nil, cfg.Mailboxes[0])
	if err != nil {
		return err
	}
	defer done()
	sess, err := src.Open(ctx)
	if err != nil {
		return err
	}
	defer sess.Close()
	at, err := sess.Sync(ctx, nil)
	if err != nil {
		return err
	}
	for m, err := range sess.Messages(ctx, at, 0) {
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, m.Body); err != nil {
			return err
		}
	}
	return nil
}
