package parse

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// envelope is what Exchange since 2007 writes.
const envelope = `Sender: priya@example.com
Subject: Angebot: zweite Runde, =?utf-8?q?gr=C3=BCn?=
Message-Id: <offer-2@example.com>
On-Behalf-Of: sales@example.com
To: sara@example.org
To: mateo@example.org, Expanded: team@example.org
Cc: desk@example.org, Forwarded: mateo@example.org
Bcc: audit@example.com
Recipient: ann@example.net, Expanded: all@example.net, Forwarded: ann@example.com
Label: Internal
`

func TestTheEnvelopeOfAJournalReportIsReadWhole(t *testing.T) {
	for name, text := range map[string]string{"LF": envelope, "CRLF": strings.ReplaceAll(envelope, "\n", "\r\n"), "empty lines": strings.ReplaceAll(envelope, "\n", "\r\n\r\n")} {
		j, ok := journalOf(text)
		want := &Journal{Sender: "priya@example.com", OnBehalfOf: "sales@example.com", Subject: "Angebot: zweite Runde, grün", MessageID: "offer-2@example.com",
			Recipients: []JournalRecipient{
				{"sara@example.org", "to", "", ""}, {"mateo@example.org", "to", "team@example.org", ""}, {"desk@example.org", "cc", "", "mateo@example.org"},
				{"audit@example.com", "bcc", "", ""}, {"ann@example.net", "recipient", "all@example.net", "ann@example.com"},
			}}
		if !ok || !reflect.DeepEqual(j, want) {
			t.Errorf("%s: %+v", name, j)
		}
		if !slices.Equal(j.To(), []string{"sara@example.org", "mateo@example.org"}) || !slices.Equal(j.Cc(), []string{"desk@example.org"}) || !slices.Equal(j.Bcc(), []string{"audit@example.com"}) {
			t.Errorf("%s: to %v, cc %v, bcc %v", name, j.To(), j.Cc(), j.Bcc())
		}
	}
}

func TestOtherEnvelopesAreReadToo(t *testing.T) {
	for text, want := range map[string]string{
		"Sender: <>\nMessage-ID: <a@x>\nRecipient: b@x":                                                   "|a@x|recipient b@x",
		"Sender: \"Raman, Priya\" <p@x>\nMessage-ID: <a@x>\nRecipients:\n\"Sara\" <s@x>\n\tM <m@x>,n@x\n": "p@x|a@x|recipient s@x,recipient m@x,recipient n@x",
		"Sender: p@x\nRecipients: s@x; m@x\nSubject: s\nnot@recipient":                                    "p@x||recipient s@x,recipient m@x",
		"sender : p@x\nBCC : s@x\nTo: /O=ORG/OU=EX/CN=ann\nCc:":                                           "p@x||bcc s@x,to /O=ORG/OU=EX/CN=ann",
		"Sender: p@x\nTo: \"Expanded: a, b\" <s@x>, expanded:l@x":                                         "p@x||to s@x",
		"Sender: p@x\nSubject: To: fake@x\nSender: q@x":                                                   "p@x||",
	} {
		j, ok := journalOf(text)
		var to []string
		for _, r := range j.Recipients {
			to = append(to, r.Field+" "+r.Address)
		}
		if got := j.Sender + "|" + j.MessageID + "|" + strings.Join(to, ","); !ok || got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
	if j, _ := journalOf("Sender: p@x\nTo: \"Expanded: a, b\" <s@x>, expanded:l@x"); j.Recipients[0].ExpandedFrom != "l@x" {
		t.Errorf("%+v", j)
	}
}

func TestJournalReportsAreKnownByTheirHeader(t *testing.T) {
	for fields, want := range map[string]bool{
		"X-MS-Journal-Report:": true, "x-ms-journal-report: ": true, "X-MS-Exchange-Organization-Journal-Report:": true,
		"Content-Identifier: ExJournalReport": true,
		"Content-Identifer: exjournalreport":  true, //nolint:misspell // as Exchange 2003 wrote it
		"Content-Identifier: other":           false, "X-MS-Journal-Reports: a": false, "Subject: X-MS-Journal-Report:": false,
	} {
		if got := isJournal(headerOf(t, "From: a@x\n"+fields)); got != want {
			t.Errorf("%q: %v", fields, got)
		}
	}
}

func TestALongEnvelopeLosesNobodySilently(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("To: somebody@example.com, Expanded: list@example.com\r\n", 30_000),
		strings.Repeat("To: a@b.c\r\n", 12_000),
		"To: " + strings.Repeat("a@b.c, ", 12_000) + "Expanded: " + strings.Repeat("x", 100_000),
		"To: " + strings.Repeat(",", 1<<20),
	} {
		s, told := collect(1<<20, [2]string{"journal", "Sender: a@b.c\r\n" + text})
		if s.Journal == nil || len(s.Journal.Recipients) > maxJournalRecipients || !slices.Equal(told, []string{IssueReportLimit + " journal true"}) {
			t.Errorf("%+.60v, told %v", s.Journal, told)
		}
	}
}

// FuzzJournal: the envelope is read the same in any cut, and no address breaks a line.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(envelope), "utf-8", uint8(3))
	f.Add([]byte("Sender: <>\rRecipients:\r\"a, b\" <a@x>; Expanded: c@x"), "", uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, charset string, n uint8) {
		part := [2]string{"journal; charset=" + charset, string(text)}
		want, told := collect(1<<20, part)
		got, again := collect(1+int(n), part)
		if !reflect.DeepEqual(want, got) || !reflect.DeepEqual(told, again) {
			t.Errorf("pieces of %d octets give something else", 1+int(n))
		}
		if j := want.Journal; j != nil {
			for _, r := range j.Recipients {
				if r.Address == "" || strings.ContainsAny(fmt.Sprint(r), "\r\n") {
					t.Errorf("recipient %+v", r)
				}
			}
		}
	})
}
