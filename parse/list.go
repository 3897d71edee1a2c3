package parse

import (
	"slices"
	"strings"
)

const (
	maxListURLs = 16   // places to unsubscribe at
	maxListURL  = 4096 // octets of one
	maxListID   = 255  // octets of a list's id (RFC 2919 section 3)
)

// List returns what a mailing list says about itself: its id (RFC 2919), the places to unsubscribe
// at (RFC 2369) in the order the list prefers them, and whether one POST to the https one of them is
// enough (RFC 8058). Only https, http and mailto are places; anything else, javascript: first of all,
// is left out. Before it trusts oneClick a consumer must see that a valid DKIM signature covers both
// fields (RFC 8058 section 4): anybody can write them.
func List(h *Header) (id string, unsubscribe []string, oneClick bool) {
	var post string
	for _, f := range h.fields {
		switch {
		case id == "" && h.is(f, "List-ID"):
			id = listID(h, h.utf8(h.raw(f)))
		case len(unsubscribe) < maxListURLs && h.is(f, "List-Unsubscribe"):
			unsubscribe = appendListURLs(unsubscribe, h.decode(h.raw(f)))
		case post == "" && h.is(f, "List-Unsubscribe-Post"):
			post = compact(h.raw(f))
		}
	}
	https := slices.ContainsFunc(unsubscribe, func(u string) bool { return hasPrefixFold(u, "https:") })
	return id, unsubscribe, https && strings.EqualFold(post, "List-Unsubscribe=One-Click")
}

// listID reads a List-ID: a phrase that may be anything, then the id in the last angle brackets. The
// words of the phrase are decoded only if they hide the brackets, so that none can forge an id.
func listID(h *Header, v string) string {
	v = stripComments(v)
	if strings.IndexByte(v, '<') < 0 {
		v = h.decode(v)
	}
	if i := strings.LastIndexByte(v, '<'); i >= 0 {
		v, _, _ = strings.Cut(v[i+1:], ">")
		v = compact(v)
	}
	v = strings.TrimSpace(v)
	if len(v) > maxListID {
		return ""
	}
	return v
}

// appendListURLs adds the URLs of an RFC 2369 field to out. They stand in angle brackets, what
// stands outside is comment; a field without any bracket is read as bare URLs.
func appendListURLs(out []string, v string) []string {
	if strings.IndexByte(v, '<') < 0 {
		for w := range strings.FieldsSeq(v) {
			out = appendListURL(out, strings.Trim(w, `,;"'`))
		}
		return out
	}
	v = stripOutside(v)
	for len(out) < maxListURLs {
		_, rest, found := strings.Cut(v, "<")
		if !found {
			break
		}
		end := strings.IndexAny(rest, "<>")
		if end < 0 {
			end = len(rest)
		}
		out = appendListURL(out, strings.TrimRight(compact(rest[:end]), ","))
		v = rest[end:]
	}
	return out
}

// stripOutside removes the comments of v but not the parentheses of its URLs.
func stripOutside(v string) string {
	if strings.IndexByte(v, '(') < 0 {
		return v
	}
	var out strings.Builder
	depth, from := 0, 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '<' && depth == 0:
			if n := strings.IndexByte(v[i:], '>'); n > 0 {
				i += n
			} else {
				i = len(v)
			}
		case c == '(':
			if depth++; depth == 1 {
				out.WriteString(v[from:i])
				from = i
			}
		case c == ')' && depth > 0:
			if depth--; depth == 0 {
				from = i + 1
			}
		}
	}
	out.WriteString(v[from:]) // a comment that is never closed is none
	return out.String()
}

// appendListURL adds u if it is a place that is not there yet.
func appendListURL(out []string, u string) []string {
	if len(out) >= maxListURLs || len(u) > maxListURL || slices.Contains(out, u) {
		return out
	}
	for _, scheme := range [...]string{"https://", "http://", "mailto:"} {
		if hasPrefixFold(u, scheme) && len(u) > len(scheme) {
			return append(out, u)
		}
	}
	return out
}

// hasPrefixFold tells whether s begins with prefix in any case.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
