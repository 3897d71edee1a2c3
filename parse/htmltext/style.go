package htmltext

import (
	"bytes"
	"strconv"
)

// display is how an element stands in the text around it.
type display int8

const (
	displayDefault display = iota
	displayInline
	displayBlock
)

// fontSize tells whether text can be seen.
type fontSize int8

const (
	fontInherited fontSize = iota
	fontTiny               // under 2 pixels
	fontVisible
)

// style is what an inline style says that matters here.
type style struct {
	hidden      bool
	display     display
	font        fontSize
	pre, normal bool    // white-space keeps line breaks; does not
	top, bottom float64 // margins in pixels; negative if not given
	width       float64 // in pixels; negative if not given
	height      float64
	clipped     bool // overflow:hidden
	plain       bool // border:none
	lineAbove   bool // border-top:solid
	lineLeft    bool // border-left:solid
	listLevel   int  // mso-list:l0 level2 lfo1
	listMarker  bool // mso-list:Ignore
}

// parseStyle reads an inline style. What it does not understand it leaves out.
func parseStyle(s []byte) style {
	st := style{top: -1, bottom: -1, width: -1, height: -1}
	for len(s) > 0 {
		var decl []byte
		decl, s, _ = bytes.Cut(s, []byte(";"))
		name, value, ok := bytes.Cut(decl, []byte(":"))
		if !ok {
			continue
		}
		value = bytes.ToLower(bytes.TrimSpace(value))
		value, _, _ = bytes.Cut(value, []byte("!")) // !important
		st.declare(string(bytes.ToLower(bytes.TrimSpace(name))), bytes.TrimSpace(value))
	}
	st.hidden = st.hidden || st.clipped && (st.width == 0 || st.height == 0)
	return st
}

// declare takes one declaration.
func (st *style) declare(name string, value []byte) {
	v := string(value)
	switch name {
	case "display":
		st.setDisplay(v)
	case "visibility":
		st.hidden = st.hidden || v == "hidden" || v == "collapse"
	case "opacity", "max-height":
		st.hidden = st.hidden || pixels(value) == 0
	case "height":
		st.height = pixels(value)
	case "width", "max-width":
		if w := pixels(value); st.width < 0 || w == 0 {
			st.width = w
		}
	case "overflow", "overflow-y":
		st.clipped = v == "hidden"
	case "font-size", "font":
		st.setFont(value)
	case "white-space":
		st.pre = len(v) >= 3 && v[:3] == "pre" || v == "break-spaces"
		st.normal = !st.pre
	case "margin", "margin-top", "margin-bottom":
		st.setMargin(name, value)
	case "border", "border-top", "border-left":
		st.setBorder(name, value)
	case "mso-list":
		st.setList(value)
	}
}

func (st *style) setDisplay(v string) {
	switch v {
	case "none":
		st.hidden = true
	case "inline", "inline-block", "inline-flex":
		st.display = displayInline
	case "block", "flex", "grid":
		st.display = displayBlock
	}
}

// setFont reads font-size, or the size in the font shorthand. A size relative to that of the
// element around it changes nothing: nothing times two is nothing.
func (st *style) setFont(value []byte) {
	for f := range bytes.FieldsSeq(value) {
		size, _, _ := bytes.Cut(f, []byte("/"))
		switch px := pixels(size); {
		case px == 0:
			st.font = fontTiny
		case isRelative(size):
			continue
		case px > 0 && px < 2:
			st.font = fontTiny
		case px > 0 || isKeywordSize(string(size)):
			st.font = fontVisible
		default:
			continue
		}
		return
	}
}

// isRelative knows the sizes that are not absolute; a number without a unit is a font's weight.
func isRelative(size []byte) bool {
	switch {
	case len(size) == 0, bytes.HasSuffix(size, []byte("rem")):
		return false
	case bytes.HasSuffix(size, []byte("em")), bytes.HasSuffix(size, []byte("%")):
		return true
	}
	last := size[len(size)-1]
	return last >= '0' && last <= '9'
}

func isKeywordSize(s string) bool {
	switch s {
	case "xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "initial":
		return true
	}
	return false
}

func (st *style) setMargin(name string, value []byte) {
	f := bytes.Fields(value)
	if len(f) == 0 {
		return
	}
	if name != "margin-bottom" {
		st.top = pixels(f[0])
	}
	if name == "margin-bottom" || len(f) < 3 && name == "margin" {
		st.bottom = pixels(f[0])
	}
	if name == "margin" && len(f) >= 3 {
		st.bottom = pixels(f[2])
	}
}

func (st *style) setBorder(name string, value []byte) {
	solid := bytes.Contains(value, []byte("solid"))
	switch name {
	case "border":
		st.plain = bytes.HasPrefix(value, []byte("none"))
	case "border-top":
		st.lineAbove = solid
	case "border-left":
		st.lineLeft = solid
	}
}

// setList reads Word's own property for the paragraphs that it makes lists of.
func (st *style) setList(value []byte) {
	st.listMarker = bytes.Equal(value, []byte("ignore"))
	if _, level, ok := bytes.Cut(value, []byte("level")); ok {
		st.listLevel = min(atoi(level), 9)
	}
}

// atoi reads the number at the start of s; 0 if there is none, or a long one.
func atoi(s []byte) int {
	s = bytes.TrimSpace(s)
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 0 || n > 6 {
		return 0
	}
	v, _ := strconv.Atoi(string(s[:n]))
	return v
}

// pixels reads a CSS length; -1 if it is none, or not positive.
func pixels(v []byte) float64 {
	n := 0
	for n < len(v) && (v[n] >= '0' && v[n] <= '9' || v[n] == '.') {
		n++
	}
	x, err := strconv.ParseFloat(string(v[:n]), 64)
	if err != nil {
		return -1
	}
	switch string(v[n:]) {
	case "", "px":
		return x
	case "pt":
		return x * 4 / 3
	case "em", "rem":
		return x * 16
	case "ex":
		return x * 8
	case "mm":
		return x * 3.8
	case "cm":
		return x * 38
	case "in":
		return x * 96
	case "%":
		if x == 0 {
			return 0
		}
	}
	return -1
}
