package main

import (
	"bytes"
	"encoding/base64"
	"strings"
)

func onAddresses() []attack {
	return []attack{
		{"comments-open", 1_000_000, header("From", times("", "(", ""))},
		{"comments-closed", 500_000, header("From", func(w *output, n int) {
			times("", "(", "")(w, n)
			times("", ")", " a@example.org")(w, n)
		})},
		{"phrase", 500_000, header("From", times("", "a ", "<a@example.org>"))},
		{"groups", 50_000, header("Cc", func(w *output, n int) {
			times("", "g:", "a@example.org")(w, n)
			times("", ";", "")(w, n)
		})},
		{"addresses", 200_000, header("Cc", numbered("", "u%d@example.org,\r\n ", "z@example.org"))},
		{"angles", 1_000_000, header("From", times("", "<", ""))},
		{"angle-pairs", 500_000, header("From", times("", "<>", ""))},
		{"domain-literal", 1_000_000, header("From", times("a@[", "1", "]"))},
		{"backslashes", 500_000, header("From", times(`"`, `\"`, ""))},
		{"commas", 1_000_000, header("From", times("", ",", "a@example.org"))},
		{"ats", 1_000_000, header("From", times("", "@", ""))},
		{"routes", 200_000, header("From", times("<", "@a.example,", ":b@example.org>"))},
	}
}

func onWords() []attack {
	return []attack{
		{"words", 200_000, header("Subject", times("", "=?utf-8?b?w7w=?=\r\n ", ""))},
		{"words-open", 100_000, header("Subject", times("", "=?utf-8?b?", ""))},
		{"words-nested", 100_000, header("Subject", times("", "=?=?", "?q?a?="))},
		{"words-charsets", 100_000, header("Subject", numbered("", "=?x-%d?q?a?= ", ""))},
		{"words-shift", 100_000, header("Subject", times("", "=?iso-2022-jp?b?GyRCJUk=?= ", ""))},
		{"raw-8bit", 250_000, header("Subject", times("", "\xc7\xd1", ""))},
	}
}

func onBodies() []attack {
	part := func(typ, enc string) string {
		return fields + "Content-Type: " + typ + "\r\nContent-Transfer-Encoding: " + enc + "\r\n\r\n"
	}
	file := "x/y\r\nContent-Disposition: attachment"
	return []attack{
		{"line-50MB", 50_000_000, times(part("text/plain", "8bit"), "x", "")},
		{"lines-empty", 10_000_000, times(part("text/plain", "8bit"), "\r\n", "")},
		{"base64-one-line", 5_000_000, times(part(file, "base64"), "QUFB", "")},
		{"base64-characters", 500_000, times(part(file, "base64"), "Q\r\nU\r\nF\r\nB\r\n", "")},
		{"base64-padding", 2_000_000, times(part(file, "base64"), "QQ==", "")},
		{"base64-garbage", 5_000_000, times(part(file, "base64"), "!Q*=", "")},
		{"base64-html", 1_000_000, times(part("text/html", "base64"), "PGI+", "")},
		{"qp-soft", 6_000_000, times(part("text/plain; charset=utf-8", "quoted-printable"), "=\r\n", "")},
		{"qp-blanks", 5_000_000, times(part("text/plain", "quoted-printable"), " ", "=")},
		{"qp-invalid", 5_000_000, times(part("text/plain", "quoted-printable"), "=Z", "")},
		{"uuencode", 200_000, times(part(file, "x-uuencode"), "begin 644 a\n#0V%T\nend\n", "")},
		{"iso-2022-jp", 1_000_000, times(part("text/plain; charset=iso-2022-jp", "7bit"), "\x1b$B\x1b(B", "")},
		{"utf-7", 3_000_000, times(part("text/plain; charset=utf-7", "7bit"), "+2D-", "")},
		{"utf-16", 5_000_000, times(part("text/plain; charset=utf-16", "8bit"), "\xd8\x00", "")},
		{"invalid-utf-8", 5_000_000, times(part("text/plain; charset=utf-8", "8bit"), "\xff\xc3", "")},
		{"undeclared", 5_000_000, times(part("text/plain", "8bit"), "\xb1\xd2", "")},
	}
}

