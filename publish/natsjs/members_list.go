package natsjs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailflume/publish"
)

// listNameSize is the length of a list's name: 128 bits of its SHA-256 in hex.
const listNameSize = 32

func listName(list string) string { return digest([]byte(list))[:listNameSize] }

// store makes sure that the list is in the bucket and stays there until the next look: it is renewed
// when half of its life is over, by whoever comes first.
func (m *Members) store(ctx context.Context, name, list string) error {
	if name == m.stored && time.Since(m.checked) < listLife/4 {
		return nil
	}
	now := time.Now()
	age, err := m.listAge(ctx, name)
	if err != nil {
		return err
	}
	if age > listLife/2 {
		if err := m.writeList(ctx, name, list); err != nil {
			return fmt.Errorf("store the list of mailboxes: %w", err)
		}
	}
	m.stored, m.checked = name, now
	return nil
}

// listAge is how long ago the list was renewed, by the server's clock; a list that is not there is old.
func (m *Members) listAge(ctx context.Context, name string) (time.Duration, error) {
	rec, err := m.kv.get(ctx, query{LastFor: m.listKey(name)})
	if err != nil {
		return 0, err
	}
	if rec == nil || rec.header.Get(hdrMarker) != "" {
		return listLife, nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.c.opt.PublishTimeout)
	defer cancel()
	s, err := m.c.js.Stream(ctx, m.kv.stream.name)
	if err != nil {
		return 0, err
	}
	return s.CachedInfo().TimeStamp.Sub(rec.time), nil
}

// writeList writes the pieces, and then how many they are.
func (m *Members) writeList(ctx context.Context, name, list string) error {
	put := func(key, value string) error {
		_, out, err := m.kv.publish(ctx, m.message(key, []byte(value), listLife))
		if out == stored {
			return nil
		}
		return err
	}
	size := max(int(m.c.nc.MaxPayload())/2, 1)
	pieces := 0
	for rest := list; rest != ""; pieces++ {
		piece := rest[:min(size, len(rest))]
		rest = rest[len(piece):]
		if err := put(m.listKey(name)+"."+strconv.Itoa(pieces), piece); err != nil {
			return err
		}
	}
	return put(m.listKey(name), strconv.Itoa(pieces))
}

// readList reads a list that an announcement names.
func (m *Members) readList(ctx context.Context, name string) (string, error) {
	head, err := m.value(ctx, m.listKey(name))
	if err != nil {
		return "", err
	}
	pieces, err := strconv.Atoi(head)
	if err != nil || pieces < 0 || pieces > maxPieces {
		return "", fmt.Errorf("%w: list %s has %q pieces", publish.ErrCorrupt, name, head)
	}
	var list strings.Builder
	for k := range pieces {
		piece, err := m.value(ctx, m.listKey(name)+"."+strconv.Itoa(k))
		if err != nil {
			return "", err
		}
		list.WriteString(piece)
	}
	if listName(list.String()) != name {
		return "", fmt.Errorf("%w: list %s", publish.ErrCorrupt, name)
	}
	return list.String(), nil
}

// value reads a key from the leader.
func (m *Members) value(ctx context.Context, key string) (string, error) {
	rec, err := m.kv.get(ctx, query{LastFor: key})
	if err != nil {
		return "", err
	}
	if rec == nil || rec.header.Get(hdrMarker) != "" {
		return "", fmt.Errorf("%w: %s", publish.ErrNotFound, key)
	}
	return string(rec.body), nil
}
