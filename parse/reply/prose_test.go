package reply

import (
	"strings"
	"testing"
)

func TestProseIsNotAQuote(t *testing.T) {
	checkAll(t, []struct{ name, text string }{
		{"empty", ""},
		{"empty lines", "\n\n\n"},
		{"own words", own},
		{"own words and signature", own + "-- \nAnna\n"},
		{"on Monday", "Hello,\n\nOn Monday I wrote: send it.\n\nAnna\n"},
		{"on Monday, at the end of a line", "Hello,\n\nOn Monday I wrote:\n\nSend it.\n"},
		{"on a date I wrote", "Hello,\n\nOn 10.11.2026 at 9:00 I wrote:\n\nSend it.\n"},
		{"what he wrote", "Hello,\n\nThis is what he wrote:\n\nSend it.\n"},
		{"the committee", "Hello,\n\nOn November 10, 2026, the committee wrote:\n\nWe agree.\n"},
		{"German prose", "Hallo,\n\nam 10.11.2026 um 9:00 schrieb ich:\n\nBitte senden.\n"},
		{"bare verb", "wrote:\n\nwords\n"},
		{"a date and a colon", "Hello,\n\nThe meeting of 2026-11-10 at 9:00:\n\nwords\n"},
		{"an address and a colon", "Hello,\n\nplease write to bob@example.org:\n\nwords\n"},
		{"from here to there", "Hallo,\n\nVon: hier nach dort\nAn: allem vorbei\n\nAnna\n"},
		{"the desk", "From: the desk of Anna\n\nHello,\n\nwords\n"},
		{"two fields", "Hello,\n\nFrom: Bob\nSubject: Monday\n\nwords\n"},
		{"fields of two languages", "Hello,\n\nVon: Bob\nSent: 10.11.2026\nOnderwerp: Montag\n\nwords\n"},
		{"no date in the date", "Hello,\n\nFrom: Bob\nDate: to be agreed\nSubject: Monday\n\nwords\n"},
		{"fields in the midst of prose", "Hello, see\nFrom: Bob\nDate: 10.11.2026\nSubject: Monday\nwords\n"},
		{"a journey", "Your booking\n\nFrom: Berlin\nTo: Paris\nDate: 10.11.2026 09:00\n\nSeat 4\n"},
		{"fields far from each other", "Hello\n\nFrom: Bob\none\ntwo\nthree\nfour\nDate: 2026\nSubject: x\n\nwords\n"},
		{"a header as evidence", "They sent this:\n\nFrom: Bob <bob@example.org>\nTo: Anna <anna@example.org>\nSubject: x\nDate: Tue, 10 Nov 2026 09:00:00 +0100\nMessage-ID: <1@example.org>\n\nIs it genuine?\n"},
		{"a message sent back", "It could not be delivered.\n\n----- Original message -----\nReceived: from example.org\nFrom: Bob <bob@example.org>\n\nwords\n"},
		{"a whole header as evidence", "They sent this:\n\nReceived: from example.org\nFrom: Bob <bob@example.org>\nDate: Tue, 10 Nov 2026 09:00:00 +0100\nSubject: x\n\nIs it genuine?\n"},
		{"a log", "The log says\n\n2026-11-10 09:00:01 From: <bob@example.org>\n2026-11-10 09:00:02 To: <anna@example.org>\n2026-11-10 09:00:03 done:\nwords\n"},
		{"a log with addresses", "The log says\n2026-11-10 09:00:01 <bob@example.org>:\nrefused\n"},
		{"a bounce", "Sorry.\n\n<bob@example.org>: host mx.example.org [198.51.100.202] said:\n    552 Too many\n"},
		{"a transcript", "Transcript\n\n>>> RCPT TO:<bob@example.org>\n<<< 550 no\n>>> DATA\n<<< 503 no\n"},
		{"commands after a colon", "Please run:\n\n> go build ./...\n> go test ./...\n"},
		{"commands after a colon, close", "Please run:\n> make\n"},
		{"a command close below", "Then run\n> make\n"},
		{"commands and words", "Please run\n\n> make\n\nand tell me.\n"},
		{"an interpreter", "Like so\n\n>>> 1 + 1\n>>> 2 + 2\n"},
		{"a conflict", "It says\n\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n"},
		{"a diff", "It differs\n\n12c12\n< old\n---\n> new\n> newer\n"},
		{"an added line", "It differs\n\n12a13,14\n> new\n> newer\n"},
		{"SQL", "It says\n\nSQL> select 1;\nSQL> select 2;\n"},
		{"mysql", "It says\n\nmysql> select 1;\nmysql> select 2;\n"},
		{"a table", "Numbers\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"},
		{"two bars", "Numbers\n\n| one\n| two\n"},
		{"tags", "Code\n\n<B>\nB>x\n"},
		{"markdown in a newsletter", "News\n\n> A wise word.\n> Somebody\n\nAnd more news.\n"},
		{"markdown only", "> A wise word.\n> Somebody\n"},
		{"arrows of a newsletter", "News\n\n> Read more https://example.org/1\n\nOther news\n\n> Read more https://example.org/2\n\nBye\n"},
		{"mbox escape", "Hello\n\n>From here it is far.\n"},
		{"a poem", "The rose is red,\n  the violet's blue,\n    -- Anon, 1784\n\n| sugar\n"},
		{"an arrow in a signature", own + "-- \nAnna\n> https://example.org/ <\n> Example <\n"},
		{"a rule", own + "----------\nwords\n"},
		{"the words of a notice", "Hello,\n\nyour original message was lost.\nOriginal message:\nwords\n"},
		{"above this line in prose", "Please sign above this line and send it.\nwords\n"},
		{"a form", "Fill it in:\n\n------ Sign above this line ------\n\nand send it.\n"},
		{"an arrow far down in a signature", own + "-- \nAnna\n\n>> https://example.org/ <<\n"},
		{"a notice without own words", "-----Original Message-----\nFrom: Bob\nSent: 2026\nTo: Anna\n\nwords\n"},
		{"invalid UTF-8", "\xff\xfe\n\xe2\x80\n\xc2\n"},
	})
}

func TestLongLinesAreNoAttributions(t *testing.T) {
	long := strings.Repeat("a ", lookAt)
	want(t, own+"On 10.11.2026 at 9:00 "+long+" wrote:\n\nwords\n", none)
	want(t, own+"From: "+long+"\nDate: 2026\nSubject: "+long+"\n\nwords\n", len(own))
	want(t, own+"> "+long+"\n", len(own))
}
