package imapsource

import (
	"context"
	"iter"

	"mailflume/ingest"
)

var _ ingest.Lister = (*session)(nil)

// List implements ingest.Lister. Folders that cannot be opened are left out, as Sync does; Skipped
// tells them.
func (s *session) List(ctx context.Context, base, at ingest.Cursor) iter.Seq2[ingest.Listed, error] {
	return func(yield func(ingest.Listed, error) bool) {
		if err := s.listAll(ctx, base, at, func(l ingest.Listed) bool { return yield(l, nil) }); err != nil {
			yield(ingest.Listed{}, err)
		}
	}
}

func (s *session) listAll(ctx context.Context, base, at ingest.Cursor, yield func(ingest.Listed) bool) error {
	began, err := decodeCursor(base)
	if err != nil {
		return err
	}
	pos, err := decodeCursor(at)
	if err != nil {
		return err
	}
	folders, err := s.wanted(ctx)
	if err != nil {
		return err
	}
	s.skipped = nil
	for _, f := range folders {
		if err := s.selectFolder(ctx, f.name, false); err != nil {
			if err = s.absent(ctx, f.name, err); ingest.FaultOf(err).Class != ingest.Config || s.ended(ctx) != nil {
				return err
			}
			s.skipped = append(s.skipped, err)
			continue
		}
		a := standings{at: pos.current(f.name, s.selected.validity), epoch: epoch{validity: s.selected.validity}}
		if a.at != nil {
			a.epoch = a.at.epoch
		}
		if b := began.current(f.name, s.selected.validity); b != nil && b.epoch == a.epoch {
			a.base = b
		}
		if more, err := s.listFolder(ctx, f.name, &a, yield); err != nil || !more {
			return err
		}
	}
	if len(s.skipped) == len(folders) {
		return s.noFolder(ctx)
	}
	return nil
}

// listFolder lists the open folder; more is false if yield wants no more.
func (s *session) listFolder(ctx context.Context, name string, a *standings, yield func(ingest.Listed) bool) (more bool, err error) {
	top, err := s.top(ctx)
	if err != nil {
		return false, err
	}
	p := &plan{next: 1, top: top, empty: s.selected.count == 0}
	for !p.all {
		if err := s.extend(ctx, p, &box{}); err != nil { // an empty box wants everything
			return false, err
		}
		for _, it := range p.items {
			ref := msgRef{folder: name, epoch: a.epoch, uid: it.uid}.ref()
			if !yield(ingest.Listed{Ref: ref, Received: it.received, Size: it.size, Standing: a.of(it)}) {
				return false, nil
			}
		}
		p.items = p.items[:0]
	}
	return true, nil
}

// current returns a folder of the position in that epoch, nil if it is not there.
func (p *position) current(name string, validity uint32) *box {
	if p == nil {
		return nil
	}
	if b := p.find(name); b != nil && b.validity == validity {
		return b
	}
	return nil
}

// standings judge the messages of one folder.
type standings struct {
	base, at *box
	epoch    epoch
}

func (a *standings) of(it item) ingest.Standing {
	switch {
	case a.at == nil || a.at.wants(it):
		return ingest.Waiting
	case a.at.known.has(it.uid):
		return ingest.Known
	case a.at.over.has(it.uid), a.at.skips(it), a.base != nil && !a.base.wants(it):
		return ingest.Skipped
	}
	return ingest.Passed
}
