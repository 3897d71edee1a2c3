package parse

import (
	"io"
	"strings"

	"mailflume/parse/sniff"
)

// Role says what a part is to the message.
type Role int

// The roles.
const (
	RoleAttachment Role = iota // everything that is no body
	RoleText                   // a text/plain body, or a piece of one
	RoleHTML                   // a text/html body, or a piece of one
	RoleEnvelope               // the text part of a journal report that says who sent the message to whom: see Summary
)

// String names the role.
func (r Role) String() string {
	switch r {
	case RoleAttachment:
		return "attachment"
	case RoleText:
		return "text"
	case RoleHTML:
		return "html"
	case RoleEnvelope:
		return "envelope"
	}
	return "unknown"
}

// The origins of parts: how they came into the message.
const (
	OriginMIME     = "mime"     // a part of the message itself
	OriginTNEF     = "tnef"     // out of a winmail.dat
	OriginUuencode = "uuencode" // out of the midst of a text
	OriginSMIME    = "smime"    // out of an opaque-signed S/MIME object
	OriginMessage  = "rfc822"   // of a message inside of the message
)

// Part is one leaf of the message's tree. It can be read until the next call of Reader.Next; its fields
// and Message stay good.
//
// A part may itself hold parts: a message, a winmail.dat, an opaque-signed S/MIME object. Unless the
// caller reads such a part, the next call of Reader.Next goes into it and returns what it finds; Tee
// gives the caller its octets all the same. What is final "after the end" is so once Read has
// returned io.EOF or the Reader has gone on.
type Part struct {
	Path        string  // IMAP part number (RFC 9051 section 6.4.5), "1", "1.2"; for parts of other origin in its manner
	Parent      string  // part number of the multipart or part around it; empty for the message itself
	Origin      string  // one of the Origin constants
	Header      *Header // of the part; of the message if that has one part only; empty where there is none
	Role        Role
	ContentType string // lower-case type/subtype; of OriginTNEF final after the end
	Charset     string // as declared
	UsedCharset string // that which Read converts from, of all but RoleAttachment; final after the end
	Disposition string // "inline", "attachment" or empty
	Inline      bool   // to be shown where it stands: disposition inline, or none and a Content-ID
	Filename    string // safe to create in a folder; empty if the part has no name; of OriginTNEF final after the end
	FilenameRaw string // decoded, otherwise as sent
	ContentID   string // without angle brackets
	Encoding    string // the transfer encoding, lower case, as declared
	// Choices are the part numbers of the choices that the part is or lies in, one of each
	// multipart/alternative around it, outermost first. Two parts in different choices of the same one say
	// the same: see RFC 2046 section 5.1.4. The text and the HTML of a winmail.dat are choices, too.
	Choices []string

	r      *Reader
	media  media
	octets octets
	body   *bodyOctets // its octets in the message, nil if it has none of its own
	own    bodyOctets  // what body points to
	text   *textReader
	flow   *flowedText // nil unless format=flowed
	tee    io.Writer
	tap    collector // nil unless the message learns from the part
	head   []byte    // the first decoded octets, for DetectedType
	out    []byte    // decoded, not yet read
	done   bool      // nothing comes after out
	err    error     // the transport's or the Tee's

	depth  int     // how many messages and containers are around
	read   bool    // the caller reads it: it is not opened
	opened bool    // the reader has gone into it
	inner  *Header // of the message inside, once it has
}

// newPart makes a leaf of a header. def is the media type of parts that declare none.
func newPart(r *Reader, h *Header, m media, typ string) *Part {
	p := &Part{Header: h, ContentType: typ, Origin: r.origin, r: r, depth: r.depth, media: m, Charset: m.text("charset", h)}
	file := p.disposition(m)
	p.ContentID = ""
	if ids := h.MessageIDs("Content-ID"); len(ids) > 0 {
		p.ContentID = ids[0]
	}
	p.Inline = p.Disposition == "inline" || p.Disposition == "" && p.ContentID != ""
	if p.Disposition != "attachment" && !file {
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
// filename goes before the type's name (RFC 2183 section 2.3). It tells whether the name makes a file
// of a text: a type's name alone does not in an alternative, which is the body.
func (p *Part) disposition(m media) (file bool) {
	h := p.Header
	if v, ok := h.first("Content-Disposition"); ok {
		d := parseMedia(wholeQuoted(h.utf8(v), h), h)
		switch kind, _ := token(d.head); kind {
		case "":
		case "inline":
			p.Disposition = "inline"
		case "attachment":
			p.Disposition = "attachment"
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
	file = p.FilenameRaw != ""
	if p.FilenameRaw == "" {
		p.FilenameRaw = m.text("name", h)
	}
	if p.FilenameRaw == "" {
		p.FilenameRaw = m.text("filename", h)
	}
	p.rename(p.FilenameRaw)
	n := len(p.r.stack)
	return file || p.FilenameRaw != "" && (n == 0 || !p.r.stack[n-1].choice)
}

// rename gives the part a name, and one that is safe.
func (p *Part) rename(name string) {
	p.FilenameRaw, p.Filename = name, safeFilename(name)
	if p.Filename != p.FilenameRaw {
		p.issue(IssueFilenameUnsafe, quote(p.FilenameRaw), false)
	}
}

// Param returns the decoded parameter of the part's Content-Type called name, in lower case: the
// method of a calendar, the access-type of a message/external-body.
func (p *Part) Param(name string) string { return p.media.text(name, p.Header) }

// Message returns the header of the message that the part holds. It is nil unless the part is a
// message and the Reader has gone into it. That of a message in a winmail.dat is made of its properties,
// and known after the end.
func (p *Part) Message() *Header { return p.inner }

// DetectedType returns the media type that the first sniff.Size octets (4 KiB) of an attachment look
// like: application/octet-stream or text/plain if that says no more, empty if it is empty, a body, or
// not read yet.
func (p *Part) DetectedType() string { return sniff.Detect(p.head) }

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
	name := raw
	dec, ok := transferFor(name)
	if !ok {
		name = strings.Trim(strings.ToLower(strings.TrimSpace(stripComments(raw))), `"'`)
		dec, ok = transferFor(name)
	}
	if i := strings.IndexAny(name, ";, \t"); i > 0 && !ok {
		name = name[:i]
		dec, ok = transferFor(name)
	}
	p.Encoding = name
	if _, is := dec.(*base64Decoder); is && p.Role != RoleAttachment {
		dec = new(base64Text)
	}
	p.own = bodyOctets{w: &p.r.w, dec: dec, start: p.r.w.offset()}
	p.body = &p.own
	p.octets = p.body
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
	p.text.hint = p.r.hint
	if p.Role == RoleText && strings.EqualFold(p.Param("format"), "flowed") {
		p.flow = newFlowedText(strings.EqualFold(p.Param("delsp"), "yes"))
	}
}

// issue reports something about the part.
func (p *Part) issue(code, detail string, lossy bool) {
	p.r.issues.add(Issue{Code: code, Part: p.Header.part, Detail: detail, Lossy: lossy})
}
