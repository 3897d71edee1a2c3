//go:build interop

package interop_test

import (
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/rig"
	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

// life is something that happens to tokens while mail flows: nobody notices, no message is lost or doubled, and
// neither the issuer nor Dovecot is asked more than the life of a token wants.
type life struct {
	name    string
	set     setting
	during  func(s *scene, tick int)
	tokens  int
	signIns int // over IMAP; POP3 signs in for each poll
}

func lives() []life {
	app := rig.Options{AppOnly: true}
	short := oauthtest.Options{TTL: 8 * time.Second}
	return []life{
		{name: "tokens end, sessions with them", tokens: 7, signIns: 9,
			set: setting{dovecot: app, issuer: short, strict: true, imap: ", poll_every: 1h"}},
		{name: "tokens end, and Dovecot asks about each", tokens: 7, signIns: 9,
			set: setting{introspect: true, dovecot: app, issuer: short, strict: true, imap: ", poll_every: 1h"}},
		{name: "sessions are ended again and again", tokens: 1, signIns: 11,
			set: setting{dovecot: app, imap: ", poll_every: 1h"},
			during: func(s *scene, tick int) {
				if tick%6 == 5 {
					s.front.End("Session invalidated - AccessTokenExpired")
				}
			}},
		{name: "a token is revoked", tokens: 2, signIns: 4,
			set: setting{introspect: true, dovecot: app, imap: ", poll_every: 1h"},
			during: func(s *scene, tick int) {
				if tick == 20 {
					s.issuer.Revoke(s.front.Token())
					s.front.End("Session invalidated - AccessTokenExpired")
				}
			}},
		{name: "a password, over STARTTLS", signIns: 1,
			set: setting{direct: true, dovecot: rig.Options{More: "auth_failure_delay = 2 secs"}, defaults: ", tls: starttls", imap: ", poll_every: 1h", credential: "{type: password, password: file:password}"}},
		{name: "the issuer is down", tokens: 1, signIns: 4,
			set: setting{dovecot: app, imap: ", poll_every: 1h"},
			during: func(s *scene, tick int) {
				switch tick {
				case 10:
					s.closeIssuer()
				case 20, 30:
					s.front.End("Connection is closed. 13")
				}
			}},
	}
}

func (c life) play(t *testing.T, b binaries) {
	const every, ticks = 300 * time.Millisecond, 60 // 18 s
	s := open(t, c.set)
	s.start()
	begun := time.Now()
	for tick := range ticks {
		s.deliver()
		if c.during != nil {
			c.during(s, tick)
		}
		<-time.After(every)
	}
	s.published()
	slow := int(time.Since(begun) / (ticks * every)) // a busy machine takes longer
	c.tokens, c.signIns = c.tokens*slow, c.signIns*slow
	if n := s.tokens(); n > c.tokens {
		t.Errorf("%d token requests, want at most %d", n, c.tokens)
	}
	if n := s.tries()["imap"]; n > c.signIns {
		t.Errorf("%d sign-ins over IMAP, want at most %d", n, c.signIns)
	}
	if n := s.front.Overdue(); n > 0 {
		t.Errorf("%d sessions outlived their token", n)
	}
	if strings.Contains(s.log.String(), `"warn"`) {
		t.Error("somebody is told")
	}
	s.finish(b, nil)
}

// lastToken: the issuer goes while a token is good, and stays away.
func lastToken(t *testing.T, b binaries) {
	s := open(t, setting{dovecot: rig.Options{AppOnly: true}, issuer: oauthtest.Options{TTL: 12 * time.Second}, strict: true})
	s.start()
	s.deliver()
	s.published()
	begun := time.Now()
	s.closeIssuer()
	for time.Since(begun) < 8*time.Second {
		s.deliver()
		s.published() // by sessions that began with the last token
		<-time.After(400 * time.Millisecond)
	}
	for _, x := range s.boxes() {
		s.until(x.ID+" has no token any more", func() bool { return s.row(x.ID).Code == string(ingest.CodeTokenDown) })
	}
	s.deliver()
	if n := s.tokens(); n > 5 {
		t.Errorf("%d token requests in %v", n, time.Since(begun))
	}
	s.must(s.openIssuer())
	s.published()
	s.finish(b, nil)
}

// punished: Dovecot lets an address wait, good tokens too, after each sign-in that it refused: 15 s at most. One
// mailbox without a right must not be what the others suffer from.
func punished(t *testing.T, b binaries) {
	s := open(t, setting{dovecot: rig.Options{More: "auth_failure_delay = 2 secs\nservice anvil {\n unix_listener anvil-auth-penalty {\n mode = 0600\n }\n}\n"}})
	mints(oauthtest.MintOptions{Subject: "imap0@rig.test"})(s)
	s.deliver()
	s.start()
	s.until("the mailbox without a right is refused", func() bool { return s.row("pop30").Code == string(ingest.CodeAuthRefused) })
	s.refused("pop30", finding{state: ingest.StateAuthFailed, code: ingest.CodeAuthRefused, rest: parked})
	for range 2 {
		s.front.End("Connection is closed. 13")
		s.deliver()
		s.until("mail flows", func() bool { return s.row("imap0").Published == int64(len(s.sent["imap0"])) })
	}
	if n := s.tries()["pop3"]; n > 6 {
		t.Errorf("%d sign-ins of the mailbox without a right", n)
	}
	if strings.Contains(s.log.String(), `"warn","mailbox":"imap0"`) {
		t.Error("the other mailbox was in trouble")
	}
	if exit, bad := checked(t, b, s.cfg); exit == 0 || len(bad) != 1 || bad[0].Name != "pop30" {
		t.Errorf("check finds %+v", bad)
	}
}
