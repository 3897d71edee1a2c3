//go:build interop

package interop_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish"
)

// trial is a fault of signing in, played with a whole worker for both protocols.
type trial struct {
	name   string
	set    setting
	inLife bool           // it strikes when mail has flowed, and ends all sessions
	strike func(s *scene) // nil: the setting is the fault
	heal   func(s *scene) // nil: nothing can be mended here
	tokens int            // most token requests from its beginning to its end
	imap   finding
	pop3   finding // zero: as over IMAP
}

// finding is what people are told of a mailbox.
type finding struct {
	state ingest.State
	code  ingest.Code
	says  string        // a part of the error
	next  string        // a part of what is to be done
	check ingest.Code   // of the last step of `check` that is red
	tries int           // most sign-ins from the fault's beginning to its end
	rest  time.Duration // what a mailbox is left alone for after three refusals; 0: it heals by itself, within seconds
}

// lasting is how long a fault is watched before anybody does anything: a storm would show.
const lasting = 4 * time.Second

func TestInteropWhatSigningInCanMeet(t *testing.T) {
	b := build(t)
	var all []play
	for _, tr := range trials() {
		if tr.pop3.code == "" {
			tr.pop3 = tr.imap
		}
		all = append(all, play{tr.name, func(t *testing.T) { tr.play(t, b) }})
	}
	for _, l := range lives() {
		all = append(all, play{l.name, func(t *testing.T) { l.play(t, b) }})
	}
	sideBySide(t, append(all, play{"the last token carries the mail to its end", func(t *testing.T) { lastToken(t, b) }},
		play{"one mailbox is refused and the address punished", func(t *testing.T) { punished(t, b) }}))
}

// play is a scene to be played.
type play struct {
	name string
	run  func(t *testing.T)
}

// sideBySide plays many at a time, whatever the number of cores: they wait for most of their time.
func sideBySide(t *testing.T, all []play) {
	t.Helper()
	var wg sync.WaitGroup
	stages := make(chan struct{}, 12)
	for _, p := range all {
		wg.Go(func() {
			stages <- struct{}{}
			defer func() { <-stages }()
			t.Run(p.name, p.run)
		})
	}
	wg.Wait()
}

