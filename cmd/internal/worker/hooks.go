package worker

import (
	"time"

	"github.com/rs/zerolog"

	"mailflume/ingest"
	"mailflume/publish"
)

// hooks maps what the engine reports to log lines, metrics and the board.
func (w *Worker) hooks() ingest.Hooks {
	return ingest.Hooks{
		State:     w.onState,
		Delivered: w.onDelivered,
		Settled: func(box publish.Key, a ingest.Action, n int) {
			w.metrics.settled.WithLabelValues(w.metrics.label(box), string(a)).Add(float64(n))
			w.board.update(box, func(r *Row) { r.Settled += int64(n); r.Unsettled = "" })
			w.log.Info().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("action", string(a)).Int("messages", n).Msg("post-action done")
		},
		Polled: func(box publish.Key, at time.Time) {
			w.metrics.polls.WithLabelValues(w.metrics.label(box)).Inc()
			w.board.update(box, func(r *Row) { r.LastPoll = &at })
		},
		Skipped: w.onSkipped,
		Unsettled: func(box publish.Key, err error, until time.Time) {
			code := ingest.FaultOf(err).Code
			_, next := ingest.Explain(code)
			w.board.update(box, func(r *Row) { r.Unsettled = err.Error() })
			w.log.Warn().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("code", string(code)).Err(err).Str("next", next).
				Time("retry_at", until).Msg("post-action refused; publishing goes on")
		},
		Saved: func(box publish.Key, size int) { w.metrics.snapshots.Add(float64(size)) },
		Owner: w.onOwner, Workers: w.onWorkers, Differs: w.onDiffers, Members: w.onMembers,
		Reset: w.onReset, Told: w.onTold, Probed: w.onProbed,
		Judged: func(box publish.Key, ref ingest.Ref, verdict publish.EventType) {
			w.metrics.judged.WithLabelValues(w.metrics.label(box), string(verdict)).Inc()
			w.log.Debug().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("ref", string(ref)).Str("verdict", string(verdict)).Msg("judged after a reset")
		},
		Fenced: func(box publish.Key) { w.metrics.fenced.WithLabelValues(w.metrics.label(box)).Inc() },
		Inherited: func(box publish.Key, worker string, ref ingest.Ref, crashes int) {
			l := w.log.With().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("before", worker).Logger()
			if ref == "" {
				l.Info().Msg("the worker before ended without letting the mailbox go; its next messages are read one by one")
				return
			}
			l.Warn().Str("ref", string(ref)).Int("deaths", crashes).Msg("the worker before ended with a message in work; it and the next ones are read one by one")
		},
	}
}

// repeatAfter is how often a trouble that stays the same is logged again.
const repeatAfter = 10 * time.Minute

// onState logs a trouble when it begins or changes, and its end; the routine of a healthy mailbox
// is for level debug.
func (w *Worker) onState(box publish.Key, s ingest.Status) {
	var before Row
	known := w.board.update(box, func(r *Row) {
		before = *r
		r.apply(s)
	})
	if known {
		w.metrics.state(box, s.State)
	} else {
		w.metrics.forget(box) // it was taken out of the configuration, and says that it has stopped
	}
	l := w.log.With().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("state", string(s.State)).Logger()
	switch {
	case s.Trouble():
		code := string(s.Fault.Code)
		w.metrics.reconnects.WithLabelValues(code).Inc()
		if before.Code == code && s.At.Sub(before.reported) < repeatAfter {
			l.Debug().Str("code", code).Err(s.Err).Msg("still in trouble")
			return
		}
		w.board.update(box, func(r *Row) { r.reported, r.repeats = s.At, 0 })
		if s.Fault.Code == ingest.CodeFenced && !w.recent(box.String()+" "+code, repeatAfter) {
			l.Info().Str("code", code).Err(s.Err).Msg("another worker has the mailbox now")
			return
		}
		_, next := ingest.Explain(s.Fault.Code)
		l.WithLevel(w.alike(zerolog.WarnLevel, code, s.At)).Str("code", code).Err(s.Err).Str("next", next).Int("repeated", before.repeats).
			Stringer("retry_in", s.Until.Sub(s.At).Round(time.Second)).Msg("mailbox in trouble")
	case s.Err != nil:
		w.metrics.reconnects.WithLabelValues(string(s.Fault.Code)).Inc()
		l.Debug().Str("code", string(s.Fault.Code)).Err(s.Err).Msg("session ended")
	case before.Code != "" && recovered(s.State):
		w.recovered(box, before.Code)
	default:
		l.Debug().Msg("state")
	}
}

// manyAlike is how many mailboxes with the same trouble are logged one by one within repeatAfter: all mailboxes
// of a credential have that of its issuer.
const manyAlike = 100

// chorus counts the mailboxes of which the same was logged since a time.
type chorus struct {
	since time.Time
	n     int
}

