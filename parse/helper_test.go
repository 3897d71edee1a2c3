package parse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// leaf is what a test keeps of a part.
type leaf struct {
	Part
	body, raw string // raw: the octets in the message, of parts of its own
}

// message is what a test keeps of a message.
type message struct {
	header *Header
	proper *Header // of the message itself; of walkFrom only, like what follows
	about  *Summary
	kind   string
	parts  []leaf
	issues []Issue
	digest Digest
}

// readFrom reads a whole message, every part of it by itself: none is gone into.
func readFrom(in io.Reader, lim Limits) (m message, err error) {
	var all bytes.Buffer
	r := NewReader(io.TeeReader(in, &all), lim)
	m.header = r.Header()
	for {
		p, err := r.Next()
		if err != nil {
			m.issues, m.digest = r.Issues(), r.Digest()
			return m, transportError(err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			return m, err
		}
		l := leaf{Part: *p, body: string(body)}
		if start, end := p.Range(); end > start {
			l.raw = string(all.Bytes()[start:end])
		}
		m.parts = append(m.parts, l)
	}
}

// walkFrom reads a whole message and all that its parts hold: bodies come through a Tee.
func walkFrom(in io.Reader, lim Limits) (m message, err error) {
	r := NewReader(in, lim)
	m.header = r.Header()
	var bodies []*bytes.Buffer
	var found []*Part
	for {
		p, err := r.Next()
		if err != nil {
			m.issues, m.digest = r.Issues(), r.Digest()
			m.proper, m.about = r.Message(), r.Summary()
			m.kind, _ = r.Classify()
			for i, p := range found {
				m.parts = append(m.parts, leaf{Part: *p, body: bodies[i].String()})
			}
			return m, transportError(err)
		}
		found, bodies = append(found, p), append(bodies, new(bytes.Buffer))
		if p.holds() != holdsNothing {
			p.Tee(bodies[len(bodies)-1])
		} else if _, err := io.Copy(bodies[len(bodies)-1], p); err != nil {
			return m, err
		}
	}
}

// transportError returns err unless it is the end itself. An error that wraps io.EOF is one.
func transportError(err error) error {
	if end := io.EOF; err == end {
		return nil
	}
	return err
}

// read reads a message written with LF line ends as one with CRLF.
func read(t testing.TB, msg string) message {
	t.Helper()
	return readRaw(t, strings.ReplaceAll(msg, "\n", "\r\n"))
}

// readRaw reads a message exactly as it is.
func readRaw(t testing.TB, msg string) message {
	t.Helper()
	m, err := readFrom(strings.NewReader(msg), Limits{})
	if err != nil {
		t.Fatalf("reading from memory failed: %v", err)
	}
	return m
}

// tree shows the parts in short: path, role, type and body.
func (m message) tree() string {
	var b strings.Builder
	for _, p := range m.parts {
		fmt.Fprintf(&b, "%s %s %s %q\n", p.Path, p.Role, p.ContentType, p.body)
	}
	return b.String()
}

// codes lists the issues' codes.
func (m message) codes() []string {
	out := []string{}
	for _, is := range m.issues {
		out = append(out, is.Code)
	}
	return out
}

// dump shows everything a caller can see.
func (m message) dump() string {
	var b strings.Builder
	h := m.header
	date, raw, ok := h.Date()
	fmt.Fprintf(&b, "%q\n%q\n%v %q %v\n%q %q\n", h.Fields(), h.Addresses("From", "To", "Cc"), date, raw, ok, h.MessageID(), h.MessageIDs("References"))
	for _, p := range m.parts {
		fmt.Fprintf(&b, "%s %s %v %d %s %q %q %q %v %q %q %q %q %q\n%q\n%q\n", p.Path, p.Parent, p.Choices, p.Role, p.ContentType, p.Charset, p.UsedCharset,
			p.Disposition, p.Inline, p.Filename, p.FilenameRaw, p.ContentID, p.Encoding, p.Header.Fields(), p.body, p.raw)
	}
	about, _ := json.Marshal(m.about) // it is made of strings, numbers and times
	fmt.Fprintf(&b, "%s %s\n", m.kind, about)
	fmt.Fprintf(&b, "%v\n%x %d\n", m.issues, m.digest.SHA256, m.digest.Size)
	return b.String()
}

// wantCode fails unless the issue was reported.
func wantCode(t testing.TB, m message, code string) {
	t.Helper()
	if !slices.Contains(m.codes(), code) {
		t.Errorf("issue %s not reported, got %v", code, m.codes())
	}
}

// headerOf returns the header of a message that has only the given fields, LF line ends.
func headerOf(t testing.TB, fields string) *Header {
	t.Helper()
	return read(t, fields+"\n\nhi\n").header
}

// pieces reads n octets at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }
