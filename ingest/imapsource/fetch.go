package imapsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"

	"mailflume/ingest"
	"mailflume/publish"
)

const (
	aloneFrom   = 512 << 10 // octets; from here on a message is fetched with nothing behind it
	maxWindow   = 200       // messages asked for at once
	maxRefusals = 3         // different messages refused in a row: it is the server, not the messages
)

// Messages implements ingest.Session. Folder by folder it looks for unfinished messages and fetches
// them in windows, the next one asked for before the present one is read. What a window does not
// bring is asked for again one by one: gone is finished, there but not given is an error of that
// message. After an early break in the middle of an answer the connection is closed.
func (s *session) Messages(ctx context.Context, from ingest.Cursor, limit int) iter.Seq2[*ingest.Message, error] {
	return func(yield func(*ingest.Message, error) bool) {
		pos, err := decodeCursor(from)
		if err == nil {
			err = s.ended(ctx)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if pos == nil {
			return
		}
		r := &run{s: s, ctx: ctx, yield: yield, left: limit}
		if limit <= 0 {
			r.left = math.MaxInt
		}
		release := s.until(ctx)
		defer release()
		defer r.leave()
		for _, name := range s.folderOrder(pos) {
			if b := pos.find(name); b != nil && r.going() {
				b.sizes = s.sizes[name]
				r.folder(b)
			}
		}
		clean := r.err == nil
		r.leave()
		if !clean && !r.stopped {
			yield(nil, r.err)
		}
	}
}

// folderOrder is that of the last Sync, or of the position if this session has done none.
func (s *session) folderOrder(pos *position) []string {
	if s.plans != nil {
		return s.order
	}
	var names []string
	for i := range pos.boxes {
		names = append(names, pos.boxes[i].name)
	}
	return names
}

// run is one Messages loop.
type run struct {
	s       *session
	ctx     context.Context
	yield   func(*ingest.Message, error) bool
	left    int   // messages that may still be yielded
	err     error // the session is over
	stopped bool  // the consumer is gone
	cur     *flight
	box     *box
	folderD *publish.Folder
}

// going says whether the loop is to go on.
func (r *run) going() bool { return r.err == nil && !r.stopped && r.left > 0 }

// failed keeps the first error that ends the session.
func (r *run) failed(err error) bool {
	if err != nil && r.err == nil {
		r.err = err
	}
	return err != nil
}

// leave drops what was asked for and not read.
func (r *run) leave() {
	if r.cur == nil && r.s.ahead.Load() == nil {
		return
	}
	_ = r.s.g.fail(errAbandoned)
	if f := r.s.ahead.Load(); f != nil {
		f.queue.abandon() // what is before it may wait for it
	}
	if r.cur != nil {
		_ = r.cur.close()
		r.cur = nil
	}
	_ = r.s.kill(errAbandoned)
}

// folder reads one folder as far as the limit goes.
func (r *run) folder(b *box) {
	s := r.s
	p := s.plans[b.name]
	delete(s.plans, b.name)
	if p != nil {
		if p.drop(b); p.all && len(p.items) == 0 {
			return
		}
	}
	if s.selected.name != b.name || p == nil {
		if r.failed(s.selectFolder(r.ctx, b.name, false)) {
			return
		}
	}
	if s.selected.validity != b.validity {
		r.failed(s.trouble().fault(ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeConnLost}, "imap open folder "+printable(b.name),
			fmt.Errorf("UIDVALIDITY changed from %d to %d", b.validity, s.selected.validity)))
		return
	}
	if p == nil {
		top, err := s.top(r.ctx)
		if r.failed(err) {
			return
		}
		p = &plan{validity: b.validity, next: uint64(b.low) + 1, top: top, empty: s.selected.count == 0}
	}
	r.box, r.folderD = b, &publish.Folder{Path: b.name, SpecialUse: s.uses[b.name], UIDValidity: b.validity}
	for r.going() {
		if len(p.items) == 0 {
			if p.all || r.failed(s.extend(r.ctx, p, b)) || len(p.items) == 0 {
				return
			}
		}
		items := p.items
		p.items = nil
		r.fetch(items)
	}
}

