package parse

import (
	"strconv"
	"strings"
)

const (
	maxAuthResults    = 100 // results of one message
	maxAuthProperties = 32  // properties of one result
	maxAuthValue      = 512 // octets of an id, a reason or a property; longer ones are left out
	maxAuthKeyword    = 64  // octets of a method, a result, a property's name
	maxARCInstance    = 50  // RFC 8617 section 4.2.1
)

// AuthResult is what one server says that it found out about the sender by one method.
type AuthResult struct {
	AuthservID string            // who says so; empty where it does not say, as Exchange Online does not
	Method     string            // spf, dkim, dmarc, arc, iprev, auth, compauth …, lower case
	Result     string            // pass, fail, softfail, neutral, none, temperror, permerror …, lower case
	Reason     string            // the reason= of the result, in words
	Properties map[string]string // smtp.mailfrom, header.d, action …: names in lower case, values as sent
	ARC        int               // instance of the ARC set that it stands in (RFC 8617); 0: none
}

// AuthResults returns what the Authentication-Results (RFC 8601) and ARC-Authentication-Results (RFC
// 8617) fields say, and as method arc what each ARC-Seal says about the chain before it (cv), in the
// order of the fields: at most 100 results. Comments are left out, and so is a server that says that
// it checked nothing.
//
// Nothing here is verified. Every server on the way may have written a field, and so may the sender:
// only those of one's own border server count, known by its AuthservID, and only the topmost ones,
// written after the message came in (RFC 8601 section 7.1). A border server that does not remove
// forged fields with its own id makes all of them worthless. An ARC set counts only if its seals
// verify and the sealer is trusted.
func AuthResults(h *Header) []AuthResult {
	var out []AuthResult
	for _, f := range h.fields {
		if c := h.block[f.start] | 0x20; c != 'a' {
			continue
		}
		p := authParser{out: out}
		switch {
		case h.is(f, "Authentication-Results"):
			p.s = h.utf8(h.raw(f))
			p.results(AuthResult{})
		case h.is(f, "ARC-Authentication-Results"):
			p.s = h.utf8(h.raw(f))
			p.arcResults()
		case h.is(f, "ARC-Seal"):
			p.s = h.utf8(h.raw(f))
			p.seal()
		}
		if out = p.out; len(out) == maxAuthResults {
			break
		}
	}
	return out
}

// authParser reads one field in one pass. It is linear in the field's length.
type authParser struct {
	s       string
	i       int
	out     []AuthResult
	flat    bool // comments do not nest any more: one did not close
	noQuote bool // there is no closing quote after here
}

// results reads the authserv-id, its version and the results: authserv-id [version] *(";" result).
// Where the first word has an equals sign there is no id, and it is the first result.
func (p *authParser) results(from AuthResult) {
	if id, value, ok := p.pair(); ok && value.set {
		p.i = value.start
	} else if len(id) <= maxAuthValue {
		from.AuthservID = id
	}
	for p.result(from) && len(p.out) < maxAuthResults {
		continue
	}
}

// result reads up to the next semicolon: method [/version] = result, its reason and its properties.
// Some put no semicolon between two results, Exchange Online puts one before a word that is neither.
func (p *authParser) result(from AuthResult) (more bool) {
	var r AuthResult
	flush := func() {
		if r.Method != "" && len(p.out) < maxAuthResults {
			p.out = append(p.out, r)
		}
		r = AuthResult{}
	}
	for first := true; ; first = false {
		name, value, ok := p.pair()
		if !ok {
			break
		}
		name = strings.ToLower(name)
		switch {
		case !value.set || len(name) > maxAuthKeyword:
		case first || isAuthMethod(name) || r.Method == "" && !strings.ContainsRune(name, '.'):
			flush()
			method, _, _ := strings.Cut(name, "/")
			if result := strings.ToLower(value.text); isAuthKeyword(method) && isAuthKeyword(result) {
				r = from
				r.Method, r.Result = method, result
			}
		case r.Method != "":
			r.property(name, value.text)
		}
	}
	flush()
	if p.i >= len(p.s) {
		return false
	}
	p.i++ // the semicolon
	return true
}

// property adds one to r; the first of a name counts.
func (r *AuthResult) property(name, value string) {
	if len(value) > maxAuthValue {
		return
	}
	if name == "reason" && r.Reason == "" {
		r.Reason = value
	}
	if _, ok := r.Properties[name]; ok || name == "reason" || name == "" || len(r.Properties) >= maxAuthProperties {
		return
	}
	if r.Properties == nil {
		r.Properties = make(map[string]string, 4)
	}
	r.Properties[name] = value
}

