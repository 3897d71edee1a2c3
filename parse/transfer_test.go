package parse

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
)

func TestTransferEncodings(t *testing.T) {
	type row struct{ name, encoding, in, want, code string }
	cases := []row{
		{"base64", "base64", "JVBERi0=\r\n", "%PDF-", ""},
		{"base64 in capitals", "BASE64", "JVBERi0=", "%PDF-", ""},
		{"base64 with a comment", "base64 (as usual)", "JVBERi0=", "%PDF-", ""},
		{"base64 with a semicolon", "base64;", "JVBERi0=", "%PDF-", ""},
		{"no padding, 2 characters left", "base64", "JVBERg\r\n", "%PDF", IssueBase64Unpadded},
		{"no padding, 3 characters left", "base64", "JVBERi0\r\n", "%PDF-", IssueBase64Unpadded},
		{"1 character left", "base64", "JVBEJ\r\n", "%PD", IssueBase64Truncated},
		{"one character per line", "base64", "J\r\nV\r\nB\r\nE\r\nR\r\ni\r\n0\r\n=\r\n", "%PDF-", ""},
		{"spaces", "base64", "JV BE\tRi0=", "%PDF-", ""},
		{"garbage", "base64", "JV*BE\x80Ri0=", "%PDF-", IssueBase64Garbage},
		{"padding at the start", "base64", "=JVBERi0=", "%PDF-", IssueBase64Garbage},
		{"two encodings joined", "base64", "JVBERi0=\r\nJVBERi0xJVBERi0=\r\n", "%PDF-%PDF-1%PDF-", IssueBase64Continued},
		{"two encodings in one line", "base64", "JVBERi0=JVBERi0xJVBERi0=\r\n", "%PDF-%PDF-1%PDF-", IssueBase64Continued},
		{"footer after the padding", "base64", "JVBERi0=\r\n\r\n--\r\nfooter of a list\r\n", "%PDF-", IssueBase64Trailing},
		{"empty base64", "base64", "", "", ""},
		{"excess padding", "base64", "JVBERi0====\r\n", "%PDF-", IssueBase64Garbage},

		{"quoted-printable", "quoted-printable", "a=C3=A9b\r\n", "aéb\r\n", ""},
		{"lower-case digits", "quoted-printable", "=c3=a9", "é", ""},
		{"soft break", "quoted-printable", "a=\r\nb", "ab", ""},
		{"soft break with blanks", "quoted-printable", "a= \t\r\nb", "ab", ""},
		{"soft break with LF", "quoted-printable", "a=\nb", "ab", ""},
		{"soft break at the end", "quoted-printable", "a=", "a", ""},
		{"blanks at the end of a line", "quoted-printable", "a \t \r\nb  \r\n", "a\r\nb\r\n", ""},
		{"encoded blank at the end", "quoted-printable", "a=20\r\nb", "a \r\nb", ""},
		{"no digits", "quoted-printable", "a=ZZb=", "a=ZZb", IssueQuotedPrintableBad},
		{"one digit", "quoted-printable", "a=4\r\nb", "a=4\r\nb", IssueQuotedPrintableBad},
		{"raw octets", "quoted-printable", "a\xc3\xa9b", "aéb", ""},
		{"LF line ends stay", "quoted-printable", "a\nb\n", "a\nb\n", ""},

		{"uuencode", "x-uuencode", "begin 644 a\r\n%)5!$1BT \r\n`\r\nend\r\n", "%PDF-", ""},
		{"uuencode cut", "uuencode", "begin 644 a\r\n%)5!$1BT \r\n", "%PDF-", ""},
		{"uuencode without begin", "uuencode", "hello\r\n", "hello\r\n", IssueUUBad},

		{"7bit", "7bit", "a=3D\r\n", "a=3D\r\n", ""},
		{"8bit", "8bit", "\xff\x00", "\xff\x00", ""},
		{"binary", "binary", "a\x00\xff\r\nb\r", "a\x00\xff\r\nb\r", ""},
		{"unknown", "x-foo", "abc", "abc", IssueEncodingUnknown},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := readRaw(t, "Content-Type: application/x-y\r\nContent-Transfer-Encoding: "+c.encoding+"\r\n\r\n"+c.in)
			p := m.parts[0]
			if p.body != c.want {
				t.Errorf("got %q, want %q", p.body, c.want)
			}
			if p.raw != c.in {
				t.Errorf("raw is %q, want %q", p.raw, c.in)
			}
			if want := []string{c.code}; c.code != "" && !slices.Equal(m.codes(), want) || c.code == "" && len(m.issues) > 0 {
				t.Errorf("issues %v, want %q", m.issues, c.code)
			}
		})
	}
}

func TestAttachmentOctetsAreNeverConverted(t *testing.T) {
	for name, fields := range map[string]string{
		"text in Latin":  "Content-Type: text/csv; charset=iso-8859-1\r\nContent-Disposition: attachment",
		"plain text":     "Content-Type: text/plain; charset=utf-16; name=a.txt",
		"html":           "Content-Type: text/html; charset=koi8-r\r\nContent-Disposition: attachment; filename=a.html",
		"octet stream":   "Content-Type: application/octet-stream",
		"no known octet": "Content-Type: image/png; charset=shift_jis",
	} {
		octets := "\xef\xbb\xbfa\xe9\x00\xff\r\n\r\n b\n"
		if got := readRaw(t, fields+"\r\n\r\n"+octets).parts[0].body; got != octets {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestSignedPartsCanBeCutOutExactly(t *testing.T) {
	signed := "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=E9  \r\n- b\r\n--x\r\n\r\n"
	m := readRaw(t, "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n"+signed+"\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n")
	_, body, _ := strings.Cut(signed, "\r\n\r\n")
	if got := m.parts[0].raw; got != body {
		t.Errorf("raw is %q, want %q", got, body)
	}
	if got := m.parts[0].body; got != "aé\r\n- b\r\n--x\r\n\r\n" {
		t.Errorf("text %q", got)
	}
}

func TestLargeBase64IsDecodedExactly(t *testing.T) {
	msg := bigMail(1 << 20)
	r := NewReader(bytes.NewReader(msg), Limits{})
	var got [32]byte
	var size int64
	for {
		p, err := r.Next()
		if err != nil {
			break
		}
		h := sha256.New()
		if size, err = p.WriteTo(h); err != nil {
			t.Fatal(err)
		}
		h.Sum(got[:0])
	}
	octets := make([]byte, 1<<20)
	for i := range octets {
		octets[i] = byte(i * 2654435761 >> 7)
	}
	if size != 1<<20 || got != sha256.Sum256(octets) {
		t.Errorf("decoded %d octets, digest %x", size, got)
	}
	if d := r.Digest(); d.Size != int64(len(msg)) || d.SHA256 != sha256.Sum256(msg) {
		t.Errorf("digest of %d octets is wrong", d.Size)
	}
	if is := r.Issues(); len(is) > 0 {
		t.Errorf("issues %v", is)
	}
}
