package main

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"mailflume/ingest/imapsource/imaptest"
)

// row is one fault, done in one way or several, each by a server of its own.
type row struct {
	id, name string
	ways     []way
}

// way is how one server is hostile.
type way struct {
	greeting string // of the script, as in imaptest.Script
	caps     string
	rules    []imaptest.Rule
	serve    func(net.Conn) // instead of the script
	tls      func(*certificates) *tls.Config
	clear    bool // serve gets the connection before TLS
	reset    bool // the connection ends with RST
}

const (
	hi      = "Subject: x\r\n\r\nhi\r\n" // 18 octets
	whole   = "* 1 FETCH (UID 1 BODY[] {18}\r\n" + hi + ")\r\n"
	done    = "{tag} OK done\r\n"
	block   = 32 << 10 // a flood is so much each millisecond
	instant = time.Millisecond
)

// flood is an endless run of the same octets.
func flood(s string) (then string) { return strings.Repeat(s, block/len(s)) }

// on answers every command that begins with one word, endless ones by then.
func on(command, answer, then string) imaptest.Rule {
	return imaptest.Rule{Command: command, Answers: []string{answer}, Then: then, Every: instant}
}

// body answers what asks for messages.
func body(answers ...string) imaptest.Rule {
	return imaptest.Rule{Command: "UID FETCH", Has: "BODY", Answers: answers}
}

// cut answers what asks for messages with the beginning of a good answer.
func cut(octets int) imaptest.Rule {
	return imaptest.Rule{Command: "UID FETCH", Has: "BODY", Answers: []string{(whole + done)[:octets]}, Hangup: true}
}

// inbox is a folder with n messages, from UID 1 without a gap, as its listing tells.
func inbox(n int) []imaptest.Rule {
	return []imaptest.Rule{examine(n, 7, n+1), {Command: "UID FETCH", Answers: []string{list(1, n, "18") + done}}, {Command: "IDLE", Answers: []string{"+ idling\r\n"}}}
}

func examine(n, validity, next int) imaptest.Rule {
	return imaptest.Rule{Command: "EXAMINE", Answers: []string{exists(n, validity) + fmt.Sprintf("* OK [UIDNEXT %d] ok\r\n", next) + done}}
}

func exists(n, validity int) string {
	return fmt.Sprintf("* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n", n, validity)
}

func list(from, to int, size string) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "* %d FETCH (UID %d FLAGS () INTERNALDATE \"17-Jul-2026 02:44:25 -0700\" RFC822.SIZE %s)\r\n", i, i, size)
	}
	return b.String()
}

// one is a script's way: rules before those of a folder with one message.
func one(rules ...imaptest.Rule) way { return way{rules: append(rules, inbox(1)...)} }

// sized announces a message's size in the listing and gives the message.
func sized(size string, answer string) way {
	return way{rules: []imaptest.Rule{body(answer), examine(1, 7, 2), {Command: "UID FETCH", Answers: []string{list(1, 1, size) + done}}}}
}

// idling answers IDLE, and what asks for the message before it.
func idling(answer, then string, hangup bool) way {
	return one(body(whole+done), imaptest.Rule{Command: "IDLE", Answers: []string{answer}, Then: then, Every: instant, Hangup: hangup})
}

// reset ends the connection of a way by RST.
func reset(w way) way {
	w.reset = true
	return w
}

// rows are the faults of IMAP servers, in the order of their numbers.
func rows() []row {
	all := slices.Concat(wire(), folders(), service())
	slices.SortFunc(all, func(a, b row) int { return cmp.Or(cmp.Compare(len(a.id), len(b.id)), cmp.Compare(a.id, b.id)) })
	return all
}