func (tr trial) play(t *testing.T, b binaries) {
	s := open(t, tr.set)
	if tr.inLife {
		s.deliver()
		s.start()
		s.published()
	}
	tokens, tries, begun := s.tokens(), s.tries(), time.Now()
	if tr.strike != nil {
		tr.strike(s)
	}
	s.deliver()
	if !tr.inLife {
		s.start()
	}
	if tr.inLife {
		s.front.End("Session invalidated - AccessTokenExpired")
	}
	for _, x := range s.boxes() {
		s.until(x.ID+" is in trouble", func() bool { return s.row(x.ID).Code == string(tr.of(x.Protocol).code) })
	}
	<-time.After(lasting)
	for protocol := range tries { // the others have the same
		s.observed(b, protocol+"0", tr.of(protocol), tr.inLife)
	}
	if status, body := s.page("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
	told := map[string][]publish.EventType{}
	for _, x := range s.boxes() {
		if f := tr.of(x.Protocol); f.rest > 0 {
			told[x.Protocol] = s.refused(x.ID, f)
		}
	}
	if _, body := s.page("/metrics"); tr.imap.code == ingest.CodeTokenDown && strings.Contains(body, `mailflume_token_refresh_total{credential="rig",result="failed"} 0`) {
		t.Error("/metrics counts no failed token requests")
	}
	slow := int(time.Since(begun) / (20 * time.Second)) // a busy machine watches for longer
	if got := s.tokens() - tokens; got > tr.tokens+slow {
		t.Errorf("%d token requests, want at most %d", got, tr.tokens)
	}
	for protocol, n := range s.tries() {
		if most := (tr.of(protocol).tries + slow) * s.set.boxes; n-tries[protocol] > most {
			t.Errorf("%d sign-ins over %s, want at most %d", n-tries[protocol], protocol, most)
		}
	}
	s.checked(b, tr)
	if tr.heal == nil {
		return
	}
	tr.heal(s)
	for _, x := range s.boxes() {
		if r := s.row(x.ID); r.NextTry != nil && r.NextTry.Sub(s.now()) > 20*time.Second { // by itself, too: the unit tests wait for that
			s.press(x.ID)
		}
	}
	s.published()
	s.finish(b, told)
}

func (tr trial) of(protocol string) finding {
	if protocol == "pop3" {
		return tr.pop3
	}
	return tr.imap
}

// observed looks at everything that shows a mailbox's state. A mailbox that tries every few seconds is in
// other states for moments.
func (s *scene) observed(b binaries, id string, f finding, doubted bool) {
	s.Helper()
	state := f.state
	if doubted && (f.code == ingest.CodeAuthRefused || f.code == ingest.CodePasswordRefused) { // it worked today: nobody is called for a single refusal
		state = ingest.StateBackoff
	}
	fits := func(r worker.Row) bool {
		return r.State == string(state) && r.Code == string(f.code) && strings.Contains(r.Error, f.says) && strings.Contains(r.Next, f.next)
	}
	s.until(fmt.Sprintf("status shows %s %s %q %q for %s", state, f.code, f.says, f.next, id), func() bool {
		for _, r := range s.status(b) {
			if r.Mailbox == id {
				return fits(r)
			}
		}
		return false
	})
	s.until("/api/v1 shows the same", func() bool {
		_, body := s.page("/api/v1/mailboxes/" + id)
		var r worker.Row
		return json.Unmarshal([]byte(body), &r) == nil && fits(r)
	})
	s.until("/metrics shows the same", func() bool {
		_, body := s.page("/metrics")
		return strings.Contains(body, fmt.Sprintf(`mailflume_mailbox_state{mailbox=%q,state=%q} 1`, id, state)) &&
			strings.Contains(body, fmt.Sprintf(`mailflume_reconnects_total{cause=%q}`, f.code))
	})
	lines := 0
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, `"message":"mailbox in trouble"`) && strings.Contains(line, fmt.Sprintf("%q", id)) && strings.Contains(line, string(f.code)) {
			lines++
			if !strings.Contains(line, f.next) || !strings.Contains(line, `"warn"`) {
				s.Errorf("the log does not say what to do: %s", line)
			}
		}
	}
	if lines != 1 {
		s.Errorf("%d lines in the log about one trouble of %s", lines, id)
	}
}

// refused has a mailbox refused twice more: then it is left alone, and its log says so.
func (s *scene) refused(id string, f finding) []publish.EventType {
	s.Helper()
	s.press(id)
	s.press(id)
	r := s.row(id)
	if rest := r.NextTry.Sub(s.now()); r.State != string(f.state) || rest < f.rest-time.Minute || rest > f.rest*5/4 {
		s.Errorf("%s after three refusals: %s for %v, want %s for %v", id, r.State, rest, f.state, f.rest)
	}
	if strings.HasPrefix(string(f.code), "MF-AUTH-") {
		return []publish.EventType{publish.AuthFailed, publish.Recovered}
	}
	return []publish.EventType{publish.Stalled, publish.Recovered}
}

// checked compares what `check` says of each mailbox, or of the credential if that is what fails.
func (s *scene) checked(b binaries, tr trial) {
	s.Helper()
	_, bad := checked(s.T, b, s.cfg)
	for _, x := range s.boxes() {
		f := tr.of(x.Protocol)
		said := ""
		for _, l := range bad {
			if l.Status == "failed" && l.Code == string(f.check) && (l.Kind != "mailbox" || l.Name == x.ID) && len(l.Next) > 0 {
				said = l.Code
			}
		}
		if said != string(f.check) {
			s.Errorf("check does not say %s of %s: %+v", f.check, x.ID, bad)
		}
	}
}
