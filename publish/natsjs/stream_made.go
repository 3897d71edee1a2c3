package natsjs

import (
	"context"
	"errors"
	"maps"

	"github.com/nats-io/nats.go/jetstream"
)

// metaMade marks a stream of ours until its description has been written twice, see find.
const (
	metaMade  = "mailflume-made"
	madeOnce  = "once"
	madeTwice = "twice"
)

func newlyMade() map[string]string { return map[string]string{metaMade: madeOnce} }

// find returns a stream, which create makes if there is none; without create it is ErrStreamNotFound then.
//
// What is made is updated at once. A nats-server (2.15.2) that is killed while it makes or updates a stream
// leaves a description without the right checksum (meta.inf, meta.sum), passes the stream over at its next
// start, makes the next one of the name in the same folder without mending either file, and passes that over
// at the start after, with all that it holds. An update writes both.
func (c *Conn) find(ctx context.Context, name string, create func(context.Context) error) (jetstream.Stream, error) {
	s, err := c.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) && create != nil {
		err = create(ctx)
		if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) && !errors.Is(err, jetstream.ErrBucketExists) {
			return nil, err
		}
		s, err = c.js.Stream(ctx, name) // another worker may have been first
	}
	if err != nil || s.CachedInfo().Config.Metadata[metaMade] != madeOnce || create == nil {
		return s, err
	}
	cfg := s.CachedInfo().Config
	cfg.Metadata = maps.Clone(cfg.Metadata)
	cfg.Metadata[metaMade] = madeTwice
	return c.js.UpdateStream(ctx, cfg)
}
