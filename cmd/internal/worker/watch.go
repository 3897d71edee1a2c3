package worker

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
)

// lookEvery is how often the files of the configuration are compared with what was read.
const lookEvery = 2 * time.Second

// stamp is what tells one version of a file from another.
type stamp struct {
	path string
	size int64
	mod  time.Time
	gone bool
	file os.FileInfo
}

// same compares what the files are, too: another one of the same size and time may have taken the name.
func same(a, b []stamp) bool {
	return slices.EqualFunc(a, b, func(a, b stamp) bool {
		return a.path == b.path && a.size == b.size && a.mod.Equal(b.mod) && a.gone == b.gone && (a.file == nil || os.SameFile(a.file, b.file))
	})
}

func stamps(files []string) []stamp {
	out := make([]stamp, 0, len(files))
	for _, f := range files {
		s := stamp{path: f}
		if info, err := os.Stat(f); err != nil {
			s.gone = true
		} else {
			s.size, s.mod, s.file = info.Size(), info.ModTime(), info
		}
		out = append(out, s)
	}
	return out
}

// changes are those of files that are read once they rest: one of them may be half written, or they may
// belong together.
type changes struct {
	seen []stamp
	due  bool
	told time.Time
}

// rereadEvery is how often changes are told: sources of tokens hear of them once a minute.
const rereadEvery = time.Minute

// look tells of changes when nothing has changed since the last look.
func (c *changes) look(now []stamp, tell func()) {
	switch {
	case !same(c.seen, now):
		c.seen, c.due = now, true
	case c.due && time.Since(c.told) >= rereadEvery:
		c.due, c.told = false, time.Now()
		tell()
	}
}

// watch reloads on SIGHUP and when a file has changed, until ctx ends. Files with secrets count too.
func (w *Worker) watch(ctx context.Context) {
	if !w.opt.Watch {
		<-ctx.Done()
		return
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	secrets := changes{seen: stamps(w.cfg.SecretFiles())}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			w.seen = stamps(w.cfg.Files) // before the files are read: a change meanwhile is another one
			w.reload()
		case <-tick.C:
			if now := stamps(w.cfg.Files); !same(w.seen, now) {
				w.seen = now
				w.reload()
			}
			secrets.look(stamps(w.cfg.SecretFiles()), w.repaired)
		}
	}
}

// repaired has what waits for a right credential try again: a file with a secret has changed. Without
// that it would be found out by the next try, which is rare by then.
func (w *Worker) repaired() {
	w.boxes.reread()
	if w.board.Troubled() > 0 {
		w.log.Info().Msg("a file with a secret has changed: what is in trouble is tried again")
		w.fleet.Wake()
	}
}

// reload takes a changed configuration over; a bad one changes nothing.
func (w *Worker) reload() {
	next, err := config.Load(w.cfg.Path)
	if err == nil && len(next.Mailboxes) == 0 && len(w.cfg.Mailboxes) > 0 {
		err = errors.New("it has no mailbox any more; stop the worker if that is meant")
	}
	if err != nil {
		_, todo := ingest.Explain(ingest.CodeConfigInvalid)
		w.log.Error().Str("code", string(ingest.CodeConfigInvalid)).Err(err).Str("next", todo).Msg("reload: the configuration is not valid; the old one stays")
		return
	}
	w.boxes.reread()
	w.fleet.Wake() // what waits for an administrator is tried now: a secret or a right may be repaired
	change := config.Diff(w.cfg, next)
	err = change.Err()
	var boxes []ingest.Mailbox
	if err == nil {
		boxes, err = w.boxes.build(next)
	}
	if err == nil {
		w.board.expect(next)
		err = w.fleet.Apply(boxes)
	}
	if err != nil {
		w.log.Error().Err(err).Msg("reload: the configuration cannot be applied; the old one stays")
		return
	}
	w.cfg = next
	w.log.Info().Str("change", change.String()).Msg("reloaded")
	if len(change.Live) > 0 {
		w.log.Warn().Strs("sections", change.Live).Msg("reload: limits.message_size is in effect, the rest of these sections needs a restart")
	}
	if len(change.Restart) > 0 {
		w.log.Warn().Strs("sections", change.Restart).Msg("reload: these sections need a restart to take effect")
	}
}
