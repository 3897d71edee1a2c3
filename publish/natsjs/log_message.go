package natsjs

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"

	"mailflume/publish"
)

// Headers of the log's messages. Consumers may read them; only this package writes them.
const (
	hdrFormat = "Mf-Format" // see formatVersion
	hdrClaim  = "Mf-Claim"  // token of the claim that wrote the message
	hdrWorker = "Mf-Worker"
	hdrRef    = "Mf-Ref"    // of the mail message an event was made from
	hdrRaw    = "Mf-Raw"    // size and half of the SHA-256 of that message's octets (publish.Content)
	hdrReplay = "Mf-Replay" // the event moves no position
	hdrLast   = "Mf-Last"   // sequence of the event before; 0: there was none
	hdrPrev   = "Mf-Prev"   // hex SHA-256 of the body of the event before; absent: there was none
	hdrChain  = "Mf-Chain"  // hex SHA-256 of the event before's Mf-Chain followed by this Mf-Prev; absent as that

	// On snapshots.
	hdrThrough    = "Mf-Through"    // the sequence up to which the snapshot covers the log
	hdrGeneration = "Mf-Generation" // counts snapshots up
	hdrPieces     = "Mf-Pieces"
	hdrPiece      = "Mf-Piece"  // SHA-256 of this piece
	hdrDigest     = "Mf-Digest" // SHA-256 of the snapshot

	hdrType   = "Content-Type"
	hdrRollup = "Nats-Rollup"
	hdrTTL    = "Nats-TTL"
	hdrMsgID  = "Nats-Msg-Id"
	hdrStream = "Nats-Expected-Stream"
	hdrFence  = "Nats-Expected-Last-Subject-Sequence"
	hdrFenced = "Nats-Expected-Last-Subject-Sequence-Subject"

	octetStream = "application/octet-stream"
	never       = "never"
)

// formatVersion is the log format this package writes and the newest it reads.
const formatVersion = 1

// Limits of what travels in headers.
const (
	maxRef      = 1536
	headerRoom  = 3072 // all headers of an event with the longest Ref, worker and mailbox names
	maxPieces   = 1024
	maxSnapshot = 256 << 20
)

// newToken returns a claim token.
func newToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}

// msgID hashes parts into a Nats-Msg-Id. The server keeps every id for its duplicate window, so it is
// cut to 130 bits.
func msgID(parts ...string) string { return publish.NewID(parts...)[:26] }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// message returns a message of the claim's log, fenced on the claim's last sequence.
func (c *claim) message(token, id string, body []byte) *nats.Msg {
	m := nats.NewMsg(c.root + "." + token)
	m.Data = body
	m.Header.Set(hdrFormat, strconv.Itoa(formatVersion))
	m.Header.Set(hdrClaim, c.token)
	if w := c.log.c.opt.Worker; w != "" {
		m.Header.Set(hdrWorker, w)
	}
	c.end.write(m.Header)
	m.Header.Set(hdrMsgID, id)
	m.Header.Set(hdrStream, c.log.stream.name)
	m.Header.Set(hdrFence, number(c.seq))
	m.Header.Set(hdrFenced, c.root+".>")
	return m
}

// keep makes m the only message of its subject, for as long as the stream lives.
func keep(m *nats.Msg) {
	m.Header.Set(hdrType, octetStream)
	m.Header.Set(hdrRollup, "sub")
	m.Header.Set(hdrTTL, never)
}

// checkRef refuses what cannot travel in a header.
func checkRef(ref publish.Ref) error {
	if len(ref) > maxRef {
		return fmt.Errorf("%w: the ref has %d bytes, at most %d travel in a header", publish.ErrTooLarge, len(ref), maxRef)
	}
	for i := range len(ref) {
		if ref[i] <= ' ' || ref[i] >= 0x7f {
			return fmt.Errorf("ref %q: only printable ASCII without spaces travels in a header", ref)
		}
	}
	return nil
}

// checkFormat refuses messages of a format newer than ours.
func (r *record) checkFormat() error {
	if r == nil {
		return nil
	}
	if v, err := strconv.Atoi(r.header.Get(hdrFormat)); err == nil && v > formatVersion {
		return fmt.Errorf("%w (format %d, this worker knows %d)", publish.ErrNewerFormat, v, formatVersion)
	}
	return nil
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// headerNumber reads a decimal header; ok is false if it is missing or no number.
func headerNumber(h nats.Header, key string) (n uint64, ok bool) {
	n, err := strconv.ParseUint(h.Get(key), 10, 64)
	return n, err == nil
}
