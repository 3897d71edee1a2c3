package imapsource

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
)

var (
	_ ingest.Handshaker = (*Source)(nil)
	_ ingest.Offerer    = (*Source)(nil)
	_ ingest.Inspector  = (*session)(nil)
)

// maxInspected is how many folders an inspection opens: a pattern may mean thousands.
const maxInspected = 50

// Handshake implements ingest.Handshaker.
func (s *Source) Handshake(ctx context.Context) (tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.ConnectTimeout)
	defer cancel()
	g, err := s.dial(ctx)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer g.Close()
	var state tls.ConnectionState
	if conn, ok := g.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state = conn.ConnectionState()
	}
	return state, nil
}

// Offers implements ingest.Offerer.
func (s *Source) Offers(ctx context.Context) ([]string, error) {
	sess, err := s.begin(ctx, (*session).greeted)
	if err != nil {
		return nil, err
	}
	out := sess.offers()
	if !sess.has("LOGINDISABLED") {
		out = append(out, "LOGIN")
	}
	_ = sess.kill(net.ErrClosed) // everything is known
	return out, nil
}

// Folders implements ingest.Inspector with EXAMINE.
func (s *session) Folders(ctx context.Context) (ingest.Finding, error) {
	var f ingest.Finding
	folders, err := s.wanted(ctx)
	if err != nil {
		return f, err
	}
	var names []string
	s.skipped = nil
	for _, it := range folders[:min(len(folders), maxInspected)] {
		if err := s.selectFolder(ctx, it.name, false); err != nil {
			if err = s.absent(ctx, it.name, err); ingest.FaultOf(err).Class != ingest.Config || s.ended(ctx) != nil {
				return f, err
			}
			s.skipped = append(s.skipped, err)
			continue
		}
		name := printable(it.name)
		if it.use != "" {
			name += " " + it.use
		}
		names = append(names, fmt.Sprintf("%s (%d messages)", name, s.selected.count))
	}
	if len(s.skipped) > 0 || len(folders) == 0 {
		return f, s.noFolder(ctx)
	}
	f.Text = s.src.sent.Masker().Text(abridged(names, len(folders)))
	for _, p := range s.src.opt.Folders {
		if !slices.ContainsFunc(folders, func(it folderInfo) bool { return matchFolder(p, it) }) {
			f.Doubts = append(f.Doubts, fmt.Sprintf("no folder matches %q yet", printable(p)))
		}
	}
	return f, nil
}

// abridged names a few of all.
func abridged(names []string, all int) string {
	const few = 5
	s := strings.Join(names[:min(len(names), few)], ", ")
	if all > few {
		s += fmt.Sprintf(" and %d more", all-few)
	}
	return s
}

// Rights implements ingest.Inspector: by MYRIGHTS (RFC 4314) where the server has it, else by what it
// says of a folder that is opened for writing.
func (s *session) Rights(ctx context.Context) (ingest.Finding, error) {
	after := s.src.opt.After
	if after.Action == ingest.ActionNone || after.Action == "" {
		return ingest.Finding{Text: "nothing is changed on the server (after: none)"}, nil
	}
	if err := s.canSettle(after.Action); err != nil {
		return ingest.Finding{}, err
	}
	folders, err := s.wanted(ctx)
	if err != nil {
		return ingest.Finding{}, err
	}
	by := "the folders take it"
	if s.has("ACL") {
		by = "the rights suffice"
	}
	for _, it := range folders[:min(len(folders), maxInspected)] {
		if err := s.mayAct(ctx, it.name, after); err != nil {
			return ingest.Finding{}, err
		}
	}
	if after.Action == ingest.ActionMove {
		if err := s.mayFill(ctx, after.Folder); err != nil {
			return ingest.Finding{}, err
		}
	}
	return ingest.Finding{Text: fmt.Sprintf("after: %s: %s", after.Action, by)}, nil
}

// mayAct looks at one folder that messages are read from.
func (s *session) mayAct(ctx context.Context, name string, after ingest.After) error {
	need, flag := "te", imap.FlagDeleted // delete, and move, which is copy and delete (RFC 6851 section 4)
	switch after.Action {
	case ingest.ActionSeen:
		need, flag = "s", imap.FlagSeen
	case ingest.ActionFlag:
		need, flag = "w", imap.Flag(after.Flag)
	}
	if s.has("ACL") {
		return s.hasRights(ctx, name, need)
	}
	s.g.readOnly.Store(false)
	if err := s.selectFolder(ctx, name, true); err != nil {
		return s.absent(ctx, name, err)
	}
	switch {
	case s.g.readOnly.Load():
		return s.actionError("rights", fmt.Errorf("folder %s can only be read: the server opens it READ-ONLY", printable(name)))
	case !s.selected.keeps(flag):
		return s.actionError("rights", fmt.Errorf("folder %s does not keep the flag %s", printable(name), flag))
	}
	return nil
}

// mayFill looks at the folder that messages are moved to.
func (s *session) mayFill(ctx context.Context, name string) error {
	if err := s.selectFolder(ctx, name, false); err != nil {
		err = s.absent(ctx, name, err)
		if e, ok := errors.AsType[*ingest.Error](err); ok && e.Fault.Code == ingest.CodeFolderMissing {
			e.Op, e.Err = "imap target of move "+printable(name), s.instead(ctx, e.Err, name)
		}
		return err
	}
	if s.has("ACL") {
		return s.hasRights(ctx, name, "i")
	}
	return nil
}

// hasRights asks MYRIGHTS. The right d of RFC 2086 stands for both t and e (RFC 4314 section 2.1.1).
func (s *session) hasRights(ctx context.Context, name, need string) error {
	var have string
	err := s.command(ctx, normalBudget, func() error {
		data, err := s.c.MyRights(name).Wait()
		if err != nil {
			return s.fault("imap rights on "+printable(name), atAction, err)
		}
		have = data.Rights.String()
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range need {
		if !strings.ContainsRune(have, r) && (r != 't' && r != 'e' || !strings.Contains(have, "d")) {
			return s.actionError("rights", errors.New("folder "+printable(name)+" lacks the right "+string(r)+" (RFC 4314); there are "+printable(have)))
		}
	}
	return nil
}
