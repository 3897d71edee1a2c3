package imaptest

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// account is one user's folders.
type account struct {
	mu      sync.Mutex
	folders map[string]*folder
	epoch   uint32
}

func (a *account) nextEpoch() uint32 {
	a.epoch++
	return a.epoch
}

func (a *account) find(name string) *folder {
	a.mu.Lock()
	defer a.mu.Unlock()
	if strings.EqualFold(name, "INBOX") {
		name = "INBOX"
	}
	return a.folders[name]
}

func (a *account) open(name string) *folder {
	if f := a.find(name); f != nil {
		return f
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.folders[name] == nil {
		a.folders[name] = newFolder(name, a.nextEpoch())
	}
	return a.folders[name]
}

// renumber replaces a folder; sessions that have it open keep the old one.
func (a *account) renumber(name string) {
	old := a.open(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	f := newFolder(name, a.nextEpoch())
	old.mu.Lock()
	defer old.mu.Unlock()
	f.use = old.use
	for _, m := range old.messages {
		f.add(m.octets, m.received, m.flags)
	}
	a.folders[name] = f
}

// setBack replaces a folder by an earlier state of it.
func (a *account) setBack(name string, next uint32) {
	old := a.open(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	old.mu.Lock()
	defer old.mu.Unlock()
	f := newFolder(name, old.validity)
	f.use = old.use
	for _, m := range old.messages {
		if m.uid < imap.UID(next) {
			f.next = m.uid
			f.add(m.octets, m.received, m.flags)
		}
	}
	f.next = imap.UID(next)
	a.folders[name] = f
}

func (a *account) list() []*folder {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]*folder, 0, len(a.folders))
	for _, f := range a.folders {
		out = append(out, f)
	}
	slices.SortFunc(out, func(x, y *folder) int { return strings.Compare(x.name, y.name) })
	return out
}

// folder is one IMAP mailbox in one of its epochs.
type folder struct {
	name     string
	validity uint32
	tracker  *imapserver.MailboxTracker

	mu       sync.Mutex
	use      []imap.MailboxAttr
	messages []*stored
	next     imap.UID
}

type stored struct {
	uid      imap.UID
	octets   []byte
	received time.Time
	flags    []imap.Flag
}

func newFolder(name string, validity uint32) *folder {
	return &folder{name: name, validity: validity, tracker: imapserver.NewMailboxTracker(0), next: 1}
}

// add appends a message and tells the sessions that have the folder open.
func (f *folder) add(octets []byte, received time.Time, flags []imap.Flag) imap.UID {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := &stored{uid: f.next, octets: slices.Clone(octets), received: received, flags: slices.Clone(flags)}
	f.next++
	f.messages = append(f.messages, m)
	f.tracker.QueueNumMessages(uint32(len(f.messages)))
	return m.uid
}

// expunge goes from the end, so that sequence numbers stay true on the way.
func (f *folder) expunge(which func(*stored) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.messages) - 1; i >= 0; i-- {
		if which(f.messages[i]) {
			f.messages = slices.Delete(f.messages, i, i+1)
			f.tracker.QueueExpunge(uint32(i + 1))
		}
	}
}

// numbered is a message with the sequence number that a session knows it by.
type numbered struct {
	seq uint32
	*stored
	flags []imap.Flag
}

// pick returns a snapshot of the messages of a set. seq translates the store's sequence numbers to
// the session's.
func (f *folder) pick(set imap.NumSet, seq func(uint32) uint32) []numbered {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []numbered
	for i, m := range f.messages {
		n := seq(uint32(i + 1))
		if f.contains(set, n, m.uid) {
			out = append(out, numbered{n, m, slices.Clone(m.flags)})
		}
	}
	return out
}

// contains resolves "*", which is the highest number in use (RFC 9051 section 9, seq-number).
func (f *folder) contains(set imap.NumSet, seq uint32, uid imap.UID) bool {
	last := f.messages[len(f.messages)-1].uid
	switch set := set.(type) {
	case imap.UIDSet:
		for _, r := range set {
			if within(uint32(r.Start), uint32(r.Stop), uint32(last), uint32(uid)) {
				return true
			}
		}
	case imap.SeqSet:
		for _, r := range set {
			if seq != 0 && within(r.Start, r.Stop, uint32(len(f.messages)), seq) {
				return true
			}
		}
	}
	return false
}

// within compares a number with a range in which 0 stands for "*".
func within(start, stop, star, n uint32) bool {
	if start == 0 {
		start = star
	}
	if stop == 0 {
		stop = star
	}
	return n >= min(start, stop) && n <= max(start, stop)
}

// change applies a STORE to one message and returns its flags. It is called with the lock held.
func (m *stored) change(s *imap.StoreFlags) {
	switch s.Op {
	case imap.StoreFlagsSet:
		m.flags = slices.Clone(s.Flags)
	case imap.StoreFlagsAdd:
		for _, fl := range s.Flags {
			if !m.has(fl) {
				m.flags = append(m.flags, fl)
			}
		}
	case imap.StoreFlagsDel:
		m.flags = slices.DeleteFunc(m.flags, func(have imap.Flag) bool {
			return slices.ContainsFunc(s.Flags, func(fl imap.Flag) bool { return strings.EqualFold(string(fl), string(have)) })
		})
	}
}

func (m *stored) has(fl imap.Flag) bool {
	return slices.ContainsFunc(m.flags, func(have imap.Flag) bool { return strings.EqualFold(string(have), string(fl)) })
}
