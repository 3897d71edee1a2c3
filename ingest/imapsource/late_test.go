package imapsource

import (
	"slices"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

// A server may give a UID away before others can see its message, also just before the first look.
func TestAUIDThatTurnsUpLateIsReadHoweverYoungThePositionIs(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	must(t, srv.Add(user, "INBOX", mail(1, 100), time.Now()))
	uid := srv.Reserve(user, "INBOX")
	must(t, srv.Add(user, "INBOX", mail(3, 100), time.Now()))
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}})
	var at ingest.Cursor
	read := func() []uint32 {
		sess := open(t, src)
		at = syncAt(t, sess, at)
		l, end := readAll(t, sess, at, 0)
		must(t, end)
		at = finish(t, src, at, l)
		must(t, sess.Close())
		return uids(l)
	}
	if got := read(); !slices.Equal(got, []uint32{1, 3}) {
		t.Fatalf("read %v", got)
	}
	for range 3 { // looks that find nothing
		if got := read(); len(got) > 0 {
			t.Fatalf("read %v again", got)
		}
	}
	srv.AddAt(user, "INBOX", uid, mail(2, 100), time.Now())
	if got := read(); !slices.Equal(got, []uint32{2}) {
		t.Errorf("after the late one came: read %v", got)
	}
}
