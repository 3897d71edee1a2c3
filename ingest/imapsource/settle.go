package imapsource

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
)

const maxSettle = 200 // UIDs in one command: Exchange takes lines of 10,240 octets

// Settle implements ingest.Session. Messages that are gone, and Refs of another UIDVALIDITY or of
// another protocol, are done without touching anything. Move and delete need MOVE or UIDPLUS: an
// EXPUNGE without UIDs would remove what others have marked.
func (s *session) Settle(ctx context.Context, refs []ingest.Ref) (done []ingest.Ref, err error) {
	action := s.src.opt.After.Action
	if action == ingest.ActionNone || action == "" || len(refs) == 0 {
		return refs, nil
	}
	if err := s.canSettle(action); err != nil {
		return nil, err
	}
	var order []string
	byFolder := map[string][]msgRef{}
	for _, ref := range refs {
		r, ok := parseRef(ref)
		if !ok {
			done = append(done, ref)
			continue
		}
		if byFolder[r.folder] == nil {
			order = append(order, r.folder)
		}
		byFolder[r.folder] = append(byFolder[r.folder], r)
	}
	for _, name := range order {
		d, err := s.settleFolder(ctx, name, byFolder[name])
		done = append(done, d...)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// canSettle refuses before anything is touched.
func (s *session) canSettle(action ingest.Action) error {
	switch {
	case action == ingest.ActionDelete && !s.has("UIDPLUS"),
		action == ingest.ActionMove && !s.has("MOVE") && !s.has("UIDPLUS"):
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeActionUnsafe}, Op: "imap " + string(action),
			Err: errors.New("server offers neither MOVE nor UIDPLUS")}
	}
	return nil
}

// settleFolder opens the folder for writing and acts on what still has its UIDVALIDITY.
func (s *session) settleFolder(ctx context.Context, name string, refs []msgRef) (done []ingest.Ref, err error) {
	if err := s.selectFolder(ctx, name, true); err != nil {
		if ingest.FaultOf(err).Code != ingest.CodeFolderMissing {
			return nil, err
		}
		for _, r := range refs { // gone with the folder
			done = append(done, r.ref())
		}
		return done, nil
	}
	var live []msgRef
	for _, r := range refs {
		if r.validity != s.selected.validity || r.life != s.epochs[name].life {
			done = append(done, r.ref())
			continue
		}
		live = append(live, r)
	}
	for len(live) > 0 {
		n := min(len(live), maxSettle)
		var set imap.UIDSet
		for _, r := range live[:n] {
			set.AddNum(imap.UID(r.uid))
		}
		if err := s.act(ctx, set); err != nil {
			return done, err
		}
		for _, r := range live[:n] {
			done = append(done, r.ref())
		}
		live = live[n:]
	}
	return done, nil
}

// act applies the post-action to one set of UIDs in the open folder.
func (s *session) act(ctx context.Context, set imap.UIDSet) error {
	a := s.src.opt.After
	switch a.Action {
	case ingest.ActionSeen:
		return s.mark(ctx, set, imap.FlagSeen)
	case ingest.ActionFlag:
		return s.mark(ctx, set, imap.Flag(a.Flag))
	case ingest.ActionDelete:
		return s.remove(ctx, set)
	case ingest.ActionMove:
		if canonical(a.Folder) == s.selected.name {
			return s.actionError("move", errors.New("the target is the folder itself"))
		}
		if s.has("MOVE") {
			return s.action(ctx, "move", func() error {
				_, err := s.c.Move(set, a.Folder).Wait()
				return err
			})
		}
		// RFC 6851 section 3.3 names this as the equivalent.
		if err := s.action(ctx, "copy", func() error {
			_, err := s.c.Copy(set, a.Folder).Wait()
			return err
		}); err != nil {
			return err
		}
		return s.remove(ctx, set)
	}
	return nil
}

// remove deletes exactly these messages (UID EXPUNGE, RFC 4315 section 2.1), never what others marked.
func (s *session) remove(ctx context.Context, set imap.UIDSet) error {
	if err := s.mark(ctx, set, imap.FlagDeleted); err != nil {
		return err
	}
	return s.action(ctx, "expunge", func() error { return s.c.UIDExpunge(set).Close() })
}

// mark adds a flag without asking for the flags back.
func (s *session) mark(ctx context.Context, set imap.UIDSet, flag imap.Flag) error {
	if !s.selected.keeps(flag) {
		return s.actionError("store", fmt.Errorf("the folder does not keep the flag %s", flag))
	}
	return s.action(ctx, "store", func() error {
		return s.c.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}

// keeps says whether the server stores the flag for good (RFC 9051 section 7.1, PERMANENTFLAGS). A
// server that does not say keeps all.
func (sel selection) keeps(flag imap.Flag) bool {
	if len(sel.permanent) == 0 {
		return true
	}
	for _, p := range sel.permanent {
		if strings.EqualFold(string(p), string(flag)) || (p == imap.FlagWildcard && !strings.HasPrefix(string(flag), `\`)) {
			return true
		}
	}
	return false
}

func (s *session) action(ctx context.Context, what string, f func() error) error {
	return s.command(ctx, normalBudget, func() error { return s.fault("imap "+what, atAction, f()) })
}

func (s *session) actionError(what string, err error) error {
	return s.trouble().fault(ingest.Fault{Class: ingest.Config, Code: ingest.CodeActionRefused}, "imap "+what, err)
}
