package config

import (
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"
)

// Date is a day, written as 2026-12-31. It begins at midnight UTC; the zero Date is none.
type Date time.Time

// IsZero says that no day is set.
func (d Date) IsZero() bool { return time.Time(d).IsZero() }

// String writes the day as the file does.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return time.Time(d).Format(time.DateOnly)
}

// UnmarshalYAML reads a day.
func (d *Date) UnmarshalYAML(n ast.Node) error {
	s, err := scalar(n)
	if err != nil {
		return err
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return wrong(n, quote(s)+" is not a day", "write year, month and day, for example 2026-12-31")
	}
	*d = Date(t)
	return nil
}

// MarshalYAML writes the day as the file does.
func (d Date) MarshalYAML() (any, error) { return d.String(), nil }

// JSONSchema describes a day.
func (Date) JSONSchema() *jsonschema.Schema {
	return textSchema(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, "2026-12-31")
}