// wire are the faults of the octets themselves.
func wire() []row {
	return []row{
		{"I1", "no greeting, or a slow one", []way{
			{greeting: "-"}, {serve: drip("* OK ready\r\n", 700*time.Millisecond)}, {serve: func(net.Conn) {}}, {clear: true, serve: silent}, {clear: true, serve: func(net.Conn) {}},
		}},
		{"I2", "endless greeting, line, string, flood", []way{
			{serve: endless("* OK " + flood("x"))},
			one(on("UID FETCH", `* 1 FETCH (ENVELOPE ("`, flood("x"))),
			one(on("EXAMINE", "", flood("* OK still here, still here\r\n"))),
			one(on("UID FETCH", "* 1 FETCH (ENVELOPE (NIL {4294967295}\r\n", flood("x"))),
			one(on("UID FETCH", "* OK ", flood("x"))),
		}},
		{"I3", "nested lists without end", []way{
			one(on("UID FETCH", "* 1 FETCH (BODYSTRUCTURE ", flood("("))),
			one(on("EXAMINE", "* 1 FETCH (BODYSTRUCTURE ", flood("("))),
			one(on("UID FETCH", "* 1 FETCH (FLAGS ", flood("("))),
			one(on("CAPABILITY", "* LIST ", flood("("))),
			one(on("EXAMINE", "* THREAD ", flood("(1 "))),
		}},
		{"I4", "cut in mid message, by FIN and by RST", []way{
			one(cut(31)), reset(one(cut(39))), one(cut(47)), one(cut(len(whole))), reset(one(cut(len(whole) + 2))),
		}},
		{"I5", "sizes that lie", []way{
			sized("0", whole+done), sized("-1", whole+done), sized("9223372036854775807", whole+done),
			sized("18", "* 1 FETCH (UID 1 BODY[] {10}\r\n"+hi+")\r\n"+done), sized("36", "* 1 FETCH (UID 1 BODY[] {30}\r\n"+hi+")\r\n"+done),
		}},
		{"I6", "endless literals", []way{
			one(imaptest.Rule{Command: "UID FETCH", Has: "BODY", Answers: []string{"* 1 FETCH (UID 1 BODY[] {9223372036854775807}\r\n"}, Then: flood("x"), Every: instant}),
			one(imaptest.Rule{Command: "UID FETCH", Has: "BODY", Answers: []string{"* 1 FETCH (UID 1 BODY[] {157286400}\r\nSubject: x\r\n\r\n"}, Then: strings.Repeat("x", 4096), Every: 2 * instant}),
			one(imaptest.Rule{Command: "UID FETCH", Has: "BODY", Answers: []string{`* 1 FETCH (UID 1 BODY[] "`}, Then: flood("x"), Every: instant}),
			one(imaptest.Rule{Command: "UID FETCH", Has: "BODY", Answers: []string{"* 1 FETCH (UID 1 BODY[] {157286400}\r\nSubject: "}, Then: strings.Repeat("x", 4096), Every: 2 * instant}),
		}},
		{"I7", "half-open: silence for ever", []way{
			one(body()), one(body(whole[:40])), one(body(whole+done), imaptest.Rule{Command: "IDLE"}), one(imaptest.Rule{Command: "EXAMINE"}),
			one(imaptest.Rule{Command: "AUTHENTICATE"}),
		}},
		{"I8", "an octet now and then", []way{
			one(imaptest.Rule{Command: "UID FETCH", Has: "BODY", Answers: []string{"* 1 FETCH (UID 1 BODY[] {90000}\r\n" + strings.Repeat("x", 90_000)}, Pace: 500 * time.Millisecond}),
			one(imaptest.Rule{Command: "EXAMINE", Answers: []string{exists(1, 7) + done}, Pace: 500 * time.Millisecond}),
			one(imaptest.Rule{Command: "UID FETCH", Answers: []string{list(1, 1, "18") + done}, Pace: 100 * time.Millisecond}),
		}},
		{"I16", "garbage, NUL, 8-bit, wrong tag", []way{
			{serve: endless(garbage())}, one(on("EXAMINE", "* \x00\x00 EXISTS\r\n"+done, "")), one(on("UID FETCH", "* 1 FETCH (UID 1\n\n\nFLAGS (\xff\xfe))\r\n"+done, "")),
			one(on("UID FETCH", "X9 OK done\r\n", "")), one(on("EXAMINE", garbage(), "")),
		}},
	}
}