func onContainers() []attack {
	return []attack{
		{"messages", 20_000, times(fields, "Content-Type: message/rfc822\r\n\r\n", "Subject: in\r\n\r\nhi\r\n")},
		{"messages-big", 60_000, times(strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 8), strings.Repeat("x", 76)+"\r\n", "")},
		{"messages-base64", 60_000, func(w *output, n int) {
			msg := bytes.Repeat([]byte("x\r\n"), n)
			for range 4 {
				msg = append([]byte("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"), base64.StdEncoding.EncodeToString(msg)...)
			}
			w.add(fields)
			w.add(string(msg))
		}},
		{"tnef-attributes", 300_000, tnef("\x02\x06\x90\x08\x00\x04\x00\x00\x00abcd\x86\x01")},
		{"tnef-attachments", 100_000, tnef("\x02\x02\x90\x06\x00\x0e\x00\x00\x00" + strings.Repeat("\x00", 14) + "\x00\x00\x02\x0f\x80\x06\x00\x01\x00\x00\x00a\x61\x00")},
		{"tnef-length", 100_000, tnef("\x02\x0f\x80\x06\x00\xff\xff\xff\xff")},
		{"signed-nested", 500_000, func(w *output, n int) {
			w.add(fields + "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n")
			encoded(w, "", "\x30\x80", n)
		}},
		{"signed-random", 6_000_000, times(fields+"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n0\x83\x50\x00\x00\x06\x09*\x86H\x86\xf7\r\x01\x07\x02", "\x04", "")},
		{"bounce", 100_000, times(fields+"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\n", "Final-Recipient: rfc822; a@example.org\r\nAction: failed\r\n\r\n", "")},
		{"bounce-line", 5_000_000, times(fields+"Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; ", "a", "")},
		{"calendar", 100_000, times(fields+"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n", "BEGIN:VEVENT\r\nUID:a\r\nATTENDEE:mailto:a@example.org\r\n", "")},
		{"calendar-folds", 1_000_000, times(fields+"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:", "a\r\n ", "")},
		{"journal", 100_000, times("X-MS-Journal-Report:\r\n"+fields+"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSender: a@example.org\r\nMessage-Id: <1@example.org>\r\n",
			"Recipient: u@example.org\r\n", "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhi\r\n--b--\r\n")},
	}
}

// tnef is a mail whose winmail.dat repeats one attribute.
func tnef(attribute string) func(*output, int) {
	return func(w *output, n int) {
		w.add(fields + "Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		encoded(w, "\x78\x9f\x3e\x22\x01\x00", attribute, n)
	}
}

func onText() []attack {
	html := fields + "Content-Type: text/html; charset=utf-8\r\n\r\n"
	plain := fields + "Content-Type: text/plain; charset=utf-8\r\n\r\n"
	return []attack{
		{"html-open", 1_000_000, times(html, "<div>", "hi")},
		{"html-quotes", 100_000, times(html, "<blockquote>a<br>", "hi")},
		{"html-tables", 300_000, times(html, "<table><tr><td>", "hi")},
		{"html-angles", 2_000_000, times(html, "<", "hi")},
		{"html-attributes", 1_000_000, times(html+"<p", " a=b", ">hi")},
		{"html-attribute", 10_000_000, times(html+`<p style="`, "x", `">hi`)},
		{"html-text", 10_000_000, times(html, "x", "")},
		{"html-comment", 5_000_000, times(html+"<!--", "x", "")},
		{"html-entities", 1_000_000, times(html, "&nbsp;", "")},
		{"html-links", 300_000, times(html, `<a href="https://example.org/">`, "")},
		{"reply-quotes", 1_000_000, times(plain+"hi\r\n", "> a\r\n", "")},
		{"reply-depth", 2_000_000, times(plain, ">", "")},
		{"reply-on", 300_000, times(plain, "On Tue, Nov 10, 2026 at 9:00 AM\r\n", "")},
		{"reply-from", 300_000, times(plain, "From: a\r\n", "")},
		{"flowed", 1_000_000, times(fields+"Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n", "> a \r\n", "")},
		{"flowed-line", 5_000_000, times(fields+"Content-Type: text/plain; format=flowed\r\n\r\n", " ", "")},
		{"uuencode-begins", 300_000, times(plain, "begin 644 a\r\n", "")},
		{"uuencode-files", 50_000, times(plain, "begin 644 a\r\n#0V%T\r\n`\r\nend\r\n", "")},
		{"uuencode-begin-long", 5_000_000, times(plain+"begin 644 ", "a", "")},
	}
}

// encoded writes the base64 of unit n times after begin.
func encoded(w *output, begin, unit string, n int) {
	enc := base64.NewEncoder(base64.StdEncoding, w)
	_, _ = enc.Write([]byte(begin))
	for range n {
		_, _ = enc.Write([]byte(unit))
	}
	_ = enc.Close()
}
