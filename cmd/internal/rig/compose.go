package rig

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// composer writes mail that looks like a company's: prose, a quoted-printable HTML copy of it and
// attachments of noise, which no compression between here and there makes smaller.
type composer struct {
	r   *rand.Rand
	buf bytes.Buffer
}

const vocabulary = `agreed amount annual attached balance before branch budget carrier change closing
confirm copy count cover date deadline depot draft early estimate extra figures final freight goods
harbour hours however item kindly later ledger licence list minutes month morning number offer office
order outline owner page paper parcel payment pallet please plan price quarter question receipt record
remains reply request return road room route sample schedule second sheet ship signed since stock
street summary table terms thanks today transfer until update vehicle version voucher week whether yard`

const (
	textLine  = 72
	plainOnly = 6000 // smaller messages have no attachment: there is no room for one
)

// message returns number i, of about size octets. Every line ends in CRLF.
func (c *composer) message(i, size int, when time.Time) []byte {
	c.buf.Reset()
	c.header(i, when)
	if size < plainOnly {
		c.printf("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n")
		c.prose(size - c.buf.Len())
		return bytes.Clone(c.buf.Bytes())
	}
	outer, inner := c.boundary("M"), c.boundary("A")
	c.printf("Content-Type: multipart/mixed;\r\n boundary=\"%s\"\r\n\r\n", outer)
	c.printf("--%s\r\nContent-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", outer, inner)
	c.bodies(inner, 400+c.r.IntN(1600))
	n := 1
	if size > 10*plainOnly {
		n += c.r.IntN(3)
	}
	room := (size - c.buf.Len() - 200*n) / n
	for k := range n {
		c.attachment(outer, i, k, room)
	}
	c.printf("--%s--\r\n", outer)
	return bytes.Clone(c.buf.Bytes())
}

func (c *composer) printf(format string, args ...any) { fmt.Fprintf(&c.buf, format, args...) }

func (c *composer) boundary(kind string) string {
	return fmt.Sprintf("=_%s%016x", kind, c.r.Uint64())
}

func (c *composer) header(i int, when time.Time) {
	from, hop := c.r.IntN(400), c.r.IntN(6)
	date := when.Format(time.RFC1123Z)
	c.printf("Return-Path: <person%d@example.net>\r\n", from)
	c.printf("Received: from out%d.example.net (out%d.example.net [192.0.2.%d])\r\n\tby in.example.org with ESMTPS id %08x;\r\n\t%s\r\n", hop, hop, 10+hop, c.r.Uint32(), date)
	c.printf("From: \"Person %d\" <person%d@example.net>\r\nTo: <box@example.org>\r\nSubject: %s\r\n", from, from, c.subject(i))
	c.printf("Date: %s\r\nMessage-ID: <%d.%08x@example.net>\r\nMIME-Version: 1.0\r\n", date, i, c.r.Uint32())
}

// subject makes every third one need an encoded word.
func (c *composer) subject(i int) string {
	s := fmt.Sprintf("%s %s %d", c.word(), c.word(), i)
	if c.r.IntN(3) > 0 {
		return s
	}
	return "=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte("Rückfrage: "+s+" für März")) + "?="
}

func (c *composer) word() string {
	words := strings.Fields(vocabulary)
	return words[c.r.IntN(len(words))]
}

// prose writes about n octets of lines.
func (c *composer) prose(n int) {
	words := strings.Fields(vocabulary)
	end, col := c.buf.Len()+n-2, 0
	for c.buf.Len() < end {
		w := words[c.r.IntN(len(words))]
		switch {
		case col == 0:
		case col+1+len(w) > textLine:
			c.buf.WriteString("\r\n")
			col = 0
		default:
			c.buf.WriteByte(' ')
			col++
		}
		c.buf.WriteString(w)
		col += len(w)
	}
	c.buf.WriteString("\r\n")
}

// bodies writes the same news twice, as people's programs do, n octets each.
func (c *composer) bodies(boundary string, n int) {
	c.printf("--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", boundary)
	c.prose(n)
	c.printf("--%s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", boundary)
	c.printf("<html><body><p style=3D\"margin:0\">Gr=C3=BC=C3=9Fe</p><pre>\r\n")
	c.prose(n)
	c.printf("</pre></body></html>\r\n--%s--\r\n", boundary)
}

// attachment writes a part whose encoded body has about room octets.
func (c *composer) attachment(boundary string, i, k, room int) {
	kind := [...]string{"application/pdf", "image/jpeg", "application/zip"}[k]
	name := fmt.Sprintf("%s-%d-%d.%s", c.word(), i, k, [...]string{"pdf", "jpg", "zip"}[k])
	c.printf("--%s\r\nContent-Type: %s; name=\"%s\"\r\nContent-Transfer-Encoding: base64\r\n", boundary, kind, name)
	c.printf("Content-Disposition: attachment; filename=\"%s\"\r\n\r\n", name)
	octets := max(room/78*57, 57) - c.r.IntN(3) // so that all three paddings occur
	c.buf.Grow(room + 2*lineChars)
	c.buf.Write(appendBase64(c.buf.AvailableBuffer(), c.noise(octets)))
}

func (c *composer) noise(n int) []byte {
	var seed [32]byte
	for i := range 4 {
		binary.LittleEndian.PutUint64(seed[8*i:], c.r.Uint64())
	}
	out := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(out) // it never fails
	return out
}

const (
	lineOctets = 57 // octets in a full line of 76 characters (RFC 2045 section 6.8)
	lineChars  = 76
)

// appendBase64 encodes in lines. Only the last call for a body may have a length that is not a
// multiple of lineOctets.
func appendBase64(dst, octets []byte) []byte {
	for len(octets) > 0 {
		n := min(lineOctets, len(octets))
		dst = base64.StdEncoding.AppendEncode(dst, octets[:n])
		dst = append(dst, '\r', '\n')
		octets = octets[n:]
	}
	return dst
}