// arcResults reads an ARC-Authentication-Results: i=1; and then as above.
func (p *authParser) arcResults() {
	name, value, _ := p.pair()
	from := AuthResult{ARC: arcInstance(value.text)}
	if !strings.EqualFold(name, "i") || from.ARC == 0 {
		return // without its instance it would pass for one of the receiver's own
	}
	if i := strings.IndexByte(p.s[p.i:], ';'); i >= 0 {
		p.i += i + 1
		p.results(from)
	}
}

// seal reads the tags of an ARC-Seal (RFC 8617 section 4.1.3): the state of the chain and who says so.
func (p *authParser) seal() {
	r := AuthResult{Method: "arc"}
	for ; p.i < len(p.s); p.i++ {
		name, value, _ := p.pair()
		switch name {
		case "i":
			r.ARC = arcInstance(value.text)
		case "cv":
			r.Result = strings.ToLower(value.text)
		case "d", "s":
			r.property("header."+name, value.text)
		}
		for p.i < len(p.s) && p.s[p.i] != ';' {
			p.pair() // folded in the middle: nothing that counts here
		}
	}
	if r.ARC > 0 && isAuthKeyword(r.Result) {
		p.out = append(p.out, r)
	}
}

// arcInstance reads the number of an ARC set; 0 if it is none.
func arcInstance(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxARCInstance {
		return 0
	}
	return n
}

// authValue is what stands after an equals sign.
type authValue struct {
	text  string
	set   bool // there was an equals sign
	start int  // where the name before it began
}

// pair reads a word, and if an equals sign follows its value; ok is false at a semicolon or the end.
func (p *authParser) pair() (name string, v authValue, ok bool) {
	p.space()
	if p.i >= len(p.s) || p.s[p.i] == ';' {
		return "", v, false
	}
	v.start = p.i
	name = p.word("=")
	p.space()
	if p.i < len(p.s) && p.s[p.i] == '/' { // method / version
		p.i++
		p.space()
		p.word("=")
		p.space()
	}
	if p.i < len(p.s) && p.s[p.i] == '=' {
		p.i++
		p.space()
		v.set, v.text = true, p.word("")
	}
	return name, v, true
}

// space goes over white space and comments.
func (p *authParser) space() {
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c <= ' ' || c == 0x7f:
			p.i++
		case c == '(':
			p.comment()
		default:
			return
		}
	}
}

// comment goes over a comment (RFC 5322 section 3.2.2). The words in it may be the sender's, with
// parentheses of any kind: if they do not match, a comment ends at the first that closes one, and
// never goes over a semicolon, so that it hides no result.
func (p *authParser) comment() {
	depth := 0
	for j := p.i; j < len(p.s) && !p.flat; j++ {
		switch p.s[j] {
		case '\\':
			j++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.i = j + 1
				return
			}
		}
	}
	p.flat = true
	n := strings.IndexAny(p.s[p.i:], ");")
	switch {
	case n < 0:
		p.i = len(p.s)
	case p.s[p.i+n] == ')':
		p.i += n + 1
	default:
		p.i += n
	}
}

// word reads a token or a quoted string, and what goes on after the quotes: "a b"@example.org.
func (p *authParser) word(stop string) string {
	var out string
	if p.i < len(p.s) && p.s[p.i] == '"' && !p.noQuote {
		out = p.quoted()
	}
	start := p.i
	for p.i < len(p.s) {
		c := p.s[p.i]
		if c <= ' ' || c == 0x7f || c == ';' || c == '(' || strings.IndexByte(stop, c) >= 0 {
			break
		}
		p.i++
	}
	return out + p.s[start:p.i]
}

// quoted reads a quoted string; one that is not closed is text.
func (p *authParser) quoted() string {
	for j := p.i + 1; j < len(p.s); j++ {
		switch p.s[j] {
		case '\\':
			j++
		case '"':
			v := strings.Map(printable, unescape(p.s[p.i+1:j]))
			p.i = j + 1
			return v
		}
	}
	p.noQuote = true
	return ""
}

// printable drops control characters.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

// isAuthMethod lists methods that begin a result even after a forgotten semicolon (the registry of
// RFC 8601 section 6.2 and what is seen beside it).
func isAuthMethod(name string) bool {
	switch name {
	case "arc", "bimi", "compauth", "dkim", "dkim-adsp", "dkim-atps", "dmarc", "domainkeys", "iprev", "rrvs", "sender-id", "spf", "vbr", "x-ptr":
		return true
	}
	return false
}

// isAuthKeyword tells whether s is a method or a result: letters, digits and hyphens (the Keyword of
// RFC 5321), and the underscore.
func isAuthKeyword(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= maxAuthKeyword
}