// fetch reads listed messages, two windows in flight.
func (r *run) fetch(items []item) {
	for r.going() && (len(items) > 0 || r.s.ahead.Load() != nil) {
		if f := r.s.ahead.Swap(nil); f != nil {
			r.cur = f
		} else {
			var w window
			w, items = r.window(items, r.left)
			if w.err != nil {
				r.give(r.message(w.items[0]), w.err)
				continue
			}
			if !r.start(w) {
				return
			}
		}
		f := r.cur
		if !f.alone {
			items = r.startAhead(items)
		}
		if missing, early := r.consume(); len(missing) > 0 {
			r.fillGaps(f, early)
		}
	}
}

// start asks for a window and makes it the current one.
func (r *run) start(w window) bool {
	if r.failed(r.s.ended(r.ctx)) {
		return false
	}
	r.cur = r.s.issue(w.items, w.alone, nil)
	return true
}

// startAhead asks for the next window, if that is one of small messages.
func (r *run) startAhead(items []item) []item {
	if r.s.src.single.Load() {
		return items
	}
	w, rest := r.window(items, r.left-len(r.cur.items))
	if len(w.items) == 0 || w.alone || w.err != nil || r.s.ended(r.ctx) != nil {
		return items
	}
	r.s.ahead.Store(r.s.issue(w.items, false, r.cur))
	return rest
}

// give yields a message.
func (r *run) give(m *ingest.Message, err error) {
	if err != nil {
		r.countVerdict(m, err)
	}
	r.left--
	if !r.yield(m, err) {
		r.stopped = true
	}
}

// countVerdict lets a message that was given up be asked for again after the engine's three tries.
func (r *run) countVerdict(m *ingest.Message, err error) {
	if ingest.FaultOf(err).Code != ingest.CodeMessageTruncated {
		return
	}
	key := msgRef{folder: r.box.name, epoch: r.box.epoch, uid: m.UID}
	again := false
	r.s.src.noted(key, func(n *note) {
		n.verdicts++
		again = n.verdicts >= maxVerdicts
	})
	if again {
		r.s.src.forget(key)
	}
}

// consume reads the current flight to its end. It returns what the flight did not bring, and what it
// brought that has to wait for that: messages are given in their folder's order.
func (r *run) consume() (missing []item, early held) {
	f := r.cur
	early = held{}
	for a := f.await(); a != nil; a = f.await() {
		r.inTurn(f, a, early)
		if r.err != nil || r.stopped {
			if f.closed { // everything was read: the connection is still good
				r.cur = nil
			}
			return nil, nil
		}
	}
	r.cur = nil
	err := f.close()
	for _, it := range f.items {
		if !f.given[it.uid] {
			missing = append(missing, it)
		}
	}
	if err == nil {
		return missing, early
	}
	err = r.s.fault("imap fetch", atMessage, err)
	if ingest.FaultOf(err).Class != ingest.BadMessage || r.s.g.failure() != nil {
		r.blame(f)
		r.failed(err)
		return nil, nil
	}
	if f.alone && len(missing) == 1 {
		r.refused(missing[0], err)
		return nil, nil
	}
	return missing, early
}

// refused charges a tagged NO or BAD to the message, unless the server refuses everything.
func (r *run) refused(it item, err error) {
	r.s.refusals[it.uid] = true
	if len(r.s.refusals) >= maxRefusals {
		r.failed(&ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}, Op: "imap fetch",
			Err: fmt.Errorf("%d messages in a row are refused: %w", len(r.s.refusals), errors.Unwrap(err))})
		return
	}
	r.give(r.message(it), err)
}

