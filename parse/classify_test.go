package parse

import (
	"strings"
	"testing"
)

func TestAReportIsWhatItsTypeSays(t *testing.T) {
	cases := []struct {
		name, fields, part, kind string
	}{
		{"nothing at all", "Subject: x", "", "message"},
		{"plain text", "Subject: x", "text/plain", "message"},
		{"bounce, by the value passed", "Subject: x", "multipart/report; report-type=delivery-status; boundary=b", "bounce"},
		{"bounce, by its own field", "Content-Type: multipart/report; boundary=b;\n report-type=\"Delivery-Status\"", "", "bounce"},
		{"bounce, by its part", "Content-Type: multipart/report; boundary=b", "Message/Delivery-Status; charset=us-ascii", "bounce"},
		{"internationalised bounce", "Subject: x", "message/global-delivery-status", "bounce"},
		{"receipt", "Subject: x", "multipart/report; report-type=disposition-notification", "receipt"},
		{"receipt, by its part", "Subject: x", "message/disposition-notification", "receipt"},
		{"internationalised receipt", "Subject: x", "message/global-disposition-notification", "receipt"},
		{"complaint", "Subject: x", "multipart/report; report-type=feedback-report", "complaint"},
		{"complaint from a list that added a footer", "List-ID: <a.b>\nContent-Type: multipart/mixed", "message/feedback-report", "complaint"},
		{"its own type goes before its parts", "Content-Type: multipart/report; report-type=delivery-status", "message/feedback-report", "bounce"},
		{"report of a type that nobody knows", "Content-Type: multipart/report; report-type=tlsrpt", "", "message"},
		{"attached message", "Content-Type: multipart/mixed", "message/rfc822", "message"},
		{"complaint from Outlook.com", "From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1", "", "complaint"},
		{"certified mail, delivered", "X-Ricevuta: avvenuta-consegna", "", "receipt"},
		{"certified mail, accepted", "X-Ricevuta: accettazione", "multipart/signed", "receipt"},
		{"certified mail, not delivered", "X-Ricevuta: errore-consegna", "", "bounce"},
		{"certified mail, a letter", "X-Trasporto: posta-certificata", "", "message"},
		{"certified mail, something new", "X-Ricevuta: altro", "", "message"},
		{"complaint by somebody", "From: ann@example.org\nSubject: complaint about message from 192.0.2.1", "", "message"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if kind, signals := Classify(headerOf(t, c.fields), c.part); kind != c.kind {
				t.Errorf("got %s %v, want %s", kind, signals, c.kind)
			}
		})
	}
}

func TestTheFirstReportDecides(t *testing.T) {
	h := headerOf(t, "Content-Type: multipart/mixed; boundary=b")
	kind, signals := Classify(h, "text/plain", "message/disposition-notification", "message/delivery-status")
	if got := kind + " " + strings.Join(signals, " "); got != "receipt content-type:message/disposition-notification content-type:message/delivery-status" {
		t.Error(got)
	}
}

func TestABounceWithoutReportIsKnownByTwoThings(t *testing.T) {
	cases := []struct {
		name, fields, kind string
	}{
		{"Exim", "X-Failed-Recipients: a@example.org", "bounce"},
		{"Exchange", "X-MS-Exchange-Message-Is-Ndr:", "bounce"},
		{"qmail", "Return-Path: <>\nFrom: MAILER-DAEMON@example.org", "bounce"},
		{"null path in words", "Return-Path: <MAILER-DAEMON>\nFrom: Mail.Delivery.System@example.org", "bounce"},
		{"null path with a comment", "Return-Path: <> (nobody)\nFrom: mailer-daemon@example.org", "bounce"},
		{"sendmail without a return path", "From: Mail Delivery Subsystem <MAILER-DAEMON@example.org>\nSubject: Returned mail: User unknown", "bounce"},
		{"DragonFly, which has no address", "From: MAILER-DAEMON <>\nSubject: Mail delivery failed", "bounce"},
		{"qmail with a name of its own", "Return-Path: <>\nFrom: robot@example.org\nSubject: failure notice", "bounce"},
		{"Exchange 2003", "From: System Administrator <postmaster@example.org>\nSubject: Undeliverable: x", "bounce"},
		{"Exchange Online", "From: <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org>\nSubject: Unzustellbar: x", "bounce"},
		{"Notes", "Return-Path: <>\nFrom: Postmaster@example.org\nSubject: DELIVERY FAILURE: User x not listed", "bounce"},
		{"Japanese", "From: postmaster@example.org\nSubject: =?utf-8?b?44Oh44OD44K744O844K444KS6YWN5L+h44Gn44GN44G+44Gb44KT?=", "bounce"},
		{"postmaster's own news", "Return-Path: <postmaster@example.org>\nFrom: postmaster@example.org\nSubject: Maintenance", "message"},
		{"postmaster is on holiday", "Return-Path: <>\nFrom: postmaster@example.org\nSubject: Automatic reply: x", "auto_reply"},
		{"subject alone", "From: ann@example.org\nSubject: Undeliverable: x", "message"},
		{"sender alone", "From: mailer-daemon@example.org\nSubject: x", "message"},
		{"a person answers to a bounce", "Return-Path: <ann@example.org>\nFrom: ann@example.org\nSubject: Re: Undelivered Mail Returned to Sender", "message"},
		{"a notice with a null path", "Return-Path: <>\nFrom: otrs@example.org\nSubject: New ticket", "message"},
		{"journal report", "Return-Path: <>\nFrom: MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org\nX-MS-Journal-Report:", "message"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if kind, signals := Classify(headerOf(t, c.fields)); kind != c.kind {
				t.Errorf("got %s %v, want %s", kind, signals, c.kind)
			}
		})
	}
}

func TestAnInvitationIsWhatAsksForSomething(t *testing.T) {
	cases := []struct {
		name, fields, part, kind string
	}{
		{"request", "Subject: x", "text/calendar; charset=utf-8; method=REQUEST", "calendar"},
		{"reply", "Subject: x", `text/calendar; method="reply"`, "calendar"},
		{"cancel", "Subject: x", "text/calendar;method=CANCEL;name=invite.ics", "calendar"},
		{"counter, of another type", "Subject: x", "application/ics; method=COUNTER", "calendar"},
		{"a room answers by itself", "Auto-Submitted: auto-replied", "text/calendar; method=REPLY", "calendar"},
		{"file", "Content-Type: multipart/mixed", "text/calendar; name=train.ics", "message"},
		{"file of another type", "Content-Type: multipart/mixed", "application/ics; name=invite.ics", "message"},
		{"published", "Content-Type: multipart/mixed", "text/calendar; method=PUBLISH", "message"},
		{"method that is none", "Content-Type: multipart/mixed", "text/calendar; method=text", "message"},
		{"all of the message", "Content-Type: text/calendar", "text/calendar", "calendar"},
		{"all of the message, published", "Content-Type: text/calendar; method=PUBLISH", "", "calendar"},
		{"a file and nothing else", "Content-Type: text/calendar\nContent-Disposition: attachment; filename=a.ics", "text/calendar", "message"},
		{"Exchange says so", "Content-Class: urn:content-classes:calendarmessage", "text/calendar", "calendar"},
		{"Exchange says so of nothing", "Content-Class: urn:content-classes:calendarmessage", "", "message"},
		{"bounced", "Content-Type: multipart/report; report-type=delivery-status", "text/calendar; method=REQUEST", "bounce"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if kind, signals := Classify(headerOf(t, c.fields), c.part); kind != c.kind {
				t.Errorf("got %s %v, want %s", kind, signals, c.kind)
			}
		})
	}
}

