package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// text makes message n, about 20 KB.
func text(n int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: sender@example.com\r\nTo: box@example.com\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"+
		"Message-ID: <%d@example.com>\r\nSubject: message %d\r\n\r\n", n, n)
	for line := range 300 {
		fmt.Fprintf(&b, "Line %d of message %d, which is long enough to be worth its octets.\r\n", line, n)
	}
	return b.Bytes()
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// received is one copy of a message as a program delivered it.
type received struct {
	n     int
	whole bool // it is what the server has
	aside bool // only set aside
}

// read recognises a delivered message. Programs add fields at its top, and a Maildir or SMTP has line
// ends of its own, so that what must be equal is the body.
func read(b []byte) received {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	head, body, _ := bytes.Cut(b, []byte("\n\n"))
	r := received{n: -1}
	for line := range strings.Lines(string(head)) {
		if s, ok := strings.CutPrefix(line, "Subject: message "); ok {
			if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
				r.n = n
			}
		}
	}
	_, want, _ := bytes.Cut(bytes.ReplaceAll(text(r.n), []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	r.whole = bytes.Equal(bytes.TrimRight(body, "\n"), bytes.TrimRight(want, "\n"))
	return r
}

// tally is what became of the messages of a trial.
type tally struct {
	lost, doubled, altered, aside int
	refused                       int // nobody can have them, and nothing says so
	stopped                       bool
	took                          time.Duration // from the fault to the last message
}

// count compares what was delivered with the messages 1 to sent, of which those from late on arrived
// after the fault, and one (0: none) cannot be had.
func count(got []received, sent, late, refused int) tally {
	t := tally{stopped: true}
	copies, bad, aside := map[int]int{}, map[int]bool{}, map[int]bool{}
	for _, r := range got {
		if r.aside {
			aside[r.n] = true
			continue
		}
		copies[r.n]++
		if !r.whole {
			bad[r.n] = true
		}
	}
	for n := 1; n <= sent; n++ {
		switch {
		case copies[n] == 0 && aside[n]:
			t.aside++
		case copies[n] == 0 && n == refused:
			t.refused++
		case copies[n] == 0:
			t.lost++
		default:
			t.doubled += copies[n] - 1
		}
		if n >= late && copies[n] > 0 {
			t.stopped = false
		}
	}
	t.altered = len(bad)
	return t
}

// slow is from when on a cell says how long it took.
const slow = 30 * time.Second

// String is a cell of the table.
func (t tally) String() string {
	var out []string
	for _, c := range []struct {
		n    int
		what string
	}{{t.lost, "lost"}, {t.doubled, "doubled"}, {t.altered, "altered"}} {
		if c.n > 0 {
			out = append(out, fmt.Sprintf("**%d %s**", c.n, c.what))
		}
	}
	if t.aside > 0 {
		out = append(out, fmt.Sprintf("%d set aside", t.aside))
	}
	if t.refused > 0 {
		out = append(out, fmt.Sprintf("%d left out", t.refused))
	}
	if t.stopped {
		out = append(out, "**stopped**")
	}
	if len(out) == 0 {
		out = append(out, "all once")
	}
	if t.took > slow && !t.stopped {
		out = append(out, "after "+t.took.Round(time.Second).String())
	}
	return strings.Join(out, ", ")
}
