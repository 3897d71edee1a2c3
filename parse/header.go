package parse

import (
	"iter"
	"strings"
	"time"
	"unicode/utf8"
)

// Header is the header of a message or of a part. Its fields are kept as they were sent and decoded
// when asked for; every method may be called again and again.
type Header struct {
	block  string // as sent; what is read of it shares its memory where it can
	fields []fieldSpan
	part   string
	lim    *Limits
	issues *issues
	hint   *string // charset of the first text, for fields with undeclared 8-bit octets
}

// fieldSpan says where a field lies in the block, and how long its name is without the white space that
// some put before the colon. Most fields are not the one that is looked for, and have another key.
type fieldSpan struct {
	start, colon, end, name int32
	key                     uint32
}

// fieldKey is equal for names that are, in any case, and for few others.
func fieldKey[T string | []byte](name T) uint32 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return uint32(n)<<16 | uint32(name[0]|0x20)<<8 | uint32(name[n-1]|0x20)
}

// keySet is a set of field keys that may seem to hold some more than were added.
type keySet [4]uint64

func (s *keySet) add(key uint32) { key = key * 0x9e3779b1 >> 24; s[key>>6] |= 1 << (key & 63) }
func (s *keySet) has(key uint32) bool {
	key = key * 0x9e3779b1 >> 24
	return s[key>>6]>>(key&63)&1 != 0
}

// Field is one header field.
type Field struct {
	Name  string // as it was spelled
	Value string // unfolded, RFC 2047 words decoded, valid UTF-8
	Raw   string // the field as sent, name, folding and all, without its last line end
}

// Fields returns all fields in the order they were sent.
func (h *Header) Fields() []Field {
	out := make([]Field, 0, len(h.fields))
	for i := range h.fields {
		f := h.fields[i]
		out = append(out, Field{Name: h.name(f), Value: h.decode(h.raw(f)), Raw: h.block[f.start:f.end]})
	}
	return out
}

// Get returns the decoded value of the first field called name, in any case; empty if there is none.
func (h *Header) Get(name string) string {
	raw, _ := h.first(name)
	return h.decode(raw)
}

// Values returns the decoded values of all fields called name.
func (h *Header) Values(name string) []string {
	var out []string
	for raw := range h.all(name) {
		out = append(out, h.decode(raw))
	}
	return out
}

// Subject returns the decoded subject.
func (h *Header) Subject() string { return h.Get("Subject") }

// MessageID returns the message's own id without its angle brackets.
func (h *Header) MessageID() string {
	if ids := h.MessageIDs("Message-ID"); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

// MessageIDs returns the ids in the fields called name (In-Reply-To, References) without their angle
// brackets. RFC 5322 section 3.6.4 and what is sent instead: no brackets, phrases, comments, commas.
func (h *Header) MessageIDs(name string) []string {
	var out []string
	for raw := range h.all(name) {
		s := h.utf8(raw)
		if strings.HasPrefix(s, "=?") {
			s = h.decode(s) // some libraries fold a long id that way
		}
		out = append(out, messageIDs(s, h.lim.Addresses-len(out))...)
	}
	return out
}

// Addresses returns the addresses in all fields called names, in the order of names and then of the
// fields. One that cannot be read does not cost its neighbours. Of From, Sender and Reply-To the first
// field counts: who could add a second one would speak for the author.
func (h *Header) Addresses(names ...string) []Address {
	var out []Address
	for _, name := range names {
		for raw := range h.all(name) {
			list := h.addresses(name, raw, h.lim.Addresses-len(out))
			if out == nil {
				out = list
			} else {
				out = append(out, list...)
			}
			if isOriginator(name) {
				break
			}
		}
	}
	return out
}

// addresses reads one field: as far as it is plain, and from there on as whatever it is.
func (h *Header) addresses(name, raw string, limit int) []Address {
	list, n := h.plainAddresses(raw, limit)
	if n == len(raw) && n > 0 {
		return list
	}
	p := addressParser{h: h, s: h.utf8(raw), max: limit}
	if p.s == raw && !oddQuotes(raw) { // a stray quote may mean any of those before
		p.i, p.out = n, list
	}
	list = p.parse()
	if p.repaired {
		h.issue(IssueAddressRepaired, name, false)
	}
	if p.over {
		h.issue(IssueAddressLimit, name, true)
	}
	return list
}

// isOriginator tells the fields of RFC 5322 section 3.6.2.
func isOriginator(name string) bool {
	return strings.EqualFold(name, "From") || strings.EqualFold(name, "Sender") || strings.EqualFold(name, "Reply-To")
}

// Date returns the time of the Date field, with the offset it was written in, and the field as sent.
// A date that cannot be read is not invented: ok is false.
func (h *Header) Date() (t time.Time, raw string, ok bool) {
	raw, present := h.first("Date")
	if !present {
		return time.Time{}, "", false
	}
	raw = h.utf8(raw)
	text := h.decode(raw)
	t, exact, ok := mailDate(text)
	if !ok {
		h.issue(IssueDateInvalid, quote(raw), false)
	} else if !exact || text != raw {
		h.issue(IssueDateRepaired, quote(raw), false)
	}
	return t, raw, ok
}

// name returns the field's name.
func (h *Header) name(f fieldSpan) string { return h.utf8(h.block[f.start : f.start+f.name]) }

// is tells whether f is called name.
func (h *Header) is(f fieldSpan, name string) bool {
	return f.key == fieldKey(name) && strings.EqualFold(h.block[f.start:f.start+f.name], name)
}

// raw returns the field's value, unfolded (RFC 5322 section 2.2.3) and otherwise as sent.
func (h *Header) raw(f fieldSpan) string { return unfold(h.block[f.colon+1 : f.end]) }

// first returns the unfolded value of the first field called name.
func (h *Header) first(name string) (string, bool) {
	key := fieldKey(name)
	for i := range h.fields {
		if f := &h.fields[i]; f.key == key && h.is(*f, name) {
			return h.raw(*f), true
		}
	}
	return "", false
}

// all yields the unfolded values of all fields called name.
func (h *Header) all(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		key := fieldKey(name)
		for i := range h.fields {
			if f := &h.fields[i]; f.key == key && h.is(*f, name) && !yield(h.raw(*f)) {
				return
			}
		}
	}
}

