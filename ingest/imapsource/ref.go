package imapsource

import (
	"net/url"
	"strconv"
	"strings"

	"mailflume/ingest"
)

// msgRef is what a Ref of this package says: i/<UIDVALIDITY>/<UID>/<folder, path-escaped>. UID and
// UIDVALIDITY together name one message of a folder for ever (RFC 9051 section 2.3.1.1).
type msgRef struct {
	folder   string
	validity uint32
	uid      uint32
}

func (r msgRef) ref() ingest.Ref {
	return ingest.Ref("i/" + strconv.FormatUint(uint64(r.validity), 10) + "/" + strconv.FormatUint(uint64(r.uid), 10) + "/" + escape(r.folder))
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
	validity, rest, ok1 := strings.Cut(rest, "/")
	uid, folder, ok2 := strings.Cut(rest, "/")
	v, err1 := strconv.ParseUint(validity, 10, 32)
	u, err2 := strconv.ParseUint(uid, 10, 32)
	name, err3 := url.PathUnescape(folder)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || err3 != nil || u == 0 || name == "" {
		return m, false
	}
	m = msgRef{folder: name, validity: uint32(v), uid: uint32(u)}
	return m, m.ref() == r
}
