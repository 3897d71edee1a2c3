package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rs/zerolog"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// meet finds what this worker shares with others: which mailboxes are paused, and who has which. Members are
// nil if there can be none, because the server is its own.
func (w *Worker) meet(ctx context.Context) (ingest.Membership, ingest.Pauses, error) {
	m, err := w.conn.Members(ctx, natsjs.MemberOptions{Worker: w.opt.Name, Mark: w.id.mark, Weight: w.cfg.Worker.Weight, Replicas: w.cfg.NATS.Stream.Replicas})
	if err != nil {
		return nil, nil, err
	}
	if w.cfg.NATS.Embedded() || w.opt.Alone {
		return nil, m.Pauses(), nil
	}
	return m, m.Pauses(), nil
}

// onOwner notes who has a mailbox. Moves are logged one by one as long as metrics are kept so.
func (w *Worker) onOwner(box publish.Key, owner string) {
	before := ""
	w.board.update(box, func(r *Row) { before, r.Worker = r.Worker, owner })
	level := zerolog.DebugLevel
	if before != "" && w.metrics.single && !w.stopping.Load() {
		level = zerolog.InfoLevel
	}
	w.log.WithLevel(level).Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("from", before).Str("to", owner).Bool("here", owner == w.opt.Name).Msg("mailbox has another worker")
}

// onWorkers logs the sum of it.
func (w *Worker) onWorkers(live map[string]int, own, all int) {
	w.board.workers(live)
	w.metrics.workers.Set(float64(len(live)))
	w.metrics.owned.Set(float64(own))
	if names := slices.Sorted(maps.Keys(live)); len(names) > 0 {
		w.log.Info().Int("workers", len(live)).Strs("names", names[:min(len(names), 20)]).Int("mailboxes_here", own).Int("mailboxes", all).Msg("mailboxes shared")
	}
}

func (w *Worker) onDiffers(box publish.Key, workers []string) {
	w.board.update(box, func(r *Row) { r.Differing = slices.Clone(workers) })
	l := w.log.With().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Logger()
	if len(workers) == 0 {
		l.Info().Msg("all workers define the mailbox alike again")
		return
	}
	_, next := ingest.Explain(ingest.CodeDiffers)
	l.Warn().Str("code", string(ingest.CodeDiffers)).Strs("workers", workers).Str("next", next).Msg("other workers define the mailbox otherwise")
}

// onMembers logs that the other workers do not hear this one. It goes on with what it has: should
// another one take that over, the log's fence keeps them apart.
func (w *Worker) onMembers(err error) {
	if errors.Is(err, natsjs.ErrNameTaken) {
		err = controlError(ingest.CodeNameTaken, fmt.Errorf("%w; this one waits until the other has ended", err))
	}
	w.board.announced(err)
	if err == nil {
		w.log.Info().Msg("announced to the other workers again")
		return
	}
	code := ingest.FaultOf(err).Code
	_, next := ingest.Explain(code)
	w.log.Warn().Str("code", string(code)).Err(err).Str("next", next).Msg("not announced to the other workers; going on with the mailboxes at hand")
}