// arrived yields one message whose body begins.
func (r *run) arrived(f *flight, a *arrival) {
	uid := a.uid
	if uid == 0 {
		uid = f.items[0].uid // alone: confirmed after the body
	}
	i := slices.IndexFunc(f.items, func(it item) bool { return it.uid == uid })
	if i < 0 || f.given[uid] || (a.lit.Size() == 0 && f.items[i].size > 0) {
		return // nothing, where there should be something (Exchange, Zimbra): asked for again alone
	}
	if i > 0 && !f.given[f.items[i-1].uid] && laterGiven(f, uid) {
		r.s.unordered.Store(true)
	}
	it, m := f.items[i], r.message(f.items[i])
	f.given[uid] = true
	r.s.src.begun(r.key(f.items[i]))
	if m.Size = a.lit.Size(); m.Size > r.s.src.opt.MaxMessage {
		r.s.src.noted(r.key(it), func(n *note) { n.size = m.Size })
		r.give(m, ingest.TooLarge("imap fetch", m.Size, r.s.src.opt.MaxMessage))
		r.failed(r.s.fault("imap fetch", atOther, r.s.g.fail(errAbandoned)))
		return
	}
	if a.large {
		r.s.src.noted(r.key(it), func(*note) {}) // asked for alone in the next session
		r.failed(r.s.fault("imap fetch", atOther, r.s.g.fail(errAbandoned)))
		return
	}
	b := &body{f: f, it: it, a: a, left: m.Size}
	m.Body = b
	r.give(m, nil)
	switch {
	case errors.Is(b.err, io.EOF):
		clear(r.s.refusals)
		r.s.src.forget(r.key(it))
	case r.s.g.failure() != nil:
		r.blame(f)
		if b.err == nil || ingest.FaultOf(b.err).Class == ingest.BadMessage {
			b.err = r.s.fault("imap fetch", atOther, r.s.g.failure())
		}
		r.failed(b.err)
	}
	b.err = errOver
}

// laterGiven says whether a message with a higher UID came before.
func laterGiven(f *flight, uid uint32) bool {
	for u := range f.given {
		if u > uid {
			return true
		}
	}
	return false
}

// blame notes which message was awaited when the connection ended. It is fetched alone the next time;
// after maxDeaths ends in a row before its first octet came it is given up, or a message that the
// server dies of would hold up the mailbox for ever. An end within its octets proves nothing: that
// is what networks do.
func (r *run) blame(f *flight) {
	end := r.s.g.failure()
	if end == nil {
		end = errors.New("answer is not IMAP")
	}
	if r.ctx.Err() != nil || errors.Is(end, errAbandoned) || errors.Is(end, context.Canceled) {
		return
	}
	for _, it := range f.items {
		if !f.whole[it.uid] {
			r.s.src.noted(r.key(it), func(n *note) {
				if f.alone && !f.given[it.uid] {
					n.deaths++ // a network that fails lets at least some octets through now and then
				}
			})
			return
		}
	}
}

// resolve asks again for messages that an answer left out, one by one.
func (r *run) resolve(missing []item) {
	there, err := r.there(missing)
	if r.failed(err) {
		return
	}
	for _, it := range missing {
		if !r.going() {
			return
		}
		if !there[it.uid] {
			continue
		}
		if !r.start(window{items: []item{it}, alone: true}) {
			return
		}
		if still, _ := r.consume(); len(still) == 0 {
			continue
		}
		again, err := r.there([]item{it})
		if r.failed(err) {
			return
		}
		if again[it.uid] {
			r.give(r.message(it), &ingest.Error{Fault: ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageMissing}, Op: "imap fetch",
				Err: errors.New("server answers OK without the message")})
		}
	}
}

// there asks which of the messages still exist.
func (r *run) there(items []item) (map[uint32]bool, error) {
	uids := make([]uint32, len(items))
	for i, it := range items {
		uids[i] = it.uid
	}
	return r.s.exist(r.ctx, uids)
}
