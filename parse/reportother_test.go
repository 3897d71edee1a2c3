package parse

import (
	"reflect"
	"strings"
	"testing"

	"mailflume/parse/ical"
)

func TestReceiptsAreRead(t *testing.T) {
	for text, want := range map[string]Receipt{
		"Reporting-UA: desk.example.com; ExampleMail 4.2\nOriginal-Recipient: rfc822;team@example.com\nFinal-Recipient: rfc822;sara@example.com\n" +
			"Original-Message-ID: <contract-1@example.org>\nDisposition: manual-action/MDN-sent-manually; displayed": {
			Recipient: "sara@example.com", OriginalRecipient: "team@example.com", Disposition: "displayed", ActionMode: "manual-action",
			SendingMode: "mdn-sent-manually", OriginalMessageID: "contract-1@example.org", ReportingUA: "desk.example.com; ExampleMail 4.2"},
		"Original-Recipient: rfc822;sara@example.com\nDisposition: Automatic-Action / MDN-sent-automatically ;\n Deleted/error, warning\nError: no key": {
			Recipient: "sara@example.com", OriginalRecipient: "sara@example.com", Disposition: "deleted", ActionMode: "automatic-action",
			SendingMode: "mdn-sent-automatically", Modifiers: []string{"error", "warning"}, Error: "no key"},
		"Final-Recipient: sara@example.com\n\nDisposition: displayed (by hand)": {Recipient: "sara@example.com", Disposition: "displayed"},
	} {
		s, told := collect(7, [2]string{"message/disposition-notification", text})
		if s.Receipt == nil || !reflect.DeepEqual(*s.Receipt, want) || told != nil {
			t.Errorf("got %+v %v\nwant %+v", s.Receipt, told, want)
		}
	}
}

func TestComplaintsAreRead(t *testing.T) {
	for text, want := range map[string]Complaint{
		"Feedback-Type: abuse\nUser-Agent: ExampleFeedback/1.0\nVersion: 1\nOriginal-Mail-From: <promo@example.com>\nOriginal-Rcpt-To: <a@example.org>\n" +
			"Original-Rcpt-To: b@example.org\nReceived-Date: Tue, 10 Nov 2026 08:00:00 +0000\nSource-IP: [IPv6:2001:DB8::1]\nReported-Domain: example.com\n" +
			"Reported-URI: https://example.com/a?b\nReporting-MTA: dns; mx.example.org\nIncidents: 12": {
			Type: "abuse", UserAgent: "ExampleFeedback/1.0", OriginalSender: "promo@example.com", OriginalRecipients: []string{"a@example.org", "b@example.org"},
			SourceIP: "2001:db8::1", ReportedDomains: []string{"example.com"}, ReportedURIs: []string{"https://example.com/a?b"}, ReportingMTA: "mx.example.org",
			Incidents: 12, ArrivalDate: at(t, "Tue, 10 Nov 2026 08:00:00 +0000")},
		"Feedback-Type: Auth-Failure\nAuth-Failure: DMARC\nDelivery-Result: reject\nOriginal-Envelope-Id: e1\nSource-IP: unknown\nIncidents: many\nMessage-ID: <m@example.com>": {
			Type: "auth-failure", AuthFailure: "dmarc", DeliveryResult: "reject", OriginalEnvelopeID: "e1", SourceIP: "unknown", OriginalMessageID: "m@example.com"},
	} {
		s, told := collect(7, [2]string{"message/feedback-report", text})
		if s.Complaint == nil || !reflect.DeepEqual(*s.Complaint, want) || told != nil {
			t.Errorf("got %+v %v\nwant %+v", s.Complaint, told, want)
		}
	}
}

func TestReportsSayNothingOnlyWithAnIssue(t *testing.T) {
	for typ, code := range map[string]string{
		"message/delivery-status":          IssueReportBad + " no recipient false",
		"message/disposition-notification": IssueReportBad + " no disposition false",
		"message/feedback-report":          IssueReportBad + " no type false",
		"journal":                          IssueReportBad + " no envelope false",
	} {
		if s, told := collect(9, [2]string{typ, "Dear customer,\r\nhello\r\n"}); !reflect.DeepEqual(s, Summary{}) || len(told) != 1 || told[0] != code {
			t.Errorf("%s: %+v %v", typ, s, told)
		}
	}
	if newCollector("text/plain", "", nil) != nil || newCollector("application/pdf", "", nil) != nil {
		t.Error("parts that say nothing have a collector")
	}
}

