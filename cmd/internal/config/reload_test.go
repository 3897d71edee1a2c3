package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"mailflume/publish"
)

const reloadBase = `nats: {url: "nats://127.0.0.1:4222"}
credentials:
  a: {type: password, password: env:A}
  b: {type: password, password: env:B}
defaults: {host: mail.example.com, credentials: a}
mailboxes:
  - {id: support, address: support@example.com}
  - {id: sales, address: sales@example.com, credentials: b}
`

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("/etc/mailflume/mailflume.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDiffTellsInOneLineWhatAReloadDoes(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"nothing", "#", "#", "nothing changed"},
		{"another spelling", "mail.example.com, cred", "'mail.example.com', cred", "nothing changed"},
		{"one key", "address: support@example.com", "address: support@example.com, poll_every: 30s", "+0 mailboxes, ~1 mailbox (support: poll_every), -0 mailboxes"},
		{"a default", "{host", "{idle: false, host", "+0 mailboxes, ~2 mailboxes (support: idle; sales: idle), -0 mailboxes"},
		{"labels and after", "address: sales@", "labels: {a: b}, after: {grace: 1h}, address: sales@", "+0 mailboxes, ~1 mailbox (sales: labels, after), -0 mailboxes"},
		{"credentials by name", "credentials: b", "credentials: a", "+0 mailboxes, ~1 mailbox (sales: credentials), -0 mailboxes"},
		{"their definition", "env:B", "env:C", "+0 mailboxes, ~1 mailbox (sales: credentials), -0 mailboxes"},
		{"one more, one less", "id: sales", "id: invoices", "+1 mailbox (invoices), ~0 mailboxes, -1 mailbox (sales)"},
		{"nats", "4222", "4223", "+0 mailboxes, ~0 mailboxes, -0 mailboxes; needs a restart: nats"},
		{"a stream", "4222\"}", "4222\", stream: {replicas: 3}}", "+0 mailboxes, ~0 mailboxes, -0 mailboxes; needs a restart: nats"},
		{"other sections", "mailboxes:", "http: {listen: 'off'}\nblobs: {raw: false}\nlog: {level: debug}\nlimits: {memory: 1GiB}\nmailboxes:", "+0 mailboxes, ~0 mailboxes, -0 mailboxes; changed: limits, log; needs a restart: blobs, http"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Diff(mustParse(t, reloadBase), mustParse(t, strings.Replace(reloadBase, tt.from, tt.to, 1)))
			if c.String() != tt.want || c.Err() != nil {
				t.Errorf("got %s, %v\nwant %s", c, c.Err(), tt.want)
			}
		})
	}
}

func TestDiffNamesMailboxesByTenantAndID(t *testing.T) {
	got := Diff(mustParse(t, reloadBase), mustParse(t, strings.Replace(reloadBase, "id: sales", "id: x, tenant: contoso", 1)))
	want := []publish.Key{{Tenant: "contoso", Mailbox: "x"}}
	if !reflect.DeepEqual(got.Added, want) || !strings.HasPrefix(got.String(), "+1 mailbox (contoso/x)") {
		t.Errorf("got %v: %s", got.Added, got)
	}
}

func TestAChangedTenantIsRefusedUnlessItIsSaidOnPurpose(t *testing.T) {
	before := mustParse(t, reloadBase)
	moved := strings.Replace(reloadBase, "id: sales", "id: sales, tenant: contoso", 1)
	if err := Diff(before, mustParse(t, moved)).Err(); err == nil || !strings.Contains(err.Error(), "add renamed_from: default") {
		t.Errorf("got %v", err)
	}
	said := strings.Replace(moved, "tenant: contoso", "tenant: contoso, renamed_from: default", 1)
	if err := Diff(before, mustParse(t, said)).Err(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestALongDifferenceIsCutShort(t *testing.T) {
	var more strings.Builder
	for i := range 100 {
		fmt.Fprintf(&more, "  - {id: box%02d, address: box%d@example.com}\n", i, i)
	}
	got := Diff(mustParse(t, reloadBase), mustParse(t, reloadBase+more.String())).String()
	if want := "+100 mailboxes (box00, box01, box02, box03, box04, ...), ~0 mailboxes, -0 mailboxes"; got != want {
		t.Errorf("got %s", got)
	}
}

// TestTheDefinitionChangesWithEveryKey changes each key by itself: a forgotten one would leave a
// runner on its old configuration.
func TestTheDefinitionChangesWithEveryKey(t *testing.T) {
	base := mustParse(t, reloadBase).Mailboxes[0].Definition()
	if again := mustParse(t, reloadBase).Mailboxes[0].Definition(); again != base || len(base) != 64 {
		t.Fatalf("not stable: %s, %s", base, again)
	}
	changes := map[string]string{
		"id": "id: other", "address": "address: other@example.com", "credentials": "credentials: b", "tenant": "tenant: t",
		"renamed_from": "renamed_from: t", "labels": "labels: {a: b}", "protocol": "protocol: pop3", "provider": "provider: microsoft365",
		"poll_every": "poll_every: 5m", "idle": "idle: false", "folders": "folders: [Other]", "exclude": "exclude: [Other]",
		"start": "start: 2026-01-01T00:00:00.5Z", "after": "after: {grace: 11m}", "host": "host: other", "port": "port: 994", "tls": "tls: starttls",
		"ca_file": "ca_file: ca.pem", "auth": "auth: password", "user": "user: other",
		"smtp": "smtp: {port: 2587}", "canary": "smtp: {host: other}, canary: {every: 15m}",
	}
	for _, key := range shapeOf(reflect.TypeFor[Mailbox]()).names {
		change, ok := changes[key]
		if !ok {
			t.Errorf("no example for %s", key)
			continue
		}
		line := "id: support, address: support@example.com"
		switch key {
		case "id":
			line = change + ", address: support@example.com"
		case "address":
			line = "id: support, " + change
		default:
			line += ", " + change
		}
		text := strings.Replace(reloadBase, "id: support, address: support@example.com", line, 1)
		got := mustParse(t, text).Mailboxes[0].Definition()
		if same := got == base; same != (key == "auth") { // auth: password is what it was already
			t.Errorf("%s: same definition: %v", key, same)
		}
	}
	if got := mustParse(t, strings.Replace(reloadBase, "env:A", "env:Z", 1)).Mailboxes[0].Definition(); got == base {
		t.Error("the reference to the password does not count")
	}
}

func TestFindTakesIDsTenantsAndAddressesAndSuggests(t *testing.T) {
	c := loadGood(t, "tenants")
	for name, want := range map[string]string{"a/support": "a/support", "support@B.example.com": "b/support"} {
		if m, err := c.Find(name); err != nil || m.Key().String() != want {
			t.Errorf("%s: got %v, %v", name, m, err)
		}
	}
	if _, err := c.Find("support"); err == nil || !strings.Contains(err.Error(), "names 2 mailboxes: write one of a/support, b/support") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Find("a/sup-port"); err == nil || !strings.Contains(err.Error(), "did you mean a/support?") {
		t.Errorf("got %v", err)
	}
}
