package reply

import "strings"

// Offset returns the octet index in text, a mail body in UTF-8 with \n or \r\n at the ends of its
// lines, where the quoted earlier message begins; ok is false if nothing is quoted. The offset is
// that of the start of a line, all of the author's own words stand before it, and the attribution
// ("On … wrote:") behind it.
func Offset(text string) (offset int, ok bool) {
	s := scan(text)
	offset, ok = s.result()
	if ok && (s.history || s.found == foundHistory) && pointsBelow(text[:min(offset, lookForHint)]) {
		return 0, false
	}
	return offset, ok
}

// lookForHint bounds how much of the author's words is searched for a hint that there are more below.
const lookForHint = 4 << 10

// scan reads the lines of a text, until what follows cannot matter any more.
func scan(text string) *scanner {
	s := &scanner{state: state{start: none}, fresh: true, rule: none}
	for at := 0; at < len(text) && s.found == searching; {
		l, next := cut(text, at)
		s.take(l)
		at = next
	}
	return s
}

// none is an offset that is not known.
const none = -1

// state is what is known of the text so far; it can be put back when lines turn out to have been
// the beginning of an attribution or of a header block and not the author's own.
type state struct {
	start      int  // where the quote begins that nothing of the author's follows yet; none
	own        bool // words of the author stand before it
	signature  bool // these lines are a signature, before any quote
	history    bool // what follows start is not marked as quoted
	attributed bool // start is where somebody is named
	marked     marked
	tail       tail
	tailLines  int
}

// What may follow a quote without being the author's own words.
type tail byte

const (
	tailSignature tail = 1 << iota // behind "-- "
	tailFooter                     // behind a rule; it must have both of
	footerLink
	footerWord
	tailNone tail = 0
)

// holds bounds what is taken for a signature or a footer, in lines.
const holds = 20

// proven tells whether what follows the quote is no answer.
func (s *state) proven() bool {
	return s.tailLines == 0 || s.tail&tailSignature != 0 || s.tail&(footerLink|footerWord) == footerLink|footerWord
}

// words takes note of a line of the author's own words.
func (s *state) words(text string) {
	switch {
	case s.history:
		return
	case s.start == none:
		s.own = s.own || !s.signature
		return
	}
	if s.tail != tailNone && s.tailLines < holds {
		s.tailLines++
		if s.tail&tailFooter != 0 {
			s.tail |= footerProof(text)
		}
		return
	}
	s.answered()
}

// answered takes back a quote behind which the author has written.
func (s *state) answered() {
	*s = state{start: none, own: true}
}

// endTail decides about what followed the quote, now that something else comes.
func (s *state) endTail() {
	if s.start != none && !s.proven() {
		s.answered()
	}
	s.tail, s.tailLines, s.signature = tailNone, 0, false
}

// verdict is how far the search has come.
type verdict byte

const (
	searching verdict = iota
	foundHistory
	foundNothing
)

// What waits for the next line to show what it is.
type waiting byte

const (
	waitNone waiting = iota
	waitWeak
	waitStrong
	waitSeparator
)

type scanner struct {
	state
	found verdict

	lines  [maxAttribution]past // the paragraph so far, the newest lines of it
	count  int
	fresh  bool   // an empty line stands before this one, or nothing
	rule   int    // a rule stands before this line, with nothing between; none
	last   string // the last line that was neither empty nor quoted
	inside bool   // the line before was quoted

	wait    waiting
	waitAt  int
	waitGap bool // an empty line stands behind what waits
	waitFor int  // lines
	block   block
	reading bool // a header block
	armor   int  // lines of a PGP signature still to be passed over
}

// take looks at the next line of the text.
func (s *scanner) take(l line) {
	if l.text == "" {
		s.count, s.fresh, s.waitGap = 0, true, true
		return
	}
	fresh := s.fresh
	s.fresh = false
	m, depth := unmarked, 0
	group := l.text[0] == '>' && s.start == none && !s.inside && isGroupWise(l)
	if !group && (s.inside || s.wait != waitNone || !strings.HasPrefix(l.text, ">From ")) { // mbox escapes a "From " so
		m, depth = quoteMark(l.text)
	}
	if m == unmarked || l.text == ">:" || s.signature && !fresh && s.wait == waitNone { // "<a@b" may be folded so
		s.unquoted(l, fresh, group)
		s.inside = false
		return
	}
	s.quoted(l, m, depth, fresh)
	s.inside, s.rule, s.count, s.reading, s.armor = true, none, 0, false, 0
}

// quoted takes a line that is marked as quoted.
func (s *scanner) quoted(l line, m mark, depth int, fresh bool) {
	if s.history && !s.inside && s.wait == waitNone {
		s.answered() // marked lines that nobody is named for: what stands before them is an answer
	}
	close := !fresh || s.signature
	s.endTail()
	switch {
	case s.wait != waitNone:
		s.begin(s.waitAt)
		s.attributed = true
	case s.start == none:
		s.start = l.at
		s.marked = marked{shallow: maxDepth, mark: m, announced: announces(s.last), close: close}
	}
	s.wait = waitNone
	s.marked.add(m, depth)
}

// begin starts the quote at an attribution or a separator, unless it has started before.
func (s *scanner) begin(at int) {
	if s.start == none || !s.attributed && !s.marked.plausible() {
		s.start = at
	}
}

// unquoted takes a line without marks.
func (s *scanner) unquoted(l line, fresh, group bool) {
	if s.armor > 0 {
		s.armor--
		if isArmorEnd(l.text) {
			s.armor = 0
		}
		return
	}
	if isRule(l.text) {
		s.drawn(l, fresh)
		return
	}
	f, langs := headerField(l.text)
	if s.wait != waitNone && s.settled(l, f) || s.found != searching {
		return
	}
	rule := s.rule
	s.rule = none
	switch {
	case group:
		s.separator(l.at)
	case s.mark(l, rule):
	case s.headers(l, f, langs, fresh || rule != none, rule):
	case s.attribution(l, fresh):
	default:
		s.words(l.text)
		s.last = l.text
	}
}
