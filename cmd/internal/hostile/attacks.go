package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// attack makes a hostile message whose size grows with n.
type attack struct {
	name string
	n    int // at full size
	make func(w *output, n int)
}

// output takes a message. Its errors come from Flush: a bufio.Writer keeps the first.
type output struct{ b *bufio.Writer }

func (w *output) add(s string) { _, _ = w.b.WriteString(s) }

// Write implements io.Writer.
func (w *output) Write(b []byte) (int, error) { return w.b.Write(b) }

// fields begins every message.
const fields = "From: a@example.org\r\nTo: b@example.org\r\nDate: Tue, 10 Nov 2026 08:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n"

// write makes the message of n units in a file. It never lies in memory: the peak of a program started
// from here counts ours too.
func (a attack) write(name string, n int) (size int64, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := &output{bufio.NewWriter(f)}
	a.make(w, n)
	if err := w.b.Flush(); err != nil {
		return 0, err
	}
	return f.Seek(0, io.SeekEnd)
}

// attacks returns all of them.
func attacks() []attack {
	var all []attack
	for _, group := range [][]attack{onStructure(), onHeaders(), onAddresses(), onWords(), onBodies(), onContainers(), onText()} {
		all = append(all, group...)
	}
	return all
}

// header puts value into a field of an otherwise everyday message.
func header(name string, value func(w *output, n int)) func(*output, int) {
	return func(w *output, n int) {
		w.add(fields + name + ": ")
		value(w, n)
		w.add("\r\n\r\nhi\r\n")
	}
}

// times repeats unit n times between before and after.
func times(before, unit, after string) func(*output, int) {
	return func(w *output, n int) {
		w.add(before)
		for range n {
			w.add(unit)
		}
		w.add(after)
	}
}

// numbered repeats format with the numbers up to n.
func numbered(before, format, after string) func(*output, int) {
	return func(w *output, n int) {
		w.add(before)
		for i := range n {
			fmt.Fprintf(w, format, i)
		}
		w.add(after)
	}
}

// nested opens n multiparts inside of each other and closes none.
func nested(w *output, n int) {
	w.add(fields)
	for i := range n {
		fmt.Fprintf(w, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
}

func onStructure() []attack {
	mixed := fields + "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	return []attack{
		{"nested-open", 30_000, func(w *output, n int) { nested(w, n); w.add("\r\nhi\r\n") }},
		{"nested-closed", 10_000, func(w *output, n int) {
			nested(w, n)
			w.add("\r\nhi")
			for i := n - 1; i >= 0; i-- {
				fmt.Fprintf(w, "\r\n--b%d--\r\n", i)
			}
		}},
		{"nested-dashes", 200_000, func(w *output, n int) {
			nested(w, 100)
			times("\r\n", "--b7 is no delimiter\r\n", "")(w, n)
		}},
		{"open-in-turn", 20_000, func(w *output, n int) {
			nested(w, 90)
			for i := range n {
				fmt.Fprintf(w, "\r\n--b%d\r\n\r\n", 89-i%90)
			}
		}},
		{"same-boundary", 30_000, times(mixed, "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", "--b--\r\n")},
		{"parts-empty", 1_000_000, times(mixed, "--b\r\n\r\n", "--b--\r\n")},
		{"parts-files", 200_000, times(mixed, "--b\r\nContent-Type: x/y; name=z\r\nContent-Disposition: attachment\r\n\r\nq\r\n", "--b--\r\n")},
		{"dash-lines", 1_000_000, times(mixed, "--bc\r\n", "--b--\r\n")},
		{"boundary-100k", 200, times(fields+"Content-Type: multipart/mixed; boundary=\""+strings.Repeat("a", 100_000)+"\"\r\n\r\n", "--"+strings.Repeat("a", 99_999)+"b\r\n", "")},
		{"after-close", 500_000, times(mixed+"--b\r\n\r\nhi\r\n--b--\r\n", "--b\r\n\r\n", "")},
		{"digest", 100_000, times(fields+"Content-Type: multipart/digest; boundary=b\r\n\r\n", "--b\r\n\r\nSubject: x\r\n\r\n", "--b--\r\n")},
	}
}

func onHeaders() []attack {
	return []attack{
		{"fields", 500_000, numbered(fields, "X-%d: v\r\n", "\r\nhi\r\n")},
		{"fields-same", 500_000, times(fields, "To: u@example.org\r\n", "\r\nhi\r\n")},
		{"field-long", 10_000_000, times(fields+"Subject: ", "A", "\r\n\r\nhi\r\n")},
		{"folds", 500_000, times(fields+"Subject: x\r\n", " y\r\n", "\r\nhi\r\n")},
		{"folds-blank", 500_000, times(fields+"Subject: x\r\n", " \r\n", "X: y\r\n\r\nhi\r\n")},
		{"blank-first", 500_000, times("", "\r\n", fields+"\r\nhi\r\n")},
		{"no-colon", 500_000, times("", "a line that is no field\r\n", "")},
		{"colons", 2_000_000, times(fields, ":", "\r\n\r\nhi\r\n")},
		{"bare-cr", 1_000_000, times("From: a@example.org\r", "X: y\r", "\rhi")},
		{"received", 100_000, times(fields, "Received: from a by b; Tue, 10 Nov 2026 08:00:00 +0000\r\n", "\r\nhi\r\n")},
		{"auth-results", 100_000, times(fields+"Authentication-Results: x", "; spf=pass (((( smtp.mailfrom=a", "\r\n\r\nhi\r\n")},
		{"list-unsubscribe", 200_000, times(fields+"List-Unsubscribe: ", "<https://example.org/u>,", "\r\n\r\nhi\r\n")},
		{"content-type-twice", 200_000, times(fields, "Content-Type: text/plain; charset=utf-8\r\n", "\r\nhi\r\n")},
		{"parameters", 100_000, numbered(fields+"Content-Type: x/y", "; p%d=v", "\r\n\r\nhi\r\n")},
		{"rfc2231", 100_000, numbered(fields+"Content-Disposition: attachment", ";\r\n filename*%d*=a%%20", "\r\n\r\nhi\r\n")},
		{"rfc2231-backwards", 30_000, func(w *output, n int) {
			w.add(fields + "Content-Disposition: attachment")
			for i := n; i > 0; i-- {
				fmt.Fprintf(w, "; filename*%d=a", i)
			}
			w.add("\r\n\r\nhi\r\n")
		}},
		{"date-comments", 500_000, header("Date", times("Tue, 10 Nov 2026 ", "((a)", ""))},
		{"message-id", 500_000, header("References", times("", "<", ""))},
		{"message-ids", 100_000, header("References", numbered("", "<%d@example.org>\r\n ", ""))},
	}
}
