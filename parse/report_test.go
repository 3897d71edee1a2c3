package parse

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// reporterFunc is a reporter.
type reporterFunc func(code, detail string, lossy bool)

func (f reporterFunc) issue(code, detail string, lossy bool) { f(code, detail, lossy) }

// collect gives parts, each a media type and its octets, to their collectors in pieces of n.
func collect(n int, parts ...[2]string) (s Summary, told []string) {
	for _, p := range parts {
		typ, charset, _ := strings.Cut(p[0], "; charset=")
		issues := reporterFunc(func(code, detail string, lossy bool) { told = append(told, fmt.Sprint(code, " ", detail, " ", lossy)) })
		c := newCollector(typ, charset, issues)
		switch typ {
		case "journal":
			c = newJournalCollector(charset, issues)
		case "qmail":
			c = &qmailCollector{charset: charset, issues: issues}
		}
		for b := []byte(p[1]); len(b) > 0; b = b[min(n, len(b)):] {
			c.write(b[:min(n, len(b))])
		}
		c.finish(&s)
	}
	if s.Bounce == nil {
		s.Bounce = s.plain
	}
	s.kept, s.returned, s.plain = 0, "", nil
	return s, told
}

// status reads one delivery-status part written with LF line ends.
func status(t testing.TB, text string) *Bounce {
	t.Helper()
	s, _ := collect(1<<20, [2]string{"message/delivery-status", strings.ReplaceAll(text, "\n", "\r\n")})
	if s.Bounce == nil {
		t.Fatalf("no bounce in %q", text)
	}
	return s.Bounce
}

// at is a time in tests.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	when, ok := MailDate(s)
	if !ok {
		t.Fatalf("no date: %s", s)
	}
	return when
}

