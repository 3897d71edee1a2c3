package imaptest

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Fault is a broken answer for one message; the zero value is a good one.
type Fault struct {
	Refuse string // the text of a NO to whoever asks for the message
	Cut    int    // if not 0: close the connection after about so many octets of it
	Silent bool   // after Cut, say nothing more instead of closing
	Size   int64  // if not 0: what RFC822.SIZE says
	Extra  int64  // and by how much it is wrong
}

// Break has every answer about a message judged by fault, which is told how many octets of the message
// were asked for (0: it is only listed). nil: no longer.
func (s *Server) Break(fault func(user string, uid uint32, octets int) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

func (s *session) broken(uid imap.UID, octets int) Fault {
	s.srv.mu.Lock()
	fault := s.srv.fault
	s.srv.mu.Unlock()
	if fault == nil {
		return Fault{}
	}
	return fault(s.user, uint32(uid), octets)
}

// errCut is what is left to say on a connection that a Fault has ended.
var errCut = errors.New("cut in the middle of a message")

// cut writes the beginning of a message and ends the connection, at once or when the client does.
func (s *session) cut(w io.Writer, octets []byte, f Fault) error {
	_, err := w.Write(octets[:f.Cut])
	if f.Silent {
		_ = s.conn.NetConn().SetDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, s.conn.NetConn())
	}
	_ = s.conn.NetConn().Close()
	return errors.Join(errCut, err)
}

// Search implements imapserver.Session: by flags and numbers, all that simple clients ask for.
func (s *session) Search(kind imapserver.NumKind, c *imap.SearchCriteria, _ *imap.SearchOptions) (*imap.SearchData, error) {
	var uids imap.UIDSet
	var seqs imap.SeqSet
	n := uint32(0)
	for _, m := range s.folder.pick(imap.SeqSet{{Start: 1}}, s.tracker.EncodeSeqNum) {
		if s.folder.matches(m, c) {
			uids.AddNum(m.uid)
			seqs.AddNum(m.seq)
			n++
		}
	}
	if kind == imapserver.NumKindUID {
		return &imap.SearchData{All: uids, Count: n}, nil
	}
	return &imap.SearchData{All: seqs, Count: n}, nil
}

func (f *folder) matches(m numbered, c *imap.SearchCriteria) bool {
	has := func(fl imap.Flag) bool {
		return slices.ContainsFunc(m.flags, func(have imap.Flag) bool { return strings.EqualFold(string(have), string(fl)) })
	}
	lacks := func(fl imap.Flag) bool { return !has(fl) }
	f.mu.Lock()
	outside := func(set imap.NumSet) bool { return !f.contains(set, m.seq, m.uid) }
	out := slices.ContainsFunc(c.Flag, lacks) || slices.ContainsFunc(c.NotFlag, has) ||
		slices.ContainsFunc(c.UID, func(set imap.UIDSet) bool { return outside(set) }) ||
		slices.ContainsFunc(c.SeqNum, func(set imap.SeqSet) bool { return outside(set) })
	f.mu.Unlock()
	return !out && !slices.ContainsFunc(c.Not, func(not imap.SearchCriteria) bool { return f.matches(m, &not) })
}

// Reserve gives a UID away to a message that is not there yet, as servers do that number a message
// before others can see it.
func (s *Server) Reserve(user, folder string) (uid uint32) {
	f := s.account(user).open(folder)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	return uint32(f.next - 1)
}

// AddAt is Add for a reserved UID. Sessions that have the folder open are cut off: the sequence numbers
// that they know are no longer true.
func (s *Server) AddAt(user, folder string, uid uint32, message []byte, received time.Time) {
	s.Drop()
	f := s.account(user).open(folder)
	f.mu.Lock()
	defer f.mu.Unlock()
	at := 0
	for at < len(f.messages) && f.messages[at].uid < imap.UID(uid) {
		at++
	}
	f.messages = slices.Insert(f.messages, at, &stored{uid: imap.UID(uid), octets: slices.Clone(message), received: received})
	f.tracker.QueueNumMessages(uint32(len(f.messages)))
}

// No is an error for Options.Verify that refuses with a tagged NO and these words alone, as Exchange does.
func No(text string) error { return &imap.Error{Type: imap.StatusResponseTypeNo, Text: text} }
