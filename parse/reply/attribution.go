package reply

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a line of an attribution has been found to say.
type sign byte

const (
	signVerb    sign = 1 << iota // someone wrote
	signPronoun                  // … and it is "I" or "he": prose
	signDate                     // a year, or a date of numbers
	signTime
	signAddress
	signOpener // it begins as attributions do
	signEnd    // it ends as attributions do
)

func (s sign) has(all sign) bool { return s&all == all }

// How much an attribution proves.
type proof byte

const (
	proofNone   proof = iota
	proofWeak         // it is one if marked lines follow
	proofStrong       // it is one whatever follows
)

// weigh judges what all the lines of an attribution say together.
func (s sign) weigh() proof {
	when := s.has(signDate | signTime)
	switch {
	case !s.has(signEnd):
		return proofNone
	case s.has(signVerb) && !s.has(signPronoun) && s.has(signDate) && s&(signTime|signAddress) != 0:
		return proofStrong
	case s.has(signVerb), when, s.has(signDate | signAddress):
		return proofWeak
	}
	return proofNone
}

const (
	maxAttribution = 4   // lines
	maxClosing     = 320 // octets of a line of it
	maxBareVerb    = 60  // octets of a line that has neither date nor address
)

// past is a line of the paragraph before the current one, and what held before it.
type past struct {
	line
	before state
	fresh  bool // an empty line, or the start of the text, stands before it
	sign   sign
	read   bool // sign is known
}

func (p *past) signs() sign {
	if !p.read {
		p.sign, p.read = read(p.text), true
	}
	return p.sign
}

// attribution looks for one that ends with the newest line of the paragraph, and says which of its
// lines, counted from the newest, it begins with. The fewest lines that prove the most are taken: a
// line too many would be one of the author's.
func attribution(lines []past) (first int, best proof) {
	last := &lines[len(lines)-1]
	if last.long || len(last.text) > maxClosing || !ends(last.text) {
		return 0, proofNone
	}
	all := last.signs() | signEnd
	best = all.weigh()
	if all&(signDate|signTime|signAddress) == 0 && (all.has(signPronoun) || len(last.text) > maxBareVerb) {
		best = proofNone // the author's own sentence
	}
	if namesSender(last.text) {
		best = max(best, proofWeak)
	}
	continued := continues(last.text)
	for back := 1; back < len(lines); back++ {
		p := &lines[len(lines)-1-back]
		if p.long || len(p.text) > maxClosing || endsSentence(p.text) && lines[len(lines)-back].text[0] != '<' {
			break // no attribution goes on behind the end of a sentence, but for "Bob Bee Jr."
		}
		if all&signOpener != 0 && first == back-1 && best == proofStrong {
			break
		}
		if all |= p.signs(); p.sign&signOpener == 0 {
			all &^= signOpener
		}
		if w := all.weigh(); (p.sign&signOpener != 0 || continued) && all&(signDate|signAddress) != 0 &&
			(w > best || w == best && w != proofNone && p.sign&signOpener != 0) {
			first, best = back, w
		}
		continued = continued && continues(p.text)
	}
	return withName(lines, first), withoutVerb(lines, first, best, all)
}

// withoutVerb judges the attributions of the languages that need no verb: one is strong only if it
// is a paragraph from its start, with all of date, time and address, the address last.
func withoutVerb(lines []past, first int, best proof, all sign) proof {
	head, last := &lines[len(lines)-1-first], &lines[len(lines)-1]
	if best == proofWeak && head.fresh && endsWithAddress(last.text) && all.has(signDate|signTime|signAddress|signOpener) && !all.has(signPronoun) {
		return proofStrong
	}
	return best
}

// withName takes in the line of the name when the attribution found begins with "<address>".
func withName(lines []past, first int) int {
	const longestName = 60
	at := len(lines) - 1 - first
	if c := lines[at].text[0]; (c == '<' || c == '(') && at > 0 && len(lines[at-1].text) <= longestName && lines[at-1].fresh {
		return first + 1
	}
	return first
}

func endsSentence(s string) bool { return strings.IndexByte(".!?", s[len(s)-1]) >= 0 }

