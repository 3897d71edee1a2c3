package parse

import (
	"crypto/sha256"
	"io"
	"strings"
)

// Digest names the raw octets of a message.
type Digest struct {
	SHA256 [32]byte
	Size   int64
}

// Reader reads one message. It is not safe for concurrent use.
type Reader struct {
	lim     Limits
	w       window
	issues  *issues // this one and those below are shared with the readers of messages inside
	parts   *int
	about   *about   // nil where parts are not those of the message itself
	depth   int      // how many messages and containers are around
	base    string   // part number of the part that holds the message, empty for the message itself
	origin  string   // of its parts
	choices []string // of the part that holds the message
	top     *Header
	media   media  // of top
	head    []byte // memory for the first octets of a part
	hint    string

	stack   []multipart // open multiparts, outermost first
	journal bool        // a journal report: the message inside is the message
	began   bool        // the first entity was read
	uu      *uuSplit    // the text that the parts come out of, nil if it is over
	walk    walk
	last    *Part // what Next returned last
	err     error // sticky
}

// NewReader returns a reader of the message that comes from in. It does not read yet.
func NewReader(in io.Reader, lim Limits) *Reader {
	r := newReader(in, lim.withDefaults())
	shared := new(struct {
		issues issues
		parts  int
		about  about
	})
	r.issues, r.parts, r.about, r.origin = &shared.issues, &shared.parts, &shared.about, OriginMIME
	return r
}

// newReader returns a reader that shares nothing yet.
func newReader(in io.Reader, lim Limits) *Reader {
	r := &Reader{lim: lim, w: newWindow(in)}
	r.walk.level = r
	return r
}

// Header returns the message's header. The first call reads it. It is never nil; what the transport
// had to say comes from Next.
func (r *Reader) Header() *Header {
	if r.top == nil {
		r.top = r.newHeader(r.base)
		readHeader(&r.w, r.top, true)
		r.duplicates(r.top)
		r.journal = r.depth == 0 && isJournal(r.top)
		ct, _ := r.top.first("Content-Type")
		r.media = parseMedia(ct, r.top)
		r.learn(r.media.raw("charset"))
	}
	return r.top
}

// Message returns the header of the message proper: after a journal report was read, of the message
// that it is about, and Header otherwise.
func (r *Reader) Message() *Header {
	if r.about != nil && r.about.header != nil {
		return r.about.header
	}
	return r.Header()
}

// newHeader returns an empty header that shares the reader's limits and issues.
func (r *Reader) newHeader(part string) *Header {
	return &Header{part: part, lim: &r.lim, issues: r.issues, hint: &r.hint}
}

// learn keeps the first charset that the message declares, for its undeclared octets.
func (r *Reader) learn(charset string) {
	if r.hint == "" && !isASCIILabel(charset) {
		r.hint = strings.Clone(charset)
	}
}

// duplicates reports fields that RFC 5322 section 3.6 and RFC 2045 allow once and that stand twice.
func (r *Reader) duplicates(h *Header) {
	var seen, again keySet
	for i := range h.fields {
		if k := h.fields[i].key; seen.has(k) {
			again.add(k)
		} else {
			seen.add(k)
		}
	}
	for _, name := range [...]string{"Date", "From", "Sender", "Reply-To", "Message-ID", "In-Reply-To", "References", "Subject",
		"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"} {
		if !again.has(fieldKey(name)) {
			continue
		}
		n := 0
		for range h.all(name) {
			n++
		}
		if n > 1 {
			h.issue(IssueFieldDuplicate, name, false)
		}
	}
}

// Issues returns what has been repaired so far, at most about a hundred entries: of parts that were
// read or teed, and of fields that were asked for (Date, Addresses, Fields). What nobody looks at is not
// decoded, and so has no issues.
func (r *Reader) Issues() []Issue { return append([]Issue(nil), r.issues.list...) }

// Digest returns the digest of the raw octets read so far: of the whole message after io.EOF.
func (r *Reader) Digest() Digest {
	d := Digest{Size: r.w.size}
	switch {
	case r.w.sum != nil:
		r.w.sum.Sum(d.SHA256[:0])
	case r.w.hashed:
		d.SHA256 = sha256.Sum256(nil)
	}
	return d
}

// WithoutDigest leaves the SHA-256 out, for callers who learn it elsewhere: where the processor has
// no instructions for it, it is most of the work. It must be called before anything is read.
func (r *Reader) WithoutDigest() *Reader {
	r.w.hashed = false
	return r
}

// Next returns the next leaf part in document order; multiparts are walked and not returned. It
// first drains the part before, if that was not read to its end, or goes into it, if it holds parts
// and was not read at all. After the last part it reads the input to its end and returns io.EOF. Any
// other error, also one that wraps io.EOF, is the transport's own or that of a Tee; it comes back
// from every later call.
func (r *Reader) Next() (*Part, error) {
	r.last = nil
	if r.err != nil {
		return nil, r.err
	}
	r.last, r.err = r.walk.next()
	return r.last, r.err
}

// part returns the next part of this very message: it is a level of the walk.
func (r *Reader) part() (*Part, error) {
	p, err := r.leaf()
	if err == nil {
		err = r.w.failureIfDry()
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// leaf is part without a look at the transport.
func (r *Reader) leaf() (*Part, error) {
	if r.uu != nil {
		if p, err := r.uu.part(); p != nil || err != nil {
			return p, err
		}
		r.uu = nil
	}
	if !r.began {
		r.began = true
		if p := r.entity(r.Header(), r.base, r.base, "text/plain"); p != nil {
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
