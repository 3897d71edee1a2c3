package parse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"mailflume/parse/smime"
	"mailflume/parse/sniff"
	"mailflume/parse/tnef"
)

// container says what a part holds.
type container int

const (
	holdsNothing container = iota
	holdsMessage           // RFC 2046 section 5.2.1, RFC 6532 section 3.7
	holdsTNEF              // [MS-OXTNEF]
	holdsSigned            // RFC 8551 section 3.5.2
)

// holds tells what the part holds by its type, or by its name if the type says nothing.
func (p *Part) holds() container {
	if p.Role != RoleAttachment {
		return holdsNothing
	}
	typ := p.ContentType
	if typ == "application/octet-stream" {
		switch name := strings.ToLower(p.FilenameRaw); {
		case name == "winmail.dat":
			return holdsTNEF
		case strings.HasSuffix(name, ".p7m"):
			typ = "application/pkcs7-mime"
		}
	}
	switch typ {
	case "message/rfc822", "message/global":
		return holdsMessage
	case "application/ms-tnef", "application/vnd.ms-tnef":
		return holdsTNEF
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		if kind := strings.ToLower(p.Param("smime-type")); kind == "" || strings.HasPrefix(kind, "signed-") {
			return holdsSigned
		}
	}
	return holdsNothing
}

// Container tells whether the part is of a kind that holds parts, which the next call of Reader.Next goes
// into unless this one is read. It may turn out to hold none, if it is damaged or encrypted: Tee keeps
// its octets in any case, and has all of them when the reader returns a part outside of it.
func (p *Part) Container() bool { return p.holds() != holdsNothing }

// open goes into a part: nil if it holds no parts or belongs to the caller.
func (p *Part) open() (parts, error) {
	kind := p.holds()
	if p.read || kind == holdsNothing {
		return nil, nil
	}
	if p.depth >= p.r.lim.Nesting {
		p.issue(IssueNestingLimit, strconv.Itoa(p.r.lim.Nesting), false)
		return nil, nil
	}
	p.opened = true
	switch kind {
	case holdsMessage:
		return p.openMessage(), nil
	case holdsTNEF:
		return newTNEFParts(p), nil
	}
	return p.openSigned()
}

// insideReader reads a part that the reader has gone into.
type insideReader struct{ p *Part }

// Read implements io.Reader.
func (r insideReader) Read(b []byte) (int, error) { return r.p.pull(b) }

// inside returns a reader of the message or entity in, which lies inside of p.
func (p *Part) inside(in io.Reader, origin string) *Reader {
	c := newReader(in, p.r.lim)
	c.issues, c.parts, c.depth, c.base, c.origin = p.r.issues, p.r.parts, p.depth+1, p.Path, origin
	c.choices, c.w.hashed = p.Choices, false
	return c
}

// openMessage goes into a message. That of a journal report is the message; of any other the texts
// are its own affair.
func (p *Part) openMessage() parts {
	c := p.inside(insideReader{p}, OriginMessage)
	p.inner = c.Header()
	if p.r.journal && p.r.about.Journal != nil {
		p.r.journal = false
		c.origin, c.about = OriginMIME, p.r.about
		c.about.header = c.top
		return c
	}
	if len(c.w.peek(1)) == 0 {
		c.w.free()
		return nil // a header is all that a bounce returns: it has no parts, whatever it says
	}
	return withoutTexts{c}
}

// next implements parts.
func (r *Reader) next() (*Part, error) { return r.Next() }

// withoutTexts are the attachments of a message.
type withoutTexts struct{ of *Reader }

// next implements parts.
func (w withoutTexts) next() (*Part, error) {
	for {
		p, err := w.of.Next()
		if err != nil || p.Role == RoleAttachment {
			return p, err
		}
	}
}

// openSigned goes into an opaque-signed object. It holds a MIME entity, or, as signed invoices and
// contracts do, a file.
func (p *Part) openSigned() (parts, error) {
	in, err := smime.Open(insideReader{p})
	switch {
	case errors.Is(err, smime.ErrNotSigned), errors.Is(err, smime.ErrNoContent):
		return nil, nil
	case errors.Is(err, smime.ErrMalformed):
		p.issue(IssueSignedBad, "", false)
		return nil, nil
	case err != nil:
		return nil, err
	}
	content := bufio.NewReader(signedReader{p, in})
	begin, err := content.Peek(sniff.Size)
	if err != nil && err != io.EOF { //nolint:errorlint // bare: a lost connection's error may wrap io.EOF
		return nil, err
	}
	if isEntity(begin) {
		c := p.inside(content, OriginSMIME)
		c.about = p.r.about
		return c, nil
	}
	return &walk{level: &signedFile{p, content}}, nil
}

// signedReader reads what was signed. A damaged object ends where the damage is.
type signedReader struct {
	p  *Part
	in io.Reader
}

