package htmltext

import (
	"bytes"
	"strconv"

	"golang.org/x/net/html/atom"
)

// openHidden begins an element that is hidden, or inside of one that is.
func (r *reader) openHidden(t atom.Atom) {
	e := element{tag: t, block: margin(t) > 0 || isCell(t)}
	if e.block {
		r.hideSpace('\n')
	}
	r.pushElement(e)
}

// open begins an element that is shown.
func (r *reader) open(t atom.Atom, st *style) {
	e := element{tag: t, effect: true, marks: len(r.out.marks), pre: r.pre, tiny: r.tiny}
	top, bottom := r.margins(t, st)
	e.block, e.bottom = top > 0 || isCell(t), bottom
	r.breakOut(t)
	if top > 0 {
		r.out.block(top)
	}
	r.inherit(t, st)
	switch {
	case t == atom.A:
		e.link = r.openLink()
	case t == atom.Option:
		if r.out.ink && r.out.sep == "" {
			r.out.addSeparator(" / ")
		}
	case isCell(t):
		r.openCell(&e)
	case st.listMarker:
		e.marker, r.inMarker = true, true
	case e.block:
		r.openBlock(&e, st)
	}
	r.pushElement(e)
}

// openBlock does what is particular to some blocks.
func (r *reader) openBlock(e *element, st *style) {
	switch t := e.tag; {
	case t == atom.Pre, t == atom.Listing:
		r.out.skipLF = true // HTML drops the first line break
	case t == atom.Table:
		e.data = !r.lex.is(attrRole, "presentation") && atoi(r.lex.get(attrBorder)) > 0
	case isList(t):
		r.openList(e)
	case t == atom.Li:
		r.openItem()
	case t == atom.Dd:
		r.out.push("  ", false)
	default:
		r.openQuote(t, st)
	}
}

// inherit takes over what an element changes for everything in it.
func (r *reader) inherit(t atom.Atom, st *style) {
	switch {
	case st.normal:
		r.pre = false
	case st.pre, t == atom.Pre, t == atom.Listing, t == atom.Xmp, t == atom.Plaintext, t == atom.Textarea:
		r.pre = true
	}
	if st.font != fontInherited {
		r.tiny = st.font == fontTiny
	}
}

// margins returns the line breaks before and after an element.
func (r *reader) margins(t atom.Atom, st *style) (top, bottom int) {
	top = margin(t)
	switch {
	case st.display == displayInline && !isTablePart(t):
		return 0, 0
	case st.display == displayBlock:
		top = max(top, 1)
	}
	bottom = top
	switch {
	case top == 0:
		return 0, 0
	case isList(t) && r.inList(), t == atom.Table && r.inCell():
		return 1, 1
	case t == atom.Blockquote:
		return 1, 2 // stays with the line that says who wrote it
	case t == atom.P && hasPrefixFold(r.lex.get(attrClass), "mso"):
		top, bottom = 1, 1 // Word's style sheet has no margins
	}
	return withMargin(top, st.top), withMargin(bottom, st.bottom)
}

// withMargin lets a margin in pixels decide whether there is a blank line.
func withMargin(n int, px float64) int {
	switch {
	case px < 0:
		return n
	case px < 6:
		return 1
	}
	return 2
}

// breakOut ends the row of a table if the element needs lines of its own.
func (r *reader) breakOut(t atom.Atom) {
	switch {
	case t == atom.Table:
		if row := r.find(isRow); row != nil {
			row.broken = true
		}
	case !isHeading(t) && !isList(t) && t != atom.Pre && t != atom.Dl && t != atom.Blockquote:
		return
	}
	r.out.breakRow()
}

// find returns the innermost open element of a kind within the innermost table; nil if there is none.
func (r *reader) find(is func(atom.Atom) bool) *element {
	for i := len(r.stack) - 1; i >= 0; i-- {
		if is(r.stack[i].tag) {
			return &r.stack[i]
		}
		if r.stack[i].tag == atom.Table {
			return nil
		}
	}
	return nil
}

func isRow(t atom.Atom) bool { return t == atom.Tr }

func isSelect(t atom.Atom) bool { return t == atom.Select }

func isTable(t atom.Atom) bool { return t == atom.Table }

func (r *reader) inCell() bool { return r.find(isCell) != nil }

func (r *reader) inList() bool { return r.find(isList) != nil }

