package reply

// mark takes the lines that say what follows.
func (s *scanner) mark(l line, rule int) bool {
	switch {
	case l.text == "--" || l.text == "- --":
		s.endTail()
		s.signature, s.tail = s.start == none, tailSignature
	case isArmor(l.text):
		s.armor = maxArmor
	case s.tail == tailNone && isListLink(l.text):
	case isMobile(l.text):
		s.fresh = true // what follows is as good as behind an empty line
	default:
		switch noticeOf(l.text) {
		case original:
			s.separator(ruleOr(rule, l.at))
		case forwarded:
			s.forward()
		default:
			return false
		}
	}
	s.count = 0
	return true
}

// ruleOr is the rule that stands above a line, if there is one.
func ruleOr(rule, at int) int {
	if rule != none {
		return rule
	}
	return at
}

// drawn takes a rule, which may be the head of a footer or of a header block.
func (s *scanner) drawn(l line, fresh bool) {
	if s.rule == none {
		s.rule = l.at
	}
	if s.start != none && !s.history && s.tail == tailNone {
		s.tail = tailFooter
	}
	s.fresh = fresh
	s.count = 0
}

// forward takes the notice of a forwarded message. Below history it belongs to that; otherwise all
// that follows is to be read.
func (s *scanner) forward() {
	s.found = foundNothing
	if s.history {
		s.found = foundHistory
	}
}

// separator takes a line below which all is old, if own words stand above it.
func (s *scanner) separator(at int) {
	s.endTail()
	if s.history {
		s.found = foundHistory
		return
	}
	s.wait, s.waitAt, s.waitGap, s.waitFor = waitSeparator, at, false, 0
}

// settled decides what the thing that waits is, now that an unquoted line follows it; it returns
// true if the line belongs to it.
func (s *scanner) settled(l line, f field) bool {
	s.waitFor++
	wait := s.wait
	switch {
	case wait == waitSeparator && f == fieldRaw && !s.waitGap:
		s.answered() // a header shown as evidence, or a message sent back
	case wait == waitSeparator && s.waitFor <= maxBlock && (f != 0 || !s.waitGap):
		s.waitGap = false
		return true
	case wait == waitSeparator:
		s.settle(foundHistory)
	case wait == waitStrong:
		s.settle(searching)
		s.history = true
	default:
		s.words(s.last)
	}
	s.wait = waitNone
	return false
}

// settle begins the quote at what waits, or gives up where nothing of the author's stands above it:
// then it cannot be told whether the answer is below, or the whole is there to be read.
func (s *scanner) settle(v verdict) {
	s.endTail()
	if !s.own {
		s.found = foundNothing
		return
	}
	s.begin(s.waitAt)
	s.attributed, s.found = true, v
}

// headers follows a block of header lines, and takes the line that completes it.
func (s *scanner) headers(l line, f field, langs language, fresh bool, rule int) bool {
	if s.reading && s.block.add(l.text, f, langs) {
		if !s.block.complete() {
			return false
		}
		s.reading = false
		s.state = s.block.before
		s.separator(s.block.at)
		return true
	}
	s.reading = f&(fieldFrom|fieldDate|fieldSubject) != 0 && fresh
	if s.reading {
		s.block = block{at: ruleOr(rule, l.at), before: s.state, langs: everyLanguage, first: f}
		s.block.add(l.text, f, langs)
	}
	return false
}

// attribution takes the last line of an attribution.
func (s *scanner) attribution(l line, fresh bool) bool {
	if s.count == len(s.lines) {
		copy(s.lines[:], s.lines[1:])
		s.count--
	}
	s.lines[s.count] = past{line: l, before: s.state, fresh: fresh}
	s.count++
	back, p := attribution(s.lines[:s.count])
	if p == proofNone {
		return false
	}
	head := &s.lines[s.count-1-back]
	s.state = head.before
	s.wait, s.waitAt, s.waitGap, s.waitFor, s.last = waitWeak, head.at, false, 0, l.text
	if p == proofStrong {
		s.wait = waitStrong
	}
	s.count = 0
	return true
}

// result is what is known at the end of the text.
func (s *scanner) result() (offset int, ok bool) {
	switch {
	case s.found != searching:
	case s.wait == waitSeparator || s.wait == waitStrong:
		s.settle(foundHistory)
	case s.wait == waitWeak:
		s.words(s.last)
		fallthrough
	default:
		s.endTail()
	}
	if s.found != foundNothing && s.start != none && (s.attributed || s.own && s.marked.plausible()) {
		return s.start, true
	}
	return 0, false
}
