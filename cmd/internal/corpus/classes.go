package main

import (
	"slices"
	"strings"
	"time"

	"mailflume/parse"
	"mailflume/publish"
)

// class is a kind of difference that is there on purpose.
type class struct {
	name, why string
	fields    []string
	explain   func(*difference) // takes out what it explains
}

// classes are tried in this order.
func classes() []class {
	all := make([]string, 0, 8)
	for _, f := range fields() {
		all = append(all, f.name)
	}
	return slices.Concat([]class{
		{"journal", "the event of a journal report describes the message that it reports; the others describe the report", all, func(d *difference) {
			if d.data.Journal != nil {
				d.extra, d.missing, d.order = nil, nil, false
			}
		}},
	}, attachmentClasses(), []class{
		{"raw 8-bit", "octets nobody named a charset for are read in that of the body; others have U+FFFD",
			[]string{"subject", "from", "to", names}, rawOctets},
		{"word without charset", "an encoded word that does not name its charset is decoded all the same; others leave it encoded",
			[]string{"subject"}, bareWord},
		{"date others refuse", "no zone, a comma, a long month, a fraction: the date is there and can be read",
			[]string{"date"}, func(d *difference) { d.pair("", d.yearIsThere) }},
		{"year of three digits", "year 0102 is nobody's: the date is null and reported, not published",
			[]string{"date"}, func(d *difference) { d.pairExtra("", func(want string) bool { return want != "" && want < "1900" }) }},
		{"zone name", "the abbreviation of a zone is read as its offset; net/mail, which half of the others share, takes it for UTC",
			[]string{"date"}, zoneName},
		{"junk in the message-id", "an id ends at its > and has no white space inside (RFC 5322 section 3.6.4)",
			[]string{"message_id"}, idJunk},
	})
}

// attachmentClasses explain attachments that only one side has, or has otherwise.
func attachmentClasses() []class {
	both := []string{digests, names}
	return []class{
		{"message part", "message/* is an attachment of its own octets; the others leave it out", both, func(d *difference) {
			d.drop(func(a publish.Attachment) bool { return strings.HasPrefix(a.ContentType, "message/") })
		}},
		{"opened by us", "what was found inside of a TNEF, uuencode, S/MIME or message part; the others do not look inside", both, func(d *difference) {
			d.drop(func(a publish.Attachment) bool { return a.Origin != "" && a.Origin != "mime" })
		}},
		{"depth", "multiparts nested deeper than our limit are one attachment", both, func(d *difference) {
			d.drop(func(a publish.Attachment) bool { return d.issue(a.Part, parse.IssueDepthLimit) })
		}},
		{"transfer encoding", "an encoding that the others do not know (uuencode) is decoded; what they hash are the octets as sent", []string{digests}, func(d *difference) {
			d.drop(func(a publish.Attachment) bool {
				return slices.Contains(d.extra, a.SHA256) && take(&d.missing, d.asSent(a.Part))
			})
		}},
		{"broken base64", "an unpadded tail is kept, foreign characters are skipped, joined encodings go on; others stop or drop octets", []string{digests}, func(d *difference) {
			d.drop(func(a publish.Attachment) bool {
				broken := d.issue(a.Part, parse.IssueBase64Unpadded, parse.IssueBase64Garbage, parse.IssueBase64Continued, parse.IssueBase64Trailing, parse.IssueBase64Truncated)
				if !broken || len(d.missing) == 0 || !slices.Contains(d.extra, a.SHA256) {
					return false
				}
				d.missing = d.missing[1:]
				return true
			})
		}},
		{"type without subtype", "RFC 2045 section 5.2: a Content-Type that cannot be read means text/plain, so the part is a body; others make an attachment of it", []string{digests}, func(d *difference) {
			if d.issue("*", parse.IssueContentTypeBad) && len(d.extra) == 0 && len(d.missing) == 1 && d.data.Text != nil {
				d.missing = nil
			}
		}},
	}
}

// pair takes out the only two values of a field if want is the one given and ours fits.
func (d *difference) pair(want string, fits func(ours string) bool) {
	if len(d.extra) == 1 && len(d.missing) == 1 && d.missing[0] == want && fits(d.extra[0]) {
		d.extra, d.missing = nil, nil
	}
}

// pairExtra is pair the other way round.
func (d *difference) pairExtra(ours string, fits func(want string) bool) {
	if len(d.extra) == 1 && len(d.missing) == 1 && d.extra[0] == ours && fits(d.missing[0]) {
		d.extra, d.missing = nil, nil
	}
}

// yearIsThere tells whether the year of a date stands in the field, with two digits at least.
func (d *difference) yearIsThere(date string) bool {
	i := slices.IndexFunc(d.data.Headers, func(f publish.Field) bool { return strings.EqualFold(f.Name, "Date") })
	return len(date) > 4 && i >= 0 && strings.Contains(d.data.Headers[i].Value, date[2:4])
}

// rawOctets pairs values of which the expected one has U+FFFD and otherwise the same ASCII text. It may
// have more: the second octet of a character can be an ASCII one, read alone.
func rawOctets(d *difference) {
	if !d.issue("*", parse.IssueFieldUndeclared8) {
		return
	}
	for _, want := range slices.Clone(d.missing) {
		i := slices.IndexFunc(d.extra, func(ours string) bool {
			return strings.ContainsRune(want, '\uFFFD') && !strings.ContainsRune(ours, '\uFFFD') && within(ascii(ours), ascii(want))
		})
		if i >= 0 {
			d.extra = slices.Delete(d.extra, i, i+1)
			take(&d.missing, want)
		}
	}
}

// ascii returns the ASCII characters of s.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return -1
		}
		return r
	}, s)
}

// within tells whether the characters of s stand in t in the same order.
func within(s, t string) bool {
	for _, c := range s {
		i := strings.IndexRune(t, c)
		if i < 0 {
			return false
		}
		t = t[i+1:]
	}
	return true
}

// bareWord pairs a decoded word with one that was left encoded.
func bareWord(d *difference) {
	if len(d.extra) == 1 && len(d.missing) == 1 && strings.Contains(d.missing[0], "=??") && !strings.Contains(d.extra[0], "=??") {
		d.extra, d.missing = nil, nil
	}
}

// zoneName pairs dates of which the expected one has the field's own clock as if it were UTC.
func zoneName(d *difference) {
	words := strings.Fields(d.data.DateRaw)
	if len(words) == 0 || len(d.missing) != 1 || strings.Trim(words[len(words)-1], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz()") != "" {
		return
	}
	want, err := time.Parse(time.RFC3339, d.missing[0])
	if err == nil && d.data.Date != nil && strings.Contains(d.data.DateRaw, want.Format("15:04")) {
		if off := want.Sub(*d.data.Date).Abs(); off <= 14*time.Hour && off%(15*time.Minute) == 0 {
			d.extra, d.missing = nil, nil
		}
	}
}

// idJunk pairs an id with itself and what stood behind or inside of it.
func idJunk(d *difference) {
	d.pairExtra(d.data.MessageID, func(want string) bool {
		id, _, _ := strings.Cut(want, ">")
		return want != "" && strings.Join(strings.Fields(id), "") == d.data.MessageID
	})
}
