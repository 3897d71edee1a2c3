package reply

import "strings"

// marked is what is known of marked lines that nobody is named for.
type marked struct {
	mark      mark
	lines     int
	shallow   int  // the depth of the shallowest
	announced bool // by the line before
	close     bool // no empty line stands before them
}

func (m *marked) add(k mark, depth int) {
	m.lines++
	m.shallow = min(m.shallow, depth)
	m.mark = max(m.mark, k)
}

// plausible tells whether these lines are a quote rather than an example, a table, or a session with
// an interpreter that the author shows.
func (m *marked) plausible() bool {
	const (
		interpreter = 3  // ">>> print(1)", and the end of a conflict
		example     = 10 // lines that a colon may announce
	)
	if m.shallow >= interpreter || m.announced && m.lines <= example {
		return false
	}
	switch m.mark {
	case bar:
		return m.lines > 2
	case name:
		return m.lines > 1
	}
	return m.lines > 1 || !m.close
}

// announces tells whether a line introduces marked lines as something of the author's: an example
// after a colon, or the new half of a diff after the old one.
func announces(s string) bool {
	s = strings.TrimRight(s, "*_ ")
	if strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") {
		return !read(s[:min(len(s), maxClosing)]).has(signVerb) // what somebody wrote is no example
	}
	return s == "---" || strings.HasPrefix(s, "< ") || isDiff(s)
}

// isDiff recognises the commands of diff, as in 12,14c12.
func isDiff(s string) bool {
	i := strings.IndexAny(s, "acd")
	return i > 0 && len(s) < 24 && strings.Trim(s[:i], "0123456789,") == "" && i+1 < len(s) && strings.Trim(s[i+1:], "0123456789,") == ""
}

// maxArmor bounds how many lines are taken for a PGP signature.
const maxArmor = 60

func isArmor(s string) bool { return strings.HasPrefix(s, "-----BEGIN PGP SIGNATURE-----") }

func isArmorEnd(s string) bool { return strings.HasPrefix(s, "-----END PGP") }

// isGroupWise recognises ">>> Name 10.11.26 09:00 >>>" and ">>> On 10.11.26 at 09:00, Name wrote:".
func isGroupWise(l line) bool {
	if l.long || len(l.text) > maxClosing || !strings.HasPrefix(l.text, ">>> ") {
		return false
	}
	if strings.HasSuffix(l.text, ">>>") {
		return read(l.text).has(signDate)
	}
	return ends(l.text) && (read(l.text)|signEnd).weigh() == proofStrong
}
