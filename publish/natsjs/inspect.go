package natsjs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// StreamReport is what there is to know of the stream and its account before anything is written.
type StreamReport struct {
	Server     string // its version
	MaxPayload int64

	Exists          bool
	Messages        uint64
	Bytes, MaxBytes int64 // MaxBytes 0: no cap
	Replicas        int
	MaxAge          time.Duration
	Lacks           []string // switches that are off and that EnsureStream turns on if it manages the stream

	AccountBytes, AccountMax int64 // on disk; AccountMax 0: no limit
	Streams, MaxStreams      int   // MaxStreams 0: no limit
}

// inspectWait bounds one question of an inspection.
const inspectWait = 3 * time.Second

// Inspect looks at the stream as EnsureStream would and changes nothing. Settings that would lose mail
// are ErrUnsafe; a stream that is not there is no error.
func (c *Conn) Inspect(ctx context.Context, sc StreamConfig) (StreamReport, error) {
	sc.fill()
	r := StreamReport{Server: c.nc.ConnectedServerVersion(), MaxPayload: c.nc.MaxPayload()}
	if err := errors.Join(checkPrefix(sc.Prefix), checkVersion(r.Server)); err != nil {
		return r, err
	}
	err := c.asked(ctx, func(ctx context.Context) error {
		a, err := c.js.AccountInfo(ctx)
		if err != nil {
			return err
		}
		r.AccountBytes, r.AccountMax = int64(a.Store), max(a.Limits.MaxStore, 0)
		r.Streams, r.MaxStreams = a.Streams, max(a.Limits.MaxStreams, 0)
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("JetStream: %w", err)
	}
	err = c.asked(ctx, func(ctx context.Context) error {
		s, err := c.js.Stream(ctx, sc.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		info := s.CachedInfo()
		r.Exists, r.Messages, r.Bytes = true, info.State.Msgs, int64(info.State.Bytes)
		r.MaxBytes, r.MaxAge, r.Replicas, r.Lacks = max(info.Config.MaxBytes, 0), info.Config.MaxAge, info.Config.Replicas, missing(&info.Config)
		return vet(&info.Config, sc)
	})
	if err != nil {
		return r, fmt.Errorf("stream %s: %w", sc.Name, err)
	}
	return r, nil
}

// MayPublish tells whether the user may publish to a subject of a stream, without storing anything:
// the server looks at the permission first and then finds that the message expects another stream.
func (c *Conn) MayPublish(ctx context.Context, subject string) error {
	err := c.asked(ctx, func(ctx context.Context) error {
		m := nats.NewMsg(subject)
		m.Header.Set(jetstream.ExpectedStreamHeader, "mailflume check stores nothing")
		_, err := c.nc.RequestMsgWithContext(ctx, m)
		if errors.Is(err, nats.ErrNoResponders) { // no stream has the subject yet
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("publish to %s: %w", subject, err)
	}
	return nil
}

// asked asks once. A permission that is missing shows only as silence, and in a report beside it.
func (c *Conn) asked(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, inspectWait)
	defer cancel()
	started := time.Now()
	err := do(ctx)
	if err == nil {
		return nil
	}
	if denied := c.deniedSince(started); denied != nil {
		return fmt.Errorf("%w: %w", publish.ErrDenied, denied)
	}
	return classify(err)
}
