package worker

import (
	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
)

// OpenSource returns the Source of one mailbox, for a command that reads it without a worker, and what
// to call when it is no longer needed.
func OpenSource(cfg *config.Config, m *config.Mailbox) (src ingest.Source, done func(), err error) {
	b := newBuilder(nil)
	b.onToken = func(string, oauth.RefreshInfo) {}
	src, err = b.source(cfg, m, false)
	return src, func() { _ = b.close() }, err
}
