package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	schemas "github.com/santhosh-tekuri/jsonschema/v6"

	"mailflume/ingest"
)

func loadGood(t *testing.T, name string) *Config {
	t.Helper()
	c, err := Load(filepath.Join(samples, name+".good.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func goodFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(samples, "*.good.yaml"))
	if err != nil || len(files) < 12 {
		t.Fatalf("%d good files, %v", len(files), err)
	}
	return files
}

// TestEachGoodFileResolvesAsItsGoldenFileShows pins what every rule makes of a file.
func TestEachGoodFileResolvesAsItsGoldenFileShows(t *testing.T) {
	root, err := filepath.Abs(samples)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range goodFiles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".good.yaml")
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := loadGood(t, name).Show(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".golden.yaml", []byte(strings.ReplaceAll(out.String(), root, "/etc/mailflume")))
		})
	}
}

func TestWhatShowWritesLoadsAgainExceptForSecrets(t *testing.T) {
	var out bytes.Buffer
	c := loadGood(t, "full")
	if err := c.Show(&out); err != nil {
		t.Fatal(err)
	}
	again, err := Parse(c.Path, []byte(strings.ReplaceAll(out.String(), `"***"`, "env:SECRET")))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range again.Mailboxes {
		want := *c.Mailboxes[i]
		want.Credential, want.definition = m.Credential, m.definition // *** refers to other secrets
		if !reflect.DeepEqual(*m, want) {
			t.Errorf("got %+v\nwant %+v", *m, want)
		}
	}
}

