package imaptest

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	gosasl "github.com/emersion/go-sasl"
)

// session is one connection. imapserver calls it from the connection's goroutine, and Idle from a
// second one.
type session struct {
	srv     *Server
	conn    *imapserver.Conn
	user    string
	account *account
	folder  *folder
	tracker *imapserver.SessionTracker
}

var (
	_ imapserver.SessionSASL      = (*session)(nil)
	_ imapserver.SessionMove      = (*session)(nil)
	_ imapserver.SessionNamespace = (*session)(nil)
)

// Close is called once, at the end of the connection.
func (s *session) Close() error {
	if s.tracker != nil {
		s.tracker.Close()
	}
	s.srv.forget(s)
	return nil
}

// AuthenticateMechanisms implements imapserver.SessionSASL.
func (s *session) AuthenticateMechanisms() []string { return s.srv.opt.Mechanisms }

// Authenticate implements imapserver.SessionSASL.
func (s *session) Authenticate(mech string) (gosasl.Server, error) {
	for _, m := range s.srv.opt.Mechanisms {
		if m == mech {
			return &exchange{mech: mech, login: s.Login}, nil
		}
	}
	return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "mechanism not offered"}
}

// Login implements imapserver.Session.
func (s *session) Login(user, secret string) error {
	if s.srv.opt.Verify != nil {
		if err := s.srv.opt.Verify(user, secret); err != nil {
			if refusal, ok := errors.AsType[*imap.Error](err); ok {
				return refusal
			}
			return imapserver.ErrAuthFailed
		}
	}
	s.user, s.account = user, s.srv.account(user)
	return nil
}

// missing is the refusal of a folder that is not there.
func missing(code imap.ResponseCode) error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: "no such mailbox"}
}

// Select implements imapserver.Session.
func (s *session) Select(name string, o *imap.SelectOptions) (*imap.SelectData, error) {
	s.srv.count(map[bool]string{true: "EXAMINE", false: "SELECT"}[o.ReadOnly])
	f := s.account.find(name)
	if f == nil {
		return nil, missing(imap.ResponseCodeNonExistent)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.folder, s.tracker = f, f.tracker.NewSession()
	flags := []imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft}
	return &imap.SelectData{
		Flags: flags, PermanentFlags: append(flags[:len(flags):len(flags)], imap.FlagWildcard),
		NumMessages: uint32(len(f.messages)), UIDNext: f.next, UIDValidity: f.validity,
	}, nil
}

// Unselect implements imapserver.Session.
func (s *session) Unselect() error {
	s.tracker.Close()
	s.folder, s.tracker = nil, nil
	return nil
}

// Create implements imapserver.Session.
func (s *session) Create(name string, _ *imap.CreateOptions) error {
	s.account.open(name)
	return nil
}

// Delete implements imapserver.Session.
func (s *session) Delete(string) error { return missing(imap.ResponseCodeCannot) }

// Rename implements imapserver.Session.
func (s *session) Rename(string, string, *imap.RenameOptions) error {
	return missing(imap.ResponseCodeCannot)
}

// Subscribe implements imapserver.Session.
func (s *session) Subscribe(string) error { return nil }

// Unsubscribe implements imapserver.Session.
func (s *session) Unsubscribe(string) error { return nil }

// Namespace implements imapserver.SessionNamespace.
func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: '/'}}}, nil
}

