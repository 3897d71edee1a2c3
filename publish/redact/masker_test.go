package redact

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime/quotedprintable"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// inUTF16 is how Windows holds text.
func inUTF16(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// writings are ways to write a secret of which no list has all: each is made by code that is not ours.
func writings(secret string) map[string]string {
	b64 := base64.StdEncoding.EncodeToString
	asJSON, _ := json.Marshal(map[string]string{"said": secret})
	var qp strings.Builder
	w := quotedprintable.NewWriter(&qp)
	_, _ = io.WriteString(w, strings.Repeat("x", 60)+" "+secret)
	_ = w.Close()
	var everyOctet, entities, escapes, colons, folded strings.Builder
	for i := range len(secret) {
		fmt.Fprintf(&everyOctet, "%%%02x", secret[i])
		fmt.Fprintf(&entities, "&#x%X;", secret[i])
		fmt.Fprintf(&escapes, `\u%04x`, secret[i])
		fmt.Fprintf(&colons, "%02x:", secret[i])
	}
	for i, c := range b64([]byte("user=a@example.com\x01auth=Bearer " + secret)) {
		if folded.WriteRune(c); i%20 == 19 {
			folded.WriteString("\r\n ")
		}
	}
	return map[string]string{
		"upper case": strings.ToUpper(secret), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))), "hex with colons": colons.String(), "hex, apart": fmt.Sprintf("% x", secret),
		"octets": fmt.Sprintf("%d", []byte(secret)), "octets with commas": strings.ReplaceAll(fmt.Sprintf("%d", []byte(secret)), " ", ", "), "octets in Go": fmt.Sprintf("%#v", []byte(secret)),
		"every octet for a URL": everyOctet.String(), "a URL twice over": url.QueryEscape(url.QueryEscape(secret)), "entities": entities.String(), "HTML in JSON": html.EscapeString(string(asJSON)),
		"escapes": escapes.String(), "JSON in a string": fmt.Sprintf("%q", asJSON), "JSON in base64": b64(asJSON), "quoted-printable": qp.String(),
		"base64 twice over": b64([]byte("a" + b64([]byte("xy"+secret)))), "base64 of a form": b64([]byte("grant_type=x&client_secret=" + url.QueryEscape(secret))), "base64 in lines": folded.String(),
		"BASE64": strings.ToUpper(b64([]byte("ab" + secret))), "base64 of a URL": url.QueryEscape(b64([]byte("a" + secret))), "hex of base64": hex.EncodeToString([]byte(b64([]byte(secret)))),
		"UTF-16": inUTF16(secret, binary.LittleEndian), "UTF-16 in base64": b64([]byte(inUTF16(secret, binary.LittleEndian))), "UTF-16, the other order, in hex": hex.EncodeToString([]byte(inUTF16(secret, binary.BigEndian))),
		"between control characters": strings.Join(strings.Split(secret, ""), "\x01"), "in lines": secret[:len(secret)/2] + "\r\n " + secret[len(secret)/2:],
	}
}

func TestASecretIsMaskedHoweverItIsWritten(t *testing.T) {
	for _, secret := range []string{`Mf8Q~CANARY/+"q"\&=<%41 0123456789`, "correct horse battery staple", "0123456789abcdef0123456789abcdef", strings.Repeat("EwBwA8l6BAAU.-_", 100)} {
		m, frames := New("another secret altogether", secret), writings("")
		for name, text := range writings(secret) {
			got := m.Text("you said " + text + " and no more")
			if !strings.HasPrefix(got, "you said ") || !strings.HasSuffix(got, " and no more") || !strings.Contains(got, hidden) || len(got) > len(frames[name])+40 {
				t.Errorf("%.10s, %s: %.300q became %.300q", secret, name, text, got)
			}
		}
	}
}

