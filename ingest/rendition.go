package ingest

import (
	"bytes"
	"html"
	"io"
	"slices"
	"strings"

	"mailflume/parse"
	"mailflume/publish"
)

// rendition is one of the two forms that a message is shown in: its text, or its HTML. What is in it
// stands in document order. A part that was sent in this form is in it as sent. Of one that was sent in
// the other form there is what can be made of it, so that nobody misses anything who looks at one form
// only, unless another choice of the same multipart/alternative says it in this form.
//
// That choice may come later: RFC 2046 section 5.1.4 puts the text first, some senders do not. Until
// then what was made is in doubt, and so is a text that is blank. That is held in memory, up to the limit
// of the body; what is longer stays, and may then stand there twice.
type rendition struct {
	out *bodyWriter
	as  string // what is said of a body that holds something made: publish.Body.Derived
	// needs is set as long as nothing counts, for nothing was sent in this form: a message without HTML
	// has none.
	needs bool

	doubt   []doubtful
	held    int           // octets of it
	blanks  int           // pieces of it that were sent, and are blank
	said    []alternative // around the part that comes now, outermost first
	any     bool          // something was said in this form
	sent    int           // parts in this form
	made    int           // parts in the other one
	charset string        // as declared: of the first that was sent, or else of the first
	path    string        // of the part that out ends with, empty if out is
	derived bool          // out has something that was made
	lost    bool          // something was not even noted in doubt
	gap     bool          // something that should be in out was too long to be held
}

// doubtful is a piece of a part that another choice may replace.
type doubtful struct {
	part *pieceOf
	text []byte
	cut  bool // it was too long
}

// pieceOf is what a rendition has to know of a part, which itself must not be held.
type pieceOf struct {
	path    string
	choices []string
	tnef    bool
	made    bool
}

// alternative is a multipart/alternative, and which choice of it said something in this form.
type alternative struct {
	path   string
	choice string // the first, empty if none did
	more   bool   // others did too
}

// of returns the part number of the multipart/alternative that a choice belongs to.
func of(choice string) string { return choice[:max(strings.LastIndexByte(choice, '.'), 0)] }

// excludes tells whether two parts lie in different choices of one multipart/alternative.
func excludes(a, b []string) bool {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return of(a[i]) == of(b[i])
		}
	}
	return false
}

// writer returns where a part of this form goes.
func (r *rendition) writer(p *parse.Part) *partWriter {
	if r.enter(p.Choices); r.sent == 0 {
		r.charset = strings.Clone(p.Charset)
	}
	r.sent++
	return &partWriter{r: r, part: describePiece(p, false)}
}

// maker returns where that goes which was made of a part of the other form, nil if another choice says
// it. A winmail.dat repeats the message that it comes with.
func (r *rendition) maker(p *parse.Part) *partWriter {
	r.enter(p.Choices)
	for i, a := range r.said {
		if a.more || a.choice != "" && a.choice != p.Choices[i] {
			return nil
		}
	}
	if p.Origin == parse.OriginTNEF && r.any {
		return nil
	}
	if r.sent == 0 && r.made == 0 {
		r.charset = strings.Clone(p.Charset)
	}
	r.made++
	return &partWriter{r: r, part: describePiece(p, true)}
}

func describePiece(p *parse.Part, made bool) *pieceOf {
	return &pieceOf{path: p.Path, choices: p.Choices, tnef: p.Origin == parse.OriginTNEF, made: made}
}

// enter makes said that of the alternatives around a part.
func (r *rendition) enter(choices []string) {
	n := 0
	for n < len(choices) && n < len(r.said) && r.said[n].path == of(choices[n]) {
		n++
	}
	r.said = r.said[:n]
	for _, c := range choices[n:] {
		r.said = append(r.said, alternative{path: of(c)})
	}
}

// say notes that a part says something in this form. Of what is in doubt, that is dropped which other
// choices said in the other form; the rest stays.
func (r *rendition) say(p *pieceOf) error {
	for i, c := range p.choices {
		if a := &r.said[i]; a.choice == "" {
			a.choice = c
		} else {
			a.more = a.more || a.choice != c
		}
	}
	r.any, r.needs, r.gap = true, false, r.gap || r.lost
	r.drop(func(d *pieceOf) bool { return excludes(d.choices, p.choices) || p.tnef && d.made })
	return r.settle()
}

// drop leaves pieces in doubt out.
func (r *rendition) drop(which func(*pieceOf) bool) {
	r.doubt = slices.DeleteFunc(r.doubt, func(d doubtful) bool {
		if !which(d.part) {
			return false
		}
		r.count(&d, -1)
		return true
	})
}

