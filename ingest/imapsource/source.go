package imapsource

import (
	"context"
	"errors"
	"iter"

	"mailflume/ingest"
)

// Source is one IMAP mailbox. It is safe for concurrent use.
type Source struct{ opt Options }

var _ ingest.Source = (*Source)(nil)

// New checks the options and returns a Source. It does no I/O.
func New(o Options) (*Source, error) {
	o.applyDefaults()
	return &Source{opt: o}, nil
}

// Open implements ingest.Source.
func (s *Source) Open(context.Context) (ingest.Session, error) {
	return nil, errors.New("imapsource: being built")
}

// Fold implements ingest.Source.
func (s *Source) Fold(at ingest.Cursor, _ iter.Seq[ingest.Entry]) (ingest.Cursor, error) {
	return at, nil
}
