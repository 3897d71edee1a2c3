package sniff

import (
	"bytes"
	"math/bits"
	"strings"
)

// message recognises a mail (RFC 5322): every line up to the first empty one, or to the cut, is a
// field, and two of them are fields that say so.
func message(head []byte) string {
	if bytes.HasPrefix(head, []byte("From ")) {
		_, head, _ = bytes.Cut(head, []byte("\n")) // of an mbox file
	}
	var kinds uint
	for len(head) > 0 && head[0] != '\r' && head[0] != '\n' {
		line, rest, whole := bytes.Cut(head, []byte("\n"))
		head = rest
		if line[0] == ' ' || line[0] == '\t' {
			if kinds == 0 {
				return ""
			}
			continue // folded
		}
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !whole && !ok {
			break
		}
		if !ok || !fieldName(name) {
			return ""
		}
		kinds |= mailField(name)
	}
	if bits.OnesCount(kinds&^1) < 2 {
		return ""
	}
	return "message/rfc822"
}

// fieldName reports whether a field may be called so (RFC 5322 section 2.2); blanks before the colon
// are obsolete (section 4.5).
func fieldName(name []byte) bool {
	name = bytes.TrimRight(name, " \t")
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return len(name) > 0
}

// mailField returns one bit for every field that tells a mail from other lists of names and values;
// the lowest for the others.
func mailField(name []byte) uint {
	const names = "from date subject message-id received return-path delivered-to to mime-version dkim-signature reply-to sender"
	n := 0
	for f := range strings.FieldsSeq(names) {
		if n++; strings.EqualFold(f, strings.TrimRight(string(name), " \t")) {
			return 1 << n
		}
	}
	return 1
}
