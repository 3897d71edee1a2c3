package htmltext

import (
	"bytes"
	"io"
	"slices"
	"unicode/utf8"

	"golang.org/x/net/html/atom"
)

// maxHidden is how much text a hidden element may keep from the reader.
const maxHidden = 16 << 10

// reader follows the open elements and tells the writer what they mean.
type reader struct {
	lex   lexer
	out   writer
	given int // octets of out.out that were read
	done  bool

	stack  []element
	opened [64]uint16 // how many elements of the tags of a slot are on it
	deep   int        // elements over maxDepth that are open
	pre    bool
	tiny   bool // the font is too small to be seen
	href   []byte
	inks   int // out.inks when the link began

	inMarker bool // in a list marker of Word's
	marker   []byte

	hideAt int    // the element of the stack that hides; -1 is none
	hidden []byte // its text,
	replay []byte // which has to be shown after all,
	rest   []byte // and what of the lexer's text comes after it
}

// piece is how many octets are worth a return to the caller.
const piece = 1 << 10

// NewReader returns the text of UTF-8 HTML: UTF-8 with \n line ends. See the package's
// documentation for what it looks like. Errors are those of html alone, and io.EOF at its end.
func NewReader(html io.Reader) io.Reader {
	return &reader{
		lex:    newLexer(html),
		stack:  make([]element, 0, 32),
		hideAt: -1,
	}
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.given == len(r.out.out) {
		r.given, r.out.out = 0, r.out.out[:0]
		for !r.done && len(r.out.out) < piece { // a token may be one character
			r.step()
		}
		if len(r.out.out) == 0 {
			return 0, r.lex.err
		}
	}
	n := copy(p, r.out.out[r.given:])
	r.given += n
	return n, nil
}

// step reads one token, after what is left to show of a hidden element.
func (r *reader) step() {
	switch {
	case len(r.replay) > 0:
		line, rest, ended := bytes.Cut(r.replay, []byte("\n"))
		r.replay = rest
		r.text(line)
		if ended {
			r.out.block(1)
		}
		return
	case len(r.rest) > 0:
		s := r.rest
		r.rest = nil
		r.text(s)
		return
	}
	switch r.lex.next() {
	case kindText:
		r.text(r.lex.text)
	case kindStart:
		r.start()
	case kindEnd:
		r.end(r.lex.tag)
	case kindEOF:
		r.finish()
	}
}

// finish ends the text. A hidden element that is still open is shown first.
func (r *reader) finish() {
	whole := r.lex.err == io.EOF //nolint:errorlint // bare: a lost connection's error may wrap io.EOF
	if whole && r.hideAt >= 0 {
		r.show()
		return
	}
	if r.done = true; whole { // a broken source has no last line
		r.popTo(0)
		r.out.finish()
	}
}

// text passes text on, unless it cannot be seen.
func (r *reader) text(s []byte) {
	switch {
	case r.hideAt >= 0:
		r.hide(s)
	case r.tiny:
		if bytes.ContainsAny(s, " \t\r\n") {
			r.out.text([]byte(" "))
		}
	case r.inMarker:
		r.markerText(s)
	case r.pre:
		r.out.preText(s)
	default:
		r.out.text(s)
	}
}

// hide keeps the text of a hidden element until it is known that the element ends.
func (r *reader) hide(s []byte) {
	for len(s) > 0 {
		if len(r.hidden) >= maxHidden {
			r.show()
			r.rest = s // the lexer's, which is not asked before it was shown
			return
		}
		c, n := utf8.DecodeRune(s)
		switch classify(c) {
		case classVisible, classJoiner:
			r.hidden = append(r.hidden, s[:n]...)
		case classSpace, classNoBreak, classBreak:
			r.hideSpace(' ')
		}
		s = s[n:]
	}
}

// hideSpace keeps a space, or the end of a line, of a hidden element: one of them in a row.
func (r *reader) hideSpace(c byte) {
	if n := len(r.hidden); n > 0 && !isSpace(r.hidden[n-1]) {
		r.hidden = append(r.hidden, c)
	}
}

// show gives up hiding: nothing ended the element, so its text is shown by the next steps.
func (r *reader) show() {
	r.hideAt = -1
	r.replay = r.hidden
	r.out.breakRow()
	r.out.block(1)
}

