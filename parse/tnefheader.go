package parse

import (
	"strings"
	"time"

	"mailflume/parse/tnef"
)

// tnefHeader returns the header that the message in a TNEF stream would have as mail, made of what the
// stream says of it: nil if that is nothing. It has no issues, for nobody sent it.
func tnefHeader(m *tnef.Message) *Header {
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	if !m.Sent.IsZero() {
		field("Date", m.Sent.Format(time.RFC1123Z))
	}
	if id := strings.Trim(oneLine(m.MessageID), " <>"); id != "" {
		field("Message-ID", "<"+id+">")
	}
	field("Subject", oneLine(m.Subject))
	field("From", mailbox(m.From))
	for _, to := range [...]struct {
		name string
		who  []tnef.Person
	}{{"To", m.To}, {"Cc", m.Cc}, {"Bcc", m.Bcc}} {
		for _, p := range to.who {
			field(to.name, mailbox(p)) // each for itself: a field is of limited length
		}
	}
	if b.Len() == 0 {
		return nil
	}
	h := reportHeader("utf-8")
	w := newWindow(strings.NewReader(b.String() + "\r\n"))
	w.sum = nil
	readHeader(&w, h, true)
	w.free()
	return h
}

// mailbox writes a mailbox of an address field (RFC 5322 section 3.4).
func mailbox(p tnef.Person) string {
	name := oneLine(p.Name)
	if name != "" {
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	address := strings.NewReplacer("<", "", ">", "", " ", "").Replace(oneLine(p.Address))
	if address == "" {
		return name
	}
	return strings.TrimLeft(name+" <"+address+">", " ")
}

// oneLine returns s in one line.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}
