package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Duration is a span of time written with units: 30s, 5m, 1h30m, 30d.
type Duration time.Duration

// errUnit is what the parsers of values with units return; callers say what would be right.
var errUnit = errors.New("no number with a unit")

// ParseDuration reads a duration. Units are ms, s, m, h, d and w; 0 needs none.
func ParseDuration(s string) (Duration, error) {
	if s == "0" {
		return 0, nil
	}
	var total float64
	rest := s
	for rest != "" || s == "" {
		num, unit, after := splitUnit(rest)
		f, err := strconv.ParseFloat(num, 64)
		u, ok := durationUnit(unit)
		if err != nil || !ok {
			return 0, errUnit
		}
		total += f * float64(u)
		rest = after
	}
	if total > math.MaxInt64/2 {
		return 0, errUnit
	}
	return Duration(math.Round(total)), nil
}

// splitUnit cuts one number and the letters after it from the front of s.
func splitUnit(s string) (num, unit, rest string) {
	isDigit := func(r rune) bool { return r >= '0' && r <= '9' || r == '.' }
	n := len(s) - len(strings.TrimLeftFunc(s, isDigit))
	num, s = s[:n], s[n:]
	u := strings.IndexFunc(s, isDigit)
	if u < 0 {
		u = len(s)
	}
	return num, s[:u], s[u:]
}

// durationUnit: m is a minute. Months and years have no fixed length and are left out.
func durationUnit(s string) (time.Duration, bool) {
	switch s {
	case "ms":
		return time.Millisecond, true
	case "s":
		return time.Second, true
	case "m":
		return time.Minute, true
	case "h":
		return time.Hour, true
	case "d":
		return 24 * time.Hour, true
	case "w":
		return 7 * 24 * time.Hour, true
	}
	return 0, false
}

// String writes the duration as the file does, in the largest units that fit.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	if d < 0 || time.Duration(d)%time.Millisecond != 0 {
		return time.Duration(d).String()
	}
	var b strings.Builder
	rest := time.Duration(d)
	for _, unit := range []string{"d", "h", "m", "s", "ms"} {
		u, _ := durationUnit(unit)
		if n := rest / u; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + unit)
			rest %= u
		}
	}
	return b.String()
}

// UnmarshalYAML reads a duration; its error says where and what would be right.
func (d *Duration) UnmarshalYAML(n ast.Node) error {
	s, err := scalar(n)
	if err != nil {
		return err
	}
	v, err := ParseDuration(s)
	switch {
	case err == nil:
		*d = v
		return nil
	case strings.HasPrefix(s, "-"):
		return wrong(n, "a duration cannot be negative", "write 0, or a duration such as 30s, 5m or 1h30m")
	case isNumber(s):
		return wrong(n, quote(s)+" has no unit", "write "+s+"s for seconds, "+s+"m for minutes, "+s+"h for hours or "+s+"d for days")
	}
	return wrong(n, quote(s)+" is not a duration", "write for example 30s, 5m, 1h30m or 30d")
}

// MarshalYAML writes the duration as the file does.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// Sync is how often the embedded server calls fsync; 0 means always: before every acknowledgement.
type Sync Duration

// String returns the interval, or always.
func (s Sync) String() string {
	if s == 0 {
		return "always"
	}
	return Duration(s).String()
}

// UnmarshalYAML reads a duration or the word always.
func (s *Sync) UnmarshalYAML(n ast.Node) error {
	text, err := scalar(n)
	if err != nil {
		return err
	}
	if text == "always" {
		*s = 0
		return nil
	}
	v, err := ParseDuration(text)
	if err != nil || time.Duration(v) < time.Millisecond || time.Duration(v) > time.Minute {
		return wrong(n, quote(text)+" is no interval between two fsyncs", "write always, or a duration from 1ms to 1m, for example 1s")
	}
	*s = Sync(v)
	return nil
}

// MarshalYAML writes the interval as the file does.
func (s Sync) MarshalYAML() (any, error) { return s.String(), nil }

// Size is a number of bytes, written with binary (KiB, MiB, GiB, TiB) or decimal (kB, MB, GB, TB)
// units or with none.
type Size int64

// ParseSize reads a size.
func ParseSize(s string) (Size, error) {
	num, unit, rest := splitUnit(s)
	unit = strings.TrimSpace(unit)
	u, ok := sizeUnit(unit)
	if rest != "" || !ok {
		return 0, errUnit
	}
	if u == 1 {
		n, err := strconv.ParseInt(num, 10, 64)
		if err != nil {
			return 0, errUnit
		}
		return Size(n), nil
	}
	f, err := strconv.ParseFloat(num, 64)
	if err != nil || f*float64(u) > math.MaxInt64/2 {
		return 0, errUnit
	}
	return Size(math.Round(f * float64(u))), nil
}

// sizeUnit: K, M and G alone are left out, since people disagree about what they mean.
func sizeUnit(s string) (int64, bool) {
	switch s {
	case "", "B":
		return 1, true
	case "KiB":
		return 1 << 10, true
	case "MiB":
		return 1 << 20, true
	case "GiB":
		return 1 << 30, true
	case "TiB":
		return 1 << 40, true
	case "kB", "KB":
		return 1e3, true
	case "MB":
		return 1e6, true
	case "GB":
		return 1e9, true
	case "TB":
		return 1e12, true
	}
	return 0, false
}

// String writes the size with the largest binary unit that divides it.
func (s Size) String() string {
	for _, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if u, _ := sizeUnit(unit); s != 0 && int64(s)%u == 0 {
			return strconv.FormatInt(int64(s)/u, 10) + unit
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// UnmarshalYAML reads a size; its error says where and what would be right.
func (s *Size) UnmarshalYAML(n ast.Node) error {
	text, err := scalar(n)
	if err != nil {
		return err
	}
	v, err := ParseSize(text)
	if err != nil {
		return wrong(n, quote(text)+" is not a size", "write for example 64KiB, 150MiB, 1GiB, 500MB or a number of bytes")
	}
	*s = v
	return nil
}

// MarshalYAML writes the size as the file does.
func (s Size) MarshalYAML() (any, error) {
	if text := s.String(); !isNumber(text) {
		return text, nil
	}
	return int64(s), nil
}

// isNumber says whether only the unit is missing.
func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
