package ingest_test

import (
	"context"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/pop3source"
	"mailflume/pop3/pop3test"
)

type secret string

// Token implements ingest.TokenSource.
func (s secret) Token(context.Context, string) (ingest.Token, error) {
	return ingest.Token{Value: string(s)}, nil
}

const anna = "anna@example.com"

func places() map[string]func(*testing.T) *place {
	return map[string]func(*testing.T) *place{"pop3": onPOP3, "imap": onIMAP, "imap, sizes are estimates": onExchange}
}

func onExchange(t *testing.T) *place {
	return imapPlace(t, func(string, uint32, int) imaptest.Fault { return imaptest.Fault{Extra: 17} })
}

func onIMAP(t *testing.T) *place { return imapPlace(t, nil) }

func onPOP3(t *testing.T) *place {
	held := map[string]string{}
	srv, err := pop3test.Start(pop3test.Options{})
	must(t, err)
	t.Cleanup(func() { _ = srv.Close() })
	return &place{
		source: func(t *testing.T, start ingest.Start, after ingest.After, now func() time.Time) ingest.Source {
			src, err := pop3source.New(pop3source.Options{
				Endpoint: ingest.Endpoint{Addr: srv.Addr(), TLS: srv.ClientTLS()}, Login: ingest.Login{User: anna, Tokens: secret("x")}, Start: start, After: after, Now: now,
			})
			must(t, err)
			return src
		},
		add:    func(mail []byte) { held[srv.Add(anna, mail)] = string(mail) },
		remove: func(n int) { srv.Remove(anna, srv.UIDLs(anna)[n]) },
		void: func() {
			old := srv.UIDLs(anna)
			srv.Renumber(anna)
			for i, id := range srv.UIDLs(anna) {
				held[id] = held[old[i]]
			}
		},
		held: func() (all []string) {
			for _, id := range srv.UIDLs(anna) {
				all = append(all, held[id])
			}
			return all
		},
	}
}

func imapPlace(t *testing.T, fault func(string, uint32, int) imaptest.Fault) *place {
	srv, err := imaptest.Start(imaptest.Options{})
	must(t, err)
	if fault != nil {
		srv.Break(fault)
	}
	t.Cleanup(func() { _ = srv.Close() })
	clock := time.Now
	const inbox = "INBOX"
	srv.Create(anna, inbox)
	return &place{
		source: func(t *testing.T, start ingest.Start, after ingest.After, now func() time.Time) ingest.Source {
			clock = now
			src, err := imapsource.New(imapsource.Options{
				Endpoint: ingest.Endpoint{Addr: srv.Addr(), TLS: srv.TLS()}, Login: ingest.Login{User: anna, Mechanism: ingest.XOAUTH2, Tokens: secret("x")},
				Folders: []string{inbox}, Start: start, After: after, Now: now,
			})
			must(t, err)
			return src
		},
		add:    func(mail []byte) { must(t, srv.Add(anna, inbox, mail, clock())) },
		remove: func(n int) { srv.Expunge(anna, inbox, srv.Messages(anna, inbox)[n].UID) },
		void:   func() { srv.Renumber(anna, inbox) },
		setBack: func(n int) {
			next := uint32(1)
			if all := srv.Messages(anna, inbox); n < len(all) {
				next = all[n].UID
			} else if n > 0 {
				next = all[n-1].UID + 1
			}
			srv.SetBack(anna, inbox, next)
		},
		held: func() (all []string) {
			for _, m := range srv.Messages(anna, inbox) {
				all = append(all, string(m.Message))
			}
			return all
		},
	}
}
