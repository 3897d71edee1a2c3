package parse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
)

// composer makes well-formed mail with go-message, different for each seed.
type composer struct {
	*rand.Rand
}

func (c composer) text(n int) string {
	words := []string{"hello", "Grüße", "мир", "世界", "=3D", "--b", "From here", "a=b", ".", "x\ty", "😀", "trailing "}
	var b strings.Builder
	for range c.IntN(n) {
		b.WriteString(words[c.IntN(len(words))])
		b.WriteString([]string{" ", " ", "\r\n", ", "}[c.IntN(4)])
	}
	return b.String()
}

func (c composer) octets(n int) []byte {
	b := make([]byte, c.IntN(n))
	for i := range b {
		b[i] = byte(c.Uint32())
	}
	return b
}

// line is text for a header field.
func (c composer) line() string { return strings.Join(strings.Fields(c.text(12)), " ") }

func (c composer) addresses() []*mail.Address {
	var out []*mail.Address
	for range 1 + c.IntN(3) {
		out = append(out, &mail.Address{Name: c.line(), Address: fmt.Sprintf("user%d@example.org", c.IntN(1000))})
	}
	return out
}

func (c composer) compose(t *testing.T) []byte {
	var h mail.Header
	h.SetDate(time.Unix(c.Int64N(2e9), 0).In(time.FixedZone("", 3600*(c.IntN(24)-12))))
	h.SetSubject(c.line())
	h.SetAddressList("From", c.addresses())
	h.SetAddressList("To", c.addresses())
	h.SetMessageID(fmt.Sprintf("%d@example.org", c.Uint32()))
	var b bytes.Buffer
	w, err := mail.CreateWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	for range 1 + c.IntN(2) {
		inline, err := w.CreateInline()
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range []string{"text/plain", "text/html"}[:1+c.IntN(2)] {
			var ih mail.InlineHeader
			ih.SetContentType(typ, map[string]string{"charset": "utf-8"})
			ih.Set("Content-Transfer-Encoding", []string{"quoted-printable", "base64", "8bit"}[c.IntN(3)])
			p, err := inline.CreatePart(ih)
			write(t, p, err, []byte(c.text(200)))
		}
		if err := inline.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range c.IntN(4) {
		var ah mail.AttachmentHeader
		ah.SetContentType("application/octet-stream", nil)
		ah.SetFilename(fmt.Sprintf("a %s %d.bin", c.line(), i))
		ah.Set("Content-Transfer-Encoding", "base64")
		p, err := w.CreateAttachment(ah)
		write(t, p, err, c.octets(20_000))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, w io.WriteCloser, err error, b []byte) {
	t.Helper()
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWellFormedMailReadsAsGoMessageReadsIt(t *testing.T) {
	for seed := range uint64(200) {
		msg := composer{rand.New(rand.NewPCG(seed, 1))}.compose(t)
		m := readRaw(t, string(msg))
		want, err := mail.CreateReader(bytes.NewReader(msg))
		if err != nil {
			t.Fatal(err)
		}
		compareHeaders(t, seed, m.header, &want.Header)
		for i := 0; ; i++ {
			p, err := want.NextPart()
			if errors.Is(err, io.EOF) {
				if i != len(m.parts) {
					t.Errorf("seed %d: %d parts, want %d", seed, len(m.parts), i)
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(p.Body)
			if err != nil {
				t.Fatal(err)
			}
			if i >= len(m.parts) || m.parts[i].body != string(body) {
				t.Fatalf("seed %d: part %d differs from %.200q", seed, i, body)
			}
			comparePart(t, seed, m.parts[i], p.Header)
		}
		if len(m.issues) > 0 {
			t.Errorf("seed %d: issues %v", seed, m.issues)
		}
		if t.Failed() {
			t.Fatalf("message:\n%.2000s", msg)
		}
	}
}

func comparePart(t *testing.T, seed uint64, got leaf, want mail.PartHeader) {
	t.Helper()
	a, ok := want.(*mail.AttachmentHeader)
	if ok != (got.Role == RoleAttachment) {
		t.Errorf("seed %d: part %s has role %d", seed, got.Path, got.Role)
	}
	if !ok {
		return
	}
	if name, err := a.Filename(); err != nil || name != got.FilenameRaw {
		t.Errorf("seed %d: filename %q, want %q (%v)", seed, got.FilenameRaw, name, err)
	}
}

func compareHeaders(t *testing.T, seed uint64, got *Header, want *mail.Header) {
	t.Helper()
	if s, err := want.Subject(); err != nil || got.Subject() != s {
		t.Errorf("seed %d: subject %q, want %q (%v)", seed, got.Subject(), s, err)
	}
	if id, err := want.MessageID(); err != nil || got.MessageID() != id {
		t.Errorf("seed %d: message id %q, want %q (%v)", seed, got.MessageID(), id, err)
	}
	at, _, ok := got.Date()
	if d, err := want.Date(); err != nil || !ok || !at.Equal(d) {
		t.Errorf("seed %d: date %v, want %v (%v)", seed, at, d, err)
	}
	for _, name := range []string{"From", "To"} {
		list, err := want.AddressList(name)
		addrs := got.Addresses(name)
		if err != nil || len(list) != len(addrs) {
			t.Fatalf("seed %d: %s is %q, want %q (%v)", seed, name, addrs, list, err)
		}
		for i, a := range addrs {
			if a.Address != list[i].Address || a.Name != strings.TrimSpace(list[i].Name) {
				t.Errorf("seed %d: %s is %q, want %q", seed, name, a, list[i])
			}
		}
	}
}
