package worker

import (
	"context"
	"math/rand/v2"
	"time"
)

// sweepEvery is how often orphaned octets are looked for: what a killed upload leaves behind is
// harmless but for its space.
const sweepEvery = 6 * time.Hour

// sweep removes what killed uploads left in the tenants' stores, until ctx ends.
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
		for _, s := range w.boxes.sweepers() {
			n, err := s.Sweep(ctx, 0)
			switch {
			case err != nil && ctx.Err() == nil:
				w.log.Warn().Err(err).Str("bucket", s.Bucket()).Msg("orphaned octets could not be swept; it is tried again")
			case n > 0:
				w.log.Info().Int("removed", n).Str("bucket", s.Bucket()).Msg("orphaned octets swept")
			}
		}
	}
}