func TestReportsInOtherCharsetsAreReadInThem(t *testing.T) {
	for charset, diag := range map[string]string{
		"iso-8859-1": "Stra\xdfe", "": "Stra\xc3\x9fe", "us-ascii": "Stra\xc3\x9fe", "uft-8": "Stra\xc3\x9fe", "unknown-x": "Stra\xc3\x9fe",
		"utf-16le": "", "iso-2022-jp": "\x1b$B$3\x1b(B",
	} {
		text, want := "Final-Recipient: a@example.com\r\nDiagnostic-Code: x-unix; "+diag+"\r\n", "Straße"
		switch charset {
		case "utf-16le":
			text = utf16LE("Final-Recipient: a@example.com\r\nDiagnostic-Code: x-unix; Straße\r\n")
		case "iso-2022-jp":
			want = "こ"
		}
		s, _ := collect(5, [2]string{"message/delivery-status; charset=" + charset, text})
		if s.Bounce == nil || s.Bounce.Recipients[0].Diagnostic != want {
			t.Errorf("%s: %+v", charset, s.Bounce)
		}
	}
}

// utf16LE encodes characters of the basic plane.
func utf16LE(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.Write([]byte{byte(r), byte(r >> 8)})
	}
	return b.String()
}

func TestCalendarsAreReadInTheirCharsetAndOnce(t *testing.T) {
	file := func(summary string) string {
		return "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20261110T090000Z\r\nSUMMARY:" + summary + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	for charset, octets := range map[string]string{
		"utf-8": file("M\xc3\r\n \xbcnchen"), "": file("M\xc3\xbcnchen"), "us-ascii": file("M\xc3\xbcnchen"), "iso-8859-1": file("M\xfcn\r\n chen"),
		"utf-16le": utf16LE(file("München")),
	} {
		s, told := collect(3, [2]string{"text/calendar; charset=" + charset, octets}, [2]string{"application/ics", file("München")})
		want := []ical.Event{{Method: "REQUEST", UID: "u", Summary: "München", Start: "2026-11-10T09:00:00Z"}}
		if !reflect.DeepEqual(s.Calendars, want) || told != nil {
			t.Errorf("%s: %+v %v", charset, s.Calendars, told)
		}
	}
	qp := "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nSUMMARY;CHARSET=ISO-8859-2;ENCODING=QUOTED-PRINTABLE:=B3=F3d=BC\r\nEND:VEVENT\r\n"
	if s, _ := collect(4, [2]string{"text/x-vcalendar", qp}); len(s.Calendars) != 1 || s.Calendars[0].Summary != "łódź" {
		t.Errorf("%+v", s.Calendars)
	}
	s, told := collect(1000, [2]string{"text/calendar", strings.Repeat(strings.Replace(file("x"), "UID:u", "UID:", 1), 10)}, [2]string{"text/calendar", "no calendar"})
	if len(s.Calendars) != 1 || len(told) != 1 || told[0] != IssueCalendarLine+` "no calendar" false` {
		t.Errorf("%+v %v", s.Calendars, told)
	}
}

// FuzzReport: any octets of any report type are read the same in any cut, and what is kept is bounded.
func FuzzReport(f *testing.F) {
	types := []string{"message/delivery-status", "message/disposition-notification", "message/feedback-report", "message/rfc822", "message/global-delivery-status; charset=iso-8859-1", "qmail"}
	for i, text := range []string{
		"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: utf-8; \\x{E9}+C3+A9@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 =?utf-8?q?=C3=9F?=",
		"Disposition: a/b; c/d,e\n\nFinal-Recipient: rfc822; <a@x>", "Feedback-Type: abuse\rSource-IP: [IPv6:::1]\rReported-URI: x", "A: b\r\nMessage-ID: <a@b>\r\n\r\nx",
	} {
		f.Add(uint8(i), []byte(text), uint8(3))
	}
	f.Add(uint8(5), []byte("Hi. This is the x\n\n<a@b>:\nno (#5.1.1)\n\n--- y\n\nMessage-ID: <a@b>\n\n"), uint8(3))
	f.Fuzz(func(t *testing.T, typ uint8, text []byte, n uint8) {
		part := [2]string{types[int(typ)%len(types)], string(text)}
		want, told := collect(1<<20, part, part)
		got, again := collect(1+int(n), part, part)
		if !reflect.DeepEqual(want, got) || !reflect.DeepEqual(told, again) {
			t.Errorf("pieces of %d octets give something else:\n%+v %v\n%+v %v", 1+int(n), want, told, got, again)
		}
		if b := want.Bounce; b != nil {
			for _, r := range b.Recipients {
				if strings.ContainsAny(r.Address+r.Diagnostic+r.Status, "\r\n") {
					t.Errorf("line breaks in %+v", r)
				}
			}
		}
	})
}
