package parse

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// nested is what a nester wants to find of a part, in document order.
type nested struct{ path, parent, origin, body string }

// nester writes random messages in messages, TNEF streams and signed objects, and says what is in them.
type nester struct {
	*rand.Rand
	n    int // of boundaries and files
	want []nested
}

// message writes a message whose part has number base.
func (g *nester) message(depth int, base, origin string, own bool) string {
	return fmt.Sprintf("Subject: %d\r\n", g.n) + g.entity(depth, base, base, origin, own, true)
}

// entity writes an entity, own: of the message itself. A root is that of a message with number path.
func (g *nester) entity(depth int, path, parent, origin string, own, root bool) string {
	g.n++
	n := g.n
	if depth > 0 && g.IntN(3) == 0 {
		var b strings.Builder
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n", n)
		for i := range 1 + g.IntN(3) {
			fmt.Fprintf(&b, "--b%d\r\n%s\r\n", n, g.entity(depth-1, joinPath(path, i+1), path, origin, own, false))
		}
		fmt.Fprintf(&b, "--b%d--\r\n", n)
		return b.String()
	}
	if root {
		path = joinPath(path, 1)
	}
	if g.IntN(5) == 0 {
		return g.text(path, parent, origin, own)
	}
	typ, body := g.file(depth, path, parent, origin, own)
	return g.encode("Content-Type: "+typ+"\r\n", body)
}

// text writes a text, which may hold a file. Nobody is shown the texts of a message inside.
func (g *nester) text(path, parent, origin string, own bool) string {
	text := fmt.Sprintf("text %d\r\n", g.n)
	if own {
		g.want = append(g.want, nested{path, parent, origin, text})
	}
	if g.IntN(2) == 0 {
		return "\r\n" + text
	}
	g.want = append(g.want, nested{path + ".1", path, OriginUuencode, "%PDF-"})
	if own {
		g.want = append(g.want, nested{path, parent, origin, "after\r\n"})
	}
	return "\r\n" + text + "begin 644 a.pdf\r\n%)5!$1BT \r\n`\r\nend\r\nafter\r\n"
}

// file writes a file, which may be a container.
func (g *nester) file(depth int, path, parent, origin string, own bool) (typ, body string) {
	at := len(g.want)
	g.want = append(g.want, nested{path: path, parent: parent, origin: origin})
	typ = "application/x-file"
	switch k := g.IntN(5); {
	case depth <= 0 || k == 0:
		body = fmt.Sprintf("file %d %s", g.n, strings.Repeat("x", g.IntN(100)))
	case k == 1:
		typ, body = "message/rfc822", g.message(depth-1, path, OriginMessage, false)
	case k == 2:
		typ, body = "application/ms-tnef", g.tnef(depth-1, path)
	case k == 3:
		typ, body = "application/pkcs7-mime; smime-type=signed-data", g.signed("MIME-Version: 1.0\r\n"+g.entity(depth-1, path, path, OriginSMIME, own, true))
	default:
		body = fmt.Sprintf("signed %d", g.n)
		g.want = append(g.want, nested{joinPath(path, 1), path, OriginSMIME, body})
		typ, body = "application/pkcs7-mime; smime-type=signed-data", g.signed(body)
	}
	g.want[at].body = body
	return typ, body
}

// tnef writes a stream of files and messages.
func (g *nester) tnef(depth int, path string) string {
	var b strings.Builder
	b.WriteString("\x78\x9f\x3e\x22\x0f\x01")
	for i := range 1 + g.IntN(3) {
		g.n++
		writeAttr(&b, 0x00069002, strings.Repeat("\x00", 14))
		writeAttr(&b, 0x00018010, fmt.Sprintf("f%d.bin\x00", g.n))
		at := len(g.want)
		g.want = append(g.want, nested{path: joinPath(path, i+1), parent: path, origin: OriginTNEF})
		if depth > 0 && g.IntN(2) == 0 {
			data := g.tnef(depth-1, joinPath(path, i+1))
			iid := "\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
			g.want[at].body = data
			prop := "\x01\x00\x00\x00\x0d\x00\x01\x37\x01\x00\x00\x00" + le(uint32(len(iid+data))) + iid + data
			writeAttr(&b, 0x00069005, prop+strings.Repeat("\x00", -len(data)&3))
			continue
		}
		g.want[at].body = fmt.Sprintf("tnef %d %s", g.n, strings.Repeat("y", g.IntN(2)*5000))
		writeAttr(&b, 0x0006800f, g.want[at].body)
	}
	return b.String()
}

func le(v uint32) string { return string(binary.LittleEndian.AppendUint32(nil, v)) }

// writeAttr writes an attribute of an attachment.
func writeAttr(b *strings.Builder, id uint32, data string) {
	b.WriteString("\x02" + le(id) + le(uint32(len(data))) + data)
	var sum uint16
	for i := range len(data) {
		sum += uint16(data[i])
	}
	b.Write(binary.LittleEndian.AppendUint16(nil, sum))
}

// signed writes an opaque-signed object in BER, its content in chunks, some of them empty.
func (g *nester) signed(content string) string {
	var b strings.Builder
	b.WriteString("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80\x24\x80")
	for len(content) > 0 {
		b.WriteString(strings.Repeat("\x04\x00", g.IntN(2)*150))
		n := min(len(content), 1+g.IntN(100))
		b.WriteString("\x04" + string(rune(n))[:1] + content[:n])
		content = content[n:]
	}
	return b.String() + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
}

// encode gives the body a transfer encoding. Lines of a message stay as they are, so that 8-bit and
// NUL go through only where nothing looks for lines.
func (g *nester) encode(fields, body string) string {
	if g.IntN(2) == 0 && !strings.Contains(body, "\r\n--") {
		return fields + "Content-Transfer-Encoding: binary\r\n\r\n" + body
	}
	var b strings.Builder
	for s := base64.StdEncoding.EncodeToString([]byte(body)); len(s) > 0; {
		n := min(len(s), 76)
		b.WriteString(s[:n] + "\r\n")
		s = s[n:]
	}
	return fields + "Content-Transfer-Encoding: base64\r\n\r\n" + strings.TrimSuffix(b.String(), "\r\n")
}
