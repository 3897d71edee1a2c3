package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"

	"mailflume/publish"
)

// Change is the difference between two configurations.
type Change struct {
	Added, Removed []publish.Key
	Changed        []MailboxChange
	// Restart names the sections that differ but take effect only in a new process: nats, worker, blobs, http.
	Restart []string
	// Live names the other sections that differ: limits, log.
	Live []string

	refused []string
}

// MailboxChange is a mailbox that both configurations have, with the keys that differ. A key
// "credentials" also stands for credentials of the same name whose definition differs.
type MailboxChange struct {
	Mailbox publish.Key
	Keys    []string
}

// Diff compares two configurations.
func Diff(before, after *Config) Change {
	var c Change
	shapes := shapes{}
	was := map[publish.Key]*Mailbox{}
	for _, m := range before.Mailboxes {
		was[m.Key()] = m
	}
	byID := map[string][]*Mailbox{}
	still := map[publish.Key]bool{}
	for _, m := range after.Mailboxes {
		key := m.Key()
		old, ok := was[key]
		still[key] = ok
		if !ok {
			c.Added = append(c.Added, key)
			byID[m.ID] = append(byID[m.ID], m)
			continue
		}
		if old.Definition() == m.Definition() {
			continue
		}
		if keys := differing(old.facts(shapes), m.facts(shapes)); len(keys) > 0 {
			c.Changed = append(c.Changed, MailboxChange{key, keys})
		}
	}
	for _, m := range before.Mailboxes {
		if !still[m.Key()] {
			c.Removed = append(c.Removed, m.Key())
			c.refuse(m, byID[m.ID])
		}
	}
	// The stream, the worker's name, the blob store and the listener are settled once, when the process starts.
	c.Restart = sections(map[string][2]any{"nats": {before.NATS, after.NATS}, "worker": {before.Worker, after.Worker}, "blobs": {before.Blobs, after.Blobs}, "http": {before.HTTP, after.HTTP}})
	c.Live = sections(map[string][2]any{"limits": {before.Limits, after.Limits}, "log": {before.Log, after.Log}})
	return c
}

// refuse notes a mailbox that left its tenant: its log and its blobs would stay behind unnoticed.
func (c *Change) refuse(gone *Mailbox, added []*Mailbox) {
	for _, m := range added {
		if strings.EqualFold(m.Address, gone.Address) && m.RenamedFrom != gone.Tenant {
			c.refused = append(c.refused, fmt.Sprintf("mailbox %s: its tenant was %s and is %s: add renamed_from: %s, or change it back", m.ID, gone.Tenant, m.Tenant, gone.Tenant))
		}
	}
}

// sections lists the names of those pairs whose two sides differ.
func sections(of map[string][2]any) []string {
	var out []string
	for name, v := range of {
		if len(differing(flatten(shapes{}, "", reflect.ValueOf(v[0])), flatten(shapes{}, "", reflect.ValueOf(v[1])))) > 0 {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

// Empty says that nothing differs.
func (c Change) Empty() bool {
	return len(c.Added)+len(c.Removed)+len(c.Changed)+len(c.Restart)+len(c.Live) == 0
}

// Err says why the change must not take effect: a mailbox changed its tenant without renamed_from.
func (c Change) Err() error {
	if len(c.refused) == 0 {
		return nil
	}
	return errors.New(strings.Join(c.refused, "\n"))
}

// String tells the change in one line.
func (c Change) String() string {
	if c.Empty() {
		return "nothing changed"
	}
	changed := make([]string, 0, len(c.Changed))
	for _, m := range c.Changed {
		changed = append(changed, displayName(m.Mailbox)+": "+strings.Join(m.Keys, ", "))
	}
	s := "+" + counted(len(c.Added), names(c.Added), ", ") + ", ~" + counted(len(c.Changed), changed, "; ") + ", -" + counted(len(c.Removed), names(c.Removed), ", ")
	if len(c.Live) > 0 {
		s += "; changed: " + strings.Join(c.Live, ", ")
	}
	if len(c.Restart) > 0 {
		s += "; needs a restart: " + strings.Join(c.Restart, ", ")
	}
	return s
}

// counted says how many there are and names the first few: the line goes to a terminal and a log.
func counted(n int, names []string, between string) string {
	unit := " mailboxes"
	if n == 1 {
		unit = " mailbox"
	}
	s := fmt.Sprint(n) + unit
	if n == 0 {
		return s
	}
	const most = 5
	if n > most {
		names = append(slices.Clone(names[:most]), "...")
	}
	return s + " (" + strings.Join(names, between) + ")"
}

// names lists keys as people write them.
func names(keys []publish.Key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = displayName(k)
	}
	return out
}

// displayName leaves out the default tenant, as Mailbox.Name does.
func displayName(k publish.Key) string {
	return (&Mailbox{ID: k.Mailbox, Settings: Settings{Tenant: k.Tenant}}).Name()
}

// Definition is a digest over everything that matters for the mailbox's runner, its credentials
// included: if it stays the same, the runner may go on. References to secrets count, their contents
// do not: those are read anew each time. Limits are the process's and do not count.
func (m *Mailbox) Definition() string {
	if m.definition != "" {
		return m.definition
	}
	return m.digest(shapes{})
}

func (m *Mailbox) digest(in shapes) string { return digest(m.facts(in)) }

// Definition is a digest over everything that matters for the tokens of these credentials.
func (c *Credential) Definition() string { return digest(flatten(shapes{}, "", reflect.ValueOf(*c))) }

// digest hashes facts. Values are quoted, so that no value can pass for the next key.
func digest(facts []fact) string {
	h := sha256.New()
	for _, f := range facts {
		_, _ = fmt.Fprintf(h, "%s=%q\n", f.key, f.value) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fact is one key with its value in a comparable form.
type fact struct{ key, value string }

// facts lists everything that a runner depends on: the mailbox's keys and its credential's.
func (m *Mailbox) facts(in shapes) []fact {
	out := flatten(in, "", reflect.ValueOf(*m))
	if m.Credential != nil {
		for _, f := range flatten(in, "", reflect.ValueOf(*m.Credential)) {
			out = append(out, fact{"credentials." + f.key, f.value})
		}
	}
	return out
}

// flatten lists the keys of a struct in order, with what stands in them.
func flatten(in shapes, prefix string, v reflect.Value) []fact {
	var out []fact
	s := in.of(v.Type())
	for _, name := range s.names {
		key := join(prefix, name)
		switch x := v.FieldByIndex(s.fields[name].index).Interface().(type) {
		case Secret:
			out = append(out, fact{key, x.Reference()})
		case After:
			out = append(out, fact{key, x.String() + " grace " + Duration(x.Grace).String()})
		case []string, map[string]string, string:
			out = append(out, fact{key, fmt.Sprintf("%q", x)})
		case NATSTLS, Stream:
			out = append(out, flatten(in, key, reflect.ValueOf(x))...)
		default:
			out = append(out, fact{key, fmt.Sprint(x)})
		}
	}
	return out
}

// differing names the keys whose values differ; those of credentials count as one key.
func differing(a, b []fact) []string {
	was := map[string]string{}
	for _, f := range a {
		was[f.key] = f.value
	}
	var keys []string
	note := func(key string) {
		if strings.HasPrefix(key, "credentials.") {
			key = "credentials"
		}
		if !contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, f := range b {
		if was[f.key] != f.value {
			note(f.key)
		}
		delete(was, f.key) // what is left at the end stood in the old one only
	}
	for key := range was {
		note(key)
	}
	return keys
}
