package tnef

import (
	"encoding/binary"
	"strings"
	"time"
)

// The bounds of the people in a message.
const (
	maxRecipients = 1000
	maxPeople     = 256 << 10 // octets of their names and addresses
)

// party is a person as MAPI says it ([MS-OXOMSG] 2.2.1.48 to 2.2.1.58, [MS-OXOABK] 2.2.3).
type party struct {
	name, addrtype, address, smtp string
	how                           int // as what it receives: To, Cc, Bcc
}

// The values of PR_RECIPIENT_TYPE, without the flags above them ([MS-OXOMSG] 2.2.3.1).
const (
	recipientTo = iota + 1
	recipientCc
	recipientBcc
	recipientMask = 0xf
)

// person returns who it is. In an organisation that uses Exchange, mail addresses are not what everybody
// is known by.
func (p *party) person() Person {
	who := Person{p.name, p.smtp}
	if who.Address == "" && (p.addrtype == "" || strings.EqualFold(p.addrtype, "SMTP")) && strings.Contains(p.address, "@") {
		who.Address = p.address
	}
	return who
}

// Message returns what the stream said of the message so far.
func (r *Reader) Message() Message {
	m := r.msg
	if m.From = r.author.person(); m.From == (Person{}) {
		m.From = r.sender.person()
	}
	for i := range r.table {
		who := r.table[i].person()
		switch {
		case who == Person{}:
		case r.table[i].how == recipientTo:
			m.To = append(m.To, who)
		case r.table[i].how == recipientCc:
			m.Cc = append(m.Cc, who)
		case r.table[i].how == recipientBcc:
			m.Bcc = append(m.Bcc, who)
		}
	}
	return m
}

// keep takes a string that says who somebody is.
func (r *Reader) keep(to *string, s string, unicode bool) {
	if r.people += len(s); r.people > maxPeople {
		r.flaw(FlawLimit, "more names and addresses than are kept")
		return
	}
	r.set(to, s, unicode)
}

func (r *Reader) keepProperty(to *string) {
	r.keep(to, r.stringProperty(), r.list.typ == typeUnicode)
}

// from reads attFrom ([MS-OXTNEF] 2.1.3.3.3): a header of eight octets with the lengths of what follows,
// a name and an address with its type, SMTP:j@example.org.
func (r *Reader) from() {
	b := r.hold()
	if len(b) < 8 {
		return
	}
	rest := b[8:]
	n := min(int(binary.LittleEndian.Uint16(b[4:])), len(rest))
	name, rest := rest[:n], rest[n:]
	n = min(int(binary.LittleEndian.Uint16(b[6:])), len(rest))
	if addrtype, address, ok := strings.Cut(r.octets8(rest[:n]), ":"); ok {
		r.keep(&r.sender.addrtype, addrtype, false)
		r.keep(&r.sender.address, address, false)
	}
	r.keep(&r.sender.name, r.octets8(name), false)
}

// authorProperty takes who wrote the message, and who sent it.
func (r *Reader) authorProperty() {
	switch r.list.id {
	case prRepresentingName:
		r.keepProperty(&r.author.name)
	case prRepresentingAddrtype:
		r.keepProperty(&r.author.addrtype)
	case prRepresentingAddress:
		r.keepProperty(&r.author.address)
	case prRepresentingSMTP:
		r.keepProperty(&r.author.smtp)
	case prSenderName:
		r.keepProperty(&r.sender.name)
	case prSenderAddrtype:
		r.keepProperty(&r.sender.addrtype)
	case prSenderAddress:
		r.keepProperty(&r.sender.address)
	case prSenderSMTP:
		r.keepProperty(&r.sender.smtp)
	}
}

// nextRow begins with a recipient: a list of properties in attRecipTable.
func (r *Reader) nextRow() {
	r.list.rows--
	r.list.props, _ = r.number(4)
	if r.row = nil; r.err != nil {
		return
	}
	if len(r.table) == maxRecipients {
		r.flaw(FlawLimit, "more recipients than are kept")
		return
	}
	r.table = append(r.table, party{})
	r.row = &r.table[len(r.table)-1]
}

// recipientProperty takes what a row says of its recipient.
func (r *Reader) recipientProperty() {
	if r.row == nil {
		return
	}
	switch r.list.id {
	case prRecipientType:
		r.row.how = r.integer() & recipientMask
	case prDisplayName:
		r.keepProperty(&r.row.name)
	case prAddrtype:
		r.keepProperty(&r.row.addrtype)
	case prEmailAddress:
		r.keepProperty(&r.row.address)
	case prSMTPAddress:
		r.keepProperty(&r.row.smtp)
	}
}

// time reads a time ([MS-DTYP] 2.3.3): hundreds of nanoseconds since 1601, UTC. MAPI's "no time" is in the
// year 4501. The times of attributes such as attDateSent are not read: they are in nobody knows which zone.
func (r *Reader) time() time.Time {
	const second, epoch = 10_000_000, -11_644_473_600
	var b [8]byte
	if r.list.typ != typeTime || r.take(b[:]) < len(b) {
		return time.Time{}
	}
	n := binary.LittleEndian.Uint64(b[:])
	t := time.Unix(int64(n/second)+epoch, int64(n%second)*100).UTC()
	if y := t.Year(); y < 1900 || y > 4500 {
		return time.Time{}
	}
	return t
}
