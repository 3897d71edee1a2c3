package parse

// flowedText undoes format=flowed (RFC 3676): lines that a sender broke softly, with a space before
// the line end, become one again, and lines that were stuffed with a space lose it. Nothing else is
// lost: what is no soft break stays as it was. Of the text only the counted quote marks of a line (1000 at
// most), a signature separator and one line end are held, so a line of any length flows through.
//
// It goes its own way in one point: an empty line after a soft break stays (section 4.2 would take it
// for the end of the paragraph), because many senders leave a space at the end of one.
type flowedText struct {
	delSp bool // the space before a soft break goes with it (section 4.3)
	out   []byte

	stage flowedStage
	depth int  // quote marks of the line
	dash  int  // octets of the signature separator that the line began with
	space bool // a space came last: it waits for what follows
	cr    bool // a carriage return came last: it waits for its line feed

	soft string // the line end of the line before, if that was soft and waits for this one
	prev int    // quote marks of the line before
}

// flowedStage is how far a line was read.
type flowedStage uint8

const (
	flowedQuotes flowedStage = iota
	flowedStuffing
	flowedDashes // it may still be a signature separator
	flowedBody
)

// maxQuotes is how many quote marks of a line are counted; more of them are text.
const maxQuotes = 1000

// signatureSeparator ends in a space and is never flowed (section 4.3).
const signatureSeparator = "-- "

// newFlowedText returns a converter of a text whose DelSp parameter is that.
func newFlowedText(delSp bool) *flowedText { return &flowedText{delSp: delSp} }

// convert returns the text of src, which is good until the next call.
func (f *flowedText) convert(src []byte, last bool) []byte {
	f.out = f.out[:0]
	for len(src) > 0 {
		c := src[0]
		switch {
		case f.cr && c == '\n':
			f.end("\r\n")
		case f.cr:
			f.end("\r")
			continue
		case c == '\r':
			f.cr = true
		case c == '\n':
			f.end("\n")
		case f.stage == flowedBody:
			n := indexEnd(src)
			if n < 0 {
				n = len(src)
			}
			f.body(src[:n])
			src = src[n:]
			continue
		case !f.start(c):
			continue
		}
		src = src[1:]
	}
	if last {
		f.finish()
	}
	return f.out
}

// start takes an octet of the beginning of a line and reports whether it belongs there.
func (f *flowedText) start(c byte) bool {
	switch f.stage {
	case flowedQuotes:
		if c == '>' {
			if f.depth++; f.depth == maxQuotes {
				f.quote()
				f.stage = flowedBody
			}
			return true
		}
		f.stage = flowedStuffing
	case flowedStuffing:
		f.stage = flowedDashes
		return c == ' '
	case flowedDashes:
		if f.dash < len(signatureSeparator) && c == signatureSeparator[f.dash] {
			f.dash++
			return true
		}
		f.begin()
	}
	return false
}

// begin begins the body of a line: after a soft break of the same depth it goes on where the line
// before ended (section 4.5).
func (f *flowedText) begin() {
	if f.soft != "" && f.prev == f.depth {
		if !f.delSp {
			f.out = append(f.out, ' ')
		}
		f.soft = ""
	} else {
		f.quote()
		if f.depth > 0 {
			f.out = append(f.out, ' ')
		}
	}
	f.stage = flowedBody
	f.body([]byte(signatureSeparator[:f.dash]))
}

// quote begins a line of its own: a soft break before it was none.
func (f *flowedText) quote() {
	if f.soft != "" {
		f.out = append(append(f.out, ' '), f.soft...)
		f.soft = ""
	}
	for range f.depth {
		f.out = append(f.out, '>')
	}
}

// body takes octets of a line without its end.
func (f *flowedText) body(b []byte) {
	if len(b) == 0 {
		return
	}
	if f.space {
		f.out = append(f.out, ' ')
	}
	f.space = b[len(b)-1] == ' '
	if f.space {
		b = b[:len(b)-1]
	}
	f.out = append(f.out, b...)
}

// end ends a line.
func (f *flowedText) end(eol string) {
	switch {
	case f.stage == flowedBody:
	case f.dash == len(signatureSeparator):
		f.quote()
		if f.depth > 0 {
			f.out = append(f.out, ' ')
		}
		f.out = append(f.out, signatureSeparator...)
	case f.dash > 0:
		f.begin()
	default:
		f.quote()
	}
	if f.space {
		f.soft, f.prev = eol, f.depth
	} else {
		f.out = append(f.out, eol...)
	}
	f.stage, f.depth, f.dash, f.space, f.cr = flowedQuotes, 0, 0, false, false
}

// finish gives what waited for more: a soft break at the end is none.
func (f *flowedText) finish() {
	if f.cr {
		f.end("\r")
	}
	if f.stage == flowedBody {
		if f.space {
			f.out = append(f.out, ' ')
		}
		return
	}
	f.end("")
}
