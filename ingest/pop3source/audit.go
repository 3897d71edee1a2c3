package pop3source

import (
	"context"
	"iter"

	"mailflume/ingest"
)

var _ ingest.Lister = (*session)(nil)

// List implements ingest.Lister. The position tells what was published from what the start passed
// over; what was set aside is known by its event.
func (s *session) List(ctx context.Context, _, at ingest.Cursor) iter.Seq2[ingest.Listed, error] {
	return func(yield func(ingest.Listed, error) bool) {
		p, err := decode(at)
		if err != nil {
			yield(ingest.Listed{}, positionError(err))
			return
		}
		box, err := s.maildrop(ctx)
		if err != nil {
			yield(ingest.Listed{}, err)
			return
		}
		for _, it := range box {
			l := ingest.Listed{Ref: it.ref(), Size: it.size}
			switch i, held := p.find(p.digest(l.Ref)); {
			case held && p.entries[i].known:
				l.Standing = ingest.Known
			case held && p.entries[i].published:
				l.Standing = ingest.Passed
			case held:
				l.Standing = ingest.Skipped
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}
