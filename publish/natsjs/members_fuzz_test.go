package natsjs

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// FuzzAnnouncement: whatever lies under a worker's key, what is taken for an announcement names a
// worker and a list whose key holds nothing that NATS gives a meaning.
func FuzzAnnouncement(f *testing.F) {
	f.Add(`{"worker":"w","weight":1,"list":"0123456789abcdef0123456789abcdef","instance":"i"}`)
	f.Add(`{"worker":"w","weight":1e99,"list":"l.>","instance":""}`)
	f.Fuzz(func(t *testing.T, body string) {
		a, live := parseAnnouncement(nats.Header{}, []byte(body))
		if live && (a.Worker == "" || len(a.List) != listNameSize || strings.ContainsAny(a.List, "*.> ")) {
			t.Fatalf("%+v", a)
		}
		if _, live := parseAnnouncement(nats.Header{hdrOperation: {"DEL"}}, []byte(body)); live {
			t.Fatal("a deleted key is live")
		}
	})
}
