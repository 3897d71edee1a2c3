package imapsource

import (
	"time"

	"mailflume/ingest"
)

// Options of a Source. Endpoint and Login are required.
type Options struct {
	Endpoint ingest.Endpoint
	Login    ingest.Login
	// Folders are names, globs with * and ?, or special uses such as \All (RFC 6154), read in this
	// order; empty: INBOX. Exclude takes some of them away again.
	Folders, Exclude []string
	Start            ingest.Start
	After            ingest.After
	Idle             bool  // wait with IDLE (RFC 2177) where the server has it
	MaxMessage       int64 // octets; 0: 150 MiB
	WindowBytes      int64 // octets asked for at once; 0: 4 MiB

	ConnectTimeout  time.Duration // dial, TLS and sign-in together; 0: 30 s
	ProgressTimeout time.Duration // longest wait for the next octet of an answer; 0: 60 s
	IdleRefresh     time.Duration // how long one IDLE lasts; 0: 5 min

	Now func() time.Time // nil: time.Now
}

// The defaults. The guard's limits are in guard.go.
const (
	defaultMaxMessage  = 150 << 20
	defaultWindow      = 4 << 20
	defaultConnect     = 30 * time.Second
	defaultProgress    = 60 * time.Second
	defaultIdleRefresh = 5 * time.Minute
)

func (o *Options) applyDefaults() {
	if len(o.Folders) == 0 {
		o.Folders = []string{"INBOX"}
	}
	setDefault(&o.MaxMessage, defaultMaxMessage)
	setDefault(&o.WindowBytes, defaultWindow)
	setDefault(&o.ConnectTimeout, defaultConnect)
	setDefault(&o.ProgressTimeout, defaultProgress)
	setDefault(&o.IdleRefresh, defaultIdleRefresh)
	if o.Now == nil {
		o.Now = time.Now
	}
}

func setDefault[T int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
