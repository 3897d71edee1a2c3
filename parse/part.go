package parse

import (
	"io"
	"strings"
)

// Role says what a part is to the message.
type Role int

// The roles.
const (
	RoleAttachment Role = iota // everything that is no body
	RoleText                   // a text/plain body, or a piece of one
	RoleHTML                   // a text/html body, or a piece of one
)

// Part is one leaf of the message's tree. It is good until the next call of Reader.Next.
type Part struct {
	Path        string  // IMAP part number (RFC 9051 section 6.4.5): "1", "1.2"
	Parent      string  // part number of the multipart around it; empty for the message itself
	Header      *Header // of the part; of the message if that has one part only
	Role        Role
	ContentType string // lower-case type/subtype
	Charset     string // as declared
	UsedCharset string // that of RoleText and RoleHTML which Read converts from; final after io.EOF
	Disposition string // "inline", "attachment" or empty
	Inline      bool   // to be shown where it stands: disposition inline, or none and a Content-ID
	Filename    string // safe to create in a folder; empty if the part has no name
	FilenameRaw string // decoded, otherwise as sent
	ContentID   string // without angle brackets
	Encoding    string // the transfer encoding, lower case, as declared

	r    *Reader
	dec  transferDecoder
	text *textReader
	tee  io.Writer
	out  []byte // decoded, not yet read
	done bool   // nothing comes after out
	err  error  // the transport's or the Tee's
}

// newPart makes a leaf of a header. def is the media type of parts that declare none.
func newPart(r *Reader, h *Header, m media, typ string) *Part {
	p := &Part{Header: h, ContentType: typ, r: r, Charset: m.text("charset", h)}
	p.disposition(m)
	p.ContentID = ""
	if ids := h.MessageIDs("Content-ID"); len(ids) > 0 {
		p.ContentID = ids[0]
	}
	p.Inline = p.Disposition == "inline" || p.Disposition == "" && p.ContentID != ""
	if p.Disposition != "attachment" && p.FilenameRaw == "" {
		switch typ {
		case "text/plain":
			p.Role = RoleText
		case "text/html":
			p.Role = RoleHTML
		}
	}
	p.encoding()
	return p
}

// disposition reads Content-Disposition (RFC 2183) and the names a part may have. The disposition's
// filename goes before the type's name (RFC 2183 section 2.3).
func (p *Part) disposition(m media) {
	h := p.Header
	if v, ok := h.first("Content-Disposition"); ok {
		d := parseMedia(wholeQuoted(h.utf8(v), h), h)
		switch kind, _ := token(d.head); kind {
		case "":
		case "inline", "attachment":
			p.Disposition = kind
		default:
			// RFC 2183 section 2.8. What was no token as sent says nothing.
			if kind == d.head && !strings.HasPrefix(v, "=?") {
				p.Disposition = "attachment"
			}
			h.issue(IssueDispositionBad, quote(d.head), false)
		}
		p.FilenameRaw = d.text("filename", h)
		if p.FilenameRaw == "" {
			p.FilenameRaw = d.text("name", h)
		}
	}
	if p.FilenameRaw == "" {
		p.FilenameRaw = m.text("name", h)
	}
	if p.FilenameRaw == "" {
		p.FilenameRaw = m.text("filename", h)
	}
	p.Filename = safeFilename(p.FilenameRaw)
	if p.Filename != p.FilenameRaw {
		h.issue(IssueFilenameUnsafe, quote(p.FilenameRaw), false)
	}
}

// wholeQuoted undoes what some senders do to a whole field: quotes around it, or an encoded word.
func wholeQuoted(v string, h *Header) string {
	if strings.HasPrefix(v, "=?") {
		return h.decode(v)
	}
	if strings.HasPrefix(v, `"attachment`) || strings.HasPrefix(v, `"inline`) {
		return strings.ReplaceAll(strings.TrimSuffix(v[1:], `"`), `\"`, `"`)
	}
	return v
}

