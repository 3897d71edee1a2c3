package ingest

import (
	"context"
	"crypto/tls"
	"time"
)

// Handshaker is a Source that can connect to its server without signing in, for `mailflume check`.
type Handshaker interface {
	// Handshake dials, secures the connection, closes it and returns what TLS it had.
	Handshake(ctx context.Context) (tls.ConnectionState, error)
}

// Offerer is a Source that can ask its server how one may sign in, without doing it, for `mailflume check`.
type Offerer interface {
	// Offers connects, closes the connection and returns the SASL mechanisms that the server names, in upper case
	// and in order; LOGIN or USER stand for the protocol's own command. None: the server does not say.
	Offers(ctx context.Context) ([]string, error)
}

// Inspector is a Session that tells whether the mailbox is fit for its configuration, for `mailflume
// check`. It changes nothing on the server. An error is what the worker would fail with.
type Inspector interface {
	// Folders looks at what would be read.
	Folders(ctx context.Context) (Finding, error)
	// Rights looks at what the post-action needs.
	Rights(ctx context.Context) (Finding, error)
}

// Finding is what an inspection found where it failed at nothing.
type Finding struct {
	Text   string   // one line
	Doubts []string // what works and deserves a look all the same
	// Between is the least time between two sign-ins that the server wants (POP3 LOGIN-DELAY).
	Between time.Duration
}
