package parse

import (
	"crypto/sha256"
	"io"
	"time"
)

const maxDelimiter = 2048

// Digest names the raw octets of a message.
type Digest struct {
	SHA256 [32]byte
	Size   int64
}

// Role says what a part is for.
type Role int

// The roles of a part.
const (
	RoleAttachment Role = iota
	RoleText
	RoleHTML
)

// Part is one leaf of the message.
type Part struct {
	Path        string
	Parent      string
	Header      *Header
	Role        Role
	ContentType string
	Charset     string
	UsedCharset string
	Disposition string
	Inline      bool
	Filename    string
	FilenameRaw string
	ContentID   string
	Encoding    string
	r           *Reader
}

// Read reads the part.
func (p *Part) Read(b []byte) (int, error) { return p.r.read(b) }

// Tee also copies the raw octets to w.
func (p *Part) Tee(w io.Writer) {}

// Header is a header.
type Header struct{}

// Field is one header field.
type Field struct{ Name, Value, Raw string }

// Address is one mailbox.
type Address struct{ Name, Address, Group string }

// Fields returns all fields in order.
func (h *Header) Fields() []Field { return nil }

// Get returns the first field called name, decoded.
func (h *Header) Get(name string) string { return "" }

// Values returns all fields called name, decoded.
func (h *Header) Values(name string) []string { return nil }

// Addresses returns the addresses of all fields called names.
func (h *Header) Addresses(names ...string) []Address { return nil }

// Date returns the date.
func (h *Header) Date() (t time.Time, raw string, ok bool) { return }

// Subject returns the subject.
func (h *Header) Subject() string { return "" }

// MessageID returns the id.
func (h *Header) MessageID() string { return "" }

// MessageIDs returns the ids in the fields called name.
func (h *Header) MessageIDs(name string) []string { return nil }

// Issue is one repair.
type Issue struct {
	Code, Part, Detail string
	Lossy              bool
}

// MailDate reads an RFC 5322 date.
func MailDate(s string) (time.Time, bool) { return time.Time{}, false }

// List reads the list fields.
func List(h *Header) (id string, unsubscribe []string, oneClick bool) { return }

// Classify says what kind of message it is.
func Classify(h *Header, contentType string) (kind string, signals []string) { return "message", nil }

// Reader reads one message.
type Reader struct {
	in     io.Reader
	digest Digest
	hdr    Header
	done   bool
	h      []byte
}

// NewReader returns a Reader over r.
func NewReader(r io.Reader, lim Limits) *Reader { return &Reader{in: r} }

// Header returns the top header.
func (r *Reader) Header() *Header { return &r.hdr }

// Next returns the next leaf part.
func (r *Reader) Next() (*Part, error) {
	if r.done {
		_, err := io.Copy(io.Discard, r.in)
		if err == nil {
			err = io.EOF
		}
		return nil, err
	}
	r.done = true
	return &Part{Path: "1", Header: &r.hdr, Role: RoleText, ContentType: "text/plain", r: r}, nil
}

func (r *Reader) read(b []byte) (int, error) {
	n, err := r.in.Read(b)
	r.digest.Size += int64(n)
	r.h = append(r.h, b[:n]...)
	r.digest.SHA256 = sha256.Sum256(r.h)
	return n, err
}

// Issues returns the repairs so far.
func (r *Reader) Issues() []Issue { return nil }

// Digest returns the digest of the octets read so far.
func (r *Reader) Digest() Digest { return r.digest }
