package pop3source

import (
	"sync/atomic"
	"testing"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/pop3/pop3test"
)

// maildrop is one user's mail on a pop3test server.
type maildrop struct {
	srv  *pop3test.Server
	eats bool         // what is published is gone, so that new UIDLs prove nothing
	cut  atomic.Int64 // octets of the next body, plus one; 0: whole
}

func newMaildrop(t *testing.T, opt pop3test.Options) sourcetest.Server {
	m := &maildrop{eats: opt.ConsumeOnQuit}
	opt.Shared = true // the suite opens sessions beside each other
	opt.Hooks.Retr = func(string, int, string) pop3test.Fault {
		n := m.cut.Swap(0)
		return pop3test.Fault{Cut: n > 0, After: n - 1}
	}
	m.srv = start(t, opt)
	return m
}

// Source returns a Source of the maildrop.
func (m *maildrop) Source(t *testing.T, start ingest.Start, after ingest.After) ingest.Source {
	return source(t, m.srv, func(o *Options) { o.Start, o.After = start, after })
}
func (m *maildrop) Add(_ *testing.T, message []byte) { m.srv.Add(ann, message) }
func (m *maildrop) Left(*testing.T) int              { return m.srv.Messages(ann) }
func (m *maildrop) Cut(_ *testing.T, n int)          { m.cut.Store(int64(n) + 1) }

// Renumber gives all messages new UIDLs.
func (m *maildrop) Renumber(*testing.T) bool {
	m.srv.Renumber(ann)
	return !m.eats
}

func TestTheSourceConforms(t *testing.T) {
	for name, opt := range map[string]pop3test.Options{
		"pipelined": {}, "one by one": {NoPipelining: true}, "over a server that consumes at QUIT": gmail(),
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Server { return newMaildrop(t, opt) })
		})
	}
}
