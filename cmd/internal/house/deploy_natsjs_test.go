package house

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// TestTheRealLogAndBlobsNeedNoFurtherPermission drives what the worker does with NATS through the
// package that does it: a permission that deploy/nats.conf forgets shows as ErrDenied here.
func TestTheRealLogAndBlobsNeedNoFurtherPermission(t *testing.T) {
	_, raw, _ := natsFromDeploy(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	c, err := natsjs.Connect(ctx, natsjs.Options{
		URL: raw.ConnectedUrl(), User: "mailflume", Password: func() (string, error) { return "pw_test", nil }, PublishTimeout: 2 * time.Second,
		Hooks: natsjs.Hooks{Error: func(err error) { t.Errorf("the server refused something: %v", err) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.EnsureStream(ctx, natsjs.StreamConfig{Manage: true}); err != nil {
		t.Fatal(err)
	}
	box := publish.Key{Tenant: "default", Mailbox: "support"}
	appendAndSave(ctx, t, c.Log(), box)
	claim, err := c.Log().Claim(ctx, box)
	if err != nil {
		t.Fatal(err)
	}
	if snapshot, since := claim.Position(); string(snapshot) != "position" || len(since) != 1 {
		t.Errorf("position %q and %v, want the snapshot and one entry after it", snapshot, since)
	}
	n := 0
	for d, err := range c.Events(ctx, natsjs.Filter{FromStart: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Event != nil {
			n++
		}
	}
	if n != 2 {
		t.Errorf("read %d events, want 2", n)
	}
	blobsRoundTrip(ctx, t, c)
	meet(ctx, t, c)
	control(ctx, t, c, box)
	saved, err := c.Tokens(0).Save(ctx, "us", []byte("sealed"), 0)
	if _, revision, err2 := c.Tokens(0).Load(ctx, "us"); err != nil || err2 != nil || saved == 0 || saved != revision {
		t.Errorf("a sign-in is stored as %d and read as %d: %v, %v", saved, revision, err, err2)
	}
}

// control asks itself for something, and pauses a mailbox.
func control(ctx context.Context, t *testing.T, c *natsjs.Conn, box publish.Key) {
	t.Helper()
	s, err := c.Serve(natsjs.Handler{
		Has: func(b publish.Key) bool { return b == box },
		Do: func(_ context.Context, _ natsjs.Request, tell func(any)) (any, error) {
			for i := range 5 {
				tell(i)
			}
			return "done", nil
		},
		Code: func(error) string { return "X" },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Ask(ctx, natsjs.Request{Box: box, Verb: "poll"}, natsjs.Asking{}); err != nil || string(got) != `"done"` {
		t.Errorf("asked itself: %s, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	m, err := c.Members(ctx, natsjs.MemberOptions{Worker: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Pauses().Pause(ctx, box, time.Now()); err != nil {
		t.Error(err)
	}
	for paused := range m.Pauses().Watch(ctx) {
		if len(paused) != 1 {
			t.Errorf("paused: %v", paused)
		}
		break
	}
}

// meet announces a worker, watches it come, and lets it leave.
func meet(ctx context.Context, t *testing.T, c *natsjs.Conn) {
	t.Helper()
	m, err := c.Members(ctx, natsjs.MemberOptions{Worker: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Beat(ctx, "list"); err != nil {
		t.Fatal(err)
	}
	for _, lists := range m.Watch(ctx) {
		if lists["w"] == "list" {
			break
		}
	}
	if err := m.Leave(ctx); err != nil {
		t.Error(err)
	}
}

func appendAndSave(ctx context.Context, t *testing.T, log publish.Log, box publish.Key) {
	t.Helper()
	claim, err := log.Claim(ctx, box)
	if err != nil {
		t.Fatal(err)
	}
	add := func(ref publish.Ref) {
		t.Helper()
		ev := publish.NewEvent(box, publish.Received, publish.NewID(string(ref)), time.Now(), &publish.Data{})
		if err := claim.Append(ctx, ev, ref); err != nil {
			t.Fatal(err)
		}
	}
	add("INBOX/1/1")
	if err := claim.Save(ctx, []byte("position")); err != nil {
		t.Fatal(err)
	}
	add("INBOX/1/2")
	if v, ok := claim.(publish.Verifier); ok {
		if err := v.Verify(ctx); err != nil {
			t.Error(err)
		}
	}
	if err := claim.Release(ctx); err != nil {
		t.Fatal(err)
	}
}

func blobsRoundTrip(ctx context.Context, t *testing.T, c *natsjs.Conn) {
	t.Helper()
	store := c.Blobs("default", natsjs.BlobOptions{})
	for _, size := range []int{10, 3 << 20, 3 << 20} { // small, large, and large once more
		octets := bytes.Repeat([]byte{'x'}, size)
		blob, err := store.Put(ctx, "application/octet-stream", bytes.NewReader(octets))
		if err != nil {
			t.Fatal(err)
		}
		r, err := store.Open(ctx, blob.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, octets) {
			t.Errorf("%d octets came back as %d: %v", size, len(got), err)
		}
	}
	if _, err := store.Sweep(ctx, natsjs.SweepAge); err != nil {
		t.Errorf("sweep: %v", err)
	}
	failing := io.MultiReader(bytes.NewReader(make([]byte, 2<<20)), errorReader{})
	if _, err := store.Put(ctx, "", failing); !errors.Is(err, errPlanted) {
		t.Errorf("a failing reader gave %v", err)
	}
}

var errPlanted = errors.New("planted")

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errPlanted }
