package oauth

import (
	"strings"
	"testing"
)

func TestTheTokensOfABrokenAnswerAreBlottedOut(t *testing.T) {
	const token = "EwBwA8l6BAAU-opaque.token/+"
	for _, s := range []string{
		`{"access_token":"` + token + `"`, `{"refresh_token": "` + token, `access_token=` + token + `&x=1`, `{\"id_token\":\"` + token + `\"}`, `device_code: ` + token,
		`client_assertion=` + token, `{'access_token': '` + token + `'}`,
	} {
		got := blotTokens(s)
		if strings.Contains(got, token) || !strings.Contains(got, "***") {
			t.Errorf("%s became %s", s, got)
		}
	}
	for _, s := range []string{`{"token_type":"Bearer","expires_in":"soon"}`, "invalid_token: the access token is expired", "AADSTS70008: The refresh token has expired"} {
		if got := blotTokens(s); got != s {
			t.Errorf("%s became %s", s, got)
		}
	}
}
