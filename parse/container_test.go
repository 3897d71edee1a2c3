package parse

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// forwarded is a mail with a message that holds a file and a message of its own.
const forwarded = `Subject: out
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: text/plain

see below
--a
Content-Type: message/rfc822

Subject: in
From: i@example.org
Content-Type: multipart/mixed; boundary=b

--b

inner text
--b
Content-Type: application/pdf; name=in.pdf
Content-Transfer-Encoding: base64

JVBERi0=
--b
Content-Type: message/rfc822

Subject: innermost
Content-Type: image/png; name=x.png

png
--b--
--a
Content-Type: application/zip; name=out.zip

zip
--a--
`

// walk reads a message written with LF line ends, and all that its parts hold.
func walkText(t *testing.T, msg string) message {
	t.Helper()
	m, err := walkFrom(strings.NewReader(strings.ReplaceAll(msg, "\n", "\r\n")), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// places shows where the parts are: number, parent, origin, name.
func (m message) places() string {
	var b strings.Builder
	for _, p := range m.parts {
		fmt.Fprintf(&b, "%s<%s %s %s%s\n", p.Path, p.Parent, p.Origin, p.ContentType, strings.TrimRight(" "+p.Filename, " "))
	}
	return b.String()
}

func TestTheAttachmentsOfAMessageInsideAreFound(t *testing.T) {
	m := walkText(t, forwarded)
	const want = "1< mime text/plain\n2< mime message/rfc822\n2.2<2 rfc822 application/pdf in.pdf\n2.3<2 rfc822 message/rfc822\n" +
		"2.3.1<2.3 rfc822 image/png x.png\n3< mime application/zip out.zip\n"
	if got := m.places(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := m.parts[1].Message(); got.Subject() != "in" || got.Addresses("From")[0].Address != "i@example.org" {
		t.Errorf("message inside: %q", got.Fields())
	}
	if got := m.parts[3].Message().Subject(); got != "innermost" {
		t.Errorf("innermost message: %q", got)
	}
	_, inner, _ := strings.Cut(forwarded, "message/rfc822\n\n")
	inner, _, _ = strings.Cut(inner, "\n--a\nContent-Type: application/zip")
	if got := m.parts[1].body; got != strings.ReplaceAll(inner, "\n", "\r\n") {
		t.Errorf("the message's octets are %q", got)
	}
	for i, want := range map[int]string{2: "%PDF-", 4: "png", 5: "zip"} {
		if m.parts[i].body != want {
			t.Errorf("part %s is %q, want %q", m.parts[i].Path, m.parts[i].body, want)
		}
	}
}

func TestWhatIsInAContainerDoesNotDependOnHowTheInputIsCut(t *testing.T) {
	msg := strings.ReplaceAll(forwarded, "\n", "\r\n")
	want := walkText(t, forwarded).dump()
	for _, n := range []int{1, 2, 7, 64, 1000} {
		m, err := walkFrom(pieces{strings.NewReader(msg), n}, Limits{})
		if err != nil || m.dump() != want {
			t.Errorf("pieces of %d octets give something else (%v)", n, err)
		}
	}
}

func TestAContainerThatTheCallerReadsIsNotOpened(t *testing.T) {
	m := read(t, forwarded)
	if got, want := m.places(), "1< mime text/plain\n2< mime message/rfc822\n3< mime application/zip out.zip\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if m.parts[1].Message() != nil {
		t.Error("the message was opened")
	}
}

func TestAContainerCannotBeReadOnceTheReaderIsInIt(t *testing.T) {
	r := NewReader(strings.NewReader(strings.ReplaceAll(forwarded, "\n", "\r\n")), Limits{})
	var outer *Part
	for range 3 {
		p, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if p.Path == "2" {
			outer = p
		}
	}
	if n, err := outer.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("read %d octets, error %v", n, err)
	}
	p, err := r.Next()
	if err != nil || p.Path != "2.3" {
		t.Errorf("then part %v, error %v", p, err)
	}
}

func TestContainersInsideEachOtherAreLimited(t *testing.T) {
	msg := "Subject: x\r\n" + strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 9) + "\r\nhi"
	m, err := walkFrom(strings.NewReader(msg), Limits{Nesting: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.parts) != 4 || m.parts[3].Path != "1.1.1.1" {
		t.Errorf("got\n%s", m.places())
	}
	wantCode(t, m, IssueNestingLimit)
	if got := m.parts[3].body; strings.Count(got, "rfc822") != 5 {
		t.Errorf("the octets of the last are %q", got)
	}
}

func TestPartsInContainersCountToo(t *testing.T) {
	m, err := walkFrom(strings.NewReader(strings.ReplaceAll(forwarded, "\n", "\r\n")), Limits{Parts: 5})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, m, IssuePartLimit)
	if m.digest.Size != int64(len(forwarded)+strings.Count(forwarded, "\n")) {
		t.Errorf("%d octets read", m.digest.Size)
	}
}