func TestAPartOfASecretIsMasked(t *testing.T) {
	const secret = "Zm9yIHRlc3Rz.opaque/Token+0123456789~abcdefghijklm"
	m := New(secret)
	for _, part := range []string{secret[:certain], secret[20:40], secret[len(secret)-certain:], base64.StdEncoding.EncodeToString([]byte(secret))[5:30], url.QueryEscape(secret)[3:30]} {
		if got := m.Text("NO " + part + "…"); got != "NO ***…" {
			t.Errorf("%s: %s", part, got)
		}
	}
	long := strings.Repeat("x", large-20) + secret + strings.Repeat("y", 3*large) + secret
	if got := m.Text(long); strings.Contains(got, secret[:certain]) || strings.Contains(got, secret[len(secret)-certain:]) || !strings.HasSuffix(got, hidden) {
		t.Errorf("in a long text: %d octets are left of %d", len(got), len(long))
	}
}

func TestShortSecretsAreMaskedAndWordsStay(t *testing.T) {
	for secret, want := range map[string]string{
		"": "the password is abcd, 1a2", "a": "the password is abcd, 1a2", "1a2": "the password is abcd, ***", "abcd": "the password is ***, 1a2", "the password": "*** is abcd, 1a2",
	} {
		if got := New(secret).Text("the password is abcd, 1a2"); got != want {
			t.Errorf("%q: %s", secret, got)
		}
	}
	for _, text := range []string{base64.StdEncoding.EncodeToString([]byte("\x00ann\x00hunter2")), base64.StdEncoding.EncodeToString([]byte("\x00ann\x00p4x"))} {
		if got := New("hunter2", "p4x").Text("AUTHENTICATE PLAIN " + text); !strings.Contains(got, hidden) {
			t.Error(got)
		}
	}
	const words = `NO AUTHENTICATE failed. Error="AuthFailed:LogonDenied-None-OAuthLog:AuthExc_Auth Failed." AADSTS7000215 9df6ef3df4865411 2026-11-21T05:58:03Z`
	if got := New(`Mf8Q~CANARY/+"q"\&=<%41 0123456789`, "hunter2", "xyz").Text(words); got != words {
		t.Error(got)
	}
	if got := (*Masker)(nil).Text(words); got != words {
		t.Error(got)
	}
}

func TestAnErrorKeepsItsKindAndLosesItsSecret(t *testing.T) {
	var sent Memory
	for _, secret := range []string{"the-first-password", "the-second-password", "the-second-password", "the-third-password"} {
		sent.Keep(secret)
	}
	err := fmt.Errorf("dial the-first-password: %w: the-third-password", io.ErrUnexpectedEOF)
	got := sent.Masker().Error(err)
	for _, text := range []string{got.Error(), fmt.Sprintf("%v %+v %#v %q", got, got, got, got), fmt.Errorf("open: %w", got).Error()} {
		if strings.Contains(text, "-password") || !strings.Contains(text, hidden) {
			t.Error(text)
		}
	}
	if !errors.Is(got, io.ErrUnexpectedEOF) {
		t.Error("its kind is lost")
	}
	if err := io.EOF; sent.Masker().Error(err) != err || sent.Masker().Error(nil) != nil {
		t.Error("an error without a secret is another one")
	}
	for n := range 2 * remembered {
		sent.Keep(fmt.Sprint("password number ", n))
		sent.Keep("the one in use")
		sent.Keep("")
	}
	if len(sent.last) != remembered || sent.last[remembered-1] != "the one in use" || sent.last[remembered-2] != "password number 7" {
		t.Errorf("it remembers %q", sent.last)
	}
}

func FuzzMask(f *testing.F) {
	for _, text := range writings("secret/+ of twenty five") {
		f.Add("secret/+ of twenty five", text)
	}
	f.Add(`\`, `%=&\0x`)
	f.Fuzz(func(t *testing.T, secret, text string) {
		m := New(secret)
		if got, n := m.Mask(text); n == 0 && strings.Count(got, hidden) > strings.Count(text, hidden) {
			t.Errorf("%q: %d masked in %q", secret, n, got)
		}
		if len(fold([]byte(secret))) < whole || !utf8.ValidString(secret) {
			return
		}
		for _, form := range Forms(secret) {
			if strings.HasPrefix(form.Name, "base64") && len(secret) < 2*certain {
				continue // the form alone lacks the bits at the ends, which are in what is around it
			}
			if got := m.Text("x " + form.Text + " y"); strings.Contains(got, form.Text) {
				t.Errorf("%s is left: %q", form.Name, got)
			}
		}
	})
}
