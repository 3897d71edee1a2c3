package pop3source

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"mailflume/ingest"
)

const (
	plainRef  = "p/" // the UIDL, escaped
	hashedRef = "h/" // SHA-256 of a UIDL that is too long to travel in a header
	// longestPlain is the longest escaped UIDL that is kept readable. RFC 1939 allows 70 octets.
	longestPlain = 210
)

// refOf names the occurrence-th message with this UIDL (1 for all but the odd maildrop).
func refOf(uidl string, occurrence int) ingest.Ref {
	ref := plainRef + escape(uidl)
	if len(ref) > longestPlain+len(plainRef) {
		sum := sha256.Sum256([]byte(uidl))
		ref = hashedRef + hex.EncodeToString(sum[:])
	}
	if occurrence > 1 {
		ref += "#" + strconv.Itoa(occurrence) // escape leaves no # in a UIDL
	}
	return ingest.Ref(ref)
}

// resetRef is the Ref of the event that begins a life.
func resetRef(life uint32) ingest.Ref {
	return ingest.Ref("r/" + strconv.FormatUint(uint64(life), 10))
}

func parseReset(r ingest.Ref) (life uint32, ok bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(string(r), "r/"), 10, 32)
	return uint32(n), err == nil && resetRef(uint32(n)) == r
}

// isRef tells whether a Ref of the log names a message of a maildrop.
func isRef(r ingest.Ref) bool {
	return strings.HasPrefix(string(r), plainRef) || strings.HasPrefix(string(r), hashedRef)
}

// distinct is the UIDL under which an occurrence is published: event ids are made of it. A UIDL has
// no spaces (RFC 1939 section 7), so it collides with none.
func distinct(uidl string, occurrence int) string {
	if occurrence == 1 {
		return uidl
	}
	return uidl + " #" + strconv.Itoa(occurrence)
}

// escape keeps the octets that are safe anywhere and writes the others as %XX: each UIDL has one
// escaped form and the other way round.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; isPlain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isPlain keeps what a header, a URL path and a shell word take unescaped, and no # or %.
func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~<>@=+:,", c) >= 0
}