// start handles a start tag.
func (r *reader) start() {
	t := r.lex.tag
	if isTransparent(t) {
		return
	}
	r.closeImplied(t)
	st := parseStyle(r.lex.get(attrStyle))
	switch {
	case isVoid(t):
		r.void(t, &st)
	case len(r.stack) == maxDepth:
		r.deep++
	case r.hideAt >= 0:
		r.openHidden(t)
	case r.isHidden(t, &st):
		if r.lex.self {
			return // whoever writes <div style="display:none"/> hides nothing
		}
		r.hideAt, r.hidden = len(r.stack), r.hidden[:0]
		r.openHidden(t)
	default:
		r.open(t, &st)
	}
}

func (r *reader) isHidden(t atom.Atom, st *style) bool {
	return st.hidden || r.lex.has[attrHidden] || isNeverShown(t) || t == atom.Option && r.isUnselected()
}

// isUnselected tells whether an option is one that a closed list does not show.
func (r *reader) isUnselected() bool {
	list := r.find(isSelect)
	if list == nil {
		return false
	}
	list.cells++
	return list.cells > 1 && !r.lex.has[attrSelected]
}

// closeImplied ends the elements that the start of this one ends.
func (r *reader) closeImplied(t atom.Atom) {
	if !r.mayClose(t) {
		return
	}
	for i := len(r.stack) - 1; i >= 0; i-- {
		open := r.stack[i].tag
		if closes(t, open) {
			r.close(i)
			if !isCell(open) && !isRowGroup(t) && (open != atom.P || t != atom.Li) {
				return
			}
			continue // the row after its cell, the item after its paragraph
		}
		if bars(t, open) {
			return
		}
	}
}

// mayClose tells whether closeImplied has something to look for.
func (r *reader) mayClose(t atom.Atom) bool {
	switch {
	case r.isOpen(atom.P) && margin(t) > 0:
		return true
	case t == atom.A, t == atom.Li:
		return r.isOpen(t)
	}
	return t == atom.Dt || t == atom.Dd || t == atom.Option || t == atom.Optgroup || isTablePart(t)
}

// openSlot is where reader.open counts the elements of a tag.
func openSlot(t atom.Atom) uint32 { return uint32(t) * 2654435769 >> 26 }

// isOpen tells whether there may be an element of this tag on the stack, without looking for it.
func (r *reader) isOpen(t atom.Atom) bool { return r.opened[openSlot(t)] > 0 }

func (r *reader) pushElement(e element) {
	r.opened[openSlot(e.tag)]++
	r.stack = append(r.stack, e)
}

// end handles an end tag. One without its start means nothing, but for </br> and </p>, which
// browsers take for start tags.
func (r *reader) end(t atom.Atom) {
	if r.deep > 0 && !isTransparent(t) && !isVoid(t) {
		r.deep--
		return
	}
	if t == atom.Br {
		r.void(t, &style{})
		return
	}
	if !r.isOpen(t) && !isHeading(t) {
		return
	}
	for i := len(r.stack) - 1; i >= 0; i-- {
		e := &r.stack[i]
		switch {
		case e.tag == t || isHeading(t) && isHeading(e.tag):
			r.close(i)
			return
		case e.tag == atom.Table, isCell(e.tag) && !isTablePart(t):
			return
		}
	}
}

// close ends the element at i. An inline element that is not nested in the blocks inside of it
// ends alone; a block takes with it what it holds.
func (r *reader) close(i int) {
	inner := r.stack[i+1:]
	isBlock := func(e element) bool { return e.block }
	if r.stack[i].block || i == r.hideAt || !slices.ContainsFunc(inner, isBlock) {
		r.popTo(i)
		return
	}
	r.leave(i)
	r.opened[openSlot(r.stack[i].tag)]--
	for j := range inner {
		inner[j].pre = r.stack[i].pre
		inner[j].tiny = inner[j].tiny && r.stack[i].tiny
	}
	r.stack = slices.Delete(r.stack, i, i+1)
	if r.hideAt > i {
		r.hideAt--
	}
}

// popTo ends all elements from i on.
func (r *reader) popTo(i int) {
	for len(r.stack) > i {
		last := len(r.stack) - 1
		r.leave(last)
		r.opened[openSlot(r.stack[last].tag)]--
		r.stack = r.stack[:last]
	}
}
