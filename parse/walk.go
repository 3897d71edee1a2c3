package parse

import "io"

// parts hands out parts, io.EOF after the last.
type parts interface {
	next() (*Part, error)
}

// level is what a walk goes through: it hands out parts, each of them only after the one before was
// read or drained, and knows nothing of what they hold.
type level interface {
	part() (*Part, error)
}

// walk hands out the parts of a level and of all that its parts hold, in document order.
type walk struct {
	level level
	cur   *Part
	inner parts // of cur, nil while the walk is not in it
}

// next implements parts.
func (k *walk) next() (*Part, error) {
	if k.inner == nil && k.cur != nil {
		inner, err := k.cur.open()
		if err != nil {
			return nil, err
		}
		k.inner = inner
	}
	if k.inner != nil {
		p, err := k.inner.next()
		if err != io.EOF { //nolint:errorlint // bare: a lost connection's error may wrap io.EOF
			return p, err
		}
		k.inner = nil
	}
	if k.cur != nil {
		if err := k.cur.drain(); err != nil {
			return nil, err
		}
	}
	var err error
	k.cur, err = k.level.part()
	return k.cur, err
}
