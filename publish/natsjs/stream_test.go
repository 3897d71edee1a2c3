package natsjs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func TestAStreamThatWouldLoseMailIsRefusedByName(t *testing.T) {
	srv := startServer(t, serverOptions{})
	conn, js := dial(t, srv.options()), srv.admin(t)
	for name, c := range map[string]struct {
		change func(*jetstream.StreamConfig)
		says   string // empty: accepted
	}{
		"as it should be":            {func(*jetstream.StreamConfig) {}, ""},
		"a wider subject":            {func(c *jetstream.StreamConfig) { c.Subjects = []string{"mail.>"} }, ""},
		"discard new with a cap":     {func(c *jetstream.StreamConfig) { c.MaxBytes, c.Discard = 1<<20, jetstream.DiscardNew }, ""},
		"deny purge without rollup":  {func(c *jetstream.StreamConfig) { c.DenyPurge, c.AllowRollup = true, false }, "allow_rollup"},
		"discard old with max_bytes": {func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 }, "max_bytes"},
		"discard old with max_msgs":  {func(c *jetstream.StreamConfig) { c.MaxMsgs = 1000 }, "max_msgs"},
		"interest retention":         {func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy }, "retention"},
		"work queue retention":       {func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }, "retention"},
		"max messages per subject":   {func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 }, "max_msgs_per_subject"},
		"no rollup":                  {func(c *jetstream.StreamConfig) { c.AllowRollup = false }, "allow_rollup"},
		"no message TTL":             {func(c *jetstream.StreamConfig) { c.AllowMsgTTL = false }, "allow_msg_ttl"},
		"no direct get":              {func(c *jetstream.StreamConfig) { c.AllowDirect = false }, "allow_direct"},
		"a narrower subject":         {func(c *jetstream.StreamConfig) { c.Subjects = []string{"mail.v1.acme.>"} }, "mail.v1.>"},
		"no acknowledgements":        {func(c *jetstream.StreamConfig) { c.NoAck = true }, "no_ack"},
		"a tiny message size":        {func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1000 }, "max_msg_size"},
		"a transform": {func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "mail.v1.>", Destination: "x.>"}
		}, "subject_transform"},
		"sources":   {func(c *jetstream.StreamConfig) { c.Sources = []*jetstream.StreamSource{{Name: "OTHER"}} }, "sources"},
		"sealed":    {func(c *jetstream.StreamConfig) { c.Sealed = true }, "sealed"},
		"not there": {nil, "does not exist"},
		"mirror":    {func(c *jetstream.StreamConfig) { c.Subjects, c.Mirror = nil, &jetstream.StreamSource{Name: "OTHER"} }, "mirror"},
	} {
		t.Run(name, func(t *testing.T) {
			srv.freshStream(t)
			if c.change != nil {
				cfg := jetstream.StreamConfig{Name: "MAIL", Subjects: []string{"mail.v1.>"}, AllowRollup: true, AllowMsgTTL: true, AllowDirect: true}
				sealed := cfg
				c.change(&cfg)
				if cfg.Sealed { // only an existing stream can be sealed
					if _, err := createStream(t, js, sealed); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := createStream(t, js, cfg); err != nil {
					t.Fatal(err)
				}
			}
			err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{})
			switch {
			case c.says == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("got %v, want it to name %s", err, c.says)
			case c.change == nil && !errors.Is(err, natsjs.ErrNoStream):
				t.Errorf("got %v", err)
			case c.change != nil && c.says != "" && !errors.Is(err, publish.ErrUnsafe):
				t.Errorf("not ErrUnsafe: %v", err)
			}
		})
	}
}

func TestAServerThatTakesNoEventIsRefusedAndNamed(t *testing.T) {
	srv := startServer(t, serverOptions{maxPayload: 1024})
	err := dial(t, srv.options()).EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true})
	if !errors.Is(err, publish.ErrUnsafe) || !strings.Contains(err.Error(), "max_payload of the server is 1024") {
		t.Errorf("a server with a max_payload of 1024: %v", err)
	}
	o := srv.options()
	srv.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := natsjs.Connect(ctx, o); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(srv.url(), "nats://")) {
		t.Errorf("a server that is away: %v", err)
	}
}

func TestAManagedStreamIsCreatedAndRepaired(t *testing.T) {
	srv := startServer(t, serverOptions{})
	conn, js := dial(t, srv.options()), srv.admin(t)
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true, MaxAge: time.Hour, MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	cfg := srv.stream(t).CachedInfo().Config
	if cfg.MaxAge != time.Hour || cfg.Discard != jetstream.DiscardNew || cfg.Storage != jetstream.FileStorage || !cfg.AllowAtomicPublish || !cfg.AllowDirect {
		t.Errorf("created as %+v", cfg)
	}
	if conn.MaxAge() != time.Hour {
		t.Errorf("max age %v", conn.MaxAge())
	}
	srv.freshStream(t)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MAIL", Subjects: []string{"mail.v1.>"}}); err != nil {
		t.Fatal(err)
	}
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true}); err != nil {
		t.Fatal(err)
	}
	if cfg := srv.stream(t).CachedInfo().Config; !cfg.AllowRollup || !cfg.AllowMsgTTL || !cfg.AllowDirect {
		t.Errorf("repaired to %+v", cfg)
	}
}

// createStream creates or updates a stream. Right after the deletion of one of the same name the server may not
// have let go of its folder yet (nats-server 2.15, error 10049): that passes.
func createStream(t *testing.T, js jetstream.JetStream, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	t.Helper()
	for n := 0; ; n++ {
		s, err := js.CreateOrUpdateStream(t.Context(), cfg)
		var api *jetstream.APIError
		if n == 20 || !errors.As(err, &api) || api.ErrorCode != 10049 {
			return s, err
		}
		<-time.After(20 * time.Millisecond)
	}
}