// utf8 returns s in UTF-8: undeclared 8-bit octets are read in the charset of the message's text if
// that is known, and guessed otherwise.
func (h *Header) utf8(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0x1b) < 0 {
		return s
	}
	out, used := decodeUndeclared([]byte(s), *h.hint)
	if out != s {
		h.issue(IssueFieldUndeclared8, "read as "+used, strings.ContainsRune(out, utf8.RuneError))
	}
	return out
}

// decode returns s with its RFC 2047 words decoded.
func (h *Header) decode(s string) string {
	if !strings.Contains(s, "=?") {
		return h.utf8(s)
	}
	d := wordDecoder{max: h.lim.EncodedWords, h: h}
	out := d.decode(s)
	if d.bad {
		h.issue(IssueEncodedWordBad, "", false)
	}
	if d.lossy {
		h.issue(IssueCharsetInvalid, "in an encoded word", true)
	}
	if d.over {
		h.issue(IssueEncodedWordLimit, "", false)
	}
	return out
}

// issue reports something about the header or its part.
func (h *Header) issue(code, detail string, lossy bool) {
	h.issues.add(Issue{Code: code, Part: h.part, Detail: detail, Lossy: lossy})
}

// unfold joins the lines of a folded value with one space each and trims its ends.
func unfold(v string) string {
	if strings.IndexByte(v, '\n') < 0 && strings.IndexByte(v, '\r') < 0 {
		if n := len(v); n > 2 && v[0] == ' ' && v[1] > ' ' && v[n-1] > ' ' { // as most are
			return v[1:]
		}
		return strings.Trim(v, " \t")
	}
	var s strings.Builder
	s.Grow(len(v))
	for i := indexEnd(v); i >= 0; i = indexEnd(v) {
		s.WriteString(v[:i])
		s.WriteByte(' ')
		for i < len(v) && (v[i] == '\r' || v[i] == '\n' || v[i] == ' ' || v[i] == '\t') {
			i++
		}
		v = v[i:]
	}
	s.WriteString(v)
	return strings.Trim(s.String(), " \t")
}

// messageIDs returns the ids in s, at most limit.
func messageIDs(s string, limit int) []string {
	var out []string
	s = stripComments(s)
	for len(s) > 0 && len(out) < limit {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		rest := strings.TrimLeft(s[i+1:], "< \t")
		end := strings.IndexAny(rest, "<>")
		if end < 0 {
			end = len(rest)
		}
		if id := compactOutsideQuotes(rest[:end]); id != "" {
			out = append(out, id)
		}
		s = rest[end:]
	}
	if len(out) > 0 {
		return out
	}
	words := strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == ',' || r == '>' || r == '<' })
	for _, w := range words {
		if len(out) < limit && (strings.ContainsRune(w, '@') || len(words) == 1) { // several words without are prose
			out = append(out, w)
		}
	}
	return out
}
