package worker

import (
	"context"
	"math/rand/v2"
	"time"

	"mailflume/publish/natsjs"
)

// sweepEvery is how often orphaned chunks are looked for: what a killed upload leaves behind is
// harmless but for its space.
const sweepEvery = 6 * time.Hour

// sweep removes what killed uploads left in the tenants' buckets, until ctx ends.
func (w *Worker) sweep(ctx context.Context) {
	for {
		// Workers that were started together do not sweep together.
		t := time.NewTimer(sweepEvery/2 + rand.N(sweepEvery))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		for _, s := range w.boxes.buckets() {
			n, err := s.Sweep(ctx, natsjs.SweepAge)
			switch {
			case err != nil && ctx.Err() == nil:
				w.log.Warn().Err(err).Str("bucket", s.Bucket()).Msg("orphaned chunks could not be swept; it is tried again")
			case n > 0:
				w.log.Info().Int("removed", n).Str("bucket", s.Bucket()).Msg("orphaned chunks swept")
			}
		}
	}
}
