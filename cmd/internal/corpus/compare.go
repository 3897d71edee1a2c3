package main

import (
	"slices"
	"strings"
	"time"

	"mailflume/publish"
)

// field is one thing that is compared.
type field struct {
	name string
	ours func(*publish.Data) []string
	// same makes equal what means the same; nil: only the same text does.
	same func(string) string
	// sorted: the order means nothing
	sorted bool
}

// fields are those an expectation may have.
func fields() []field {
	return []field{
		{name: "subject", ours: func(d *publish.Data) []string { return []string{d.Subject} }, same: oneSpace},
		{name: "from", ours: func(d *publish.Data) []string { return addresses(d.From) }, same: strings.ToLower},
		{name: "to", ours: func(d *publish.Data) []string { return addresses(d.To) }, same: strings.ToLower},
		{name: "date", ours: func(d *publish.Data) []string { return []string{date(d)} }},
		{name: "message_id", ours: func(d *publish.Data) []string { return []string{d.MessageID} }},
		{name: digests, ours: attachments(digest), sorted: true},
		{name: names, ours: attachments(filename), sorted: true},
	}
}

const (
	digests = "attachment_sha256"
	names   = "attachment_names"
)

// oneSpace makes every run of white space one space.
func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

func addresses(list []publish.Address) (out []string) {
	for _, a := range list {
		out = append(out, a.Address)
	}
	return out
}

func date(d *publish.Data) string {
	if d.Date == nil {
		return ""
	}
	return d.Date.UTC().Format(time.RFC3339)
}

// attachments returns what value says of every attachment, without the empty ones.
func attachments(value func(publish.Attachment) string) func(*publish.Data) []string {
	return func(d *publish.Data) (out []string) {
		for _, a := range d.Attachments {
			if v := value(a); v != "" {
				out = append(out, v)
			}
		}
		return out
	}
}

func digest(a publish.Attachment) string { return a.SHA256 }

// filename is the name as sent.
func filename(a publish.Attachment) string {
	if a.FilenameRaw != "" {
		return a.FilenameRaw
	}
	return a.Filename
}

// difference is a field that is not as expected. Classes take out of extra and missing what they explain.
type difference struct {
	*reading
	field          string
	extra, missing []string // what only we have, what only the expectation has
	order          bool     // all is there, but not in the same order
}

// compare returns nil if the field is as expected.
func compare(f field, r *reading, want []string) *difference {
	ours, want := f.normal(f.ours(&r.data)), f.normal(want)
	if slices.Equal(ours, want) {
		return nil
	}
	d := &difference{reading: r, field: f.name, extra: without(ours, want), missing: without(want, ours)}
	d.order = len(d.extra)+len(d.missing) == 0
	return d
}

// normal returns values in the form that is compared.
func (f field) normal(values []string) []string {
	out := slices.Clone(values)
	if f.same != nil {
		for i := range out {
			out[i] = f.same(out[i])
		}
	}
	if f.sorted {
		slices.Sort(out)
	}
	return out
}

// without returns a without the elements of b, each as often as it is there.
func without(a, b []string) (out []string) {
	left := map[string]int{}
	for _, v := range b {
		left[v]++
	}
	for _, v := range a {
		if left[v] > 0 {
			left[v]--
			continue
		}
		out = append(out, v)
	}
	return out
}

// explained tells whether nothing is left to be said.
func (d *difference) explained() bool { return !d.order && len(d.extra)+len(d.missing) == 0 }

// take removes v from one of the lists; false if it is not there.
func take(list *[]string, v string) bool {
	i := slices.Index(*list, v)
	if i >= 0 {
		*list = slices.Delete(*list, i, i+1)
	}
	return i >= 0
}

// drop takes out the attachments that only we have and for which why is true.
func (d *difference) drop(why func(publish.Attachment) bool) {
	for _, a := range d.data.Attachments {
		if why(a) {
			take(&d.extra, d.value(a))
		}
	}
}

// value is what the field says of an attachment.
func (d *difference) value(a publish.Attachment) string {
	if d.field == digests {
		return digest(a)
	}
	return filename(a)
}
