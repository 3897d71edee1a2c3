package worker_test

import (
	"context"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/pop3source"
	"mailflume/pop3/pop3test"
	"mailflume/publish/logtest/fault"
)

// descriptors counts the open files of this process (Linux; 0 elsewhere).
func descriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

func TestFault_P9_ReconnectsLeaveNothingBehind(t *testing.T) {
	rounds := 100
	if os.Getenv(fault.Env) != "" {
		rounds = 2500 // four sessions each
	}
	http.DefaultClient.CloseIdleConnections()
	imap, err := imaptest.Start(imaptest.Options{Mechanisms: []string{"PLAIN"}})
	if err != nil {
		t.Fatal(err)
	}
	defer imap.Close()
	pop3, err := pop3test.Start(pop3test.Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	defer pop3.Close()
	login := ingest.Login{User: "a@example.com", Mechanism: ingest.Password, Tokens: oauth.Password(func(context.Context) (string, error) { return "secret", nil })}
	overIMAP, err := imapsource.New(imapsource.Options{Endpoint: ingest.Endpoint{Addr: imap.Addr(), TLS: imap.TLS()}, Login: login, Idle: true})
	if err != nil {
		t.Fatal(err)
	}
	overPOP3, err := pop3source.New(pop3source.Options{Endpoint: ingest.Endpoint{Addr: pop3.Addr(), TLS: pop3.ClientTLS()}, Login: login})
	if err != nil {
		t.Fatal(err)
	}
	session := func(src ingest.Source, drop func()) {
		s, err := src.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sync(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		drop()
		_ = s.Close()
	}
	var goroutines, files int
	for i := range rounds {
		session(overIMAP, func() {})
		session(overIMAP, imap.Drop)
		session(overPOP3, func() {})
		session(overPOP3, pop3.Drop)
		if i == 10 {
			goroutines, files = runtime.NumGoroutine(), descriptors()
		}
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines+5 || descriptors() > files+5; <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %d sessions there are %d goroutines and %d open files, after 44 there were %d and %d",
				4*rounds, runtime.NumGoroutine(), descriptors(), goroutines, files)
		}
	}
	fault.Note(t, fault.Row{ID: "P9", Fault: "10,000 sessions over IMAP and POP3, half of them cut by the server", Outcome: "no goroutine and no open file is left behind"})
}