func TestIssuesInAContainerNameTheirPart(t *testing.T) {
	m := walkText(t, strings.Replace(forwarded, "JVBERi0=", "JVBERi0", 1))
	for _, is := range m.issues {
		if is.Code != IssueBase64Unpadded || is.Part != "2.2" {
			t.Errorf("issue %v", is)
		}
	}
	if len(m.issues) == 0 {
		t.Error("nothing reported")
	}
}

func TestTransportErrorsInAContainerComeBackAsTheyAre(t *testing.T) {
	broken := errors.New("connection reset")
	msg := strings.ReplaceAll(forwarded, "\n", "\r\n")
	for at := range len(msg) {
		if _, err := walkFrom(io.MultiReader(strings.NewReader(msg[:at]), iotest.ErrReader(broken)), Limits{}); !errors.Is(err, broken) {
			t.Fatalf("cut at %d: error %v", at, err)
		}
	}
}

func TestASignedFileThatOnlyBeginsLikeAnEntityIsAFile(t *testing.T) {
	g := &nester{Rand: rand.New(rand.NewPCG(1, 1))}
	for content, want := range map[string]string{
		"Content-Type: text/csv; name=a.csv\r\n\r\na": "1 mime application/pkcs7-mime c.txt.p7m|1.1 smime text/csv a.csv",
		"MIME-Version : 1.0\r\n\r\na":                 "1 mime application/pkcs7-mime c.txt.p7m|1.1 smime text/plain",
		"Content-free\r\nas we said: a":               "1 mime application/pkcs7-mime c.txt.p7m|1.1 smime application/octet-stream c.txt",
		"Content-related costs: 7":                    "1 mime application/pkcs7-mime c.txt.p7m|1.1 smime application/octet-stream c.txt",
		"":                                            "1 mime application/pkcs7-mime c.txt.p7m|1.1 smime application/octet-stream c.txt",
	} {
		m, err := walkFrom(strings.NewReader("Content-Type: application/pkcs7-mime; name=c.txt.p7m\r\n\r\n"+g.signed(content)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := places(m); got != want {
			t.Errorf("%q: got %s, want %s", content, got, want)
		}
	}
}

func TestPartsOfATNEFStreamCountToo(t *testing.T) {
	var b strings.Builder
	b.WriteString("\x78\x9f\x3e\x22\x0f\x01")
	for range 10 {
		writeAttr(&b, 0x00069002, strings.Repeat("\x00", 14))
		writeAttr(&b, 0x0006800f, strings.Repeat("x", 5000))
	}
	msg := "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/ms-tnef\r\n\r\n" + b.String() + "\r\n--b\r\n\r\nhi\r\n--b--\r\n"
	m, err := walkFrom(strings.NewReader(msg), Limits{Parts: 5})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(m.parts); got != 4 || m.parts[3].Path != "1.3" || m.parts[0].body != b.String() || m.digest.Size != int64(len(msg)) {
		t.Errorf("%d parts, %d octets read\n%s", got, m.digest.Size, m.places())
	}
	wantCode(t, m, IssuePartLimit)
}
