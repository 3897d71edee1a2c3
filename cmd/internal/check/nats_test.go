package check_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/pop3/pop3test"
	"mailflume/publish/natsjs"
)

// withStream starts the embedded server once and makes the stream.
func withStream(t *testing.T, cfg *config.Config, change func(*natsjs.StreamConfig)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	srv, err := worker.StartEmbedded(ctx, cfg, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Shutdown()
	conn, err := natsjs.Connect(ctx, srv.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sc := worker.StreamConfig(cfg)
	change(&sc)
	if err := conn.EnsureStream(ctx, sc); err != nil {
		t.Fatal(err)
	}
}

func TestTheStreamAndTheBlobsAreLookedAt(t *testing.T) {
	for _, c := range []struct {
		name   string
		blobs  string
		change func(*natsjs.StreamConfig)
		level  check.Level
		says   string
	}{
		{"in order", "", func(*natsjs.StreamConfig) {}, check.OK, "0 messages"},
		{"blobs in files", "blobs: {url: \"file://{{dir}}/blobs\"}\n", func(*natsjs.StreamConfig) {}, check.OK, "0 messages"},
		{"one that would lose mail", "", func(s *natsjs.StreamConfig) { s.Prefix = "other.v1" }, check.Failed, "subjects other.v1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, imaptest.Options{}, pop3test.Options{})
			cfg := s.load(t, s.box("imap", "support", "")+s.box("pop3", "invoices", ""), strings.ReplaceAll(c.blobs, "{{dir}}", filepath.ToSlash(s.dir)))
			withStream(t, cfg, c.change)
			r := look(t, cfg)
			st := step(t, r, check.NATS, "", "stream")
			if st.Level != c.level || !strings.Contains(st.Text, c.says) {
				t.Fatalf("%s", text(t, r))
			}
			if c.level == check.Failed {
				if st.Code != ingest.CodeStreamUnsafe || r.Cause() != check.OfNATS || step(t, r, check.NATS, "", "blobs").Level != check.NotDone {
					t.Error(text(t, r))
				}
				return
			}
			if b := step(t, r, check.NATS, "", "blobs"); b.Level != check.OK || !strings.Contains(b.Text, "written and read back") {
				t.Error(text(t, r))
			}
			if p := step(t, r, check.NATS, "", "publish"); p.Level != check.OK || !strings.Contains(p.Text, "allowed below mail.v1") {
				t.Error(text(t, r))
			}
			if again := step(t, look(t, cfg), check.NATS, "", "stream"); !strings.HasPrefix(again.Text, "0 messages") {
				t.Errorf("the check left something in the stream: %s", again.Text)
			}
		})
	}
}
