package imapsource

import (
	"net/url"
	"strconv"
	"strings"

	"mailflume/ingest"
)

// msgRef is what a Ref of this package says: i/<epoch>/<UID>/<folder, path-escaped>. UID and
// UIDVALIDITY together name one message of a folder for ever (RFC 9051 section 2.3.1.1).
type msgRef struct {
	folder string
	epoch
	uid uint32
}

func (r msgRef) ref() ingest.Ref {
	return ingest.Ref("i/" + r.text() + "/" + strconv.FormatUint(uint64(r.uid), 10) + "/" + escape(r.folder))
}

// resetRef is the Ref of the event that begins an epoch: r/<epoch>/<folder>.
func resetRef(folder string, e epoch) ingest.Ref {
	return ingest.Ref("r/" + e.text() + "/" + escape(folder))
}

// text is the UIDVALIDITY, and behind a dot the life if it is not the first.
func (e epoch) text() string {
	s := strconv.FormatUint(uint64(e.validity), 10)
	if e.life > 0 {
		s += "." + strconv.FormatUint(uint64(e.life), 10)
	}
	return s
}

func parseEpoch(s string) (e epoch, ok bool) {
	validity, life, later := strings.Cut(s, ".")
	v, err := strconv.ParseUint(validity, 10, 32)
	if err != nil {
		return e, false
	}
	e.validity = uint32(v)
	if later {
		l, err := strconv.ParseUint(life, 10, 32)
		if err != nil {
			return e, false
		}
		e.life = uint32(l)
	}
	return e, e.text() == s
}

func parseReset(r ingest.Ref) (folder string, e epoch, ok bool) {
	rest, ok := strings.CutPrefix(string(r), "r/")
	if !ok {
		return "", e, false
	}
	s, name, _ := strings.Cut(rest, "/")
	e, ok = parseEpoch(s)
	folder, err := url.PathUnescape(name)
	return folder, e, ok && err == nil && folder != "" && resetRef(folder, e) == r
}

// maxEscaped is the longest escaped folder name: a Ref travels in a header, and what the log refuses
// would hold up all folders behind it. 1,536 octets less the numbers.
const maxEscaped = 1500

// escape is url.PathEscape, which leaves nothing but printable ASCII.
func escape(folder string) string { return url.PathEscape(folder) }

// parseRef reads a Ref; ok is false for anything that ref does not write.
func parseRef(r ingest.Ref) (m msgRef, ok bool) {
	rest, ok := strings.CutPrefix(string(r), "i/")
	if !ok {
		return m, false
	}
	s, rest, _ := strings.Cut(rest, "/")
	uid, folder, _ := strings.Cut(rest, "/")
	e, ok := parseEpoch(s)
	u, err := strconv.ParseUint(uid, 10, 32)
	name, unescaped := url.PathUnescape(folder)
	if !ok || err != nil || unescaped != nil || u == 0 || name == "" {
		return m, false
	}
	m = msgRef{folder: name, epoch: e, uid: uint32(u)}
	return m, m.ref() == r
}
