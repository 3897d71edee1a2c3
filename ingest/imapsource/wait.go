package imapsource

import (
	"context"
	"time"

	"mailflume/ingest"
)

// idleSession is a session that can wait for news (RFC 2177).
type idleSession struct{ *session }

var _ ingest.Waiter = (*idleSession)(nil)

const (
	doneWait   = 30 * time.Second       // for the answer to DONE: a half-open connection shows here
	settleNews = 200 * time.Millisecond // news come in bursts
	idleSlack  = time.Minute
)

// Wait implements ingest.Waiter on the first folder. Others are looked at when atMost has passed.
// IDLE is renewed every IdleRefresh: go-imap's own 28 minutes are too long for servers and
// middleboxes that forget a silent connection.
func (s *idleSession) Wait(ctx context.Context, atMost time.Duration) error {
	if changed, err := s.idleFolder(ctx); err != nil || changed {
		return err
	}
	total := time.NewTimer(atMost)
	defer total.Stop()
	for {
		if err := s.ended(ctx); err != nil {
			return err
		}
		select {
		case <-s.news:
			return nil
		case <-total.C:
			return nil
		default:
		}
		if more, err := s.idleOnce(ctx, total.C); err != nil || !more {
			return err
		}
	}
}

// idleFolder opens the folder to listen to. changed: something came while it was not open.
func (s *idleSession) idleFolder(ctx context.Context) (changed bool, err error) {
	if err := s.ended(ctx); err != nil {
		return false, err
	}
	if len(s.order) == 0 || s.selected.name == s.order[0] {
		return false, nil
	}
	name := s.order[0]
	if err := s.selectFolder(ctx, name, false); err != nil {
		return false, err
	}
	seen, ok := s.seen[name]
	return !ok || seen.next != s.selected.next || seen.count != s.selected.count || seen.validity != s.selected.validity, nil
}

// idleOnce runs one IDLE. more: neither news nor the end of the wait ended it.
func (s *idleSession) idleOnce(ctx context.Context, total <-chan time.Time) (more bool, err error) {
	if s.selected.name == "" { // nothing to listen to
		select {
		case <-total:
			return false, nil
		case <-ctx.Done():
			return false, s.ended(ctx)
		case <-s.c.Closed():
			return false, s.ended(ctx)
		}
	}
	life := s.src.opt.IdleRefresh
	if !s.ends.IsZero() {
		life = min(life, max(s.ends.Sub(s.src.opt.Now()), time.Millisecond))
	}
	release := s.until(ctx)
	defer release()
	s.g.arm(s.src.opt.ProgressTimeout, normalBudget)
	idle, err := s.c.Idle()
	if err != nil {
		s.g.disarm()
		return false, s.fault("imap idle", atOther, err)
	}
	s.g.arm(life+idleSlack, normalBudget)
	more = s.listen(ctx, life, total)
	s.g.arm(doneWait, normalBudget)
	err = idle.Close()
	if waitErr := idle.Wait(); err == nil {
		err = waitErr
	}
	s.g.disarm()
	if err != nil {
		if ended := s.ended(ctx); ended != nil {
			return false, ended
		}
		return false, s.fault("imap idle", atOther, err)
	}
	return more, s.ended(ctx)
}

// listen waits inside an IDLE. more: it only has to be renewed.
func (s *idleSession) listen(ctx context.Context, life time.Duration, total <-chan time.Time) (more bool) {
	renew := time.NewTimer(life)
	defer renew.Stop()
	select {
	case <-renew.C:
		return true
	case <-total:
		return false
	case <-ctx.Done():
		return false
	case <-s.c.Closed():
		return false
	case <-s.news:
	}
	burst := time.NewTimer(settleNews)
	defer burst.Stop()
	select {
	case <-burst.C:
	case <-ctx.Done():
	case <-s.c.Closed():
	}
	select {
	case <-s.news:
	default:
	}
	return false
}
