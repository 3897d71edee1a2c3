package natsjs

import "github.com/nats-io/nats.go"

// A link is an event as the messages after it know it: claims and snapshots too, so that the chain
// goes on from there when the event itself has expired. The zero link stands before the first event.
//
// Mf-Prev alone chains nothing: it is no part of what the next one is made of, and whoever changes a
// body has to change one header to match. The sum is over everything before, so that one number
// stands for the whole history.
type link struct {
	last uint64 // sequence of the event
	head string // SHA-256 of its body
	sum  string // SHA-256 of the sum before it, followed by head; both in hex
}

// next is the link of an event that comes after l.
func (l link) next(seq uint64, body []byte) link {
	head := digest(body)
	return link{last: seq, head: head, sum: digest([]byte(l.sum + head))}
}

// write puts the link into the headers of a message that comes after it.
func (l link) write(h nats.Header) {
	h.Set(hdrLast, number(l.last))
	if l.head != "" {
		h.Set(hdrPrev, l.head)
	}
	if l.sum != "" { // older logs have none
		h.Set(hdrChain, l.sum)
	}
}

// linkOf reads the event before from a message's headers; ok is false if they do not tell.
func linkOf(h nats.Header) (l link, ok bool) {
	last, ok := headerNumber(h, hdrLast)
	return link{last: last, head: h.Get(hdrPrev), sum: h.Get(hdrChain)}, ok
}
