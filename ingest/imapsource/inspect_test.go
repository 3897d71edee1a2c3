package imapsource

import (
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

func TestAnInspectionKnowsWhatAPostActionNeeds(t *testing.T) {
	const withACL, without = "AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ACL", "AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE"
	selects := func(answer string) imaptest.Rule {
		return imaptest.Rule{Command: "SELECT INBOX", Answers: []string{"* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n" + answer}}
	}
	rights := func(folder, r string) imaptest.Rule {
		return imaptest.Rule{Command: "MYRIGHTS", Has: folder, Answers: []string{"* MYRIGHTS " + folder + " " + r + "\r\n{tag} OK done\r\n"}}
	}
	examine := imaptest.Rule{Command: "EXAMINE", Has: "Done", Answers: []string{"* 0 EXISTS\r\n* OK [UIDVALIDITY 2] x\r\n{tag} OK [READ-ONLY] done\r\n"}}
	for _, c := range []struct {
		name  string
		caps  string
		after ingest.After
		rules []imaptest.Rule
		code  ingest.Code
		says  string
	}{
		{"none", without, ingest.After{}, nil, "", "nothing is changed"},
		{"seen with the right", withACL, ingest.After{Action: ingest.ActionSeen}, []imaptest.Rule{rights("INBOX", "lrs")}, "", "rights suffice"},
		{"seen without", withACL, ingest.After{Action: ingest.ActionSeen}, []imaptest.Rule{rights("INBOX", "lr")}, ingest.CodeActionRefused, "right s"},
		{"flag without", withACL, ingest.After{Action: ingest.ActionFlag, Flag: "$Done"}, []imaptest.Rule{rights("INBOX", "lrs")}, ingest.CodeActionRefused, "right w"},
		{"delete with the old right", withACL, ingest.After{Action: ingest.ActionDelete}, []imaptest.Rule{rights("INBOX", "lrsd")}, "", ""},
		{"delete without expunge", withACL, ingest.After{Action: ingest.ActionDelete}, []imaptest.Rule{rights("INBOX", "lrst")}, ingest.CodeActionRefused, "right e"},
		{"move into a folder that takes nothing", withACL, ingest.After{Action: ingest.ActionMove, Folder: "Done"},
			[]imaptest.Rule{rights("INBOX", "lrste"), examine, rights("Done", "lr")}, ingest.CodeActionRefused, "Done lacks the right i"},
		{"READ-ONLY", without, ingest.After{Action: ingest.ActionSeen}, []imaptest.Rule{selects("{tag} OK [READ-ONLY] done\r\n")}, ingest.CodeActionRefused, "READ-ONLY"},
		{"a flag that is not kept", without, ingest.After{Action: ingest.ActionFlag, Flag: "$Done"},
			[]imaptest.Rule{selects("* OK [PERMANENTFLAGS (\\Seen)] x\r\n{tag} OK [READ-WRITE] done\r\n")}, ingest.CodeActionRefused, "$Done"},
		{"a flag that is kept", without, ingest.After{Action: ingest.ActionFlag, Flag: "$Done"},
			[]imaptest.Rule{selects("* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n{tag} OK [READ-WRITE] done\r\n")}, "", "the folders take it"},
		{"neither MOVE nor UIDPLUS", "AUTH=XOAUTH2 SASL-IR", ingest.After{Action: ingest.ActionDelete}, nil, ingest.CodeActionUnsafe, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			script := &imaptest.Script{Caps: c.caps, Rules: c.rules}
			src, wait := scripted(t, script, Options{After: c.after})
			defer wait()
			sess := open(t, src)
			f, err := sess.(ingest.Inspector).Rights(t.Context())
			text := f.Text
			if err != nil {
				text = err.Error()
			}
			if code := ingest.FaultOf(err).Code; (err != nil || c.code != "") && code != c.code || !strings.Contains(text, c.says) {
				t.Errorf("%s %q, want %s with %q", code, text, c.code, c.says)
			}
			must(t, sess.Close())
			for _, said := range script.Heard() {
				for _, verb := range []string{"STORE", "MOVE", "EXPUNGE", "COPY", "FETCH"} {
					if strings.Contains(strings.ToUpper(said), verb) {
						t.Errorf("it said %q", said)
					}
				}
			}
		})
	}
}
