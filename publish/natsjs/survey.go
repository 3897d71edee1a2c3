package natsjs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"mailflume/publish"
)

// A survey goes to mailflume.v1.ctl.report, and every worker answers it, in as many messages as its rows
// need. Nobody knows how many will: each names those that it knows of, and who asked waits for them.

// ErrMute: somebody listens for requests, and none of them answers.
var ErrMute = errors.New("a worker is connected, and none answers")

const (
	lull      = 300 * time.Millisecond // without an answer, once all that are known of have answered
	maxReport = 1 << 20                // rows that are taken from one worker
)

// Report is what one worker says of itself and its mailboxes.
type Report struct {
	Worker string            // its name
	Peers  []string          // the workers that it knows of
	About  json.RawMessage   // itself
	Rows   []json.RawMessage // its mailboxes
}

// reportPage is one message of a report. Rows come in the order of Report.Rows; Peers and About are on every one.
type reportPage struct {
	Version  int               `json:"v"`
	Worker   string            `json:"worker"`
	Instance string            `json:"instance"` // tells two workers of the same name apart
	Peers    []string          `json:"peers,omitempty"`
	About    json.RawMessage   `json:"about,omitempty"`
	Total    int               `json:"total"` // rows of all pages
	Rows     []json.RawMessage `json:"rows,omitempty"`
}

func surveySubject(s streamInfo) string { return bucketOf(s) + ".v1.ctl.report" }

// report answers a survey. It is the client's goroutine and must not wait.
func (s *Service) report(req micro.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Reply() == "" || s.closed {
		return
	}
	s.wg.Go(func() {
		for _, page := range s.pages(s.h.Report()) {
			b, err := publish.Marshal(page)
			if err != nil || s.c.nc.Publish(req.Reply(), b) != nil {
				return // who asked sees that it is not whole
			}
		}
	})
}

// pages cuts a report into messages that the server takes.
func (s *Service) pages(r Report) []reportPage {
	head := reportPage{
		Version: controlVersion, Worker: s.c.opt.Worker, Instance: s.micro.Info().ID, Peers: r.Peers, About: r.About, Total: len(r.Rows),
	}
	most := int(s.c.nc.MaxPayload()) / 2
	out := []reportPage{head}
	size := 0
	for _, row := range r.Rows {
		last := &out[len(out)-1]
		if size += len(row) + 1; size > most && len(last.Rows) > 0 {
			out = append(out, head)
			last, size = &out[len(out)-1], len(row)+1
		}
		last.Rows = append(last.Rows, row)
	}
	return out
}

// Survey asks all workers of a stream for their reports, which come sorted by name. It needs no stream to be
// there. missing are the workers that others know of and that have not answered, or not in full, within
// wait (default 3 s).
func (c *Conn) Survey(ctx context.Context, stream string, wait time.Duration) (reports []Report, missing []string, err error) {
	inbox := c.nc.NewInbox()
	answers, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, nil, fmt.Errorf("ask all workers: %w", classify(err))
	}
	defer func() { _ = answers.Unsubscribe() }()
	started := time.Now()
	s := survey{got: map[string]*Report{}, total: map[string]int{}}
	if err = c.nc.PublishRequest(surveySubject(streamInfo{name: cmp.Or(stream, DefaultStream)}), inbox, nil); err == nil {
		err = s.collect(ctx, answers, started.Add(cmp.Or(wait, 3*time.Second)))
	}
	reports, missing = s.result()
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		err = ErrNoWorker
	case err != nil:
		err = classify(err)
	case len(reports) == 0:
		if err = ErrMute; !c.nc.IsConnected() {
			err = publish.ErrUnavailable
		}
		if denied := c.deniedSince(started); denied != nil {
			err = fmt.Errorf("%w: %w", publish.ErrDenied, denied)
		}
	default:
		return reports, missing, nil
	}
	return nil, nil, fmt.Errorf("ask all workers: %w", err)
}

// survey collects reports by instance.
type survey struct {
	got   map[string]*Report
	total map[string]int // rows that the worker has
}

// collect takes answers in until all that are known of have answered and nobody else does, or until the end.
func (s *survey) collect(ctx context.Context, answers *nats.Subscription, end time.Time) error {
	for {
		until := end
		if calm := time.Now().Add(lull); len(s.got) > 0 && len(s.missing()) == 0 && calm.Before(end) {
			until = calm
		}
		next, cancel := context.WithDeadline(ctx, until)
		m, err := answers.NextMsgWithContext(next)
		cancel()
		switch {
		case err == nil:
			s.take(m.Data)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, context.DeadlineExceeded):
			return nil
		default:
			return err
		}
	}
}

// take adds one page; what is none is passed over.
func (s *survey) take(b []byte) {
	page, ok := decodePage(b)
	if !ok {
		return
	}
	r := s.got[page.Instance]
	if r == nil {
		r = &Report{}
		s.got[page.Instance] = r
	}
	s.total[page.Instance] = page.Total
	r.Worker, r.Peers, r.About = page.Worker, page.Peers, page.About
	if len(r.Rows)+len(page.Rows) <= maxReport {
		r.Rows = append(r.Rows, page.Rows...)
	}
}

// missing are the names of which there is no whole report.
func (s *survey) missing() []string {
	answered, missing := map[string]bool{}, map[string]bool{}
	for id, r := range s.got {
		answered[r.Worker] = true
		if len(r.Rows) != s.total[id] {
			missing[r.Worker] = true
		}
	}
	for _, r := range s.got {
		for _, p := range r.Peers {
			if !answered[p] {
				missing[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

func (s *survey) result() (reports []Report, missing []string) {
	for _, r := range s.got {
		reports = append(reports, *r)
	}
	slices.SortFunc(reports, func(a, b Report) int { return cmp.Compare(a.Worker, b.Worker) })
	return reports, s.missing()
}

// decodePage reads a page of a report.
func decodePage(b []byte) (p reportPage, ok bool) {
	err := json.Unmarshal(b, &p)
	return p, err == nil && p.Version == controlVersion && p.Worker != "" && p.Total >= 0
}
