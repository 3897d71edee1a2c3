package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
)

const canary = `Mf8Q~CANARY/+"quoted"\&=<%41ü`

// planted are texts in which the canary stands, made without this package.
func planted(t *testing.T) map[string]string {
	t.Helper()
	asJSON, err := json.Marshal(map[string]string{"a": "x" + canary})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{
		"plain": "password " + canary + " refused", "query": "a=" + url.QueryEscape(canary) + "&b", "path": "/" + url.PathEscape(canary),
		"JSON": string(asJSON), "%q": fmt.Sprintf("%q", canary), "HTML": "<p>" + html.EscapeString(canary), "hex": hex.EncodeToString([]byte(canary)),
		"%X": fmt.Sprintf("%X", canary), "%v of octets": fmt.Sprintf("%d", []byte("a "+canary)), "%#v of octets": fmt.Sprintf("%#v", []byte("ab"+canary)),
		"Basic": base64.StdEncoding.EncodeToString([]byte("client:" + canary)),
	}
	for k := range 3 {
		for name, enc := range map[string]*base64.Encoding{"std": base64.StdEncoding, "url": base64.URLEncoding, "raw": base64.RawURLEncoding} {
			out[fmt.Sprintf("base64 %s at %d", name, k)] = enc.EncodeToString([]byte(strings.Repeat("é", 3)[:k] + canary + "\x01\x01"))
		}
	}
	return out
}

func TestASecretIsFoundAndMaskedInEveryForm(t *testing.T) {
	m := New(canary)
	for name, text := range planted(t) {
		if len(Find(text, canary)) == 0 {
			t.Errorf("%s: not found in %s", name, text)
		}
		masked, n := m.Mask("before " + text + " after")
		if n == 0 || len(Find(masked, canary)) > 0 || !strings.HasPrefix(masked, "before ") || !strings.HasSuffix(masked, " after") {
			t.Errorf("%s: %d masked: %s", name, n, masked)
		}
	}
	const innocent = `{"level":"info","mailbox":"support","id":"q6x3ymr4","sha256":"9df6ef3df4865411","url":"https://login.example/t"}`
	if got, n := m.Mask(innocent); got != innocent || n != 0 || len(Find(innocent, canary)) > 0 {
		t.Errorf("%d masked in %s", n, got)
	}
}

func TestWhatLooksLikeASecretIsMaskedUnknown(t *testing.T) {
	m := New()
	token := "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl"
	for _, secret := range []string{token, "0123456789abcdefXYZ", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"} {
		for _, text := range []string{
			"Authorization: Bearer " + secret, `{"refresh_token": "` + secret + `"}`, "client_secret=" + secret + "&scope=x", "nats://user:" + secret + "@host:4222",
			"-----BEGIN RSA PRIVATE KEY-----\n" + secret + "\n-----END RSA PRIVATE KEY-----",
		} {
			if got, n := m.Mask(text); n == 0 || strings.Contains(got, secret) {
				t.Errorf("%d masked: %s", n, got)
			}
		}
	}
	for _, broken := range []string{`{"access_token":"@"`, `{"refresh_token": "@`, `access_token=@&x=1`, `{\"id_token\":\"@\"}`, `device_code: @`, `client_assertion=@`, `{'access_token': '@'}`, `code_verifier=@`} {
		const opaque = "EwBwA8l6BAAU-opaque.token/+"
		if got := Looks(strings.ReplaceAll(broken, "@", opaque)); strings.Contains(got, opaque) || !strings.Contains(got, hidden) {
			t.Error(got)
		}
	}
	for _, innocent := range []string{`{"token_type":"Bearer","expires_in":"soon"}`, "invalid_token: the access token is expired", "AADSTS70008: The refresh token has expired"} {
		if got := Looks(innocent); got != innocent {
			t.Errorf("%s became %s", innocent, got)
		}
	}
	for _, text := range []string{"token " + token, "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"} {
		if got, _ := m.Mask(text); !strings.HasSuffix(got, "***") {
			t.Errorf("%s", got)
		}
	}
	if got, n := m.Mask("client_secret: ***\npassword: ***"); n != 0 {
		t.Errorf("%d masked again: %s", n, got)
	}
}

func TestAFileOfSeveralWordsIsSeveralSecrets(t *testing.T) {
	for _, file := range []string{
		"[default]\naws_access_key_id = AKIDTEST\naws_secret_access_key=0123456789/abcdefghij+X==\n",
		`{"client_email": "mail@a-project.iam.example.com", "private_key": "-----BEGIN PRIVATE KEY-----\n0123456789/abcdefghij+X\nmore\n", "token_uri": "https://oauth2.example.com/token"}`,
		"-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n0123456789/abcdefghij+X\n",
		"-----BEGIN NATS USER JWT-----\r\n0123456789/abcdefghij+X\r\n------END NATS USER JWT------\r\n",
	} {
		if got, n := New(Words(file)...).Mask("sent 0123456789/abcdefghij+X to"); n != 1 {
			t.Errorf("%s: %s", file, got)
		}
	}
	if got, n := New(Words("-----BEGIN CERTIFICATE-----\n0123456789/abcdefghij+X\n-----END CERTIFICATE-----\n")...).Mask("the certificate or client secret"); n != 0 {
		t.Error(got)
	}
	if got, n := New(Words(`{"client_email": "mail@a-project.iam.example.com", "private_key": "x"}`)...).Mask("mail@a-project.iam.example.com"); n != 0 {
		t.Error(got)
	}
	if got := Words("a short one with spaces\n"); len(got) != 1 || got[0] != "a short one with spaces" {
		t.Errorf("%q", got)
	}
}
