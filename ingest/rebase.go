package ingest

import (
	"context"
	"fmt"
)

// rebase gives a position its base back whose snapshots are all lost, though there are events after them,
// to a mailbox that starts with what is new: new is what came since the first of those events, or up to
// a poll before. A base of today would pass over what came while nobody was here.
func (r *runner) rebase(ctx context.Context) error {
	p := r.pos
	if len(p.cursor) > 0 || len(p.fresh) == 0 || r.box.Start != (Start{}) || r.box.Restart == nil {
		return nil
	}
	first := p.fresh[0].Time.Add(-r.box.PollEvery)
	src, err := r.box.Restart(Start{Since: first})
	if err != nil {
		return err
	}
	s, err := src.Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close() // nothing was changed
	base, err := s.Sync(ctx, nil)
	if err != nil {
		return fmt.Errorf("find where the lost position began: %w", err)
	}
	p.base, p.cursor, p.mustSave = base, base, true
	return nil
}