// continues tells whether a line looks like the folded rest of the one before: it begins with an
// address, a bracket, a digit or a small letter.
func continues(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune("<>([\"", r) || unicode.IsDigit(r) || unicode.IsLower(r)
}

// ends tells whether a line ends as attributions do: with a colon of some sort, in dashes as Zoho
// frames it, or as Notes leaves it.
func ends(s string) bool {
	s = strings.TrimRight(s, "*_ ")
	if strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") {
		return true
	}
	if strings.HasPrefix(s, "--") && strings.HasSuffix(s, "--") && !isRule(s) {
		return true
	}
	if s == "" || strings.HasSuffix(s, " wrote") && read(s).has(signOpener|signDate|signTime|signAddress) {
		return s != ""
	}
	c := s[len(s)-1]
	if c == '>' && digits(s) > 0 {
		return true // Gmail once: 2026/11/10 Name <a@b>
	}
	return (c >= '0' && c <= '9' || c == 'M') && strings.Contains(s, " wrote on ") && strings.Contains(s, "/")
}

// endsWithAddress recognises "Name <a@b>:" which needs no verb.
func endsWithAddress(s string) bool {
	name := trimEnd(strings.TrimRight(s, ":： *"))
	return len(name) < len(s) && strings.HasSuffix(name, ">") && read(name).has(signAddress)
}

// namesSender recognises a name and an address and nothing else: prose has small words.
func namesSender(s string) bool {
	if !endsWithAddress(s) {
		return false
	}
	for w := range strings.FieldsSeq(s[:max(0, strings.LastIndexByte(s, '<'))]) {
		if r, _ := utf8.DecodeRuneInString(w); unicode.IsLower(r) {
			return false
		}
	}
	return true
}

// read finds the signs in one line.
func read(s string) (found sign) {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return isDashOrBlank(r) || r == '*' || r == '_' || r == '>' })
	if opens(s) {
		found |= signOpener
	}
	if wroteInside(s) {
		found |= signVerb
	}
	prev := ""
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			n, what := number(s[i:])
			found |= what
			i += n
			prev = ""
		case c == '@':
			if i > 0 && isAtom(s[i-1]) && i+1 < len(s) && isAtom(s[i+1]) {
				found |= signAddress
			}
			i++
		case c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0xC2:
			n := word(s[i:])
			w := s[i : i+n]
			if isVerb(w) {
				found |= signVerb
				if isPronoun(prev) || isPronoun(wordAfter(s[i+n:])) {
					found |= signPronoun
				}
			}
			prev = w
			i += n
		default:
			i++
		}
	}
	return found
}

// word measures the letters at the start of s; at least one character.
func word(s string) (n int) {
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r < 0x80 && (r|0x20 < 'a' || r|0x20 > 'z') || r >= 0x80 && !unicode.IsLetter(r) && !unicode.IsMark(r) {
			if n == 0 {
				return size
			}
			return n
		}
		n += size
	}
	return n
}

func wordAfter(s string) string {
	s = strings.TrimLeft(s, " ")
	if s == "" || s[0]|0x20 < 'a' || s[0]|0x20 > 'z' {
		return ""
	}
	return s[:word(s)]
}

func isAtom(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 || c == '_' || c == '-' || c == '.'
}

// number reads the digits that s starts with, and those they belong to: 2026, 10.11.26, 09:00.
func number(s string) (n int, what sign) {
	first := digits(s)
	n = first
	if first == 4 && (s[0] == '1' && s[1] == '9' || s[0] == '2' && s[1] == '0') {
		what = signDate
	}
	if n+1 >= len(s) {
		return n, what
	}
	sep, second := s[n], digits(s[n+1:])
	if second == 0 || strings.IndexByte("./-:h", sep) < 0 {
		return n, what
	}
	n += 1 + second
	if n+1 < len(s) && s[n] == sep && sep != ':' {
		third := digits(s[n+1:])
		n += 1 + third
		if (third == 2 || third == 4 || first == 4) && second <= 2 && (n+1 >= len(s) || s[n] != sep || digits(s[n+1:]) == 0) {
			what |= signDate // and no address of a host
		}
		return n, what
	}
	if first <= 2 && second == 2 && sep != '/' && sep != '-' {
		what |= signTime
	}
	return n, what
}

func digits(s string) (n int) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
