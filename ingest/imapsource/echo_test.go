package imapsource

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

func TestWhatAServerRepeatsOfASignInIsInNoError(t *testing.T) {
	const token = "opaque/Token+0123456789~abcdefghijklmnopqrstuvwxyz"
	response := "user=a@example.com\x01auth=Bearer " + token + "\x01\x01"
	for name, echo := range map[string]string{
		"plain": token, "base64": base64.StdEncoding.EncodeToString([]byte(response)), "base64 of PLAIN": base64.StdEncoding.EncodeToString([]byte("\x00a@example.com\x00" + token)),
		"URL": url.QueryEscape(token), "hex": hex.EncodeToString([]byte(response)), "a part": token[10:40],
	} {
		for _, mechanism := range []ingest.Mechanism{ingest.XOAUTH2, ingest.Password} {
			t.Run(name+" "+string(mechanism), func(t *testing.T) {
				said := "{tag} NO [AUTHENTICATIONFAILED] no such " + echo + " here\r\n"
				script := &imaptest.Script{Caps: "AUTH=XOAUTH2 AUTH=PLAIN SASL-IR", Rules: []imaptest.Rule{{Command: "AUTHENTICATE", Answers: []string{said}}}}
				src, wait := scripted(t, script, Options{Login: ingest.Login{Tokens: secret(token), Mechanism: mechanism}})
				defer wait()
				_, err := src.Open(t.Context())
				if err == nil {
					t.Fatal("signed in")
				}
				_, rest, _ := strings.Cut(err.Error(), "no such ")
				rest, _, _ = strings.Cut(rest, " here")
				if !strings.Contains(rest, "*") || len(rest) > max(3, len(echo)-len(token)+4) {
					t.Errorf("%s is left of %s", rest, echo)
				}
			})
		}
	}
}
