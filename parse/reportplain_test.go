package parse

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

const qmailBounce = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: anna@example.com\nSubject: failure notice\n\n" +
	"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n" +
	"This is a permanent error; I've given up. Sorry it didn't work out.\n\n" +
	"<bob@example.org>:\n192.0.2.66 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\nGiving up on 192.0.2.66.\n\n" +
	"<carl@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n" +
	"--- Below this line is a copy of the message.\n\n" +
	"Return-Path: <anna@example.com>\nFrom: anna@example.com\nMessage-ID: <first@example.com>\nSubject: hello\n\n<dora@example.org>:\nMessage-ID: <no@example.com>\n"

func TestBouncesWithoutDeliveryStatusNameTheRecipients(t *testing.T) {
	exim := "Return-path: <>\nFrom: Mail Delivery System <Mailer-Daemon@mx.example.net>\nX-Failed-Recipients: bob@example.org,\n  carl@example.org\n" +
		"Subject: Mail delivery failed: returning message to sender\n\nThis message was created automatically.\n"
	qmail := &Bounce{OriginalMessageID: "first@example.com", Recipients: []BounceRecipient{
		{Address: "bob@example.org", Action: "failed", Status: "5.1.1", SMTPCode: 550, Diagnostic: "192.0.2.66 does not like recipient. Remote host said: 550 5.1.1 User unknown Giving up on 192.0.2.66."},
		{Address: "carl@example.org", Action: "failed", Status: "5.1.1", Diagnostic: "Sorry, no mailbox here by that name. (#5.1.1)"},
	}}
	failed := &Bounce{Recipients: []BounceRecipient{{Address: "bob@example.org", Action: "failed"}, {Address: "carl@example.org", Action: "failed"}}}
	cases := []struct {
		name, msg string
		want      *Bounce
	}{
		{"qmail", qmailBounce, qmail},
		{"qmail with another greeting", strings.Replace(qmailBounce, "Hi. This", "Hello. This", 1), nil},
		{"qmail's text from somebody", strings.Replace(qmailBounce, "MAILER-DAEMON@", "bob@", 1), nil},
		{"qmail's text with nobody", strings.ReplaceAll(qmailBounce, ">:\n", ">\n"), &Bounce{OriginalMessageID: "first@example.com"}},
		{"qmail's beginning alone", "From: MAILER-DAEMON@mx.example.net\nReturn-Path: <>\n\nHi. This is", nil},
		{"Exim", exim, failed},
		{"Exim with an empty field", strings.Replace(exim, "bob@example.org,\n  carl@example.org", "", 1), nil},
		{"a delivery status goes before", strings.Replace(exim, "\n\nThis", "\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; dora@example.org\nAction: failed\n\n--b--\nThis", 1),
			&Bounce{Recipients: []BounceRecipient{{Address: "dora@example.org", Action: "failed"}}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, msg := range []string{c.msg, strings.ReplaceAll(c.msg, "\n", "\r\n")} {
				r := NewReader(strings.NewReader(msg), Limits{})
				for _, err := r.Next(); err == nil; _, err = r.Next() {
					continue
				}
				if got := r.Summary().Bounce; !reflect.DeepEqual(got, c.want) {
					t.Errorf("got %+v\nwant %+v", got, c.want)
				}
			}
		})
	}
}

