package natsjs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func TestAnInspectionTellsWhatTheStreamIsAndChangesNothing(t *testing.T) {
	srv := startServer(t, serverOptions{})
	c := dial(t, srv.options())
	r, err := c.Inspect(t.Context(), natsjs.StreamConfig{})
	if err != nil || r.Exists || r.Server == "" || r.MaxPayload != 1<<20 {
		t.Fatalf("before there is a stream: %+v, %v", r, err)
	}
	if err := c.MayPublish(t.Context(), "mail.v1.default.check.received"); err != nil {
		t.Errorf("without a stream: %v", err)
	}
	if err := c.EnsureStream(t.Context(), natsjs.StreamConfig{Manage: true, MaxBytes: 1 << 20, MaxAge: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := c.MayPublish(t.Context(), "mail.v1.default.check.received"); err != nil {
		t.Error(err)
	}
	r, err = c.Inspect(t.Context(), natsjs.StreamConfig{})
	if err != nil || !r.Exists || r.Messages != 0 || r.MaxBytes != 1<<20 || r.MaxAge != time.Hour || r.Streams != 1 || len(r.Lacks) != 0 {
		t.Errorf("%+v, %v; a stream that nothing was written to was expected", r, err)
	}
}

func TestAnInspectionRefusesAStreamThatLosesMail(t *testing.T) {
	srv := startServer(t, serverOptions{})
	c := dial(t, srv.options())
	_, err := srv.admin(t).CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "MAIL", Subjects: []string{"mail.v1.>"}, Retention: jetstream.WorkQueuePolicy,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Inspect(t.Context(), natsjs.StreamConfig{}); !errors.Is(err, publish.ErrUnsafe) || !strings.Contains(err.Error(), "retention") {
		t.Errorf("%v", err)
	}
}

func TestAPermissionToPublishThatIsMissingIsNamed(t *testing.T) {
	srv := startServer(t, serverOptions{configure: func(o *server.Options) {
		o.Users = []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{"$JS.API.>"}},
		}}}
	}})
	o := srv.options()
	o.User, o.Password = "u", func() (string, error) { return "p", nil }
	c := dial(t, o)
	err := c.MayPublish(t.Context(), "mail.v1.default.check.received")
	if !errors.Is(err, publish.ErrDenied) || !strings.Contains(err.Error(), "mail.v1.default.check.received") {
		t.Errorf("%v", err)
	}
}
