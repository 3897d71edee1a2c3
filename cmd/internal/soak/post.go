package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Post is the mail of a run.
type Post struct{ Options }

// each is how many messages a mailbox gets in all.
func (p Post) each() int { return p.Messages / p.Boxes }

// due is how many messages mailbox b has after so many rounds. Some get a few in every round, others
// many at once.
func (p Post) due(b, rounds int) int {
	if rounds >= p.Rounds {
		return p.each()
	}
	bursts := [...]int{1, 2, 5, 20}
	every := bursts[b%len(bursts)]
	return p.each() * max(0, (rounds+b)/every*every-b) / p.Rounds
}

// box is the name of mailbox b; pop3 says how it is read.
func (p Post) box(b int) string  { return fmt.Sprintf("box%02d", b) }
func (p Post) pop3(b int) bool   { return b%4 == 3 }
func (p Post) user(b int) string { return p.box(b) + "@soak.example" }

// after is the post-action of mailbox b: a few lose what was delivered, so that nothing can be
// read twice there.
func (p Post) after(b int) string {
	switch b % 8 {
	case 2, 3:
		return "delete"
	case 1:
		return "seen"
	}
	return "none"
}

// Sizes of messages.
const (
	longEvery = 1000      // one in so many is streamed instead of buffered
	longSize  = 540 << 10 // octets of its attachment, before encoding; twice that, which the store streams too, in every second mailbox
)

// message is number n, from 1 on, of mailbox b.
func (p Post) message(b, n int) []byte {
	src := rand.NewPCG(p.Seed, uint64(b)<<32|uint64(n))
	rnd := rand.New(src)
	var m bytes.Buffer
	fmt.Fprintf(&m, "Date: %s\r\nFrom: Soak <sender@soak.example>\r\nTo: %s\r\nSubject: number %d of %s\r\nMessage-ID: <%s>\r\nMIME-Version: 1.0\r\n",
		time.Unix(1_790_000_000+int64(n), 0).UTC().Format(time.RFC1123Z), p.user(b), n, p.box(b), p.id(b, n))
	attached := 0
	switch {
	case (n+137*b)%longEvery == longEvery/2:
		attached = longSize << (b % 2)
	case n%10 == 0:
		attached = 200 + rnd.IntN(2000)
	}
	text := func() {
		m.WriteString("Content-Type: text/plain; charset=utf-8\r\n\r\n")
		for range 1 + rnd.IntN(12) {
			fmt.Fprintf(&m, "%x %x %x\r\n", rnd.Uint64(), rnd.Uint64(), rnd.Uint64())
		}
	}
	if attached == 0 {
		text()
		return m.Bytes()
	}
	m.WriteString("Content-Type: multipart/mixed; boundary=soak\r\n\r\n--soak\r\n")
	text()
	m.WriteString("--soak\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n")
	raw := make([]byte, attached)
	for i := range raw {
		raw[i] = byte(src.Uint64())
	}
	for enc := base64.StdEncoding.EncodeToString(raw); enc != ""; {
		line := enc[:min(76, len(enc))]
		enc = enc[len(line):]
		m.WriteString(line + "\r\n")
	}
	m.WriteString("--soak--\r\n")
	return m.Bytes()
}

// attachment returns the octets that are attached to a message, nil if there are none.
func attachment(message []byte) []byte {
	_, after, found := bytes.Cut(message, []byte("filename=a.bin\r\n\r\n"))
	text, _, _ := bytes.Cut(after, []byte("--soak--"))
	octets, err := base64.StdEncoding.DecodeString(string(text))
	if !found || err != nil {
		return nil
	}
	return octets
}

// id is the Message-ID of a message, which says what it is.
func (p Post) id(b, n int) string { return fmt.Sprintf("%d.%d.%d@soak.example", b, n, p.Seed) }

// number is the number that a Message-ID of mailbox b says.
func (p Post) number(b int, id string) (n int, ok bool) {
	f := strings.Split(id, ".")
	if len(f) < 2 {
		return 0, false
	}
	n, err := strconv.Atoi(f[1])
	return n, err == nil && n >= 1 && n <= p.each() && id == p.id(b, n)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
