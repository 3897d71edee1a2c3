package parse

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"testing"

	_ "github.com/emersion/go-message/charset"
	"github.com/emersion/go-message/mail"
)

// bigMail is a message with one base64 attachment of n octets in 76-character lines.
func bigMail(n int) []byte {
	octets := make([]byte, n)
	for i := range octets {
		octets[i] = byte(i * 2654435761 >> 7)
	}
	var b bytes.Buffer
	b.WriteString("From: A <a@example.org>\r\nTo: b@example.org\r\nSubject: =?utf-8?q?gr=C3=B6=C3=9Fer?=\r\nDate: Tue, 10 Nov 2026 09:00:00 +0100\r\n" +
		"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_x\"\r\n\r\n--=_x\r\nContent-Type: text/plain\r\n\r\nhi\r\n" +
		"--=_x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	enc := base64.StdEncoding.EncodeToString(octets)
	for len(enc) > 76 {
		b.WriteString(enc[:76] + "\r\n")
		enc = enc[76:]
	}
	b.WriteString(enc + "\r\n--=_x--\r\n")
	return b.Bytes()
}

// smallMail is an everyday message: two alternatives and a dozen fields.
func smallMail() []byte {
	var b bytes.Buffer
	for i := range 6 {
		fmt.Fprintf(&b, "Received: from mx%d.example.net (mx%d.example.net [192.0.2.%d])\r\n\tby mx.example.org with ESMTPS id 4%d;\r\n\tTue, 10 Nov 2026 09:00:0%d +0100\r\n", i, i, i, i, i)
	}
	b.WriteString("From: =?utf-8?q?J=C3=B6rg?= <a@example.org>\r\nTo: \"Doe, Jane\" <b@example.org>, c@example.org\r\nSubject: =?utf-8?q?gr=C3=B6=C3=9Fer?= news\r\n" +
		"Date: Tue, 10 Nov 2026 09:00:00 +0100\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"=_x\"\r\n\r\n" +
		"--=_x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	b.WriteString(strings.Repeat("The quick brown fox jumps over the lazy d=C3=B6g, again and again and again.=\r\n\r\n", 20))
	b.WriteString("\r\n--=_x\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n")
	b.WriteString(strings.Repeat("<p>The quick brown fox jumps over the lazy d\xf6g.</p>\r\n", 30))
	b.WriteString("\r\n--=_x--\r\n")
	return b.Bytes()
}

// noHash takes the place of SHA-256, which costs more than all the rest where the processor has no
// instructions for it.
type noHash struct{ hash.Hash }

func (noHash) Write(b []byte) (int, error) { return len(b), nil }

// hasher returns the hash to use.
func hasher(digests bool) hash.Hash {
	if digests {
		return sha256.New()
	}
	return noHash{sha256.New()}
}

// consume does with a message what a worker does.
func consume(b *testing.B, msg []byte, digests bool) {
	r := NewReader(bytes.NewReader(msg), Limits{})
	r.w.sum = hasher(digests)
	h := r.Header()
	hash := hasher(digests)
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		dst := io.Discard
		if p.Role == RoleAttachment {
			dst = hash
		}
		if _, err := io.Copy(dst, p); err != nil {
			b.Fatal(err)
		}
	}
	_, _, ok := h.Date()
	if !ok || h.Subject() == "" || len(h.Addresses("From")) == 0 || len(h.Addresses("To")) == 0 || h.MessageID() == "" {
		b.Fatal("header not read")
	}
}

// consumeGoMessage does the same with go-message; it hashes the raw message too.
func consumeGoMessage(b *testing.B, msg []byte, digests bool) {
	raw := hasher(digests)
	r, err := mail.CreateReader(io.TeeReader(bytes.NewReader(msg), raw))
	if err != nil {
		b.Fatal(err)
	}
	hash := hasher(digests)
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		dst := io.Discard
		if _, ok := p.Header.(*mail.AttachmentHeader); ok {
			dst = hash
		}
		if _, err := io.Copy(dst, p.Body); err != nil {
			b.Fatal(err)
		}
	}
	_, derr := r.Header.Date()
	subject, _ := r.Header.Subject()
	from, _ := r.Header.AddressList("From")
	to, _ := r.Header.AddressList("To")
	if derr != nil || subject == "" || len(from) == 0 || len(to) == 0 {
		b.Fatal("header not read")
	}
}

func BenchmarkAttachment10MB(b *testing.B) { benchmarkBoth(b, bigMail(10<<20)) }

func BenchmarkSmallMail(b *testing.B) { benchmarkBoth(b, smallMail()) }

// benchmarkBoth runs both readers, with the digests a worker needs and without.
func benchmarkBoth(b *testing.B, msg []byte) {
	for _, digests := range []bool{true, false} {
		for name, f := range map[string]func(*testing.B, []byte, bool){"mailflume": consume, "go-message": consumeGoMessage} {
			b.Run(fmt.Sprintf("%s/digests=%v", name, digests), func(b *testing.B) {
				b.SetBytes(int64(len(msg)))
				b.ReportAllocs()
				for b.Loop() {
					f(b, msg, digests)
				}
			})
		}
	}
}
