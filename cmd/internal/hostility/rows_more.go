package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"mailflume/ingest/imapsource/imaptest"
)

// folders are the faults of what a folder holds.
func folders() []row {
	return []row{
		{"I10", "UIDVALIDITY changes each time", []way{
			{rules: append([]imaptest.Rule{body(whole + done), epochs(2000)}, inbox(1)...)},
			one(body("* OK [UIDVALIDITY 9] restored\r\n" + whole + done)),
			one(on("UID FETCH", "* OK [UIDVALIDITY 9] restored\r\n* 0 EXISTS\r\n"+done, "")),
		}},
		{"I11", "EXPUNGE in the middle of FETCH", []way{
			one(body("* 1 EXPUNGE\r\n" + whole + done)), one(body("* VANISHED 1:5\r\n" + done)), one(body("* 999 EXPUNGE\r\n* 0 EXISTS\r\n" + done)),
			one(body(whole + "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n" + done)), {rules: append([]imaptest.Rule{body("* 2 EXPUNGE\r\n" + whole + done)}, inbox(20)...)},
		}},
		{"I12", "UIDs that cannot be", []way{
			one(body("* 1 FETCH (UID 0 BODY[] {18}\r\n" + hi + ")\r\n" + done)), one(body("* 1 FETCH (UID 9 BODY[] {18}\r\n" + hi + ")\r\n" + done)),
			one(on("UID FETCH", "* 1 FETCH (UID 5)\r\n* 2 FETCH (UID 4)\r\n* 3 FETCH (UID 4)\r\n* 4 FETCH (UID 0)\r\n"+done, "")),
			one(on("EXAMINE", exists(3, 7)+done, "")), one(on("EXAMINE", exists(3, 7)+"* OK [UIDNEXT 4294967295] ok\r\n"+done, ""), body(whole+whole+done)),
		}},
		{"I13", "UIDs that turn up late", []way{
			{rules: append([]imaptest.Rule{body(bodies(20) + done), {Command: "UID FETCH", Answers: []string{list(11, 20, "18") + done, list(11, 20, "18") + done, list(1, 20, "18") + done}}}, inbox(20)...)},
		}},
		{"I14", "n:* names the last message", []way{one(body(whole + done))}},
		{"I15", "OK and no message", []way{
			one(body(done)), one(body("* 1 FETCH (UID 1 BODY[] NIL)\r\n" + done)), one(body("* 1 FETCH (UID 1 BODY[] ~{18}\r\n" + hi + ")\r\n" + done)),
			one(body("* 1 FETCH (UID 1 BODY[] \"hi\")\r\n" + done)), one(body("* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n" + done)),
		}},
		{"I20", "a million messages, 5 GB", []way{{serve: million}}},
	}
}

// service are the faults of signing in and of being served.
func service() []row {
	return []row{
		{"I9", "BYE", []way{
			{greeting: "* BYE too many connections\r\n"}, one(imaptest.Rule{Command: "EXAMINE", Answers: []string{"* BYE going down\r\n"}, Hangup: true}),
			idling("+ idling\r\n* BYE idle for too long\r\n", "", true), one(imaptest.Rule{Command: "UID FETCH", Answers: []string{"* BYE internal error\r\n"}, Hangup: true}),
			one(on("AUTHENTICATE", "{tag} NO [UNAVAILABLE] too many connections\r\n", "")),
		}},
		{"I17", "throttled", []way{
			one(body("{tag} BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds\r\n")), one(on("EXAMINE", "{tag} NO [UNAVAILABLE] busy\r\n", "")),
			one(on("UID FETCH", "{tag} NO [LIMIT] slow down\r\n", "")), one(on("EXAMINE", "{tag} NO [INUSE] locked\r\n", "")),
			one(imaptest.Rule{Command: "UID FETCH", Answers: []string{"* BYE Request is throttled. Suggested Backoff Time: 5000 milliseconds\r\n"}, Hangup: true}),
		}},
		{"I18", "capabilities come and go", []way{
			{caps: "LOGINDISABLED", rules: inbox(1)}, {caps: "AUTH=PLAIN", rules: append([]imaptest.Rule{body(whole + done)}, inbox(1)...)},
			one(on("AUTHENTICATE", "* CAPABILITY IMAP4rev1\r\n{tag} OK [CAPABILITY IMAP4rev1] in\r\n", ""), body(whole+done)),
			one(on("AUTHENTICATE", "{tag} NO [AUTHENTICATIONFAILED] no\r\n", "")), one(on("CAPABILITY", "* CAPABILITY\r\n"+done, "")),
		}},
		{"I19", "folders that are gone", []way{
			one(on("EXAMINE", "{tag} NO [NONEXISTENT] no such folder\r\n", "")), one(on("EXAMINE", "{tag} NO [REFERRAL imap://elsewhere.example/INBOX] moved\r\n", "")),
			one(on("EXAMINE", "{tag} NO [NOPERM] not yours\r\n", "")), one(on("UID FETCH", "{tag} NO folder was deleted\r\n", "")), one(on("EXAMINE", "{tag} BAD what\r\n", "")),
		}},
		{"I21", "TLS", []way{
			{tls: func(c *certificates) *tls.Config { return c.config(c.expired, tls.VersionTLS13) }},
			{tls: func(c *certificates) *tls.Config { return c.config(c.stranger, tls.VersionTLS13) }},
			{tls: func(c *certificates) *tls.Config { return c.config(c.good, tls.VersionTLS11) }},
			{clear: true, reset: true, serve: func(c net.Conn) { _, _ = c.Read(make([]byte, 64)) }}, {clear: true, serve: endless(garbage())},
		}},
		{"I22", "a storm of events in IDLE", []way{
			idling("+ idling\r\n", "* 1 EXISTS\r\n", false), idling("+ idling\r\n", "* 1 FETCH (FLAGS (\\Seen))\r\n", false),
			idling("+ idling\r\n", "* OK still here\r\n", false), idling("+ idling\r\n", "* 2 EXISTS\r\n* 2 RECENT\r\n* 2 EXPUNGE\r\n", false),
			idling("+ idling\r\n* 1 EXISTS\r\n", "", false),
		}},
	}
}

// epochs answers EXAMINE with another UIDVALIDITY each time.
func epochs(n int) imaptest.Rule {
	r := imaptest.Rule{Command: "EXAMINE"}
	for i := 1; i <= n; i++ {
		r.Answers = append(r.Answers, examine(1, i, 2).Answers...)
	}
	return r
}

func bodies(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "* %d FETCH (UID %d BODY[] {18}\r\n%s)\r\n", i, i, hi)
	}
	return b.String()
}
