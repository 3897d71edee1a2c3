package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// decode reads a JSON object into v, as far as it fits: issuers write numbers as strings, lists for
// words, and null for nothing. A field that does not fit is as if it were missing.
func decode(body []byte, v any) bool {
	err := json.Unmarshal(body, v)
	misfit, ok := errors.AsType[*json.UnmarshalTypeError](err)
	return err == nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) || ok && misfit.Field != ""
}

// seconds is a number of seconds, or a string that holds one (Entra's first version, Azure's metadata
// service). Anything else is 0.
type seconds float64

// UnmarshalJSON never fails.
func (s *seconds) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if *s = seconds(f); err != nil || math.IsNaN(f) {
		*s = 0
	}
	return nil
}

// atMost is the time that they are, not above a bound.
func (s seconds) atMost(bound time.Duration) time.Duration {
	return time.Duration(min(float64(s), bound.Seconds()) * float64(time.Second))
}

// words are those of a string (RFC 6749 section 3.3), or, as some issuers have it, a list of strings.
type words string

// UnmarshalJSON never fails.
func (w *words) UnmarshalJSON(b []byte) error {
	var v any
	_ = json.Unmarshal(b, &v) // it is JSON already
	*w = words(strings.Join(texts(v), " "))
	return nil
}
