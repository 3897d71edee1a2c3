package htmltext

import (
	"unicode/utf8"
)

const (
	maxMarks   = 16        // quotes and list items in front of a line,
	maxWidth   = 64        // and octets of them
	maxMark    = 10        // octets of one of them
	maxMarked  = 256 << 10 // octets of them in a text, besides twice those that it says
	maxIndent  = 16        // no-break spaces kept at the start of a line
	cellOneRow = 200       // octets of a data cell that stay on one line

	maxSeparators = 60 // octets of separators between two cells
)

// mark is what stands in front of each line of a quote or of a list item.
type mark struct {
	quote bool
	fresh bool // it was not written yet; after that spaces stand for the text of a list item
	text  [maxMark]byte
	n     int
}

// writer lays out text: white space collapses, breaks wait until something visible follows them,
// and each line begins with the marks that are open.
type writer struct {
	out   []byte
	marks []mark

	began  bool   // something was written
	need   int    // line breaks before what comes next: 0, 1, or 2 for a blank line
	ink    bool   // the line has something visible
	blank  bool   // the line has a no-break space only
	spaces int    // what is pending before the next rune: collapsed white space,
	indent int    // no-break spaces at the start of a line,
	joiner rune   // U+200C or U+200D,
	sep    string // what separates table cells or options
	prev   rune   // the last rune written
	quotes int    // depth of the last line

	marked, said int // octets of marks, and of what the text says

	lines, inks int  // lines begun, runs written: whoever compares them knows what happened since
	oneRow      int  // octets for which line breaks are spaces
	ruled       bool // the last line is a rule
	skipLF      bool // pre: a CR was read, or the start tag
	lead        [2]byte
	length      int // octets of the line, and its first two: "-- " keeps its space (RFC 3676 section 4.3)
	link        []byte
	linking     bool // what is written is kept in link, too
}

// block ends the line, with a blank line if n is 2.
func (w *writer) block(n int) {
	if w.atStart() {
		return
	}
	if w.oneRow > 0 {
		w.spaces = 1
		return
	}
	if w.blank && !w.ink {
		w.need = min(w.need+1, 2)
	}
	w.need = max(w.need, n)
	w.endLine()
}

// atStart tells whether nothing is yet in a cell that goes on in its row's line, in a quote, or in a
// list item: then there is nothing to break from.
func (w *writer) atStart() bool {
	n := len(w.marks)
	return w.sep != "" || n > 0 && w.marks[n-1].fresh && !w.blank
}

// lineBreak is <br>: it ends a line that has something, and makes a blank one else.
func (w *writer) lineBreak() {
	switch {
	case w.atStart():
		return
	case w.oneRow > 0:
		w.spaces = 1
		return
	case w.ink:
		w.need = 1
	default:
		w.need = min(w.need+1, 2)
	}
	w.endLine()
}

func (w *writer) endLine() {
	if w.ink && w.spaces > 0 && w.length == 2 && w.lead == [2]byte{'-', '-'} {
		w.out = append(w.out, ' ')
	}
	w.ink, w.blank, w.spaces, w.indent, w.joiner = false, false, 0, 0, 0
}

// breakRow makes the cell that begins start its own line.
func (w *writer) breakRow() {
	w.oneRow = 0
	if w.sep != "" {
		w.sep = ""
		w.block(1)
	}
}

// joinRow makes the line of the last cell go on after a separator.
func (w *writer) joinRow() {
	w.need, w.ink, w.spaces, w.sep = 0, true, 0, " | "
}

// addSeparator puts a separator in front of what comes next: one for each empty cell before it.
func (w *writer) addSeparator(sep string) {
	if len(w.sep) < maxSeparators {
		w.sep += sep
	}
}

// open prepares for something visible: it writes what is pending.
func (w *writer) open() {
	w.inks++
	w.ruled = false
	if !w.ink {
		w.beginLine()
	}
	switch {
	case w.sep != "":
		w.out = append(w.out, w.sep...) // not a part of a link's text
		w.length += len(w.sep)
		w.sep = ""
	case w.spaces > 0 && w.ink:
		w.put([]byte(" "))
	}
	w.ink, w.blank, w.spaces, w.joiner, w.skipLF = true, false, 0, 0, false
}

// beginLine writes the pending line breaks, the marks and the indent.
func (w *writer) beginLine() {
	if w.need > 0 || !w.began {
		if w.began {
			w.out = append(w.out, '\n')
			if w.need > 1 {
				w.emptyLine(min(w.quotes, w.quoteDepth()))
			}
		}
		w.lines++
		w.writeMarks()
		w.length = 0
	}
	w.need, w.began = 0, true
	if w.sep == "" {
		for range w.indent {
			w.put([]byte(" "))
		}
	}
	w.indent, w.spaces = 0, 0
}

// emptyLine writes a line that has quote marks at most.
func (w *writer) emptyLine(quotes int) {
	w.quoteMarks(quotes)
	w.out = append(w.out, '\n')
}

func (w *writer) quoteMarks(n int) {
	if w.mayMark() {
		w.out = append(w.out, ">>>>>>>>>>>>>>>>"[:n]...) // maxMarks
		w.marked += n
	}
}

// quoteDepth counts the quotes around everything else.
func (w *writer) quoteDepth() int {
	n := 0
	for n < len(w.marks) && w.marks[n].quote {
		n++
	}
	return n
}

