package sasl

import (
	"encoding/json"
	"strings"
)

// Malformed reads what a server says about a refused token (RFC 7628 section 3.2.2, and Google's form
// for XOAUTH2) and reports whether it blames the message rather than the token: the user or address in
// it is not one of the server's.
func Malformed(challenge []byte) bool {
	var reason struct {
		Status json.RawMessage `json:"status"`
	}
	if json.Unmarshal(challenge, &reason) != nil {
		return false
	}
	switch strings.Trim(string(reason.Status), `"`) {
	case "400", "invalid_request":
		return true
	}
	return false
}
