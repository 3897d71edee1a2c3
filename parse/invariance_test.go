package parse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// zoo is a message with something of everything, also broken things.
func zoo() string {
	text := strings.Repeat("Gr=C3=BC=C3=9Fe=20aus =\n=D6sterreich  \n--\n--b\u00e9\n", 40)
	return strings.ReplaceAll("From mbox Tue Nov 10 09:00:00 2026\nFrom: =?utf-8?q?J=C3=B6?= <j@x.org>, bad <bad, root\nTo: G: a@x.org;\n"+
		"Subject: =?iso-2022-jp?B?GyRCJUk=?=\n =?iso-2022-jp?B?JSsbKEI=?= \xc7\xd1\nDate: Tue Nov 10 09:00:00 PST 2026\nno field\n"+
		"References: <a@x>\n\t<b@x>\nContent-Type: multipart/mixed;\n boundary=\"b\"\n--b\nContent-Type: multipart/alternative; boundary=bb\n\npreamble\n"+
		"--bb\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"+text+
		"--bb\nContent-Type: text/html\n\n<p>"+strings.Repeat("x", 5000)+"\xe9\n--bb--\nepilogue\n"+
		"--b \nContent-Type: application/pdf; name=\"a\\\"b.pdf\nContent-Transfer-Encoding: base64\n\n"+strings.Repeat("JVBERi0xJVBERi0x\n", 300)+"JV*BERg\n\n"+
		"--b\nContent-Type: text/plain; charset=iso-2022-jp\n\n"+strings.Repeat("\x1b$B$3\x1b(B\n", 100)+
		"--b\nContent-Type: image/x; name=u\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n%)5!$1BT \n`\nend\n"+
		"--b\n\n--b\ntext at once\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\n--c\n--b\nContent-Type: text/plain; charset=utf-16\n\na\x00b\x00", "\n", "\r\n")
}

func TestResultDoesNotDependOnHowTheInputIsCut(t *testing.T) {
	for name, msg := range map[string]string{
		"zoo":            zoo(),
		"zoo with LF":    strings.ReplaceAll(zoo(), "\r\n", "\n"),
		"zoo with CR":    strings.ReplaceAll(zoo(), "\r\n", "\r"),
		"small mail":     string(smallMail()),
		"long line":      "Subject: x\r\n\r\n" + strings.Repeat("x", 200_000/underRace),
		"long header":    "X-A: " + strings.Repeat("a", 200_000/underRace) + "\r\nSubject: x\r\n\r\nhi",
		"dashes":         "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--bx\r\n-\r\n\r\n", 20_000/underRace) + "--b\r\n\r\nhi",
		"long delimiter": "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b" + strings.Repeat(" ", 5000) + "\r\n\r\n--b\r\n\r\nhi\r\n--b--" + strings.Repeat("\t", 1000),
		"blanks":         "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("a"+strings.Repeat(" ", 5000)+"\r\n", 20),
	} {
		t.Run(name, func(t *testing.T) {
			want := readRaw(t, msg).dump()
			for _, n := range []int{1, 2, 3, 7, 64, 1000, 4096, 65536} {
				m, err := readFrom(pieces{strings.NewReader(msg), n}, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if m.dump() != want {
					t.Errorf("pieces of %d octets give something else", n)
				}
			}
			m, err := readFrom(iotest.DataErrReader(strings.NewReader(msg)), Limits{})
			if err != nil || m.dump() != want {
				t.Errorf("an EOF beside the last octets gives something else (%v)", err)
			}
		})
	}
}

func TestDigestIsOfTheOctetsAsSent(t *testing.T) {
	for _, msg := range []string{"", "Subject: x", zoo(), string(smallMail())} {
		r := NewReader(strings.NewReader(msg), Limits{})
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		want := readRaw(t, msg).digest
		if got := r.Digest(); got != want || got.Size != int64(len(msg)) {
			t.Errorf("unread parts give %d octets, read ones %d", got.Size, want.Size)
		}
	}
}

func TestTransportErrorsComeBackAsTheyAre(t *testing.T) {
	broken := errors.New("connection reset")
	msg := zoo()
	for _, wrap := range []error{broken, io.ErrUnexpectedEOF, fmt.Errorf("read: %w", broken), fmt.Errorf("connection closed: %w", io.EOF)} {
		for at := 0; at <= len(msg); at += 1 + at/40 {
			in := io.MultiReader(strings.NewReader(msg[:at]), iotest.ErrReader(wrap))
			if _, err := readFrom(in, Limits{}); !errors.Is(err, wrap) {
				t.Fatalf("cut at %d: error %v, want %v", at, err, wrap)
			}
			in = io.MultiReader(pieces{strings.NewReader(msg[:at]), 100}, iotest.ErrReader(wrap))
			r := NewReader(in, Limits{})
			var err error
			for err == nil {
				_, err = r.Next()
			}
			if !errors.Is(err, wrap) {
				t.Fatalf("cut at %d, nothing read: error %v, want %v", at, err, wrap)
			}
			if _, again := r.Next(); !errors.Is(again, wrap) {
				t.Fatalf("cut at %d: then %v", at, again)
			}
		}
	}
}

