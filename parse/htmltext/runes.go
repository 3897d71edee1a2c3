package htmltext

// class is what a rune does in a text.
type class int

const (
	classVisible class = iota
	classSpace         // collapses
	classNoBreak       // a space that makes its line count
	classBreak         // ends the line
	classJoiner        // joins or parts its neighbours in scripts and emoji that need it
	classDropped       // cannot be seen and says nothing
)

// classify sorts runes. What sets the direction of text stays: it is part of right-to-left text.
func classify(r rune) class {
	switch {
	case r == ' ', r >= '\t' && r <= '\r', r == 0x85:
		return classSpace
	case r < ' ', r >= 0x7f && r < 0xa0:
		return classDropped // control characters
	case r < 0xa0:
		return classVisible
	case r == 0xa0, r == 0x202f, r == 0x205f, r >= 0x2000 && r <= 0x200a:
		return classNoBreak
	case r == 0x2028, r == 0x2029:
		return classBreak
	case r == 0x200c, r == 0x200d:
		return classJoiner
	case isInvisible(r):
		return classDropped
	}
	return classVisible
}

// isInvisible knows the runes without width that newsletters fill their preheaders with, and the
// place holder of an object that is not there.
func isInvisible(r rune) bool {
	switch r {
	case 0xad, 0x34f, 0x180e, 0x200b, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0x2800, 0xfeff, 0xfffc:
		return true
	}
	return false
}