// encoding reads Content-Transfer-Encoding.
func (p *Part) encoding() {
	h := p.Header
	raw, _ := h.first("Content-Transfer-Encoding")
	name := strings.Trim(strings.ToLower(strings.TrimSpace(stripComments(raw))), `"'`)
	if i := strings.IndexAny(name, ";, \t"); i > 0 && name != "7 bit" && name != "8 bit" {
		name = name[:i]
	}
	p.Encoding = name
	dec, ok := transferFor(name)
	p.dec = dec
	if !ok {
		p.issue(IssueEncodingUnknown, quote(name), false)
	}
	if p.Role != RoleAttachment {
		p.startText()
	}
}

// startText prepares the conversion to UTF-8.
func (p *Part) startText() {
	text, unknown := newTextReader(p.Charset, p.Role == RoleHTML)
	if unknown {
		p.issue(IssueCharsetUnknown, quote(p.Charset), false)
	}
	p.text, p.UsedCharset = text, text.charset.name
}

// issue reports something about the part.
func (p *Part) issue(code, detail string, lossy bool) {
	p.r.issues.add(Issue{Code: code, Part: p.Header.part, Detail: detail, Lossy: lossy})
}

// Tee makes everything that is read of the part from now on, by Read or by Next, also go to w as it
// was sent: the raw, still encoded octets. It is meant to be called before the first Read. An error
// of w comes back from Read or Next as it is.
func (p *Part) Tee(w io.Writer) { p.tee = w }

// Read returns the text of RoleText and RoleHTML in UTF-8, with the line ends it was sent with, and
// the decoded octets of an attachment exactly, in whatever charset they are. Its only errors are
// io.EOF, the transport's and the Tee writer's.
func (p *Part) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for len(p.out) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		if p.done {
			return 0, io.EOF
		}
		p.fill()
	}
	n := copy(b, p.out)
	p.out = p.out[n:]
	return n, nil
}

// WriteTo writes what is left of the part to w: io.Copy without a second buffer.
func (p *Part) WriteTo(w io.Writer) (n int64, err error) {
	for {
		if len(p.out) > 0 {
			k, err := w.Write(p.out)
			n += int64(k)
			p.out = p.out[k:]
			if err != nil {
				return n, err
			}
			continue
		}
		if p.err != nil || p.done {
			return n, p.err
		}
		p.fill()
	}
}

// fill decodes the next piece into out, or sets err.
func (p *Part) fill() {
	if p.r.cur != p {
		p.done = true // the reader has gone on
		return
	}
	raw := p.r.w.body()
	if err := p.r.w.err; err != nil && raw == nil {
		p.err = err
		return
	}
	if p.tee != nil && len(raw) > 0 {
		if _, err := p.tee.Write(raw); err != nil {
			p.err = err
			return
		}
	}
	last := raw == nil
	p.out = p.dec.decode(raw, last)
	if p.text != nil {
		p.out = p.text.convert(p.out, last)
	}
	if last {
		p.done = true
		p.finish()
	}
}

// finish reports what the part's decoders found.
func (p *Part) finish() {
	p.dec.flaws(p.issue)
	if p.text == nil {
		return
	}
	if p.text.guessed {
		p.issue(IssueCharsetGuessed, p.text.charset.name, false)
	}
	if p.text.invalid {
		p.issue(IssueCharsetInvalid, p.text.charset.name, true)
	}
	p.UsedCharset = p.text.charset.name
	if p.UsedCharset == "" {
		p.UsedCharset = "us-ascii"
	}
}

// drain goes to the end of the part. Nobody wants its octets any more: they are not decoded, but a Tee
// gets them.
func (p *Part) drain() error {
	p.out = nil
	for p.err == nil && !p.done {
		raw := p.r.w.body()
		if raw == nil {
			return p.r.w.err
		}
		if p.tee != nil {
			_, p.err = p.tee.Write(raw)
		}
	}
	return p.err
}