// List implements imapserver.Session.
func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, _ *imap.ListOptions) error {
	s.srv.count("LIST")
	for _, f := range s.account.list() {
		for _, p := range patterns {
			if imapserver.MatchList(f.name, '/', ref, p) {
				f.mu.Lock()
				data := &imap.ListData{Mailbox: f.name, Delim: '/', Attrs: f.use}
				f.mu.Unlock()
				if err := w.WriteList(data); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// Status implements imapserver.Session.
func (s *session) Status(name string, _ *imap.StatusOptions) (*imap.StatusData, error) {
	f := s.account.find(name)
	if f == nil {
		return nil, missing(imap.ResponseCodeNonExistent)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := uint32(len(f.messages))
	return &imap.StatusData{Mailbox: f.name, NumMessages: &n, UIDNext: f.next, UIDValidity: f.validity}, nil
}

// Append implements imapserver.Session.
func (s *session) Append(name string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	octets, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	f := s.account.find(name)
	if f == nil {
		return nil, missing(imap.ResponseCodeTryCreate)
	}
	return &imap.AppendData{UIDValidity: f.validity, UID: f.add(octets, o.Time, o.Flags)}, nil
}

// Poll implements imapserver.Session.
func (s *session) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	if s.tracker == nil {
		return nil
	}
	return s.tracker.Poll(w, allowExpunge)
}

// Idle implements imapserver.Session. What happened since the last command is told first.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	s.srv.count("IDLE")
	if s.tracker == nil {
		<-stop
		return nil
	}
	if err := s.tracker.Poll(w, true); err != nil {
		return err
	}
	return s.tracker.Idle(w, stop)
}

// Expunge implements imapserver.Session.
func (s *session) Expunge(_ *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	s.srv.count("EXPUNGE")
	s.folder.expunge(func(m *stored) bool {
		return m.has(imap.FlagDeleted) && (uids == nil || uids.Contains(m.uid))
	})
	return nil
}

// Fetch implements imapserver.Session.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	s.srv.count("FETCH")
	for _, m := range s.folder.pick(set, s.tracker.EncodeSeqNum) {
		sections, size := m.sections(o)
		fault := s.broken(m.uid, size)
		if fault.Refuse != "" && size > 0 {
			return &imap.Error{Type: imap.StatusResponseTypeNo, Text: fault.Refuse}
		}
		rw := w.CreateMessage(m.seq)
		rw.WriteUID(m.uid)
		if o.Flags {
			rw.WriteFlags(m.flags)
		}
		if o.InternalDate {
			rw.WriteInternalDate(m.received)
		}
		if o.RFC822Size {
			rw.WriteRFC822Size(cmp.Or(fault.Size, int64(len(m.octets))) + fault.Extra)
		}
		for i, item := range o.BodySection {
			wc := rw.WriteBodySection(item, int64(len(sections[i])))
			if fault.Cut > 0 && fault.Cut < len(sections[i]) {
				return errors.Join(s.cut(wc, sections[i], fault), rw.Close())
			}
			if _, err := wc.Write(sections[i]); err != nil {
				return errors.Join(err, rw.Close())
			}
			if err := wc.Close(); err != nil {
				return errors.Join(err, rw.Close())
			}
		}
		if err := rw.Close(); err != nil {
			return err
		}
	}
	return nil
}

// sections are the octets that were asked for, and how many they are.
func (m numbered) sections(o *imap.FetchOptions) (out [][]byte, size int) {
	for _, item := range o.BodySection {
		octets := m.octets
		if item.Specifier != imap.PartSpecifierNone || len(item.Part) > 0 {
			octets = imapserver.ExtractBodySection(bytes.NewReader(m.octets), item)
		}
		out = append(out, octets)
		size += len(octets)
	}
	return out, size
}

// Store implements imapserver.Session.
func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, fl *imap.StoreFlags, _ *imap.StoreOptions) error {
	s.srv.count("STORE")
	for _, m := range s.folder.pick(set, s.tracker.EncodeSeqNum) {
		s.folder.mu.Lock()
		m.change(fl)
		s.folder.mu.Unlock()
	}
	if fl.Silent {
		return nil
	}
	return s.Fetch(w, set, &imap.FetchOptions{Flags: true})
}

// Copy implements imapserver.Session. Without a message there is no COPYUID (RFC 4315 section 3).
func (s *session) Copy(set imap.NumSet, dest string) (*imap.CopyData, error) {
	s.srv.count("COPY")
	data, err := s.copy(set, dest)
	if err != nil || len(data.SourceUIDs) == 0 {
		return nil, err
	}
	return data, nil
}

func (s *session) copy(set imap.NumSet, dest string) (*imap.CopyData, error) {
	to := s.account.find(dest)
	if to == nil {
		return nil, missing(imap.ResponseCodeTryCreate)
	}
	data := &imap.CopyData{UIDValidity: to.validity}
	for _, m := range s.folder.pick(set, s.tracker.EncodeSeqNum) {
		data.SourceUIDs.AddNum(m.uid)
		data.DestUIDs.AddNum(to.add(m.octets, m.received, m.flags))
	}
	return data, nil
}

// Move implements imapserver.SessionMove.
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, dest string) error {
	s.srv.count("MOVE")
	data, err := s.copy(set, dest)
	if err != nil {
		return err
	}
	if len(data.SourceUIDs) > 0 {
		if err := w.WriteCopyData(data); err != nil {
			return err
		}
	}
	s.folder.expunge(func(m *stored) bool { return data.SourceUIDs.Contains(m.uid) })
	return nil
}

// exchange is the server's side of a SASL exchange.
type exchange struct {
	mech   string
	login  func(user, secret string) error
	failed error
}

// Next implements go-sasl's Server.
func (e *exchange) Next(response []byte) (challenge []byte, done bool, err error) {
	if e.failed != nil {
		return nil, false, e.failed
	}
	if response == nil {
		return nil, false, nil
	}
	user, secret := parseInitial(e.mech, string(response))
	err = e.login(user, secret)
	if err == nil {
		return nil, true, nil
	}
	refusal, _ := errors.AsType[*imap.Error](err)
	if e.mech == "PLAIN" || refusal == nil || refusal.Code != imap.ResponseCodeAuthenticationFailed {
		return nil, false, err
	}
	e.failed = err
	if e.mech == "XOAUTH2" {
		return []byte(`{"status":"401","schemes":"bearer","scope":"mail"}`), false, nil
	}
	return []byte(`{"status":"invalid_token","scope":"mail"}`), false, nil
}

// parseInitial reads user and secret from a first SASL message.
func parseInitial(mech, msg string) (user, secret string) {
	if mech == "PLAIN" {
		if f := strings.Split(msg, "\x00"); len(f) == 3 {
			return f[1], f[2]
		}
		return "", ""
	}
	gs2, rest, _ := strings.Cut(msg, "\x01")
	if mech == "XOAUTH2" {
		user = strings.TrimPrefix(gs2, "user=")
	} else if f := strings.Split(gs2, ","); len(f) == 3 {
		user = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(strings.TrimPrefix(f[1], "a="))
	}
	for field := range strings.SplitSeq(rest, "\x01") {
		if t, ok := strings.CutPrefix(field, "auth=Bearer "); ok {
			secret = t
		}
	}
	return user, secret
}
