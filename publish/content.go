package publish

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Content tells a raw message by its octets, whatever the server calls it: its size and the first half
// of its SHA-256. Nobody can write a message that is taken for another one's; the zero Content is none.
type Content struct {
	Size int64
	Sum  [16]byte
}

// ContentOf returns the content that an event's raw is of, zero if that is not known.
func ContentOf(d *Data) Content {
	if d == nil || d.Raw == nil || len(d.Raw.SHA256) < 2*len(Content{}.Sum) {
		return Content{}
	}
	c, _ := contentFrom(d.Raw.Size, d.Raw.SHA256[:2*len(Content{}.Sum)])
	return c
}

// ParseContent reads what String writes; ok is false for anything else.
func ParseContent(s string) (c Content, ok bool) {
	size, sum, _ := strings.Cut(s, "-")
	n, err := strconv.ParseUint(size, 10, 63)
	if err != nil || len(sum) != 2*len(c.Sum) {
		return Content{}, false
	}
	c, ok = contentFrom(int64(n), sum)
	return c, ok && c.String() == s
}

func contentFrom(size int64, sum string) (c Content, ok bool) {
	if n, err := hex.Decode(c.Sum[:], []byte(sum)); err != nil || n != len(c.Sum) {
		return Content{}, false
	}
	c.Size = size
	return c, true
}

// String returns size-digest, printable ASCII for a header.
func (c Content) String() string {
	return strconv.FormatInt(c.Size, 10) + "-" + hex.EncodeToString(c.Sum[:])
}