func TestEachGoodFileIsValidUnderTheSchema(t *testing.T) {
	schema := compiledSchema(t)
	for _, file := range goodFiles(t) {
		if err := schema.Validate(document(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestTheSchemaRefusesWhatItCanKnow(t *testing.T) {
	schema := compiledSchema(t)
	for _, name := range []string{
		"unknown_key", "unknown_top", "unknown_after", "duration_unit", "duration_words", "size", "sync", "start", "number",
		"number_range", "boolean", "list", "enum", "literal_secret", "misspelt_secret", "type_missing", "cloud",
		"secret_expires", "no_address", "id", "tenant", "no_folders", "after_unknown", "log_level",
	} {
		if err := schema.Validate(document(t, filepath.Join(samples, name+".bad.yaml"))); err == nil {
			t.Errorf("%s passes the schema", name)
		}
	}
}

func TestTheSchemaIsStable(t *testing.T) {
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "schema.golden.json", b)
}

// TestEveryKeyOfTheSchemaHasADescription: editors show it.
func TestEveryKeyOfTheSchemaHasADescription(t *testing.T) {
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs map[string]struct {
			Properties map[string]struct{ Description string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.Defs) < 8 {
		t.Fatalf("%d definitions, %v", len(doc.Defs), err)
	}
	for def, d := range doc.Defs {
		for key, p := range d.Properties {
			if p.Description == "" {
				t.Errorf("%s.%s has none", def, key)
			}
		}
	}
}

func compiledSchema(t *testing.T) *schemas.Schema {
	t.Helper()
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := schemas.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := schemas.NewCompiler()
	if err := c.AddResource(SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// document reads YAML as an editor does that applies a JSON Schema to it.
func document(t *testing.T, file string) any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(file, err)
	}
	doc, err := schemas.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestHostsPortsAndTLSFollowFromProviderProtocolAndCloud(t *testing.T) {
	for _, tt := range []struct {
		file, id, addr string
		tls            ingest.Security
	}{
		{"minimal", "support-contoso.com", "outlook.office365.com:993", ingest.ImplicitTLS},
		{"full", "invoices", "outlook.office365.com:995", ingest.ImplicitTLS},
		{"full", "local", "mail.example.com:143", ingest.StartTLS},
		{"clouds", "a-gov.example.com", "outlook.office365.us:993", ingest.ImplicitTLS},
		{"clouds", "b-gov.example.com", "outlook-dod.office365.us:995", ingest.ImplicitTLS},
		{"clouds", "c-gov.example.com", "partner.outlook.cn:993", ingest.ImplicitTLS},
		{"clouds", "d-gov.example.com", "127.0.0.1:10993", ingest.ImplicitTLS},
		{"gmail", "a-example.com", "imap.gmail.com:993", ingest.ImplicitTLS},
		{"gmail", "b-example.com", "pop.gmail.com:995", ingest.ImplicitTLS},
		{"generic_ports", "c-example.com", "mail.example.com:143", ingest.StartTLS},
		{"generic_ports", "d-example.com", "mail.example.com:110", ingest.StartTLS},
		{"generic_ports", "e-example.com", "mail.example.com:143", ingest.StartTLS},
		{"generic_ports", "f-example.com", "mail.example.com:110", ingest.StartTLS},
		{"generic_ports", "g-example.com", "[::1]:1993", ingest.ImplicitTLS},
	} {
		m, err := loadGood(t, tt.file).Find(tt.id)
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		if m.Addr() != tt.addr || m.TLS != tt.tls {
			t.Errorf("%s %s: got %s %s, want %s %s", tt.file, tt.id, m.Addr(), m.TLS, tt.addr, tt.tls)
		}
	}
}

func TestAuthorityAndScopeFollowFromTheCloudUnlessSetSingly(t *testing.T) {
	c := loadGood(t, "clouds")
	for name, want := range map[string][2]string{
		"gov":     {"https://login.microsoftonline.us", "https://outlook.office365.us/.default"},
		"china":   {"https://login.partner.microsoftonline.cn", "https://partner.outlook.cn/.default"},
		"private": {"https://localhost:8443", "https://mail.example.com/.default"},
	} {
		if got := [2]string{c.Credentials[name].Authority, c.Credentials[name].Scope}; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestItIsKnownWhetherOneCopyOfTheStreamIsMeant(t *testing.T) {
	const rest = "credentials: {c: {type: password, password: env:P}}\nmailboxes: [{address: a@example.com, host: h}]\n"
	for text, want := range map[string]bool{"": false, "nats: {stream: {name: X}}\n": false, "nats: {stream: {replicas: 1}}\n": true} {
		c, err := Parse("x.yaml", []byte(text+rest))
		if err != nil {
			t.Fatal(err)
		}
		if s := c.NATS.Stream; s.Replicas != 1 || s.Chosen != want {
			t.Errorf("%q: %+v", text, s)
		}
	}
}

func TestEveryFormOfAPostActionIsRead(t *testing.T) {
	c := loadGood(t, "after")
	hour := time.Hour
	for i, want := range []ingest.After{
		{Action: "none", Grace: hour}, {Action: "seen", Grace: hour}, {Action: "flag", Flag: "$Ingested", Grace: hour},
		{Action: "flag", Flag: "$Ingested", Grace: 5 * time.Minute}, {Action: "move", Folder: "Processed", Grace: hour},
		{Action: "move", Folder: "Processed", Grace: hour}, {Action: "move", Folder: "Processed"},
		{Action: "move", Folder: "Processed", Grace: hour}, {Action: "flag", Flag: `\Flagged`, Grace: hour},
		{Action: "delete", Grace: 24 * hour},
	} {
		if got := c.Mailboxes[i].After.Ingest(); got != want {
			t.Errorf("%s: got %+v, want %+v", c.Mailboxes[i].Address, got, want)
		}
	}
}

func TestEveryFormOfAStartIsRead(t *testing.T) {
	c := loadGood(t, "start")
	for i, want := range []ingest.Start{
		{}, {All: true}, {Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, {Since: time.Date(2026, 1, 1, 6, 30, 0, 0, time.UTC)},
	} {
		if got := c.Mailboxes[i].Start.Ingest(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestLabelsAddUpAndKeepTheirSpelling(t *testing.T) {
	got := loadGood(t, "labels").Mailboxes[0].Labels
	if want := map[string]string{"team": "desk", "tier": "2", "vip": "true", "country": "no"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMailboxesFromFilesAreReadInOrder(t *testing.T) {
	c := loadGood(t, "from_files")
	var ids []string
	for _, m := range c.Mailboxes {
		ids = append(ids, m.Name())
	}
	if want := "a-contoso.com b-contoso.com c-contoso.com one contoso/two three-contoso.com"; strings.Join(ids, " ") != want {
		t.Errorf("got %v, want %v", ids, want)
	}
	one, _ := c.Find("one")
	if one.After.Ingest() != (ingest.After{Action: "move", Folder: "Done", Grace: time.Hour}) || !one.Start.All ||
		!reflect.DeepEqual(one.Folders, []string{"INBOX", "Archive"}) || one.Labels["queue"] != "tier1" || one.PollEvery != Duration(30*time.Second) {
		t.Errorf("got %+v", one)
	}
	if len(c.Files) != 5 {
		t.Errorf("files: %v", c.Files)
	}
}

func TestEachExampleIsAValidConfiguration(t *testing.T) {
	for _, provider := range []string{"microsoft365", "google", "generic", "delegated"} {
		b, err := Example(provider)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse(filepath.Join(t.TempDir(), "mailflume.yaml"), b)
		if err != nil {
			t.Errorf("%s: %v\n%s", provider, err, b)
			continue
		}
		if len(c.Mailboxes) != 1 {
			t.Errorf("%s: %d mailboxes", provider, len(c.Mailboxes))
		}
		if err := c.CheckSecrets(t.Context()); err == nil || !strings.Contains(err.Error(), "0600") {
			t.Errorf("%s: the missing secret should be reported with what to do: %v", provider, err)
		}
	}
	if _, err := Example("gogle"); err == nil || !strings.Contains(err.Error(), "did you mean google?") {
		t.Errorf("got %v", err)
	}
}
