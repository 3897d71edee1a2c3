package parse

import (
	"io"
	"strconv"
)

// Digest names the raw octets of a message.
type Digest struct {
	SHA256 [32]byte
	Size   int64
}

// Reader reads one message. It is not safe for concurrent use.
type Reader struct {
	lim    Limits
	w      window
	issues issues
	top    *Header
	hint   string

	stack []level // open multiparts, outermost first
	cur   *Part
	parts int
	err   error // sticky
}

// level is an open multipart.
type level struct {
	boundary string
	path     string
	digest   bool // RFC 2046 section 5.1.5: parts are message/rfc822 unless they say otherwise
	children int
	shadowed int  // the level that had this boundary before, -1 if none
	text     bool // its preamble is more than white space
	closed   bool // its closing delimiter came: what follows is epilogue
}

// NewReader returns a reader of the message in r. It does not read yet.
func NewReader(r io.Reader, lim Limits) *Reader {
	return &Reader{lim: lim.withDefaults(), w: newWindow(r)}
}

// Header returns the message's header. The first call reads it. It is never nil; what the transport
// had to say comes from Next.
func (r *Reader) Header() *Header {
	if r.top == nil {
		r.top = r.newHeader("")
		r.top.block = make([]byte, 0, 4<<10)
		readHeader(&r.w, r.top, true)
		r.duplicates(r.top)
		if ct, ok := r.top.first("Content-Type"); ok {
			r.learn(parseMedia(ct, r.top).raw("charset"))
		}
	}
	return r.top
}

// newHeader returns an empty header that shares the reader's limits and issues.
func (r *Reader) newHeader(part string) *Header {
	return &Header{part: part, lim: &r.lim, issues: &r.issues, hint: &r.hint}
}

// learn keeps the first charset that the message declares, for its undeclared octets.
func (r *Reader) learn(charset string) {
	if r.hint == "" && !isASCIILabel(charset) {
		r.hint = charset
	}
}

// duplicates reports fields that RFC 5322 section 3.6 and RFC 2045 allow once and that stand twice.
func (r *Reader) duplicates(h *Header) {
	for _, name := range [...]string{"Date", "From", "Sender", "Reply-To", "Message-ID", "In-Reply-To", "References", "Subject",
		"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"} {
		n := 0
		for _, f := range h.fields {
			if h.is(f, name) {
				n++
			}
		}
		if n > 1 {
			h.issue(IssueFieldDuplicate, name, false)
		}
	}
}

// Issues returns what has been repaired so far, at most about a hundred entries.
func (r *Reader) Issues() []Issue { return append([]Issue(nil), r.issues.list...) }

// Digest returns the digest of the raw octets read so far: of the whole message after io.EOF.
func (r *Reader) Digest() Digest {
	d := Digest{Size: r.w.size}
	if r.w.sum != nil {
		r.w.sum.Sum(d.SHA256[:0])
	}
	return d
}

// WithoutDigest leaves the SHA-256 out, for callers who learn it elsewhere: where the processor has
// no instructions for it, it is most of the work. It must be called before anything is read.
func (r *Reader) WithoutDigest() *Reader {
	r.w.sum = nil
	return r
}

// Next returns the next leaf part in document order; multiparts are walked and not returned. It
// first drains the part before, if that was not read to its end. After the last part it reads the
// input to its end and returns io.EOF. Any other error, also one that wraps io.EOF, is the transport's
// own or that of a Tee; it comes back from every later call.
func (r *Reader) Next() (*Part, error) {
	if r.err != nil {
		return nil, r.err
	}
	p, err := r.next()
	if err == nil {
		err = r.w.failureIfDry()
	}
	if err != nil {
		r.err, r.cur = err, nil
		return nil, err
	}
	r.cur = p
	return p, nil
}

// next is Next without the bookkeeping of errors.
func (r *Reader) next() (*Part, error) {
	if r.cur != nil {
		if err := r.cur.drain(); err != nil {
			return nil, err
		}
	}
	if r.parts == 0 {
		if p := r.entity(r.Header(), "", "", "text/plain"); p != nil {
			return p, nil
		}
	}
	for {
		path, parent, def, err := r.advance()
		if err != nil {
			return nil, err
		}
		h := r.newHeader(path)
		readHeader(&r.w, h, false)
		r.duplicates(h)
		if p := r.entity(h, path, parent, def); p != nil {
			return p, nil
		}
	}
}

