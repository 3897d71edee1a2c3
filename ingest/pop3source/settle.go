package pop3source

import (
	"context"
	"errors"
	"slices"

	"mailflume/ingest"
	"mailflume/pop3"
)

// errConsumes is told when QUIT would take more than what is to be deleted.
var errConsumes = errors.New("QUIT would remove messages that are read but not acknowledged")

// Settle applies the post-action. With none everything is done at once. With delete, messages that
// are no longer there are done; the others are marked by the numbers that this session's list gives
// their UIDLs, and are done when QUIT is answered +OK: then the session is finished.
func (s *session) Settle(ctx context.Context, refs []ingest.Ref) (done []ingest.Ref, err error) {
	for _, r := range refs {
		delete(s.unacked, r)
	}
	if s.src.opt.After.Action != ingest.ActionDelete {
		return slices.Clone(refs), nil
	}
	box, err := s.maildrop(ctx)
	if err != nil {
		return nil, err
	}
	gone, doomed := sort(box, refs)
	if len(doomed) == 0 {
		return gone, nil
	}
	if !s.mayQuit() {
		_ = s.Close()
		return gone, &ingest.Error{
			Fault: ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeActionRefused}, Op: "pop3 QUIT", Err: errConsumes,
		}
	}
	marked, refusal := s.mark(ctx, doomed)
	if len(marked) == 0 {
		return gone, refusal
	}
	s.over = true
	if err := s.c.Quit(ctx); err != nil {
		return gone, classify(err, s.situation("pop3 QUIT"))
	}
	return append(gone, marked...), refusal
}

// sort tells refs that are gone from those that can be deleted. Of messages that share a UIDL
// nobody can say which one the next session will list, so they are deleted together or not yet.
func sort(box []item, refs []ingest.Ref) (gone []ingest.Ref, doomed []item) {
	asked := make(map[ingest.Ref]bool, len(refs))
	for _, r := range refs {
		asked[r] = true
	}
	kept := map[string]bool{} // UIDLs with a message that was not asked for
	for _, it := range box {
		if it.twins && !asked[it.ref()] {
			kept[it.id] = true
		}
	}
	here := make(map[ingest.Ref]bool, len(refs))
	for _, it := range box {
		if ref := it.ref(); asked[ref] {
			here[ref] = true
			if !kept[it.id] {
				doomed = append(doomed, it)
			}
		}
	}
	for _, r := range refs {
		if !here[r] {
			gone = append(gone, r)
		}
	}
	return gone, doomed
}

// mark sends DELE for each message and returns those that the server took. A lost connection marks
// nothing: the server forgets marks without QUIT (RFC 1939 section 6).
func (s *session) mark(ctx context.Context, doomed []item) (marked []ingest.Ref, err error) {
	numbers := make([]int, len(doomed))
	for i, it := range doomed {
		numbers[i] = it.number
	}
	i := -1
	for _, e := range s.c.DeleEach(ctx, numbers) {
		i++
		_, refused := errors.AsType[*pop3.Error](e)
		switch {
		case e == nil:
			marked = append(marked, doomed[i].ref())
		case refused && err == nil:
			err = classify(e, s.situation("pop3 DELE"))
		case !refused:
			return nil, classify(e, s.situation("pop3 DELE"))
		}
	}
	return marked, err
}
