package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"mailflume/publish"
	"mailflume/publish/schema"
)

var update = flag.Bool("update", false, "write the schemas anew")

// contracts is what the schemas say beyond the Go types.
func contracts() map[string]contract {
	return map[string]contract{
		publish.SchemaReceived:    {"A message was received.", []publish.EventType{publish.Received}, []string{"ingest", "raw"}},
		publish.SchemaQuarantined: {"A message was set aside, with the reason.", []publish.EventType{publish.Quarantined}, []string{"quarantine"}},
		publish.SchemaMailbox: {"A mailbox changed its state.",
			[]publish.EventType{publish.Reset, publish.AuthFailed, publish.Stalled, publish.Recovered}, nil},
	}
}

type contract struct {
	title    string
	kinds    []publish.EventType
	required []string // of data, beside mailbox
}

// generate builds the schema id from the Go types.
func generate(t *testing.T, id string) []byte {
	t.Helper()
	c := contracts()[id]
	r := &jsonschema.Reflector{AllowAdditionalProperties: true, ExpandedStruct: true}
	r.CommentMap = comments(t)
	s := r.Reflect(&publish.Event{})
	s.ID, s.Title, s.Description = jsonschema.ID(id), c.title, "One CloudEvents 1.0 event in structured JSON. Unknown fields must be ignored: later versions add some."
	set := func(s *jsonschema.Schema, name string, change func(*jsonschema.Schema)) {
		p, ok := s.Properties.Get(name)
		if !ok {
			t.Fatalf("there is no property %s any more", name)
		}
		change(p)
	}
	for name, value := range map[string]string{"specversion": publish.SpecVersion, "datacontenttype": "application/json", "dataschema": id} {
		set(s, name, func(p *jsonschema.Schema) { p.Const = value })
	}
	set(s, "type", func(p *jsonschema.Schema) {
		for _, k := range c.kinds {
			p.Enum = append(p.Enum, k.CloudEvent())
		}
	})
	for _, name := range []string{"id", "source"} {
		set(s, name, func(p *jsonschema.Schema) { p.MinLength = new(uint64(1)) })
	}
	for _, def := range []string{"Stored", "Attachment"} {
		set(s.Definitions[def], "sha256", func(p *jsonschema.Schema) { p.Pattern = "^[0-9a-f]{64}$" })
		set(s.Definitions[def], "size", func(p *jsonschema.Schema) { p.Minimum = "0" })
	}
	for field, sort := range values() {
		def, name, _ := strings.Cut(field, ".")
		set(s.Definitions[def], name, func(p *jsonschema.Schema) {
			if p.Items != nil {
				p = p.Items
			}
			if sort.closed {
				p.Enum = sort.known
			} else {
				p.Examples = sort.known
			}
			p.Pattern = sort.pattern
		})
	}
	s.Required = append(s.Required, "dataschema")
	data := s.Definitions["Data"]
	data.Required = append(data.Required, c.required...)
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func TestTheSchemasSayWhatTheTypesSay(t *testing.T) {
	for id := range contracts() {
		want, file := generate(t, id), path.Base(id)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the types say (%v): run the test with -update and look at the difference", file, err)
		}
		if text, ok := schema.For(id); !*update && (!ok || !bytes.Equal(text, want)) {
			t.Errorf("For(%s) = %d bytes, %t", id, len(text), ok)
		}
	}
	for _, id := range []string{"", "x", "https://mailflume.example/schema/", "https://mailflume.example/schema/doc.go", "../schema/mailbox.v1.json",
		"https://other.example/schema/mailbox.v1.json", "mailbox.v1.json"} {
		if text, ok := schema.For(id); ok {
			t.Errorf("For(%q) = %d bytes", id, len(text))
		}
	}
}