// advance goes to the next part of an open multipart: over what is left of the body before it, over
// preambles and epilogues.
func (r *Reader) advance() (path, parent, def string, err error) {
	for {
		r.skipText()
		if err := r.w.err; err != nil {
			return "", "", "", err
		}
		hit := r.w.hit
		r.popTo(hit.level + 1)
		if hit.level < 0 {
			return "", "", "", io.EOF
		}
		if hit.final || r.stack[hit.level].closed {
			r.epilogue(hit)
			continue
		}
		if r.parts >= r.lim.Parts {
			r.overParts()
			continue
		}
		l := &r.stack[hit.level]
		l.children++
		path, parent, def = strconv.Itoa(l.children), l.path, "text/plain"
		if l.path != "" {
			path = l.path + "." + path
		}
		if l.digest {
			def = "message/rfc822"
		}
		return path, parent, def, nil
	}
}

// skipText reads what belongs to no part: a preamble, an epilogue, the rest of a part.
func (r *Reader) skipText() {
	text := false
	for b := r.w.body(); b != nil; b = r.w.body() {
		text = text || !isBlank(b)
	}
	n := len(r.stack)
	if n == 0 || !text {
		return
	}
	if l := &r.stack[n-1]; l.closed {
		r.issues.add(Issue{Code: IssueEpilogue, Part: l.path, Lossy: true})
	} else if l.children == 0 {
		l.text = true
	}
}

// epilogue begins the text after a closing delimiter. It belongs to nothing, and parts in it do not
// either: readers disagree about them, so they are reported and not delivered.
func (r *Reader) epilogue(hit delimiter) {
	l := &r.stack[hit.level]
	if l.closed && !hit.final {
		r.issues.add(Issue{Code: IssuePartAfterClose, Part: l.path, Lossy: true})
	}
	l.closed = true
	if l.shadowed >= 0 {
		r.w.open[l.boundary] = l.shadowed
	}
	r.w.beginBody()
}

// overParts gives up on further parts: the rest of the input is one epilogue.
func (r *Reader) overParts() {
	r.issues.add(Issue{Code: IssuePartLimit, Detail: strconv.Itoa(r.lim.Parts), Lossy: true})
	clear(r.w.open)
	r.stack = nil
	r.w.beginBody()
}

// popTo leaves the multiparts that a delimiter further out, or the end, is not part of.
func (r *Reader) popTo(n int) {
	for len(r.stack) > n {
		i := len(r.stack) - 1
		l := r.stack[i]
		r.stack = r.stack[:i]
		if !l.closed {
			r.issues.add(Issue{Code: IssueMultipartOpen, Part: l.path})
		}
		if l.children == 0 {
			r.issues.add(Issue{Code: IssueMultipartEmpty, Part: l.path, Lossy: l.text})
		}
		switch {
		case r.w.open[l.boundary] != i:
		case l.shadowed >= 0:
			r.w.open[l.boundary] = l.shadowed
		default:
			delete(r.w.open, l.boundary)
		}
	}
}

// entity begins the entity of a header: nil if it is a multipart, the leaf otherwise.
func (r *Reader) entity(h *Header, path, parent, def string) *Part {
	r.parts++
	r.w.beginBody()
	ct, _ := h.first("Content-Type")
	m := parseMedia(ct, h)
	typ, ok := mediaType(m.head, def)
	if !ok {
		h.issue(IssueContentTypeBad, quote(ct), false)
	}
	r.learn(m.raw("charset"))
	if isMultipart(typ) {
		if typ = r.multipart(h, m, typ, path); typ == "" {
			return nil
		}
	}
	p := newPart(r, h, m, typ)
	p.Path, p.Parent = path, parent
	if path == "" {
		p.Path = "1"
	}
	if p.text != nil {
		p.text.hint = r.hint
	}
	return p
}

// multipart opens a multipart and returns an empty string, or the type to read it as if it cannot be
// walked.
func (r *Reader) multipart(h *Header, m media, typ, path string) string {
	boundary := m.boundary(h)
	switch {
	case boundary == "":
		h.issue(IssueBoundaryMissing, quote(m.raw("boundary")), false)
		return "text/plain"
	case len(r.stack) >= r.lim.Depth:
		h.issue(IssueDepthLimit, strconv.Itoa(r.lim.Depth), false)
		return typ
	case r.w.lacks(boundary):
		h.issue(IssueBoundaryNotFound, quote(boundary), false)
		return "text/plain"
	}
	if enc, ok := h.first("Content-Transfer-Encoding"); ok {
		if d, known := transferFor(lowerToken(enc)); !known || d != (identity{}) {
			h.issue(IssueEncodedMultipart, quote(enc), false)
		}
	}
	shadowed, ok := r.w.open[boundary]
	if ok {
		h.issue(IssueBoundaryRepeated, quote(boundary), false)
	} else {
		shadowed = -1
	}
	r.w.open[boundary] = len(r.stack)
	r.stack = append(r.stack, level{boundary: boundary, path: path, digest: typ == "multipart/digest", shadowed: shadowed})
	return ""
}
