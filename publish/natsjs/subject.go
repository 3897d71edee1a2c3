package natsjs

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"mailflume/publish"
)

// DefaultPrefix is the subject prefix of every mailbox's log.
const DefaultPrefix = "mail.v1"

// maxToken bounds a subject token in bytes; longer ones become a digest.
const maxToken = 128

// The types of the messages that are part of a log without being events. Consumers never see them:
// [Conn.Events] filters on the event types.
const (
	typeClaim   = "claim"
	typeCursorA = "cursor-a-"
	typeCursorB = "cursor-b-"
)

// Token makes any string one subject token: ASCII letters become lower case, a-z, 0-9, _ and - are
// kept, every other byte becomes =XX, and a token of more than 128 bytes becomes =h and the first
// 32 hex digits of the SHA-256 of its escaped form. The empty string becomes "=", which no other
// string does. The characters that NATS gives a meaning (. * > and space) never survive: the
// server stores a subject with a literal wildcard without complaint, so nothing else would stop one.
//
// Letter case is folded, so strings that differ in nothing else share a token.
func Token(s string) string {
	if s == "" {
		return "="
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			const digits = "0123456789ABCDEF"
			b.WriteByte('=')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	if b.Len() <= maxToken {
		return b.String()
	}
	sum := sha256.Sum256([]byte(b.String()))
	return "=h" + hex.EncodeToString(sum[:16])
}

// boxRoot returns the subject all messages of box's log lie under, without the final token.
func boxRoot(prefix string, box publish.Key) string {
	return prefix + "." + Token(box.Tenant) + "." + Token(box.Mailbox)
}

// eventTypes lists every event type of the contract.
func eventTypes() []publish.EventType {
	return []publish.EventType{
		publish.Received, publish.Quarantined, publish.Reset,
		publish.AuthFailed, publish.Stalled, publish.Recovered,
	}
}

// lastToken returns what follows the last dot of subject.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// isEvent reports whether subject is that of an event, as opposed to a claim or a cursor.
func isEvent(subject string) bool {
	t := lastToken(subject)
	return t != typeClaim && !strings.HasPrefix(t, typeCursorA) && !strings.HasPrefix(t, typeCursorB)
}