func TestReaderThatGivesNothingIsAnError(t *testing.T) {
	r := NewReader(emptyReader{}, Limits{})
	if _, err := r.Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestTeeErrorsComeBackAsTheyAre(t *testing.T) {
	full := errors.New("disk full")
	for name, use := range map[string]func(*Reader, *Part) error{
		"from Read":    func(_ *Reader, p *Part) error { _, err := io.ReadAll(p); return err },
		"from WriteTo": func(_ *Reader, p *Part) error { _, err := p.WriteTo(io.Discard); return err },
		"from Next":    func(r *Reader, _ *Part) error { _, err := r.Next(); return err },
	} {
		r := NewReader(strings.NewReader("Subject: x\r\n\r\nhi"), Limits{})
		p, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		p.Tee(failingWriter{full})
		if err := use(r, p); !errors.Is(err, full) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestPartsEndWhenTheReaderGoesOn(t *testing.T) {
	r := NewReader(strings.NewReader(strings.ReplaceAll(mixed+"--b\n"+partText+"--b\n"+partPDF+"--b--\n", "\n", "\r\n")), Limits{})
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(first); len(b) > 0 || err != nil {
		t.Errorf("the part before gives %q, %v", b, err)
	}
	if b, err := io.ReadAll(second); string(b) != "%PDF-" || err != nil {
		t.Errorf("the part gives %q, %v", b, err)
	}
	for range 3 {
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the last part: %v", err)
		}
	}
}

// endless repeats a piece up to a size without holding more than one.
type endless struct {
	head, piece string
	size        int64
	rest        string
}

func (e *endless) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if e.rest == "" {
			e.rest, e.head = e.head, ""
		}
		if e.rest == "" {
			if e.size <= 0 {
				break
			}
			e.rest = e.piece
			e.size -= int64(len(e.piece))
		}
		k := copy(b[n:], e.rest)
		e.rest = e.rest[k:]
		n += k
	}
	if n == 0 {
		err = io.EOF
	}
	return n, err
}

func TestHostileMessagesCostLittle(t *testing.T) {
	const size = 5 << 18 / underRace // more than a header may have
	top := "From: a@example.org\r\nSubject: x\r\n"
	nested := ""
	for i := range 5000 {
		nested += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	b64 := top + "Content-Type: application/x-y\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	multi := top + "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
	cases := map[string]*endless{
		"one line of text":            {head: top + "\r\n", piece: "x"},
		"one line of base64":          {head: b64, piece: "QUFB"},
		"one character of base64":     {head: b64, piece: "Q\r\n"},
		"padding everywhere":          {head: b64, piece: "QUJDQUI=\r\n"},
		"padding and data":            {head: b64, piece: "QUJDQUJD\r\nQUJDQUI=\r\n"},
		"nothing but padding":         {head: b64, piece: "="},
		"soft breaks":                 {head: top + "Content-Transfer-Encoding: quoted-printable\r\n\r\n", piece: "=\r\n"},
		"blanks":                      {head: top + "Content-Transfer-Encoding: quoted-printable\r\n\r\n", piece: " "},
		"equals signs":                {head: top + "Content-Transfer-Encoding: quoted-printable\r\n\r\n", piece: "="},
		"shifts":                      {head: top + "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n", piece: "\x1b$B\x1b(B"},
		"empty parts":                 {head: multi, piece: "--a\r\n\r\n"},
		"parts with headers":          {head: multi, piece: "--a\r\nContent-Type: a/b; name=z\r\n\r\nq\r\n"},
		"delimiters that are none":    {head: multi, piece: "--ab\r\n"},
		"dashes":                      {head: multi, piece: "-"},
		"line ends":                   {head: multi, piece: "\r\n"},
		"nested multiparts":           {head: top + nested, piece: "--bX\r\n"},
		"fields":                      {head: top, piece: "To: a@example.org\r\n"},
		"empty fields":                {head: top, piece: "a:\r\n"},
		"one long field":              {head: top + "Subject: ", piece: "A"},
		"folds":                       {head: top, piece: " y\r\n"},
		"blank folds":                 {head: top, piece: " \r\n"},
		"garbage lines":               {head: top, piece: "garbage\r\n"},
		"garbage and fields":          {head: top, piece: "garbage\r\ngarbage\r\na: b\r\n"},
		"short garbage":               {head: top, piece: "x\n"},
		"leading empty lines":         {piece: "\r\n"},
		"encoded words":               {head: top + "Subject: ", piece: "=?utf-8?b?w7w=?=\r\n "},
		"unclosed encoded words":      {head: "Subject: ", piece: "=?utf-8?b?"},
		"comments":                    {head: "To: ", piece: "("},
		"closed comments":             {head: "To: ", piece: "()"},
		"brackets":                    {head: "To: ", piece: "<"},
		"quotes":                      {head: "To: ", piece: "\""},
		"escaped quotes":              {head: "To: \"", piece: "\\\""},
		"words":                       {head: "To: ", piece: "a "},
		"groups":                      {head: "To: ", piece: "g:"},
		"addresses":                   {head: "To: ", piece: "a@x.org,"},
		"at signs":                    {head: "To: ", piece: "@"},
		"brackets with quotes":        {head: "To: ", piece: "<\""},
		"domain literals":             {head: "To: ", piece: "["},
		"half names":                  {head: "To: ", piece: "a, b <c@d>,"},
		"parameters":                  {head: "Content-Type: a/b", piece: "; a=b"},
		"parameters without value":    {head: "Content-Type: a/b", piece: "; a"},
		"quoted parameters":           {head: "Content-Type: a/b; a=\"", piece: "\"a"},
		"sections":                    {head: "Content-Disposition: attachment", piece: "; filename*1*=a%20"},
		"message ids":                 {head: "Message-ID: ", piece: "<"},
		"dates":                       {head: "Date: ", piece: "1 "},
		"undeclared octets in fields": {head: "Subject: ", piece: "\xb0\xa1 "},
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			in.size = size
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := NewReader(in, Limits{})
			visit(t, r)
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
				t.Errorf("allocated %d MiB", got>>20)
			}
			if n := len(r.Issues()); n > maxIssues+1 {
				t.Errorf("%d issues", n)
			}
		})
	}
}

