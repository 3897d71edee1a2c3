package submit

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"mailflume/cmd/internal/submit/submittest"
	"mailflume/ingest"
)

func TestATokenThatAServerEchoesIsNotInTheError(t *testing.T) {
	const secret = "eyJ0eXAiOiJKV1QifQ.canary-canary-canary"
	line := base64.StdEncoding.EncodeToString([]byte("user=" + box + "\x01auth=Bearer " + secret + "\x01\x01"))
	for name, reply := range map[string]string{
		"whole": "535 5.7.3 " + secret, "in brackets": "535 5.7.3 [" + secret + "]", "cut": "535 5.7.3 " + secret[:30],
		"as it was sent": "535 5.7.3 " + line, "its end": "501 5.5.2 bad line: " + line[20:], "no SMTP": "what is " + secret,
	} {
		for _, verb := range []string{"TOKEN", "MAIL"} {
			s := start(t, submittest.Options{})
			s.Answer(verb, reply)
			_, err := Send(t.Context(), options(s, ingest.StartTLS, secret), box, box, probe)
			if text := fmt.Sprintf("%v %+v", err, err); err == nil || strings.Contains(text, secret[:12]) || verb == "TOKEN" && strings.Contains(text, line[60:80]) {
				t.Errorf("%s, to %s: %s", name, verb, text)
			}
		}
	}
}

func TestAServerThatNeverStopsTalkingIsLeft(t *testing.T) {
	s := start(t, submittest.Options{})
	s.Answer("MAIL", strings.Repeat("250-"+strings.Repeat("x", 1000)+"\r\n", 2000)+"250 done")
	_, err := Send(t.Context(), options(s, ingest.StartTLS, "T1"), box, box, probe)
	if ingest.FaultOf(err).Code != ingest.CodeProtocolLimit {
		t.Errorf("%.200v", err)
	}
}