func TestABounceNamesTheMessageThatItAnswersIfNothingElseDoes(t *testing.T) {
	const daemon = "From: MAILER-DAEMON@mx.example.net\nReturn-Path: <>\nSubject: failure notice\n"
	const report = daemon + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n"
	const status = "\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; dora@example.org\n"
	const returned = "\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <returned@x>\n\nhello\n"
	cases := []struct{ name, msg, want string }{
		{"In-Reply-To", daemon + "In-Reply-To: <a@x>\nReferences: <b@x>\n\nSorry.\n", "a@x"},
		{"the last of References", daemon + "References: <a@x>\n <b@x>\n\nSorry.\n", "b@x"},
		{"In-Reply-To of several", daemon + "In-Reply-To: <a@x> <b@x>\nReferences: <b@x> <c@x>\n\nSorry.\n", "c@x"},
		{"In-Reply-To of several alone", daemon + "In-Reply-To: <a@x> <b@x>\n\nSorry.\n", ""},
		{"In-Reply-To in prose", daemon + "In-Reply-To: Your message of \"Tue, 10 Nov\"\n\nSorry.\n", ""},
		{"nothing", daemon + "\nSorry.\n", ""},
		{"no bounce", "From: ann@example.org\nIn-Reply-To: <a@x>\n\nThanks.\n", ""},
		{"a report that returns nothing", report + "In-Reply-To: <a@x>\n" + status + "--b--\n", "a@x"},
		{"a report that says it", report + "In-Reply-To: <a@x>\n" + status + "Original-Message-ID: <said@x>\n\n--b--\n", "said@x"},
		{"a report that returns it", report + "In-Reply-To: <a@x>\n" + status + returned + "--b--\n", "returned@x"},
		{"a report that returns it and is empty", report + "In-Reply-To: <a@x>\n" + returned + "--b--\n", "returned@x"},
		{"returned without a report", daemon + "In-Reply-To: <a@x>\nContent-Type: multipart/mixed; boundary=b\n" + returned + "--b--\n", "returned@x"},
		{"qmail's text", strings.Replace(qmailBounce, "\n\n", "\nIn-Reply-To: <a@x>\n\n", 1), "first@example.com"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(strings.ReplaceAll(c.msg, "\n", "\r\n")), Limits{})
			r.Summary() // too early, which must not change what it says later
			for _, err := r.Next(); err == nil; _, err = r.Next() {
				r.Summary()
			}
			got := ""
			if b := r.Summary().Bounce; b != nil {
				got = b.OriginalMessageID
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheTextOfABounceIsReadOnceAndStaysText(t *testing.T) {
	m := read(t, qmailBounce)
	if want := "1 text text/plain "; !strings.HasPrefix(m.tree(), want) || !strings.Contains(m.tree(), "Hi. This is the") {
		t.Errorf("%s", m.tree())
	}
}

func TestBouncesThatNameTooManyRecipientsSaySo(t *testing.T) {
	const daemon = "From: MAILER-DAEMON@mx.example.net\nReturn-Path: <>\n"
	begin := daemon + "\n" + qmailBegin + " qmail-send program.\n\n"
	for name, c := range map[string]struct {
		msg  string
		told bool
	}{
		"qmail":                       {begin + strings.Repeat("<a@x>:\nno.\n\n", maxReportRecipients) + "--- Below\n\n" + strings.Repeat("x\n", maxReport), false},
		"qmail, too many":             {begin + strings.Repeat("<a@x>:\nno.\n\n", maxReportRecipients+1) + "--- Below\n", true},
		"qmail, too long":             {begin + strings.Repeat("x\n", maxReport) + "\n\n<a@x>:\nno.\n\n--- Below\n", true},
		"X-Failed-Recipients":         {daemon + "X-Failed-Recipients: a@x" + strings.Repeat(",a@x", maxReportRecipients-1) + "\n\n", false},
		"X-Failed-Recipients, longer": {daemon + "X-Failed-Recipients: a@x" + strings.Repeat(",a@x", maxReportRecipients) + "\n\n", true},
	} {
		r := NewReader(strings.NewReader(c.msg), Limits{})
		for _, err := r.Next(); err == nil; _, err = r.Next() {
			continue
		}
		r.Summary()
		told := slices.ContainsFunc(r.Issues(), func(is Issue) bool { return is.Code == IssueReportLimit && is.Lossy })
		if told != c.told {
			t.Errorf("%s: %v", name, r.Issues())
		}
	}
}
