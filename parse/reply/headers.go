package reply

import (
	"math/bits"
	"strings"
	"unicode"
)

// The fields of the header block that Outlook and others put over the message they quote.
type field byte

const (
	fieldFrom field = 1 << iota
	fieldDate
	fieldTo
	fieldCopy
	fieldSubject
	fieldRaw // one that only stands in a header on the wire
)

// A block is a header block as far as it has been read.
type block struct {
	at      int
	before  state // what held before its first line
	lines   int
	gap     int // lines since its last field, which are folded values
	fields  field
	first   field // the one that it begins with
	langs   language
	someone bool // an address has been seen
}

const (
	maxBlock = 30 // lines of a block
	maxGap   = 3  // lines that the value of one field is folded over
)

// complete tells whether enough fields of a language stand together: three, sender and date among
// them, or all four if it is not the sender that they begin with. Where no subject is, an address
// must be, for a train also goes from, to, and on a date.
func (b *block) complete() bool {
	const needed = fieldFrom | fieldDate
	if b.first != fieldFrom {
		return b.fields == needed|fieldTo|fieldSubject || b.fields == needed|fieldTo|fieldSubject|fieldCopy
	}
	return b.fields&needed == needed && bits.OnesCount8(uint8(b.fields)) >= 3 && (b.fields&fieldSubject != 0 || b.someone)
}

// add takes the next line, and returns false if the block cannot go on with it.
func (b *block) add(text string, f field, langs language) bool {
	b.lines++
	b.someone = b.someone || strings.IndexByte(text, '@') >= 0
	if f == 0 {
		b.gap++
		return b.gap <= maxGap && b.lines <= maxBlock
	}
	b.gap = 0
	b.fields |= f
	b.langs &= langs
	return f != fieldRaw && b.langs != 0 && b.lines <= maxBlock
}

// headerField reads "Name: value", where the name may be bold (*From:*) and the colon be a wide one.
func headerField(s string) (f field, langs language) {
	key, value, ok := headerKey(s)
	if !ok {
		return 0, 0
	}
	return fieldOf(key, value)
}

// headerKey splits a line at the first colon if what stands before it can be a field's name.
func headerKey(s string) (key, value string, ok bool) {
	const longest = 40
	head := s[:min(len(s), longest)]
	i, n := strings.IndexByte(head, ':'), 1
	if i < 0 {
		if i, n = strings.Index(head, "："), len("："); i < 0 {
			return "", "", false
		}
	}
	key = strings.Trim(trimEnd(strings.TrimLeft(s[:i], "*_ ")), "*_")
	return key, strings.Trim(trimStart(s[i+n:]), "* \t"), key != ""
}

func fieldOf(key, value string) (field, language) {
	if l := fromWord(key); l != 0 {
		return fieldFrom, l
	}
	if l := dateWord(key); l != 0 {
		if value != "" && strings.IndexFunc(value, unicode.IsDigit) < 0 {
			return 0, 0
		}
		return fieldDate, l
	}
	if l := toWord(key); l != 0 {
		return fieldTo, l
	}
	if l := subjectWord(key); l != 0 {
		return fieldSubject, l
	}
	if l := copyWord(key); l != 0 {
		return fieldCopy, l
	}
	if isWireField(key) {
		return fieldRaw, everyLanguage
	}
	return 0, 0
}

// isWireField recognises what stands in a header on the wire and in no mailer's block.
func isWireField(key string) bool {
	switch strings.ToLower(key) {
	case "received", "references", "precedence", "lines", "path", "newsgroups", "xref":
		return true
	case "reply-to", "e-mail":
		return false
	}
	if strings.IndexByte(key, '-') <= 0 {
		return false
	}
	for _, c := range []byte(key) {
		if c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}