func TestABounceOfTwoRecipientsIsReadWhole(t *testing.T) {
	got := status(t, `Reporting-MTA: dns; mx1.example.org
X-Postfix-Queue-ID: 4QxYz
Original-Envelope-Id: env-1
Arrival-Date: Tue, 10 Nov 2026 08:00:00 +0100 (CET)

Final-Recipient: rfc822; priya@example.com
Original-Recipient: rfc822;team+2Bsales@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 5.1.1 <priya@example.com>: Recipient address
    rejected: User unknown

Final-Recipient: RFC822; <sara@example.com>
Action: Delayed
Status: 4.4.1 (connection timed out)
Diagnostic-Code: X-Postfix; connect to mail.example.com[192.0.2.25]:25: timed out
Last-Attempt-Date: Tue, 10 Nov 2026 09:00:00 +0100
Will-Retry-Until: Sun, 15 Nov 2026 09:00:00 +0100
`)
	want := &Bounce{
		ReportingMTA: "mx1.example.org", OriginalEnvelopeID: "env-1", ArrivalDate: at(t, "Tue, 10 Nov 2026 08:00:00 +0100"),
		Recipients: []BounceRecipient{
			{Address: "priya@example.com", OriginalAddress: "team+sales@example.net", Action: "failed", Status: "5.1.1", SMTPCode: 550,
				Diagnostic: "550 5.1.1 <priya@example.com>: Recipient address rejected: User unknown", DiagnosticType: "smtp", RemoteMTA: "mail.example.com"},
			{Address: "sara@example.com", Action: "delayed", Status: "4.4.1", Diagnostic: "connect to mail.example.com[192.0.2.25]:25: timed out",
				DiagnosticType: "x-postfix", LastAttempt: at(t, "Tue, 10 Nov 2026 09:00:00 +0100"), RetryUntil: at(t, "Sun, 15 Nov 2026 09:00:00 +0100")},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestRecipientsAreToldApartWhereverTheEmptyLinesAre(t *testing.T) {
	const one, two = "Final-Recipient: rfc822;a@example.com\nAction: failed\nStatus: 5.1.1\n", "Final-Recipient: rfc822;b@example.com\nAction: failed\nStatus: 5.2.2\n"
	for name, text := range map[string]string{
		"as it should be":          "Reporting-MTA: dns;mx.example.org\n\n" + one + "\n" + two,
		"no line before the first": "Reporting-MTA: dns;mx.example.org\n" + one + "\n" + two,
		"no lines at all":          "Reporting-MTA: dns;mx.example.org\n" + one + two,
		"many lines":               "\n\nReporting-MTA: dns;mx.example.org\n\n\n\n" + one + "\n \n\n" + two + "\n\n",
		"a line in a group":        "Reporting-MTA: dns;mx.example.org\n\n" + strings.Replace(one, "\nAction", "\n\nAction", 1) + "\n" + two,
		"a line after each":        strings.ReplaceAll("Reporting-MTA: dns;mx.example.org\n\n"+one+"\n"+two, "\n", "\n\n"),
		"doubled CR":               strings.ReplaceAll("Reporting-MTA: dns;mx.example.org\n\n"+one+"\n"+two, "\n", "\r\r"),
		"bare CR":                  strings.ReplaceAll("Reporting-MTA: dns;mx.example.org\n\n"+one+"\n"+two, "\n", "\r"),
		"mixed":                    "Reporting-MTA: dns;mx.example.org\r\n\n" + strings.ReplaceAll(one, "\n", "\r") + "\n" + two,
		"recipients first":         one + "\n" + two + "\nReporting-MTA: dns;mx.example.org\n",
		"action first":             "Action: failed\nStatus: 5.1.1\nFinal-Recipient: a@example.com\n\nAction: failed\nStatus: 5.2.2\nFinal-Recipient: b@example.com\n\nReporting-MTA: dns; mx.example.org",
	} {
		s, _ := collect(1000, [2]string{"message/delivery-status", text})
		var got []string
		for _, r := range s.Bounce.Recipients {
			got = append(got, r.Address+" "+r.Action+" "+r.Status)
		}
		if want := []string{"a@example.com failed 5.1.1", "b@example.com failed 5.2.2"}; !slices.Equal(got, want) || s.Bounce.ReportingMTA != "mx.example.org" {
			t.Errorf("%s: %q by %q", name, got, s.Bounce.ReportingMTA)
		}
	}
}

func TestAddressesOfReportsAreFoundHoweverTheyAreWritten(t *testing.T) {
	for line, want := range map[string]string{
		"Final-Recipient: rfc822; a@example.com":                                       "a@example.com",
		"Final-Recipient : rfc/822;a@example.com":                                      "a@example.com",
		"Final-Recipient: RFC822;<a@example.com> (the one)":                            "a@example.com",
		"Final-Recipient: rfc822; Ann <a@example.com>":                                 "a@example.com",
		"Final-Recipient: rfc822 (mail);\n a@\n example.com":                           "a@example.com",
		"Final-Recipient: a@example.com":                                               "a@example.com",
		"Final-Recipient: <a@example.com>":                                             "a@example.com",
		"Final-Recipient: rfc822; \"a b\"@example.com":                                 "\"a b\"@example.com",
		"Final-Recipient: utf-8; jos\xc3\xa9@example.com":                              "josé@example.com",
		`Final-Recipient: utf-8; jos\x{E9}@ex\x{E4}mple.com`:                           "josé@exämple.com",
		`Final-Recipient: utf-8; a\x{}\x{110000}\x{A}@example.com`:                     `a\x{}\x{110000}\x{A}@example.com`,
		"Final-Recipient: rfc822; jos+C3+A9@example.com":                               "josé@example.com",
		"Final-Recipient: rfc822; a+2Btag@example.com":                                 "a+tag@example.com",
		"Final-Recipient: rfc822; a+20@example.com":                                    "a+20@example.com",
		"Final-Recipient: rfc822; a+C3tag@example.com":                                 "a+C3tag@example.com",
		"Final-Recipient: x400; /C=DE/A= /S=Ann/":                                      "/C=DE/A= /S=Ann/",
		"Final-Recipient: LOCAL; |/usr/bin/vacation":                                   "|/usr/bin/vacation",
		"Final-Recipient: rfc822; root":                                                "root",
		"Original-Recipient: <a@example.com>":                                          "a@example.com",
		"X-Actual-Recipient: rfc822; b@example.com\nOriginal-Recipient: a@example.com": "b@example.com",
	} {
		if got := status(t, line+"\nAction: failed\n").Recipients; len(got) != 1 || got[0].Address != want {
			t.Errorf("%q: %+v, want %q", line, got, want)
		}
	}
}

func TestStatusAndDiagnosticSayWhatTheySay(t *testing.T) {
	for lines, want := range map[string]BounceRecipient{
		"Status: 5.1.1":                                          {Status: "5.1.1"},
		"Status: 5.1.10 (bad address)":                           {Status: "5.1.10"},
		"Status: 550 5.7.1":                                      {Status: "5.7.1"},
		"Status: 5.1":                                            {},
		"Status: 1.2.3.4":                                        {},
		"Status: 9.1.1":                                          {},
		"Diagnostic-Code: smtp;550-5.1.1 gone":                   {Diagnostic: "550-5.1.1 gone", DiagnosticType: "smtp", SMTPCode: 550},
		"Diagnostic-Code: 550 gone; for ever":                    {Diagnostic: "550 gone; for ever", SMTPCode: 550},
		"Diagnostic-Code: smtp; 5501 gone":                       {Diagnostic: "5501 gone", DiagnosticType: "smtp"},
		"Diagnostic-Code: X-Unix; 550":                           {Diagnostic: "550", DiagnosticType: "x-unix"},
		"Diagnostic-Code: X-Postfix; host mx said: 550 5.1.1 no": {Diagnostic: "host mx said: 550 5.1.1 no", DiagnosticType: "x-postfix", SMTPCode: 550},
		"Diagnostic-Code: smtp; 451 relay said: 550 no":          {Diagnostic: "451 relay said: 550 no", DiagnosticType: "smtp", SMTPCode: 451},
		"Diagnostic-Code: smtp; mx said: hello":                  {Diagnostic: "mx said: hello", DiagnosticType: "smtp"},
		"Diagnostic-Code: smtp; 550 no\nsuch user here":          {Diagnostic: "550 no such user here", DiagnosticType: "smtp", SMTPCode: 550},
		"Diagnostic-Code: smtp; 550 =?utf-8?q?Stra=C3=9Fe?=":     {Diagnostic: "550 Straße", DiagnosticType: "smtp", SMTPCode: 550},
		"Remote-MTA: dns; mx.example.com. (192.0.2.1, a server)": {RemoteMTA: "mx.example.com"},
		"Remote-MTA: mx.example.com":                             {RemoteMTA: "mx.example.com"},
	} {
		want.Address = "a@example.com"
		if got := status(t, "Final-Recipient: rfc822;a@example.com\n"+lines).Recipients; len(got) != 1 || got[0] != want {
			t.Errorf("%q: %+v", lines, got)
		}
	}
}

func TestTheReturnedMessageNamesItselfToTheReport(t *testing.T) {
	returned := [2]string{"message/rfc822", "Received: x\r\nSubject: x\r\nMessage-ID:\r\n <one@example.com>\r\n\r\nMessage-ID: <body@example.com>\r\n"}
	report := [2]string{"message/delivery-status", "Final-Recipient: rfc822;a@example.com\r\n"}
	receipt := [2]string{"message/disposition-notification", "Disposition: a/b; displayed\r\nOriginal-Message-ID: <two@example.com>\r\n"}
	complaint := [2]string{"message/feedback-report", "Feedback-Type: abuse\r\n"}
	headers := [2]string{"text/rfc822-headers", "\r\nMESSAGE-ID : three@example.com\r\n"}
	for _, n := range []int{1, 3, 1000} {
		if s, _ := collect(n, report, returned); s.Bounce.OriginalMessageID != "one@example.com" {
			t.Errorf("after the report: %+v", s.Bounce)
		}
		if s, _ := collect(n, returned, report); s.Bounce.OriginalMessageID != "one@example.com" {
			t.Errorf("before the report: %+v", s.Bounce)
		}
		if s, _ := collect(n, receipt, returned); s.Receipt.OriginalMessageID != "two@example.com" {
			t.Errorf("a receipt that says it itself: %+v", s.Receipt)
		}
		if s, _ := collect(n, complaint, headers); s.Complaint.OriginalMessageID != "three@example.com" {
			t.Errorf("headers only: %+v", s.Complaint)
		}
		if s, told := collect(n, returned); !reflect.DeepEqual(s, Summary{}) || told != nil {
			t.Errorf("a forwarded message is no report: %+v %v", s, told)
		}
	}
}

func TestReportsAreBounded(t *testing.T) {
	group := "Final-Recipient: rfc822;a@example.com\r\nDiagnostic-Code: smtp; " + strings.Repeat("x", 200) + "\r\n\r\n"
	s, told := collect(1<<20, [2]string{"message/delivery-status", strings.Repeat(group, 5_000)})
	if n := len(s.Bounce.Recipients); n > maxReportRecipients || !slices.Contains(told, IssueReportLimit+"  true") {
		t.Errorf("%d recipients, told %v", n, told)
	}
	var parts [][2]string
	for range 40 {
		parts = append(parts, [2]string{"message/delivery-status", strings.Repeat(strings.Replace(group, "x", strings.Repeat("x", 4000), 1), 60)})
	}
	s, _ = collect(1<<20, parts...)
	size := 0
	for _, r := range s.Bounce.Recipients {
		size += len(r.Diagnostic) + len(r.Address)
	}
	if size > maxSummary || len(s.Bounce.Recipients) > maxReportRecipients {
		t.Errorf("%d recipients hold %d octets", len(s.Bounce.Recipients), size)
	}
	if _, told := collect(1<<20, [2]string{"message/delivery-status", "hello, world\r\n"}); !slices.Contains(told, IssueReportBad+" no recipient false") {
		t.Errorf("told %v", told)
	}
}

func TestHostileReportsCostLittle(t *testing.T) {
	rep := func(s string) func(int) string { return func(n int) string { return strings.Repeat(s, n/len(s)) } }
	for _, p := range []struct {
		typ, begin string
		more       func(int) string
	}{
		{"message/delivery-status", "Final-Recipient: utf-8; ", rep(`\x{`)}, {"message/delivery-status", "Final-Recipient: rfc822; ", rep("(")},
		{"message/delivery-status", "", rep("a:\n")}, {"message/delivery-status", "", rep("Action: x\n\n")}, {"message/delivery-status", "Status: ", rep("1.")},
		{"message/feedback-report", "", rep("Reported-URI: x\n")}, {"message/rfc822", "", rep("Message-ID: <\n")},
		{"journal", "Sender: x\nTo:", rep(",a@b:")}, {"journal", "Sender: x\nTo:", rep(",Expanded: a@b")}, {"journal", "Sender: x\nTo: a@b", rep(" <")},
		{"text/calendar", "BEGIN:VEVENT\nSUMMARY;QUOTED-PRINTABLE:", rep("a=\n")}, {"text/calendar", "BEGIN:VEVENT\nSUMMARY", rep("a=\n ")},
		{"text/calendar", "", rep("BEGIN:X\n")}, {"text/calendar", "BEGIN:VEVENT\n", rep("X" + strings.Repeat(";a=\"", 15_000) + "\n")},
		{"text/calendar", "BEGIN:VEVENT\n", rep("ATTENDEE;CN=" + strings.Repeat("\"", 60_001) + ":mailto:a@b.c\n")},
	} {
		growsLinearly(t, p.typ+" "+p.begin, func(size int) { collect(4096, [2]string{p.typ, p.begin + p.more(32*size)}) })
	}
}

func TestAReportThatWasEncodedLikeABodyIsRead(t *testing.T) {
	const group = "Reporting-MTA: dns; mx1.example.org\r\nContent-Transfer-Encoding: "
	for _, c := range []struct{ report, recipients, told string }{
		{group + "base64\r\nContent-length: 76\r\n\r\nRmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFAZXhhbXBsZS5vcmcKQWN0aW9uOiBm\r\nYWlsZWQK\r\n", "a@example.org failed", "[report-encoded base64 false]"},
		{group + "quoted-printable\r\n\r\nFinal-Recipient: rfc822; a=40example.org\r\nAction: failed\r\n", "a@example.org failed", "[report-encoded quoted-printable false]"},
		{group + "base64\r\n\r\nRmluYWwtUmVjaXBpZW50OiBhCkFjdGlvbjogZmFpbGVkCg==\r\nA list's footer\r\n", "a failed",
			"[report-encoded base64 false base64-trailing text after the padding true]"},
		{group + "7bit\r\n\r\nFinal-Recipient: rfc822; a@example.org\r\nAction: failed\r\n", "a@example.org failed", "[]"},
		{"Reporting-MTA: dns; mx1.example.org\r\n\r\nFinal-Recipient: rfc822; a@example.org\r\nAction: failed\r\nContent-Transfer-Encoding: base64\r\n", "a@example.org failed", "[]"},
	} {
		s, told := collect(7, [2]string{"message/delivery-status", c.report})
		var got []string
		for _, r := range s.Bounce.Recipients {
			got = append(got, r.Address+" "+r.Action)
		}
		if got := strings.Join(got, ", "); got != c.recipients || fmt.Sprint(told) != c.told {
			t.Errorf("%q: got %q %v", c.report, got, told)
		}
	}
}
