package tnef

import (
	"bufio"
	"io"
	"slices"
	"time"
)

// Options say how to read a stream. The zero value is good.
type Options struct {
	Text    func(charset string, octets []byte) string // converts text of an 8-bit charset, named as mail does; nil: windows-1252
	Objects int                                        // attachments and bodies at most; 1,000
	Body    int64                                      // octets of an RTF body held, compressed and decompressed each; 1 MiB
	Value   int                                        // octets of one string property held; 64 KiB
}

// withDefaults returns opt with every zero field set to its default.
func (opt Options) withDefaults() Options {
	if opt.Text == nil {
		opt.Text = western
	}
	if opt.Objects <= 0 {
		opt.Objects = 1000
	}
	if opt.Body <= 0 {
		opt.Body = 1 << 20
	}
	if opt.Value <= 0 {
		opt.Value = 64 << 10
	}
	return opt
}

// Message is what the stream says of the message that it wraps.
type Message struct {
	Class     string // such as IPM.Note; the names of Microsoft Mail are translated
	Subject   string
	MessageID string // PR_INTERNET_MESSAGE_ID, as it stands there
	Sent      time.Time
	From      Person // whom it was sent for; if that is not said, who sent it
	To        []Person
	Cc        []Person
	Bcc       []Person
}

// Person is who a message is from or to.
type Person struct {
	Name    string
	Address string // of Internet mail; empty if the stream has only one of another kind, such as /o=…
}

// Flaw is one thing that was wrong with the stream.
type Flaw struct {
	Code   string // one of the Flaw constants
	Detail string // what exactly, in words
}

// The codes of flaws. They are stable.
const (
	FlawTruncated = "truncated" // the stream, or a body in it, ends too early
	FlawChecksum  = "checksum"  // octets and checksum disagree; the octets were given
	FlawLimit     = "limit"     // something was cut or left out because of Options
	FlawInvalid   = "invalid"   // this is not TNEF, or no longer
)

// maxFlaws bounds the list that a hostile stream can cause.
const maxFlaws = 32

// window is the buffer between the transport and everybody else.
const window = 16 << 10

// Reader reads one TNEF stream.
type Reader struct {
	src     *bufio.Reader
	opt     Options
	err     error // why there are no more octets: io.EOF, or the transport's
	ended   bool  // it is io.EOF
	begun   bool  // the signature was read
	between bool  // between attributes, where a stream may end
	flaws   []Flaw

	attr    attribute
	list    propertyList
	value   span // what is being read of the attribute or the property
	scratch [512]byte

	msg      Message
	codepage int // of 8-bit text; 0: not said
	cpid     int // of HTML; 0: not said
	author   party
	sender   party
	table    []party // the recipients
	row      *party  // the one whose properties are being read, nil if it is not kept
	people   int     // octets that all of them take
	rtf      []byte  // the compressed RTF body, until it is known whether it is needed
	hasText  bool
	hasHTML  bool

	group *Object // the attachment whose attributes are being read
	found bool    // its octets were
	seen  uint8   // which of its attributes were
	queue []*Object
	cur   *Object
	count int
}

// NewReader returns a reader of the TNEF stream r.
func NewReader(r io.Reader, opt Options) *Reader {
	return &Reader{src: bufio.NewReaderSize(r, window), opt: opt.withDefaults()}
}

// Flaws returns what was wrong so far, each once.
func (r *Reader) Flaws() []Flaw { return slices.Clone(r.flaws) }

func (r *Reader) flaw(code, detail string) {
	f := Flaw{code, detail}
	switch {
	case len(r.flaws) > maxFlaws || slices.Contains(r.flaws, f):
	case len(r.flaws) == maxFlaws:
		r.flaws = append(r.flaws, Flaw{FlawLimit, "more flaws were found than are listed"})
	default:
		r.flaws = append(r.flaws, f)
	}
}

// Next returns the next object, after draining the one before. It returns io.EOF at the end of the
// stream, and where it cannot be read on; what is left of the transport then stays unread.
func (r *Reader) Next() (*Object, error) {
	if r.cur != nil {
		r.cur.finish()
		r.cur = nil
	}
	for len(r.queue) == 0 && r.err == nil {
		r.step()
	}
	if len(r.queue) == 0 && r.ended {
		r.settle()
	}
	if len(r.queue) == 0 || r.err != nil && !r.ended {
		return nil, r.err
	}
	r.cur, r.queue = r.queue[0], r.queue[1:]
	return r.cur, nil
}

// end makes this the end of the stream.
func (r *Reader) end() { r.err, r.ended = io.EOF, true }

// give hands an object to Next. A stream of more than are allowed ends there.
func (r *Reader) give(o *Object) {
	if r.count == r.opt.Objects {
		r.flaw(FlawLimit, "more attachments and bodies than allowed")
		r.rtf, r.group = nil, nil
		r.end()
		return
	}
	r.count++
	r.queue = append(r.queue, o)
}

// settle gives what waited for the end of the attributes that it belongs to: the RTF body, and an
// attachment without octets (a link, an empty file) or with few.
func (r *Reader) settle() (gave bool) {
	if r.attr.level != levelMessage || r.err != nil {
		r.giveRTF()
	}
	if o := r.group; o != nil && !r.found && (o.Name != "" || len(o.held) > 0) {
		r.give(o)
	}
	r.group = nil
	return len(r.queue) > 0
}
