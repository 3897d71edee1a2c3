package htmltext

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/atom"
)

// void handles an element that has no content.
func (r *reader) void(t atom.Atom, st *style) {
	if r.hideAt >= 0 {
		if t == atom.Br || t == atom.Hr {
			r.hideSpace('\n')
		}
		return
	}
	if r.isHidden(t, st) {
		return
	}
	switch t {
	case atom.Br:
		r.lineBreak()
	case atom.Hr:
		r.out.rule()
	case atom.Img:
		r.image(st)
	case atom.Input:
		r.input()
	}
}

func (r *reader) lineBreak() {
	if r.pre {
		r.out.preBreak()
		return
	}
	r.out.lineBreak()
}

// image writes the alternative text of an image that is larger than a tracking pixel: in brackets,
// but for an emoji, which is text that somebody made an image of.
func (r *reader) image(st *style) {
	alt := bytes.TrimSpace(r.lex.get(attrAlt))
	if len(alt) == 0 || isDot(st.width) || isDot(st.height) || r.isDotAttr(attrWidth) || r.isDotAttr(attrHeight) {
		return
	}
	if bytes.ContainsFunc(alt, isWordRune) {
		r.boxed("[", alt, "]")
		return
	}
	r.out.text(alt)
}

func isWordRune(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }

// isDot tells whether a length given in pixels is that of a tracking pixel.
func isDot(px float64) bool { return px >= 0 && px <= 1 }

func (r *reader) isDotAttr(a attr) bool {
	v := strings.TrimSuffix(strings.TrimSpace(string(r.lex.get(a))), "px")
	return v == "0" || v == "1"
}

// boxed writes text in brackets, as one line.
func (r *reader) boxed(left string, s []byte, right string) {
	r.out.text([]byte(left))
	r.out.text(bytes.TrimSpace(bytes.ToValidUTF8(s, nil)))
	r.out.text([]byte(right))
}

// input writes what a field of a form shows.
func (r *reader) input() {
	value := r.lex.get(attrValue)
	switch strings.ToLower(string(r.lex.get(attrType))) {
	case "hidden", "password", "file", "image", "color", "range":
	case "submit", "reset", "button":
		if len(value) > 0 {
			r.boxed("[", value, "]")
		}
	case "checkbox", "radio":
		if r.lex.has[attrChecked] {
			r.out.text([]byte("[x]"))
			return
		}
		r.boxed("[", nil, " ]")
	default:
		r.out.text(value)
	}
}

// markerText keeps the text of one of Word's list markers; what is too long to be one is text.
func (r *reader) markerText(s []byte) {
	for _, c := range string(s) {
		if classify(c) != classVisible {
			continue
		}
		r.marker = utf8.AppendRune(r.marker, c)
		if len(r.marker) >= 16 {
			r.closeMarker()
			r.inMarker = true
		}
	}
}

// closeMarker writes a list marker. The bullets of Word are letters in a font of symbols: a marker
// without a dot or a bracket is one.
func (r *reader) closeMarker() {
	r.inMarker = false
	if len(r.marker) == 0 {
		return
	}
	if utf8.RuneCount(r.marker) == 1 {
		r.marker = append(r.marker[:0], '-')
	}
	r.out.text(r.marker)
	r.out.text([]byte(" "))
	r.marker = r.marker[:0]
}
