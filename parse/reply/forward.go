package reply

import "strings"

// Forwarded tells whether a subject says that the mail is forwarded: then what is quoted in it is what
// the sender wants to be read, and Offset, which cannot tell the header block of a forwarded mail
// from that of an answered one, should not be asked.
func Forwarded(subject string) bool {
	word, _, ok := strings.Cut(subject, ":")
	if !ok || len(word) > 16 {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "fwd", "fw", "forward", // English
		"wg",        // German
		"tr",        // French
		"rv", "rva", // Spanish
		"enc",               // Portuguese
		"i",                 // Italian
		"doorst",            // Dutch
		"vb",                // Swedish
		"vs", "vl", "edast", // Danish and Norwegian (Finnish answers have it too), Finnish, Estonian
		"pd",                // Polish
		"tov", "továbbítás", // Hungarian
		"ilt", "i\u0307lt", // Turkish
		"πρθ",           // Greek
		"пересл", "пер", // Russian
		"转发", "轉寄", "轉發", "转寄", // Chinese
		"転送", // Japanese
		"전달": // Korean
		return true
	}
	return false
}
