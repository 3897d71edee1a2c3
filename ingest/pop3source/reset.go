package pop3source

import (
	"cmp"
	"context"
	"time"

	"mailflume/ingest"
)

var (
	_ ingest.Scoper  = (*Source)(nil)
	_ ingest.Renewer = (*session)(nil)
)

// resetsPerDay: a server that makes new UIDLs again and again has no UIDLs.
const resetsPerDay = 1

// Scope implements ingest.Scoper: a maildrop is one.
func (s *Source) Scope(ingest.Ref) string { return "" }

// Resets implements ingest.Renewer.
func (s *session) Resets() []ingest.Renewal { return s.resets }

// Recall implements ingest.Renewer.
func (s *session) Recall(sizes func(context.Context, string) (func(int64) bool, error)) {
	s.recall = sizes
}

// begins is the base of a maildrop first seen at now (Unix seconds): what was received before is not
// wanted; 0: all is.
func (o *Options) begins(now time.Time) int64 {
	switch {
	case o.Start.All:
		return 0
	case o.Start.Since.IsZero():
		return now.Unix()
	}
	return o.Start.Since.Unix()
}

// hour is the hour that it is.
func (s *Source) hour() uint32 { return uint32(s.opt.Now().Unix() / hour) }

// wanted is the base as a time; zero if all is wanted, or if nobody knows.
func (p *position) wanted() time.Time {
	if p.since == 0 || p.since == unknownBase {
		return time.Time{}
	}
	return time.Unix(p.since, 0)
}

// sift is the first look at a new life. UIDLs that are gone, and whose octets nobody knows, mean nothing
// any more. Of what is there,
// messages older than the base stay passed over, unread but for their header; one of a size that was
// published is left to be judged by its octets, as is one of which no age can be told.
func (s *session) sift(ctx context.Context, p *position, box []item) (ingest.Cursor, error) {
	known := func(int64) bool { return false }
	if s.recall != nil {
		var err error
		if known, err = s.recall(ctx, ""); err != nil {
			return nil, err
		}
	}
	p.look(box)
	p.inherit()
	var kept []entry
	for _, e := range p.entries {
		switch {
		case e.here:
			e.missing = 0
		case !e.published || e.content == 0:
			continue
		default:
			e.missing = cmp.Or(e.missing, s.src.hour())
		}
		kept = append(kept, e)
	}
	p.entries, p.fresh = kept, false
	var strangers []item
	for _, it := range box {
		if !p.holds(it.ref()) && it.size >= 0 && !known(it.size) {
			strangers = append(strangers, it)
		}
	}
	if since := p.wanted(); !since.IsZero() {
		old, err := s.before(ctx, strangers, since)
		if err != nil {
			return nil, err
		}
		more := make([]entry, len(old))
		for i, it := range old {
			more[i] = entry{digest: p.digest(it.ref()), content: p.sized(it.size)}
		}
		p.add(more)
	}
	return p.encode(), nil
}