// openCell begins a table cell, on the line of the one before if the row allows it.
func (r *reader) openCell(e *element) {
	e.block, e.bottom = true, 0
	table, row := r.find(isTable), r.find(isRow)
	if table == nil || row == nil {
		r.out.block(1)
		return
	}
	table.data = table.data || e.tag == atom.Th
	row.cells++
	switch {
	case row.cells > 1 && !row.broken && table.data && r.out.sep != "":
		r.out.addSeparator(" | ")
	case row.cells > 1 && !row.broken && row.inked:
		r.out.joinRow()
	case row.cells > 1 && !row.broken && table.data:
		r.out.addSeparator("| ")
	default:
		r.out.sep = ""
		r.out.block(1)
	}
	if table.data {
		r.out.oneRow = cellOneRow
	}
	e.lines, e.inks = r.out.lines, r.out.inks
	if r.out.need > 0 || !r.out.began {
		e.lineExpected = 1
	}
}

// leaveCell remembers whether the row can go on in its line.
func (r *reader) leaveCell(e *element) {
	r.out.oneRow = 0
	row := r.find(isRow)
	if row == nil || r.out.inks == e.inks {
		return
	}
	row.inked = true
	row.broken = row.broken || r.out.lines > e.lines+e.lineExpected
}

// openList begins a list; one right inside of another is indented by itself.
func (r *reader) openList(e *element) {
	if n := len(r.stack); n > 0 && isList(r.stack[n-1].tag) {
		r.out.push("  ", false)
	}
	if e.tag != atom.Ol {
		return
	}
	e.ordered, e.next = '1', 1
	if s := r.lex.get(attrStart); len(s) > 0 {
		e.next = atoi(s)
	}
	if s := r.lex.get(attrType); len(s) == 1 && s[0]|0x20 == 'a' {
		e.ordered = s[0]
	}
}

// openItem puts the marker of a list item in front of it.
func (r *reader) openItem() {
	list := r.find(isList)
	if list == nil || list.ordered == 0 {
		r.out.push("- ", true)
		return
	}
	if s := r.lex.get(attrValue); len(s) > 0 {
		list.next = atoi(s)
	}
	text := strconv.Itoa(list.next)
	if list.ordered != '1' && list.next >= 1 && list.next <= 26 {
		text = string(list.ordered + byte(list.next-1))
	}
	if list.next < 999999 {
		list.next++
	}
	r.out.push(text+". ", true)
}

// openQuote begins a quote if the element is one: <blockquote>, or what a program has in its place.
func (r *reader) openQuote(t atom.Atom, st *style) {
	switch {
	case t == atom.Blockquote:
		if st.plain && !r.lex.is(attrType, "cite") && !st.lineLeft {
			r.out.push("  ", false) // the "indent" button of Gmail
			return
		}
		r.out.push("", true)
	case t != atom.Div && t != atom.P, len(r.lex.vals) == 0:
	case r.lex.is(attrName, "quote") && st.lineLeft, // GMX, web.de
		hasClass(r.lex.get(attrClass), "yahoo_quoted"),
		t == atom.Div && st.plain && st.lineLeft: // Outlook
		r.out.push("", true)
	case t == atom.Div && st.plain && st.lineAbove, // Outlook
		r.lex.is(attrID, "divRplyFwdMsg"): // Outlook on the web
		r.out.rule()
	case st.listLevel > 1:
		for range st.listLevel - 1 {
			r.out.push("  ", false)
		}
	}
}

func hasClass(classes []byte, class string) bool {
	for c := range bytes.FieldsSeq(classes) {
		if string(c) == class {
			return true
		}
	}
	return false
}

func hasPrefixFold(s []byte, prefix string) bool {
	return len(s) >= len(prefix) && bytes.EqualFold(s[:len(prefix)], []byte(prefix))
}

// leave ends the element at i.
func (r *reader) leave(i int) {
	e := &r.stack[i]
	switch {
	case i == r.hideAt:
		r.hideAt = -1
		return
	case !e.effect:
		if e.block && r.hideAt >= 0 {
			r.hideSpace('\n')
		}
		return
	case e.link:
		r.closeLink()
	case e.marker:
		r.closeMarker()
	}
	r.pre, r.tiny = e.pre, e.tiny
	switch {
	case e.tag == atom.Tr, e.tag == atom.Table, e.tag == atom.Select:
		r.out.sep = ""
	case isCell(e.tag):
		r.leaveCell(e)
	}
	if e.bottom > 0 {
		r.out.block(e.bottom)
	}
	if e.block {
		r.out.marks = r.out.marks[:min(e.marks, len(r.out.marks))]
	}
}
