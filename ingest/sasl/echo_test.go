package sasl

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestWhatAServerRepeatsOfASecretIsHidden(t *testing.T) {
	const secret = `Mf8Q~canary/+"q"\&=<%41 0123456789`
	response := "user=a@example.com\x01auth=Bearer " + secret + "\x01\x01"
	for name, echo := range map[string]string{
		"plain": secret, "begin": secret[:15], "end": secret[15:], "URL": url.QueryEscape(response), "quoted": fmt.Sprintf("%q", secret),
		"hex": hex.EncodeToString([]byte(response)), "HEX": fmt.Sprintf("%X", response), "base64": base64.StdEncoding.EncodeToString([]byte(response)),
		"base64 one on":  base64.StdEncoding.EncodeToString([]byte("x" + response)),
		"base64url":      base64.RawURLEncoding.EncodeToString([]byte("xy" + response)),
		"base64 cut off": base64.StdEncoding.EncodeToString([]byte(response))[:70],
	} {
		got := Hide("NO [AUTHENTICATIONFAILED] you said "+echo+" and no more", secret)
		if !strings.HasPrefix(got, "NO [AUTHENTICATIONFAILED] you said ") || !strings.HasSuffix(got, " and no more") || !strings.Contains(got, "*") {
			t.Errorf("%s: %s", name, got)
		}
		for at := range len(echo) - 2*shortestEcho { // no long run of what says the secret is left
			part := echo[at : at+2*shortestEcho]
			if strings.Contains(got, part) && strings.Contains(Hide(part, secret), "*") {
				t.Errorf("%s: %q is left in %s", name, part, got)
				break
			}
		}
	}
	const words = `NO AUTHENTICATE failed. Error="AuthFailed:LogonDenied-None-OAuthLog:AuthExc_Auth Failed."`
	if got := Hide(words, secret); got != words {
		t.Errorf("innocent words became %s", got)
	}
	for secret, want := range map[string]string{"abcd": "the password is *", "a": "the password is abcd", "": "the password is abcd"} {
		if got := Hide("the password is abcd", secret); got != want {
			t.Errorf("%q: %s", secret, got)
		}
	}
}
