package schema_test

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"mailflume/ingest"
	"mailflume/parse"
	"mailflume/publish"
	"mailflume/publish/schema"
	"mailflume/testdata"
)

// set is what a string may be: one of the known ones if it is closed, otherwise they are examples.
type set struct {
	closed  bool
	known   []any
	pattern string
}

// values says which fields have values of a set.
func values() map[string]set {
	closed := func(v ...any) set { return set{closed: true, known: v} }
	open := func(v ...any) set { return set{known: v} }
	issues, faults := open(), open()
	for _, c := range parse.IssueCodes() {
		issues.known = append(issues.known, c.Code)
	}
	for _, c := range ingest.Codes() {
		faults.known = append(faults.known, string(c))
	}
	return map[string]set{
		"MailboxInfo.protocol":   closed("imap", "pop3"),
		"Data.kind":              closed(parse.KindMessage, parse.KindAutoReply, parse.KindBounce, parse.KindComplaint, parse.KindReceipt, parse.KindCalendar, parse.KindJournal),
		"Attachment.origin":      closed(parse.OriginMIME, parse.OriginTNEF, parse.OriginUuencode, parse.OriginSMIME, parse.OriginMessage),
		"Attachment.disposition": closed("inline", "attachment"),
		"Body.derived":           closed("html", "text"),

		"Data.flags":                      open(`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`),
		"Folder.special_use":              open(`\All`, `\Archive`, `\Drafts`, `\Flagged`, `\Junk`, `\Sent`, `\Trash`),
		"Data.truncated_fields":           open("headers", "issues", "auth_results", "html.content", "text.content"),
		"ExternalBody.access_type":        open("url", "ftp", "anon-ftp", "tftp", "local-file", "mail-server"),
		"BounceRecipient.action":          open("failed", "delayed", "delivered", "relayed", "expanded"),
		"BounceRecipient.diagnostic_type": open("smtp", "x400", "x-postfix", "x-unix"),
		"Receipt.disposition":             open("displayed", "deleted", "dispatched", "processed"),
		"Complaint.type":                  open("abuse", "fraud", "virus", "not-spam", "auth-failure", "other"),
		"CalendarEvent.method":            open("REQUEST", "REPLY", "CANCEL", "COUNTER", "DECLINECOUNTER", "ADD", "REFRESH", "PUBLISH"),
		"CalendarEvent.status":            open("TENTATIVE", "CONFIRMED", "CANCELLED"),
		"EventAttendee.role":              open("CHAIR", "REQ-PARTICIPANT", "OPT-PARTICIPANT", "NON-PARTICIPANT"),
		"EventAttendee.status":            open("NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED"),
		"AuthResult.method":               open("spf", "dkim", "dmarc", "arc", "iprev", "auth", "compauth"),
		"AuthResult.result":               open("pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"),
		"Issue.code":                      issues,
		"Quarantine.code":                 faults,
		"Problem.code":                    faults,
		"Data.signals": {pattern: "^[a-z0-9-]+(:[a-z0-9_.,/+@-]+)?$", known: []any{"report-type:delivery-status", "content-type:text/calendar", "method:request",
			"auto-submitted:auto-replied", "precedence:bulk", "x-auto-response-suppress:all", "list-id", "list-unsubscribe", "return-path:null", "from:mailer-daemon", "from:no-reply",
			"subject:undeliverable", "subject:out-of-office", "x-failed-recipients", "system:jira"}},
	}
}

// described is a part of a schema that should be described.
type described struct {
	Description string
	Properties  map[string]described
	Defs        map[string]described `json:"$defs"`
	Enum        []string
	Examples    []string
	Const       any
	Items       *described
}

// all yields every description with the place that it is for.
func (d described) all(at string, yield func(at string, d described)) {
	yield(at, d)
	for name, p := range d.Properties {
		p.all(at+"."+name, yield)
	}
	for name, p := range d.Defs {
		p.all(name, yield)
	}
}

func TestEveryFieldIsDescribedInAConsumersWords(t *testing.T) {
	for id := range contracts() {
		text, _ := schema.For(id)
		var doc described
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		names := []string{"nil", "struct", "slice", "pointer", "omitempty"}
		for name := range doc.Defs {
			if strings.ContainsFunc(name[1:], unicode.IsUpper) { // MailboxInfo is a type's name, Folder a word
				names = append(names, name)
			}
		}
		foreign := regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)\b`)
		doc.all("Event", func(at string, d described) {
			s := d.Description
			switch {
			case s == "":
				t.Errorf("%s: %s has no description", id, at)
			case !strings.HasSuffix(s, ".") || strings.ToUpper(s[:1]) != s[:1]:
				t.Errorf("%s: %s is not described in sentences: %s", id, at, s)
			case foreign.MatchString(s):
				t.Errorf("%s: %s is described in Go's words: %s", id, at, s)
			}
		})
	}
}

func TestSetsOfValuesSayWhetherTheyAreClosed(t *testing.T) {
	text, _ := schema.For(publish.SchemaReceived)
	var doc described
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	doc.all("Event", func(at string, d described) {
		of := d
		if d.Items != nil {
			of = *d.Items
		}
		if at != "Event.type" && strings.Contains(d.Description, "closed set") != (of.Enum != nil) || strings.Contains(d.Description, "open set") != (of.Examples != nil) {
			t.Errorf("%s: %q, but %d in the enumeration and %d examples", at, d.Description, len(of.Enum), len(of.Examples))
		}
		for _, v := range of.Enum {
			if at == "Data.kind" && !strings.Contains(d.Description, v) {
				t.Errorf("%s does not say what %s is", at, v)
			}
		}
	})
	for field := range values() {
		def, name, _ := strings.Cut(field, ".")
		if _, ok := doc.Defs[def].Properties[name]; !ok {
			t.Errorf("there is no %s", field)
		}
	}
}

// TestRealMailMatchesTheSchema validates what the engine makes of the testdata messages.
func TestRealMailMatchesTheSchema(t *testing.T) {
	names, err := fs.Glob(testdata.Mail(), "*.eml")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	slices.Sort(names)
	s := compile(t, publish.SchemaReceived)
	for _, name := range names {
		f, err := testdata.Mail().Open(name)
		if err != nil {
			t.Fatal(err)
		}
		data := publish.Data{Ingest: &publish.Ingest{Worker: "w", Attempt: 1}}
		if err := new(ingest.Composer).Compose(t.Context(), f, nil, &data); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		text, err := publish.NewEvent(publish.Key{Tenant: "t", Mailbox: "m"}, publish.Received, "id", time.Unix(0, 0), &data).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := matches(s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
