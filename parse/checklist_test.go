package parse

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// item is one entry of the list of what a MIME reader must stand: a matter and the probes of it.
type item struct {
	n      int
	matter string
	mail   func(in string) string // makes the message of a probe's input
	look   func(message) string   // shows what the probes are about
	probes []probe
	lim    Limits
	open   bool // go into the parts that hold others
}

// probe is one message. want is what look must show; codes are all issues that must be reported, and
// none besides them, in alphabetical order.
type probe struct{ name, in, want, codes string }

// checklist is the whole list.
func checklist() []item {
	return slices.Concat(headerItems(), fieldItems(), wordItems(), rawItems(), addressItems(), brokenAddressItems(), dateItems(),
		extendedItems(), parameterItems(), nameItems(), boundaryItems(), nestingItems(), kindItems(), encodingItems(),
		charsetItems(), exactItems(), openItems())
}

func TestChecklist(t *testing.T) {
	for _, it := range checklist() {
		t.Run(fmt.Sprintf("%03d %s", it.n, it.matter), func(t *testing.T) {
			for _, p := range it.probes {
				if underRace > 1 && len(p.in) > 1<<20 {
					continue
				}
				t.Run(p.name, func(t *testing.T) { it.check(t, p) })
			}
		})
	}
}

// read reads a message as the item wants it.
func (it item) read(in io.Reader) (message, error) {
	if it.open {
		return walkFrom(in, it.lim)
	}
	return readFrom(in, it.lim)
}

// check reads the probe whole and octet by octet.
func (it item) check(t *testing.T, p probe) {
	t.Helper()
	msg := it.mail(p.in)
	if !strings.Contains(msg, "\r") {
		msg = strings.ReplaceAll(msg, "\n", "\r\n")
	}
	cut := 1
	if len(msg) > 256<<10 {
		cut = 4093
	}
	for name, in := range map[string]io.Reader{"whole": strings.NewReader(msg), "in pieces": pieces{strings.NewReader(msg), cut}} {
		m, err := it.read(in)
		if err != nil {
			t.Fatalf("%s: reading from memory failed: %v", name, err)
		}
		if got := it.look(m); got != p.want {
			t.Errorf("%s: got\n%.400q, want\n%.400q", name, got, p.want)
		}
		if got := m.allCodes(); got != p.codes {
			t.Errorf("%s: issues %q, want %q: %v", name, got, p.codes, m.header.issues.list)
		}
	}
}

// allCodes lists the codes of everything reported up to now, each once.
func (m message) allCodes() string {
	var out []string
	for _, is := range m.header.issues.list {
		out = append(out, is.Code)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

func TestChecklistIsComplete(t *testing.T) {
	seen := map[int]bool{}
	for _, it := range checklist() {
		seen[it.n] = true
		if len(it.probes) < 3 {
			t.Errorf("item %d (%s) has %d probes only", it.n, it.matter, len(it.probes))
		}
	}
	for n := 1; n <= 100; n++ {
		if !seen[n] {
			t.Errorf("item %d has no test", n)
		}
	}
}

// asIs takes a probe's input for the message.
func asIs(in string) string { return in }

// field makes messages of a header field.
func field(name string) func(string) string {
	return func(in string) string { return name + ": " + in + "\n\nhi\n" }
}

// before makes messages of what follows the given text.
func before(text string) func(string) string {
	return func(in string) string { return text + in }
}

// subject shows the subject.
func subject(m message) string { return m.header.Subject() }

// subjectAndText shows the subject and all bodies.
func subjectAndText(m message) string { return m.header.Subject() + "|" + bodies(m) }

// bodies shows the decoded octets of all parts.
func bodies(m message) string {
	var out []string
	for _, p := range m.parts {
		out = append(out, p.body)
	}
	return strings.Join(out, "|")
}

// mailboxes shows the addresses of From.
func mailboxes(m message) string { return show(m.header.Addresses("From")) }

// show writes addresses as name, address and group.
func show(list []Address) string {
	var out []string
	for _, a := range list {
		s := strings.TrimSpace(a.Name + " <" + a.Address + ">")
		if a.Group != "" {
			s = a.Group + ": " + s
		}
		out = append(out, s)
	}
	return strings.Join(out, " | ")
}

// date shows the date.
func date(m message) string {
	if tm, _, ok := m.header.Date(); ok {
		return tm.Format(time.RFC3339)
	}
	return "none"
}

// shape shows the tree of parts.
func shape(m message) string { return m.tree() }