// alike is the level of the line for one more mailbox of which the same is to be said. Of very many, only the
// board and the level debug know each.
func (w *Worker) alike(level zerolog.Level, what string, at time.Time) zerolog.Level {
	w.chorusMu.Lock()
	defer w.chorusMu.Unlock()
	c := w.choruses[what]
	if at.Sub(c.since) >= repeatAfter {
		c = chorus{since: at}
	}
	c.n++
	w.choruses[what] = c
	if c.n <= manyAlike {
		return level
	}
	if c.n == manyAlike+1 {
		w.log.WithLevel(level).Str("what", what).Msg("the same of more mailboxes: mailflume status names them, and level debug")
	}
	return zerolog.DebugLevel
}

// recent notes that something happened and reports whether it did so within a while before.
func (w *Worker) recent(what string, within time.Duration) bool {
	now := time.Now()
	last, ok := w.warned.Swap(what, now)
	return ok && now.Sub(last.(time.Time)) < within
}

// recovered tells the states that only a mailbox reaches that was read to its end, with every event acknowledged.
func recovered(s ingest.State) bool { return s == ingest.StateIdle || s == ingest.StatePollingWait }

func (w *Worker) recovered(box publish.Key, code string) {
	w.log.WithLevel(w.alike(zerolog.InfoLevel, "recovered from "+code, time.Now())).Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("code", code).Msg("mailbox recovered")
}

// wrote ends a trouble: an event of the mailbox is acknowledged.
func (w *Worker) wrote(box publish.Key, at time.Time) {
	var code string
	w.board.update(box, func(r *Row) {
		if code = r.Code; code != "" {
			r.apply(ingest.Status{State: ingest.StateFetching, At: at})
			r.heal()
		}
	})
	if code != "" {
		w.metrics.state(box, ingest.StateFetching)
		w.recovered(box, code)
	}
}

// heal forgets the row's trouble.
func (r *Row) heal() {
	r.Code, r.Error, r.Next = "", "", ""
	r.reported, r.repeats = time.Time{}, 0
}

// apply takes a change of state into the row. A trouble stays until the mailbox works again.
func (r *Row) apply(s ingest.Status) {
	r.State, r.Since, r.NextTry = string(s.State), s.At, nil
	if !s.Until.IsZero() {
		r.NextTry = &s.Until
	}
	switch s.State {
	case ingest.StateStandby: // what was counted here is over
		r.LastPoll, r.LastEvent, r.Counted, r.Published, r.Quarantined, r.Settled, r.Skipped, r.Unsettled = nil, nil, nil, 0, 0, 0, 0, ""
	case ingest.StatePaused, ingest.StateStopped:
	default:
		if r.Counted == nil {
			r.Counted = &s.At
		}
	}
	switch {
	case s.Trouble():
		_, next := ingest.Explain(s.Fault.Code)
		r.Code, r.Error, r.Next = string(s.Fault.Code), s.Err.Error(), next
		r.repeats++
	case recovered(s.State), s.State == ingest.StateStandby, s.State == ingest.StatePaused:
		r.heal()
	}
}

// onSkipped logs folders that cannot be read when their number changes.
func (w *Worker) onSkipped(box publish.Key, why []error) {
	before := 0
	w.board.update(box, func(r *Row) { before, r.Skipped = r.Skipped, len(why) })
	if before == len(why) {
		return
	}
	if len(why) == 0 {
		w.log.Info().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Msg("all folders can be read again")
	}
	for _, err := range why {
		code := ingest.FaultOf(err).Code
		_, next := ingest.Explain(code)
		w.log.Warn().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("code", string(code)).Err(err).Str("next", next).Msg("folder left out")
	}
}

// onReset logs that a server gave all messages of a folder or maildrop new ids.
func (w *Worker) onReset(box publish.Key, what publish.ResetInfo) {
	w.metrics.resets.WithLabelValues(w.metrics.label(box)).Inc()
	w.log.Warn().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("folder", what.Folder).
		Uint32("old_uid_validity", what.OldUIDValidity).Uint32("new_uid_validity", what.NewUIDValidity).
		Msg("the server gave all messages new ids: each is recognised by its content, only what is new is published")
}

func (w *Worker) onDelivered(box publish.Key, d ingest.Delivery) {
	label := w.metrics.label(box)
	now := time.Now()
	w.wrote(box, now)
	w.metrics.fetched.WithLabelValues(label).Add(float64(d.Size))
	w.metrics.attached.WithLabelValues(label).Add(float64(d.AttachBytes))
	w.metrics.took.Observe(d.Took.Seconds())
	fields := w.log.With().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("ref", string(d.Ref)).Str("id", d.ID).Int64("size", d.Size).
		Int("attachments", d.Attachments).Int64("ms", d.Took.Milliseconds())
	if d.Type == publish.Quarantined {
		code := string(ingest.FaultOf(d.Err).Code)
		_, next := ingest.Explain(ingest.Code(code))
		w.metrics.quarantined.WithLabelValues(label, code).Inc()
		w.board.update(box, func(r *Row) { r.Quarantined++; r.LastEvent = &now })
		l := fields.Logger()
		l.Warn().Str("code", code).Err(d.Err).Str("next", next).Msg(string(d.Type))
		return
	}
	w.metrics.published.WithLabelValues(label).Inc()
	w.board.update(box, func(r *Row) { r.Published++; r.LastEvent = &now })
	l := fields.Logger()
	l.Info().Msg(string(d.Type))
}
