package config

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// shape is what the decoder knows of a struct: its keys in order.
type shape struct {
	names  []string
	fields map[string]*field
}

// field is one key, with the rules that its tags hold. The JSON Schema is made from the same tags.
type field struct {
	key      string
	index    []int
	enum     []string
	min, max int
	path     bool
}

// shapes remembers the shapes of the types that one run has met.
type shapes map[reflect.Type]*shape

// of looks at a type once; reading its tags takes longer than decoding into it.
func (in shapes) of(t reflect.Type) *shape {
	s, ok := in[t]
	if !ok {
		s = shapeOf(t)
		in[t] = s
	}
	return s
}

// shapeOf reads a struct's tags. Embedded structs count as if their keys stood in the outer one.
func shapeOf(t reflect.Type) *shape {
	s := &shape{fields: map[string]*field{}}
	for _, sf := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if sf.Anonymous || !sf.IsExported() || name == "-" || name == "" {
			continue
		}
		f := &field{key: name, index: sf.Index, min: math.MinInt, max: math.MaxInt, path: sf.Tag.Get("path") != ""}
		for rule := range strings.SplitSeq(sf.Tag.Get("jsonschema"), ",") {
			f.rule(rule)
		}
		s.fields[name] = f
		s.names = append(s.names, name)
	}
	return s
}

// rule reads one rule of a jsonschema tag; those that only editors need are left to them.
func (f *field) rule(rule string) {
	name, value, _ := strings.Cut(rule, "=")
	switch name {
	case "enum":
		f.enum = append(f.enum, value)
	case "minimum":
		f.min, _ = strconv.Atoi(value)
	case "maximum":
		f.max, _ = strconv.Atoi(value)
	}
}

// numbers says which numbers are allowed.
func (f *field) numbers() string {
	if f.max == math.MaxInt {
		return "a whole number"
	}
	return "a whole number from " + strconv.Itoa(f.min) + " to " + strconv.Itoa(f.max)
}

// suggest returns "did you mean ..." if one of the words is close to what was written, otherwise
// the other hint.
func suggest(written string, words []string, otherwise string) string {
	best, bestAt := "", len(written)/3+2
	for _, w := range words {
		if n := distance(strings.ToLower(written), strings.ToLower(w), bestAt); n < bestAt {
			best, bestAt = w, n
		}
	}
	switch {
	case best == "":
		return otherwise
	case otherwise == "":
		return "did you mean " + best + "?"
	}
	return "did you mean " + best + "? " + otherwise
}

// distance is the number of letters to insert, delete, replace or swap between a and b, or limit
// if it is at least that.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || max(len(x)-len(y), len(y)-len(x)) >= limit {
		return limit
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(y)], limit)
}

// elsewhere says where a key belongs that stands in the wrong section.
func elsewhere(key string) string {
	for _, s := range []struct {
		where string
		of    any
	}{
		{"the top level", file{}}, {"a mailbox or defaults", Settings{}}, {"nats", NATS{}}, {"nats.stream", Stream{}},
		{"a credential", Credential{}}, {"worker", Worker{}}, {"blobs", Blobs{}}, {"limits", Limits{}}, {"http", HTTP{}}, {"log", Log{}}, {"a mailbox", Mailbox{}},
		{"canary", Canary{}},
	} {
		if slices.Contains(shapeOf(reflect.TypeOf(s.of)).names, key) {
			return "that key belongs to " + s.where
		}
	}
	return ""
}

// contains says whether a word is in a list.
func contains(words []string, s string) bool { return slices.Contains(words, s) }

// itoa writes a number into a message.
func itoa(n int) string { return strconv.Itoa(n) }

// oneOf lists choices for a person.
func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
