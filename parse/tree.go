package parse

import (
	"io"
	"slices"
	"strconv"
	"strings"
)

// multipart is an open multipart.
type multipart struct {
	boundary string
	path     string
	digest   bool     // RFC 2046 section 5.1.5: parts are message/rfc822 unless they say otherwise
	choice   bool     // multipart/alternative: its texts are the body, whatever their name
	choices  []string // its own
	children int
	shadowed int  // the level that had this boundary before, -1 if none
	text     bool // its preamble is more than white space
	closed   bool // its closing delimiter came: what follows is epilogue
}

// joinPath returns the part number of the n-th part of the one with number path.
func joinPath(path string, n int) string {
	if path == "" {
		return strconv.Itoa(n)
	}
	return path + "." + strconv.Itoa(n)
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
		if *r.parts >= r.lim.Parts {
			r.overParts()
			continue
		}
		l := &r.stack[hit.level]
		l.children++
		path, parent, def = joinPath(l.path, l.children), l.path, "text/plain"
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
	*r.parts++
	r.w.beginBody()
	m := r.media
	if h != r.top {
		ct, _ := h.first("Content-Type")
		m = parseMedia(ct, h)
	}
	typ, ok := mediaType(m.head, def)
	if !ok {
		ct, _ := h.first("Content-Type")
		h.issue(IssueContentTypeBad, quote(ct), false)
	}
	r.learn(m.raw("charset"))
	if isMultipart(typ) {
		if r.about != nil && typ == "multipart/report" {
			r.about.reports = true
		}
		if typ = r.multipart(h, m, typ, path); typ == "" && !r.headless(h) {
			return nil
		}
		if typ == "" {
			path, parent, typ = joinPath(path, 1), path, "text/plain"
		}
	}
	p := newPart(r, h, m, typ)
	p.Path, p.Parent, p.Choices = path, parent, r.choicesOf(path)
	if path == r.base {
		p.Path = joinPath(path, 1) // RFC 9051 section 6.4.5: a message of one part has a part 1
	}
	if r.journal && r.about.Journal == nil && p.Role == RoleText {
		p.Role = RoleEnvelope
		p.tap = newJournalCollector(p.Charset, p)
	} else if r.about != nil {
		r.about.watch(p)
	}
	if p.Role == RoleText {
		r.uu = &uuSplit{in: p.octets, text: p}
		p.octets = r.uu
	}
	return p
}

// headless makes the text where the first part of the multipart that was opened last should begin its first
// part: a preamble is short and stands before a part. A transfer encoding is that of such a text only (RFC
// 2045 section 6.4).
func (r *Reader) headless(h *Header) bool {
	n := len(r.stack) - 1
	if r.w.headless(n) {
		h.issue(IssueBoundaryNotFound, quote(r.stack[n].boundary), false)
		r.stack[n].children++
		return true
	}
	if enc, ok := h.first("Content-Transfer-Encoding"); ok {
		if d, known := transferFor(lowerToken(enc)); !known || d != (identity{}) {
			h.issue(IssueEncodedMultipart, quote(enc), false)
		}
	}
	return false
}

// choicesOf returns the Choices of the part with number path, which comes now.
func (r *Reader) choicesOf(path string) []string {
	n := len(r.stack)
	if n == 0 {
		return r.choices
	}
	if l := &r.stack[n-1]; l.choice {
		return append(slices.Clip(l.choices), path)
	}
	return r.stack[n-1].choices
}

// multipart opens a multipart and returns an empty string, or the type to read it as if it cannot be
// walked.
func (r *Reader) multipart(h *Header, m media, typ, path string) string {
	boundary := m.boundary(h)
	if bare := strings.Trim(boundary, "'"); bare != boundary && !r.w.shows(boundary) && bare != "" && r.w.shows(bare) {
		h.issue(IssueParamBad, "", false)
		boundary = bare // the quotes of those who write programs
	}
	switch {
	case boundary == "":
		h.issue(IssueBoundaryMissing, quote(m.raw("boundary")), false)
		return "text/plain"
	case len(r.stack) >= r.lim.Depth:
		h.issue(IssueDepthLimit, strconv.Itoa(r.lim.Depth), false)
		return typ
	}
	shadowed, ok := r.w.open[boundary]
	if ok {
		h.issue(IssueBoundaryRepeated, quote(boundary), false)
	} else {
		shadowed = -1
	}
	if r.w.open == nil {
		r.w.open = map[string]int{}
	}
	boundary = strings.Clone(boundary) // or it would keep the header that it comes from
	r.w.open[boundary] = len(r.stack)
	r.stack = append(r.stack, multipart{boundary: boundary, path: path, digest: typ == "multipart/digest", choice: typ == "multipart/alternative", choices: r.choicesOf(path), shadowed: shadowed})
	return ""
}