// settle ends all doubt: what is left in it stays.
func (r *rendition) settle() error {
	list := r.doubt
	r.doubt, r.held, r.blanks = nil, 0, 0
	for _, d := range list {
		r.gap = r.gap || d.cut
		if err := r.write(d.part, d.text); err != nil {
			return err
		}
	}
	return nil
}

// write appends to the body. A new line parts the parts, but not two pieces of one.
func (r *rendition) write(p *pieceOf, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if r.path != "" && r.path != p.path {
		if _, err := r.out.Write([]byte("\n")); err != nil {
			return err
		}
	}
	r.path, r.derived = p.path, r.derived || p.made
	_, err := r.out.Write(b)
	return err
}

// finish returns the body, nil if the message has none; with a cause it is abandoned. The error is that of
// the store.
func (r *rendition) finish(cause error) (*publish.Body, error) {
	if r.needs {
		r.drop(func(d *pieceOf) bool { return d.made })
		r.made = 0
	}
	var err error
	if cause == nil {
		err = r.settle()
		cause = err
	}
	body, serr := r.out.finish(cause)
	if cause != nil || serr != nil || r.sent+r.made == 0 {
		return nil, also(err, serr)
	}
	body.Charset = r.charset
	if r.derived || r.sent == 0 {
		body.Derived = r.as
	}
	return body, nil
}

// partWriter takes what one part gives a rendition.
type partWriter struct {
	r     *rendition
	part  *pieceOf
	says  bool // it is not blank
	stays bool // there is no doubt about it
	cut   bool // no more of it is held, for it is too long
}

// Write implements io.Writer.
func (w *partWriter) Write(b []byte) (int, error) {
	if !w.says && len(bytes.TrimSpace(b)) > 0 {
		w.says = true
		if err := w.begin(); err != nil {
			return 0, err
		}
	}
	if !w.stays && !w.cut && w.r.held+len(b) > w.r.out.limit {
		if err := w.overflow(); err != nil {
			return 0, err
		}
	}
	switch {
	case w.cut:
		return len(b), nil
	case w.stays:
		return len(b), w.r.write(w.part, b)
	}
	w.r.hold(w.part, b)
	return len(b), nil
}

// begin is called when the part turns out to say something.
func (w *partWriter) begin() error {
	if !w.part.made {
		w.stays, w.cut = true, false
		return w.r.say(w.part)
	}
	if w.r.blanks > 0 {
		w.r.drop(func(d *pieceOf) bool { return !d.made && excludes(d.choices, w.part.choices) })
	}
	return nil
}

// hold keeps something that is in doubt.
func (r *rendition) hold(p *pieceOf, b []byte) {
	if n := len(r.doubt); n == 0 || r.doubt[n-1].part != p {
		r.doubt = append(r.doubt, doubtful{part: p})
		r.count(&r.doubt[n], 1)
	}
	d := &r.doubt[len(r.doubt)-1]
	d.text = append(d.text, b...)
	r.held += len(b)
}

// count counts a piece that comes into doubt, or, with -1, goes.
func (r *rendition) count(d *doubtful, sign int) {
	r.held += sign * (128 + 16*len(d.part.choices) + len(d.text))
	if !d.part.made {
		r.blanks += sign
	}
}

// overflow ends the doubt about what is too long to be held: it stays, unless there is nothing yet for it to
// stand beside. What is blank takes the place of nothing, however long it is.
func (w *partWriter) overflow() error {
	if !w.r.needs {
		w.stays = true
		return w.r.settle()
	}
	if w.cut = true; !w.part.made {
		return nil // no more of the blank is needed
	}
	if w.r.held > 2*w.r.out.limit {
		w.r.lost = true // there are very many of them
		return nil
	}
	w.r.hold(w.part, nil)
	d := &w.r.doubt[len(w.r.doubt)-1]
	w.r.held -= len(d.text)
	d.text, d.cut = nil, true
	return nil
}

// preformatted makes HTML of a text: it looks as it was written.
type preformatted struct {
	to    io.Writer
	begun bool
}

// Write implements io.Writer.
func (h *preformatted) Write(b []byte) (int, error) {
	begin := ""
	if !h.begun && len(b) > 0 {
		h.begun, begin = true, `<div style="white-space: pre-wrap">`
	}
	_, err := io.WriteString(h.to, begin+html.EscapeString(string(b)))
	return len(b), err
}

// end closes the element.
func (h *preformatted) end() (err error) {
	if h.begun {
		_, err = io.WriteString(h.to, "</div>")
	}
	return err
}
