package sourcetest

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"mailflume/ingest"
	"mailflume/publish"
)

var (
	_ ingest.Scoper  = (*Mailbox)(nil)
	_ ingest.Renewer = (*session)(nil)
)

const (
	inbox       = "INBOX"
	resetPrefix = "r/"
	perDay      = 3
)

// Renumber makes all UIDs void: the messages get new ones from 1, in their order.
func (m *Mailbox) Renumber() {
	m.mu.Lock()
	defer m.mu.Unlock()
	mail, next := map[uint32]stored{}, uint32(1)
	for uid := range m.next {
		if msg, ok := m.mail[uid]; ok {
			mail[next] = msg
			next++
		}
	}
	m.mail, m.next = mail, next
	m.life++
}

// refIn is the Ref of a UID in a life of the mailbox.
func refIn(life, uid uint32) ingest.Ref {
	ref := refPrefix
	if life > 0 {
		ref += strconv.FormatUint(uint64(life), 10) + "/"
	}
	return ingest.Ref(ref + strconv.FormatUint(uint64(uid), 10))
}

func uidOf(ref ingest.Ref) (life, uid uint32, ok bool) {
	s, ok := strings.CutPrefix(string(ref), refPrefix)
	if first, rest, later := strings.Cut(s, "/"); later {
		n, _ := strconv.ParseUint(first, 10, 32)
		life, s = uint32(n), rest
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return life, uint32(n), ok && err == nil
}

// Scope implements ingest.Scoper.
func (m *Mailbox) Scope(ingest.Ref) string { return inbox }

// fold takes one entry in.
func (c *memoryCursor) fold(e ingest.Entry) {
	if s, ok := strings.CutPrefix(string(e.Ref), resetPrefix); ok {
		if n, err := strconv.ParseUint(s, 10, 32); err == nil && uint32(n) > c.Life {
			*c = memoryCursor{Life: uint32(n), Since: c.Since, Again: openEnd}
		}
		return
	}
	life, uid, ok := uidOf(e.Ref)
	if !ok || life != c.Life {
		return
	}
	if e.Type == ingest.Recognised && !slices.Contains(c.Known, uid) {
		c.Known = append(c.Known, uid)
	}
	c.finish(uid)
}

// openEnd is the last message of a life that no look has seen yet.
const openEnd = 1<<32 - 1

// renewed looks for a new life; m.mu is held.
func (s *session) renewed(at ingest.Cursor) (ingest.Cursor, error) {
	c, err := decodeCursor(at)
	if err != nil {
		return nil, err
	}
	s.resets = nil
	switch {
	case c.Life != s.m.life:
		s.resets = []ingest.Renewal{{
			Ref: ingest.Ref(resetPrefix + strconv.FormatUint(uint64(s.m.life), 10)), Scope: inbox, PerDay: perDay,
			Info: publish.ResetInfo{Folder: inbox, OldUIDValidity: c.Life + 1, NewUIDValidity: s.m.life + 1},
		}}
		return at, nil
	case c.Again == openEnd:
		c.Again = s.m.next - 1
		return json.Marshal(c)
	}
	return at, nil
}

// Resets implements ingest.Renewer.
func (s *session) Resets() []ingest.Renewal { return s.resets }

// Recall implements ingest.Renewer.
func (s *session) Recall(sizes func(context.Context, string) (func(int64) bool, error)) {
	s.sizes = sizes
}

// due returns the messages to be read: of those that the base passes over, such as may be known.
func (s *session) due(ctx context.Context, c memoryCursor) ([]uint32, error) {
	uids := s.wanted(c)
	if len(s.resets) > 0 {
		return nil, nil
	}
	if c.Again == 0 || s.sizes == nil {
		return uids, nil
	}
	known, err := s.sizes(ctx, inbox)
	if err != nil {
		return nil, err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return slices.DeleteFunc(uids, func(uid uint32) bool {
		msg := s.m.mail[uid]
		return uid <= c.Again && msg.at.Before(c.Since) && !known(int64(len(msg.body)))
	}), nil
}
