package pop3source

import (
	"strings"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
)

const askedToWait = "Request is throttled. Suggested Backoff Time: 89117 milliseconds"

func TestTheTimeThatAServerSuggestsIsKeptWhereverItIsSaid(t *testing.T) {
	saying := func(verb, reply string) pop3test.Options {
		return pop3test.Options{Hooks: pop3test.Hooks{Line: func(_, line string) (string, bool) {
			return reply + "\r\n" + pop3test.Hangup, strings.HasPrefix(strings.ToUpper(line), verb)
		}}}
	}
	for name, opt := range map[string]pop3test.Options{
		"for a greeting":           {Greeting: "-ERR " + askedToWait},
		"to CAPA":                  saying("CAPA", "-ERR "+askedToWait),
		"to AUTH":                  saying("AUTH", "-ERR "+askedToWait),
		"with a code":              saying("AUTH", "-ERR [SYS/TEMP] "+askedToWait),
		"to the token":             {Verify: func(string, string) error { return pop3test.Reply("-ERR " + askedToWait + pop3test.Hangup) }, Challenge: "-"},
		"to UIDL":                  saying("UIDL", "-ERR "+askedToWait),
		"to LIST":                  saying("LIST", "-ERR "+askedToWait),
		"to RETR, of the message?": {Hooks: pop3test.Hooks{Retr: func(string, int, string) pop3test.Fault { return pop3test.Fault{Refuse: "-ERR " + askedToWait} }}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, opt)
			fill(srv, 2)
			s, err := source(t, srv, with("one", "two")).Open(t.Context())
			if err == nil {
				defer s.Close()
				at, e := s.Sync(t.Context(), nil)
				if err = e; err == nil {
					for _, e := range s.Messages(t.Context(), at, 0) {
						err = e
						break
					}
				}
			}
			if f := ingest.FaultOf(err); f.Class != ingest.Throttled || f.Wait != 89117*time.Millisecond {
				t.Errorf("%+v: %v", f, err)
			}
			if n := srv.Sessions(); n > 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}