func TestAnAutomaticReplyIsKnownByItsFields(t *testing.T) {
	const answered = "Subject: Automatische Antwort: x\n"
	cases := []struct {
		name, fields, kind string
	}{
		{"RFC 3834", "Auto-Submitted: auto-replied", "auto_reply"},
		{"with a comment and in capitals", "Auto-Submitted: (hm (hm)) Auto-Replied (vacation)", "auto_reply"},
		{"with parameters", "Auto-Submitted: auto-replied; owner-email=\"a@example.org\"", "auto_reply"},
		{"vacation of old", "Precedence: Auto_Reply", "auto_reply"},
		{"BoxTrapper", "Preference: auto_reply", "auto_reply"},
		{"Gmail", "X-Autoreply: yes\nPrecedence: bulk", "auto_reply"},
		{"any of that name", "X-Autoresponder-Version: 2", "auto_reply"},
		{"said to be none", "X-Autoreply: no", "message"},
		{"CommuniGate", "X-Autogenerated: Reply", "auto_reply"},
		{"CommuniGate redirects", "X-Autogenerated: Redirect", "message"},
		{"qmail", "Delivered-To: Autoresponder", "auto_reply"},
		{"Mailtraq", "X-POST-MessageClass: 9; Autoresponder", "auto_reply"},
		{"its program's name", "X-Mailer: vacation 1.2.7", "auto_reply"},
		{"Exchange", answered + "X-Auto-Response-Suppress: All", "auto_reply"},
		{"Exchange, by its rule", answered + "X-MS-Exchange-Inbox-Rules-Loop: a@example.org", "auto_reply"},
		{"Exchange 2003, by its topic", answered + "Thread-Topic: x", "auto_reply"},
		{"written by hand", answered + "Thread-Topic: Automatische Antwort: x", "message"},
		{"with a null path", answered + "Return-Path: <>", "auto_reply"},
		{"of a language nobody knows", "Subject: zz\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n" +
			"X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent", "auto_reply"},
		{"an answer to nobody", "Auto-Submitted: auto-generated\nIn-Reply-To: <a@x>\nReturn-Path: <>", "auto_reply"},
		{"subject alone", answered, "message"},
		{"a tracker's notice in a thread", "Auto-Submitted: auto-generated\nIn-Reply-To: <a@x>\nX-Auto-Response-Suppress: All\nX-GitLab-Project: p", "message"},
		{"notice", "Auto-Submitted: auto-generated", "message"},
		{"sieve notice", "Auto-Submitted: auto-notified; owner-email=\"a@example.org\"", "message"},
		{"suppressing answers is no answer", "X-Auto-Response-Suppress: All", "message"},
		{"by hand", "Auto-Submitted: no", "message"},
		{"list", "List-ID: <a.example.org>\nPrecedence: list", "message"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if kind, signals := Classify(headerOf(t, c.fields)); kind != c.kind {
				t.Errorf("got %s %v, want %s", kind, signals, c.kind)
			}
		})
	}
}

// FuzzClassify: any header and any part give a known kind and signals that keep their form.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{"Subject: Automatic reply: x\r\nAuto-Submitted: auto-generated", "Return-Path: <>\r\nFrom: MAILER-DAEMON <>", "List-Post: NO", "X-Mailer: \xff"} {
		f.Add(s, "text/calendar; method=REQUEST")
	}
	f.Add("Delivered-To: a\r\nDelivered-To: a", "message/delivery-status")
	f.Fuzz(func(t *testing.T, header, part string) {
		h := readRaw(t, header+"\r\n\r\n").header
		kind, signals := Classify(h, part)
		switch kind {
		case "message", "auto_reply", "bounce", "complaint", "receipt", "calendar":
		default:
			t.Errorf("kind %q", kind)
		}
		wantSignals(t, signals)
		id, urls, oneClick := List(h)
		if len(id) > maxListID || len(urls) > maxListURLs || oneClick && len(urls) == 0 {
			t.Errorf("%q %q %v", id, urls, oneClick)
		}
		for _, u := range urls {
			if strings.IndexFunc(u, isSpaceOrControl) >= 0 || !hasPrefixFold(u, "http") && !hasPrefixFold(u, "mailto:") {
				t.Errorf("%q", u)
			}
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	h := readRaw(b, "Return-Path: <news@example.org>\r\nAuthentication-Results: mx.example.com; dkim=pass header.d=example.org;\r\n"+
		" spf=pass (domain of news@example.org) smtp.mailfrom=news@example.org; dmarc=pass (p=NONE) header.from=example.org\r\n"+
		"List-ID: News <news.example.org>\r\nList-Unsubscribe: <https://example.org/u>, <mailto:u@example.org>\r\n"+
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nX-Mailer: Example 1.0\r\nX-Spam-Status: No\r\n"+string(smallMail())).header
	contentType := h.Get("Content-Type")
	b.ReportAllocs()
	for b.Loop() {
		kind, _ := Classify(h, contentType)
		if _, _, oneClick := List(h); kind != "message" || !oneClick || len(AuthResults(h)) != 3 {
			b.Fatal(kind)
		}
	}
}