// visit reads everything of a message and keeps nothing.
func visit(t testing.TB, r *Reader) {
	h := r.Header()
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.WriteTo(io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	h.Fields()
	h.Addresses("From", "To")
	h.Date()
	h.MessageIDs("Message-ID")
	List(h)
	Classify(h, "")
}

func TestMemoryDoesNotGrowWithTheMessage(t *testing.T) {
	var peak uint64
	in := &endless{head: "Content-Type: application/x-y\r\nContent-Transfer-Encoding: base64\r\n\r\n", piece: strings.Repeat("QUFB", 19) + "\r\n", size: 64 << 20 / underRace}
	r := NewReader(in, Limits{})
	p, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	base := m.TotalAlloc
	if _, err := p.WriteTo(io.Discard); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&m)
	peak = m.TotalAlloc - base
	if peak > 2<<20 {
		t.Errorf("64 MiB of base64 allocated %d KiB", peak>>10)
	}
}

func TestLimitsAreReportedAndTheInputIsRead(t *testing.T) {
	nested := mixed
	for range 5 {
		nested += "--b\n" + strings.Replace(mixed, "From: a@example.org\nMIME-Version: 1.0\n", "", 1)
	}
	cases := []struct {
		name, msg string
		lim       Limits
		code      string
	}{
		{"depth", strings.ReplaceAll(nested, "\"b\"", "b") + "x\n", Limits{Depth: 3}, IssueDepthLimit},
		{"parts", mixed + strings.Repeat("--b\n\nx\n", 20) + "--b--\n", Limits{Parts: 5}, IssuePartLimit},
		{"fields", strings.Repeat("X-A: b\n", 20) + "\nhi\n", Limits{HeaderFields: 5}, IssueFieldLimit},
		{"bytes of a header", strings.Repeat("X-A: b\n", 20) + "\nhi\n", Limits{HeaderBytes: 50}, IssueHeaderTooLarge},
		{"bytes of a field", "Subject: " + strings.Repeat("x", 100) + "\nX-A: b\n\nhi\n", Limits{FieldBytes: 50}, IssueFieldTooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			msg := strings.ReplaceAll(c.msg, "\n", "\r\n")
			m, err := readFrom(strings.NewReader(msg), c.lim)
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, m, c.code)
			if m.digest.Size != int64(len(msg)) {
				t.Errorf("read %d of %d octets", m.digest.Size, len(msg))
			}
			if strings.HasSuffix(c.msg, "\nhi\n") && !bytes.HasPrefix([]byte(m.parts[0].body), []byte("hi")) {
				t.Errorf("body lost: %s", m.tree())
			}
		})
	}
}