// comments reads what the code says about the types. The generator walks whole trees and makes keys
// of paths, so it gets the package's own files, alone.
func comments(t *testing.T) map[string]string {
	t.Helper()
	const pkg = "mailflume/publish"
	dir := t.TempDir()
	for _, file := range []string{"event.go", "data.go", "part.go", "report.go"} {
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var r jsonschema.Reflector
	if err := r.AddGoComments(pkg, dir, jsonschema.WithFullComment()); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for k, v := range r.CommentMap {
		k, v = strings.Replace(k, filepath.ToSlash(dir), "", 1), strings.Join(strings.Fields(v), " ")
		if _, after, ok := strings.Cut(v, strings.TrimPrefix(k, pkg+".")+" is "); ok {
			v = strings.ToUpper(after[:1]) + after[1:] // Go begins with the name of the type
		}
		out[k] = v
	}
	return out
}

func compile(t *testing.T, id string) *validator.Schema {
	t.Helper()
	text, ok := schema.For(id)
	if !ok {
		t.Fatalf("there is no schema %s", id)
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(id, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, id string, event []byte) error {
	t.Helper()
	return matches(compile(t, id), event)
}

func matches(s *validator.Schema, event []byte) error {
	doc, err := validator.UnmarshalJSON(bytes.NewReader(event))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// samples are events as the engine builds them: with everything, and with the least.
func samples() map[string]*publish.Event {
	box := publish.Key{Tenant: "contoso", Mailbox: "support"}
	at := time.Date(2026, 2, 3, 4, 5, 6, 7000, time.FixedZone("", 3600)).UTC()
	sum := strings.Repeat("0f", 32)
	mailbox := publish.MailboxInfo{ID: "support", Address: "support@contoso.com", Protocol: "imap", Tenant: "contoso", Labels: map[string]string{"team": "a"}}
	ingest := &publish.Ingest{Worker: "w1", Attempt: 1, FetchedAt: at}
	people := []publish.Address{{Name: "Jürgen <b> & Co", Address: "j@example.com"}, {Group: "undisclosed"}}
	full := &publish.Data{
		Mailbox: mailbox, Folder: &publish.Folder{Path: "INBOX", UIDValidity: 1<<32 - 1}, UID: 7, EmailID: "e", ThreadID: "t",
		Flags: []string{`\Seen`}, ReceivedAt: &at, Ingest: ingest, Raw: &publish.Stored{SHA256: sum, Size: 1 << 40, Ref: "nats-obj://b/sha256-" + sum},
		MessageID: "x@y", InReplyTo: []string{"a"}, References: []string{"a", "b"}, Date: &at, DateRaw: "Tue", Subject: "Größe > 5 & < 6",
		From: people, Sender: people, ReplyTo: people, To: people, CC: people, BCC: people, DeliveredTo: people, ReturnPath: "r@x",
		Headers: []publish.Field{{Name: "X-A", Value: ""}},
		Text:    &publish.Body{Content: "hello", Size: 5, Charset: "utf-8"}, HTML: &publish.Body{Ref: "nats-obj://b/x", Size: 1 << 20, Truncated: true},
		Attachments: []publish.Attachment{{Part: "2", Filename: "a.pdf", ContentType: "application/pdf", Size: 0, SHA256: sum, Origin: "mime"}},
		Kind:        "message", Signals: []string{"list-id"}, List: &publish.List{ID: "l", Unsubscribe: []string{"mailto:x"}, OneClick: true},
		Issues: []publish.Issue{{Code: "base64", Part: "1", Detail: "d", Lossy: true}}, TruncatedFields: []string{"headers"},
	}
	small := &publish.Data{Mailbox: publish.MailboxInfo{ID: "m"}, UIDL: "abc", Ingest: ingest, Raw: &publish.Stored{SHA256: sum}}
	return map[string]*publish.Event{
		"received, everything":  publish.NewEvent(box, publish.Received, "id1", at, full),
		"received, least":       publish.NewEvent(box, publish.Received, "id2", at, small),
		"quarantined":           publish.NewEvent(box, publish.Quarantined, "id3", at, &publish.Data{Mailbox: mailbox, UID: 1, Quarantine: &publish.Quarantine{Code: "MF-MSG-001", Reason: "too large", Attempts: 3}}),
		"reset":                 publish.NewEvent(box, publish.Reset, "id4", at, &publish.Data{Mailbox: mailbox, Reset: &publish.ResetInfo{Folder: "INBOX", OldUIDValidity: 1, NewUIDValidity: 2}}),
		"authentication failed": publish.NewEvent(box, publish.AuthFailed, "id5", at, &publish.Data{Mailbox: mailbox, Problem: &publish.Problem{Code: "MF-AUTH-003", Message: "m", Next: "n"}}),
		"stalled":               publish.NewEvent(box, publish.Stalled, "id6", at, &publish.Data{Mailbox: mailbox}),
		"recovered":             publish.NewEvent(box, publish.Recovered, "id7", at, &publish.Data{Mailbox: mailbox}),
	}
}

func TestEveryEventMatchesTheSchemaItNames(t *testing.T) {
	for name, ev := range samples() {
		text, err := ev.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, ev.DataSchema, text); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		for id := range contracts() {
			if id != ev.DataSchema && validate(t, id, text) == nil {
				t.Errorf("%s also matches %s", name, id)
			}
		}
	}
}

func TestLaterFieldsAreAccepted(t *testing.T) {
	for name, ev := range samples() {
		text, err := ev.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		doc["traceparent"] = "00-1"
		data := doc["data"].(map[string]any)
		data["bounce"] = map[string]any{"recipients": []any{}}
		data["mailbox"].(map[string]any)["region"] = "eu"
		later, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, ev.DataSchema, later); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatBreaksTheContractIsRefused(t *testing.T) {
	text, err := samples()["received, everything"].Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(doc, data map[string]any){
		"a list that is null":        func(_, data map[string]any) { data["attachments"] = nil },
		"an inner list that is null": func(_, data map[string]any) { data["list"].(map[string]any)["unsubscribe"] = nil },
		"no raw":                     func(_, data map[string]any) { delete(data, "raw") },
		"no mailbox":                 func(_, data map[string]any) { delete(data, "mailbox") },
		"a digest in capitals":       func(_, data map[string]any) { data["raw"].(map[string]any)["sha256"] = strings.Repeat("0F", 32) },
		"a negative size":            func(_, data map[string]any) { data["raw"].(map[string]any)["size"] = -1 },
		"a time that is none":        func(doc, _ map[string]any) { doc["time"] = "yesterday" },
		"data that is null":          func(doc, _ map[string]any) { doc["data"] = nil },
		"no id":                      func(doc, _ map[string]any) { delete(doc, "id") },
		"an empty id":                func(doc, _ map[string]any) { doc["id"] = "" },
		"another type":               func(doc, _ map[string]any) { doc["type"] = "mailflume.message.received.v2" },
		"another CloudEvents":        func(doc, _ map[string]any) { doc["specversion"] = "0.3" },
	} {
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		change(doc, doc["data"].(map[string]any))
		broken, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if validate(t, publish.SchemaReceived, broken) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
