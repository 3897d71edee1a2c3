package oauth

import "regexp"

// blotFields blots out the values of fields that hold secrets: an answer that is broken may carry a whole
// token all the same, and no token is known to be one before it could be read.
func blotFields(s string) string {
	return regexp.MustCompile(`(?i)\b((?:access_token|refresh_token|id_token|device_code|client_secret|client_assertion|assertion)\\?["']?\s*[=:]\s*\\?["']?)[^"'&\s,}\\]+`).ReplaceAllString(s, "${1}***")
}