// mayMark tells whether marks may stand in front of a line: those of lines of one character would make a
// text many times as long as its HTML.
func (w *writer) mayMark() bool { return w.marked < maxMarked+2*w.said }

// writeMarks begins a line. Quotes right inside of each other share one space: ">> ".
func (w *writer) writeMarks() {
	w.quotes = w.quoteDepth()
	at, all := len(w.out), w.mayMark()
	for i := range w.marks {
		m := &w.marks[i]
		switch {
		case !all && (m.quote || !m.fresh):
		case m.quote:
			w.out = append(w.out, '>')
			if i+1 == len(w.marks) || !w.marks[i+1].quote {
				w.out = append(w.out, ' ')
			}
		case m.fresh:
			w.out = append(w.out, m.text[:m.n]...)
		default:
			w.out = append(w.out, "          "[:m.n]...)
		}
		m.fresh = false
	}
	w.marked += len(w.out) - at
}

// push opens a mark, unless there are too many; "" is a quote.
func (w *writer) push(text string, fresh bool) {
	w.breakRow()
	width := len(text)
	for i := range w.marks {
		width += w.marks[i].n
	}
	if len(w.marks) == maxMarks || width > maxWidth {
		return
	}
	m := mark{quote: text == "", fresh: fresh}
	m.n = copy(m.text[:], text)
	w.marks = append(w.marks, m)
}

// put appends to the line.
func (w *writer) put(s []byte) {
	for i := 0; i < len(s) && w.length+i < len(w.lead); i++ {
		w.lead[w.length+i] = s[i]
	}
	w.length += len(s)
	w.said += len(s)
	w.oneRow = max(w.oneRow-len(s), 0)
	w.out = append(w.out, s...)
	if w.linking && len(w.link) < maxURL {
		w.link = append(w.link, s...)
	}
}

// text writes text whose white space collapses (CSS Text 3 section 4.1.1).
func (w *writer) text(s []byte) {
	for i := 0; i < len(s); {
		if n := wordLen(s[i:]); n > 0 {
			w.word(s[i : i+n])
			i += n
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		i += n
		w.rune(r)
	}
}

// wordLen counts the visible ASCII at the start of s.
func wordLen(s []byte) int {
	for i, c := range s {
		if c <= ' ' || c >= 0x7f {
			return i
		}
	}
	return len(s)
}

func (w *writer) word(s []byte) {
	w.open()
	w.put(s)
	w.prev = rune(s[len(s)-1])
}

// rune writes one rune of collapsing text.
func (w *writer) rune(r rune) {
	switch classify(r) {
	case classSpace:
		w.spaces = 1
	case classNoBreak:
		w.spaces = 1
		if !w.ink {
			w.blank = true
			w.indent = min(w.indent+1, maxIndent)
		}
	case classBreak:
		w.lineBreak()
	case classJoiner:
		w.joiner, w.indent = r, 0
	case classDropped:
		w.indent = 0 // the padding of a preheader, not an indent
	case classVisible:
		w.visible(r)
	}
}

// visible writes a rune, after a joiner if that is between two that it can join.
func (w *writer) visible(r rune) {
	joiner := w.joiner
	if w.spaces > 0 || !w.ink || w.prev < utf8.RuneSelf || r < utf8.RuneSelf {
		joiner = 0
	}
	w.open()
	if joiner != 0 {
		w.put(utf8.AppendRune(nil, joiner))
	}
	var b [utf8.UTFMax]byte
	w.put(b[:utf8.EncodeRune(b[:], r)])
	w.prev = r
}

// preText writes preformatted text exactly, but for control characters.
func (w *writer) preText(s []byte) {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRune(s[i:])
		i += n
		lf := r == '\n' && w.skipLF
		w.skipLF = r == '\r'
		switch {
		case lf:
		case r == '\n', r == '\r':
			w.preBreak()
		case r == '\t', classify(r) == classNoBreak, classify(r) == classSpace:
			w.preSpace(r)
		case classify(r) == classBreak:
			w.preBreak()
		case classify(r) == classJoiner:
			w.joiner = r
		case classify(r) == classVisible:
			w.visible(r)
		}
	}
}

// preSpace writes a space that does not collapse.
func (w *writer) preSpace(r rune) {
	w.open()
	if r != '\t' {
		r = ' '
	}
	w.put([]byte{byte(r)})
}

// preBreak ends a line of preformatted text, which may be an empty one.
func (w *writer) preBreak() {
	if w.sep != "" || w.oneRow > 0 {
		w.lineBreak()
		return
	}
	if !w.ink && w.began {
		w.lines++
		w.out = append(w.out, '\n')
		w.quotes = w.quoteDepth()
		w.quoteMarks(w.quotes)
	}
	w.ink, w.need, w.spaces = false, 1, 0
}

// rule writes a line across, unless there is one just above.
func (w *writer) rule() {
	w.breakRow()
	w.block(1)
	if !w.ruled {
		w.word([]byte("---"))
	}
	w.block(1)
	w.ruled = true
}

// finish ends the last line.
func (w *writer) finish() {
	w.endLine()
	if w.began {
		w.out = append(w.out, '\n')
	}
}

// append writes s behind what was written last, whatever is pending.
func (w *writer) append(before string, s []byte, after string) {
	w.out = append(w.out, before...)
	w.out = append(w.out, s...)
	w.out = append(w.out, after...)
	w.length += len(before) + len(s) + len(after)
}