// Read implements io.Reader.
func (r signedReader) Read(b []byte) (int, error) {
	n, err := r.in.Read(b)
	if errors.Is(err, smime.ErrMalformed) {
		r.p.issue(IssueSignedBad, "", true)
		err = io.EOF
	}
	return n, err
}

// isEntity tells whether octets begin like a MIME entity: with a Content- or MIME-Version field.
func isEntity(b []byte) bool {
	b = bytes.TrimLeft(b[:min(len(b), 256)], "\r\n")
	colon, ok := fieldName(b)
	if !ok {
		return false
	}
	name := bytes.ToLower(bytes.TrimRight(b[:colon], " \t"))
	return bytes.HasPrefix(name, []byte("content-")) || string(name) == "mime-version"
}

// signedFile is a file in an opaque-signed object.
type signedFile struct {
	p  *Part
	in io.Reader
}

// part implements level.
func (f *signedFile) part() (*Part, error) {
	if f.p == nil {
		return nil, io.EOF
	}
	p := f.p.child(1, OriginSMIME, &readerOctets{in: f.in, buf: make([]byte, pieceSize)})
	p.ContentType = "application/octet-stream"
	if n := len(f.p.FilenameRaw); strings.HasSuffix(strings.ToLower(f.p.FilenameRaw), ".p7m") {
		p.rename(f.p.FilenameRaw[:n-len(".p7m")])
	}
	f.p = nil
	return p, nil
}

// child makes the n-th part out of p.
func (p *Part) child(n int, origin string, o octets) *Part {
	*p.r.parts++
	path := joinPath(p.Path, n)
	return &Part{Path: path, Parent: p.Path, Origin: origin, Header: p.r.newHeader(path), r: p.r, depth: p.depth + 1, octets: o}
}

// tnefParts are the parts of a TNEF stream.
type tnefParts struct {
	p   *Part
	in  *tnef.Reader
	n   int
	buf []byte // of the part whose turn it is
	had bool   // the message has an HTML body besides
}

// newTNEFParts goes into a TNEF stream.
func newTNEFParts(p *Part) parts {
	text := func(charset string, octets []byte) string {
		s, _ := decodeString(octets, charset)
		return s
	}
	opt := tnef.Options{Text: text, Objects: p.r.lim.Parts}
	t := &tnefParts{p: p, in: tnef.NewReader(insideReader{p}, opt), buf: make([]byte, pieceSize)}
	t.had = p.r.about != nil && p.r.about.html
	return &walk{level: t}
}

// part implements level.
func (t *tnefParts) part() (*Part, error) {
	for {
		o, err := t.in.Next()
		if err != nil {
			t.end()
			return nil, err
		}
		if *t.p.r.parts >= t.p.r.lim.Parts {
			t.p.issue(IssuePartLimit, strconv.Itoa(t.p.r.lim.Parts), true)
			return nil, io.EOF
		}
		if role, wanted := t.role(o.Kind); wanted {
			t.n++
			in := &readerOctets{in: o, buf: t.buf}
			p := t.p.child(t.n, OriginTNEF, in)
			in.end = func() { p.describe(o) }
			p.Role, p.Charset = role, o.Charset
			p.describe(o)
			if role != RoleAttachment {
				p.Choices = append(slices.Clip(t.p.Choices), p.Path)
				p.startText()
			}
			return p, nil
		}
	}
}

// role tells what an object is to the message. A body that the message has already is not wanted: the
// sender wrote it twice.
func (t *tnefParts) role(k tnef.Kind) (role Role, wanted bool) {
	a := t.p.r.about
	if t.p.Origin == OriginTNEF {
		a = nil // a message inside: its bodies are its own affair
	}
	switch k {
	case tnef.KindText:
		return RoleText, a != nil && !t.had && a.claim(&a.text)
	case tnef.KindHTML:
		return RoleHTML, a != nil && a.claim(&a.html)
	case tnef.KindRTF:
		return RoleAttachment, a != nil && !a.text && !a.html
	}
	return RoleAttachment, true
}

// end reports what was wrong with the stream, and what message it is if it is not this one.
func (t *tnefParts) end() {
	if m := t.in.Message(); t.p.Origin == OriginTNEF {
		t.p.inner = tnefHeader(&m)
	}
	for _, f := range t.in.Flaws() {
		t.p.issue(IssueTNEFBad, f.Code+" "+f.Detail, true)
	}
}

// describe takes over what the stream says of an object; its name may come after its octets.
func (p *Part) describe(o *tnef.Object) {
	p.ContentType, p.ContentID = strings.ToLower(o.ContentType), o.ContentID
	p.Inline = o.Hidden || o.ContentID != ""
	if o.Kind == tnef.KindRTF {
		p.rename("body.rtf")
	} else if p.Role == RoleAttachment {
		p.rename(o.Name)
	}
}
