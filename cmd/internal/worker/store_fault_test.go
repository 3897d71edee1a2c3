package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest/fault"
	"mailflume/publish/natsjs"
	"mailflume/publish/s3blob"
	"mailflume/publish/s3blob/s3test"
)

// storeFault lets a store fail in the middle of a mailbox: no event may come whose octets are not
// stored, the mailbox has to say why it waits, and everything has to come when the store is back.
func storeFault(t *testing.T, store worker.Blobs, code ingest.Code, strike, mend func(), row fault.Row) {
	t.Helper()
	const mail, at = 120, 40
	s := newSite(t, 1)
	conn, box := s.connect("w"), s.boxes[s.keys[0]]
	defer conn.Close()
	for i := range mail {
		box.Add(fmt.Appendf(nil, "Subject: %d\r\n\r\n%x\r\n", i, rand.NewPCG(1, uint64(i)).Uint64()))
	}
	var struck atomic.Bool
	box.OnMessage = func(_ context.Context, uid uint32) {
		if uid == at && !struck.Swap(true) {
			strike()
		}
	}
	told, delivered := make(chan ingest.Status, 10_000), make(chan struct{}, mail)
	fleet := ingest.New(ingest.Options{Log: conn.Log(), Worker: "w", Hooks: ingest.Hooks{
		State:     func(_ publish.Key, s ingest.Status) { told <- s },
		Delivered: func(publish.Key, ingest.Delivery) { delivered <- struct{}{} },
	}})
	err := fleet.Apply([]ingest.Mailbox{{Key: s.keys[0], Host: "h", Source: box, Blobs: store, Raw: true, PollEvery: time.Second, Definition: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Stop(context.Background())
	for st := (ingest.Status{}); st.Fault.Code != code; st = awaitStatus(t, told) {
		if st.Trouble() && st.Fault.Code != code {
			t.Logf("%s: %v", st.Fault.Code, st.Err)
		}
	}
	if n := len(delivered); n >= mail {
		t.Fatalf("%d messages were published although the store had failed", n)
	}
	mend()
	begin, before := time.Now(), len(delivered)
	for end := begin.Add(90 * time.Second); len(delivered) < mail; <-time.After(5 * time.Millisecond) {
		if len(delivered) == before {
			row.Recovery = time.Since(begin)
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d messages after the store was mended", len(delivered), mail)
		}
	}
	checkStored(t, conn, store, mail)
	row.Messages = mail
	fault.Note(t, row)
}

func awaitStatus(t *testing.T, told <-chan ingest.Status) ingest.Status {
	t.Helper()
	select {
	case s := <-told:
		return s
	case <-time.After(60 * time.Second):
		t.Fatal("the mailbox never says why it waits")
		return ingest.Status{}
	}
}

// checkStored wants every event once and in order, and its octets in the store.
func checkStored(t *testing.T, conn *natsjs.Conn, store publish.BlobOpener, mail int) {
	t.Helper()
	n := 0
	for d, err := range conn.Events(t.Context(), natsjs.Filter{FromStart: true}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if want := sourcetest.RefOf(uint32(n)); d.Ref != want || d.Event.Kind != publish.Received {
			t.Fatalf("event %d is %s of %s", n, d.Event.Kind, d.Ref)
		}
		r, err := store.Open(t.Context(), d.Event.Data.Raw.SHA256)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			err = errors.Join(err, r.Close())
		}
		if err != nil {
			t.Errorf("the octets of event %d: %v", n, err)
		}
	}
	if n != mail {
		t.Errorf("%d events, want %d", n, mail)
	}
}

func TestFault_D2_S3FailsAndCutsUploads(t *testing.T) {
	srv, err := s3test.Start(t.TempDir(), s3test.Options{Bucket: "mail"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	keys := filepath.Join(t.TempDir(), "keys")
	text := fmt.Appendf(nil, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", srv.Options().AccessKey, srv.Options().SecretKey)
	if err := os.WriteFile(keys, bytes.TrimSpace(text), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := s3blob.New(s3blob.Options{Endpoint: srv.URL, Region: "test-1", Bucket: "mail", CredentialsFile: keys, RetryFor: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	var n atomic.Int64
	storeFault(t, store, ingest.CodeBlobStore, func() {
		srv.Inject(func(*http.Request) s3test.Fault {
			if n.Add(1)%3 == 0 {
				return s3test.Fault{CutRequest: 20}
			}
			return s3test.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		})
	}, func() { srv.Inject(nil) },
		fault.Row{ID: "D2", Fault: "S3 answers 503 and cuts uploads", Outcome: "as D1"})
}
