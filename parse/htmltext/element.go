package htmltext

import (
	"golang.org/x/net/html/atom"
)

// maxDepth is how deep elements have an effect.
const maxDepth = 256

// element is one that is open.
type element struct {
	tag    atom.Atom
	effect bool // not inside of a hidden element
	block  bool
	bottom int // line breaks after it
	marks  int // how many there were before it

	pre, tiny    bool // what held around it
	link         bool // of an address that is shown
	marker       bool // Word's list marker
	data, broken bool // of a table, of a row: see doc.go
	cells        int  // of a row
	lines, inks  int  // of a cell: the writer's counts when it began,
	lineExpected int  // and the lines that it may begin without breaking its row
	ordered      byte // of a list: '1', 'a', 'A'; 0 is none
	next         int  // number of a list's next item
	inked        bool // of a row: something is in it
}

// isVoid knows the elements that have no end tag.
func isVoid(t atom.Atom) bool {
	switch t {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link,
		atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr, atom.Basefont, atom.Bgsound, atom.Frame,
		atom.Keygen:
		return true
	}
	return false
}

// isTransparent knows the elements that most mail forgets or repeats: they are never on the stack.
func isTransparent(t atom.Atom) bool {
	return t == atom.Html || t == atom.Body || t == atom.Head
}

// margin returns how many line breaks an element puts around itself: 0 is inline.
func margin(t atom.Atom) int {
	switch t {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Pre, atom.Listing, atom.Xmp, atom.Plaintext,
		atom.Ul, atom.Ol, atom.Dl, atom.Menu, atom.Dir, atom.Blockquote, atom.Table, atom.Figure, atom.Fieldset:
		return 2
	case atom.Div, atom.Li, atom.Dt, atom.Dd, atom.Center, atom.Address, atom.Article, atom.Aside, atom.Section,
		atom.Header, atom.Footer, atom.Nav, atom.Main, atom.Hgroup, atom.Figcaption, atom.Form, atom.Legend,
		atom.Details, atom.Summary, atom.Dialog, atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption,
		atom.Textarea, atom.Search, atom.Marquee:
		return 1
	}
	return 0
}

func isCell(t atom.Atom) bool { return t == atom.Td || t == atom.Th }

func isRowGroup(t atom.Atom) bool {
	return t == atom.Tbody || t == atom.Thead || t == atom.Tfoot
}

func isTablePart(t atom.Atom) bool {
	return t == atom.Table || t == atom.Tr || t == atom.Caption || isCell(t) || isRowGroup(t)
}

func isList(t atom.Atom) bool {
	return t == atom.Ul || t == atom.Ol || t == atom.Menu || t == atom.Dir
}

func isHeading(t atom.Atom) bool {
	switch t {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// closes tells whether the start of an element ends an open one that has no end tag of its own
// (WHATWG HTML section 13.1.2.4), or cannot be inside of itself.
func closes(start, open atom.Atom) bool {
	switch open {
	case atom.P:
		return margin(start) > 0
	case atom.Li:
		return start == atom.Li
	case atom.Dt, atom.Dd:
		return start == atom.Dt || start == atom.Dd
	case atom.Option, atom.Optgroup:
		return start == atom.Option || start == atom.Optgroup
	case atom.Td, atom.Th:
		return isCell(start) || start == atom.Tr || isRowGroup(start)
	case atom.Tr:
		return start == atom.Tr || isRowGroup(start)
	case atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption:
		return isRowGroup(start)
	case atom.A:
		return start == atom.A
	}
	return false
}

// bars tells whether an open element hides those around it from closes: a cell its table, a list
// the item it is in.
func bars(start, open atom.Atom) bool {
	switch {
	case open == atom.Table:
		return true
	case isCell(open), open == atom.Caption:
		return !isTablePart(start)
	case isList(open):
		return start == atom.Li
	case open == atom.Dl:
		return start == atom.Dt || start == atom.Dd
	}
	return false
}

// hashSeed and hashByte are FNV-1a, which numbers the tags that HTML does not know.
const hashSeed = 2166136261

func hashByte(h uint32, c byte) uint32 { return (h ^ uint32(c)) * 16777619 }

// unknownTag returns the tag of a name with this hash.
func unknownTag(h uint32) atom.Atom { return atom.Atom(h | 1<<31) }

// isNeverShown knows elements whose content is not for readers. Those without markup inside are
// the lexer's.
func isNeverShown(t atom.Atom) bool {
	h := uint32(hashSeed)
	for _, c := range []byte("xml") { // Word's settings, where they are not in a comment
		h = hashByte(h, c)
	}
	return t == atom.Template || t == atom.Datalist || t == unknownTag(h)
}
