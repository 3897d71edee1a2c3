package worker

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/publish"
)

// Row is one mailbox of the status table, as /api/v1/mailboxes gives it.
type Row struct {
	Mailbox     string     `json:"mailbox"`
	Tenant      string     `json:"tenant"`
	Address     string     `json:"address"`
	Protocol    string     `json:"protocol"`
	State       string     `json:"state"`
	Since       time.Time  `json:"since"` // of the state
	LastPoll    *time.Time `json:"last_poll,omitempty"`
	NextTry     *time.Time `json:"next_poll,omitempty"`
	Worker      string     `json:"worker,omitempty"`        // who has it, if there are several
	Weight      int        `json:"worker_weight,omitempty"` // that worker's
	Differing   []string   `json:"differing,omitempty"`     // workers that define it otherwise
	Counted     *time.Time `json:"counted_since,omitempty"` // what is published, set aside and settled: since its worker has it
	Published   int64      `json:"published"`
	Quarantined int64      `json:"quarantined"`
	Settled     int64      `json:"settled"`
	LastEvent   *time.Time `json:"last_event,omitempty"`
	Skipped     int        `json:"folders_skipped,omitempty"`
	Unsettled   string     `json:"post_action_error,omitempty"`
	Probe       string     `json:"probe_error,omitempty"` // why the canary's last probe did not come
	Code        string     `json:"code,omitempty"`        // of the trouble it is in
	Error       string     `json:"error,omitempty"`
	Next        string     `json:"next,omitempty"` // what to do

	reported time.Time // when the trouble was logged last
	repeats  int       // how often it came back since
}

// Board is the table of mailboxes, fed by the engine's hooks. It is safe for concurrent use.
type Board struct {
	mu   sync.RWMutex
	rows map[publish.Key]*Row
	nats error // what publishing waits for; nil: nothing

	weights map[string]int // of the workers
	unheard error          // why the other workers do not hear of this one; nil: they do
}

// NewBoard returns an empty table.
func NewBoard() *Board { return &Board{rows: map[publish.Key]*Row{}} }

// expect brings the table's mailboxes to those of cfg.
func (b *Board) expect(cfg *config.Config) {
	b.mu.Lock()
	defer b.mu.Unlock()
	want := make(map[publish.Key]bool, len(cfg.Mailboxes))
	for _, m := range cfg.Mailboxes {
		want[m.Key()] = true
		r := b.row(m.Key())
		r.Address, r.Protocol = m.Address, string(m.Protocol)
	}
	for k := range b.rows {
		if !want[k] {
			delete(b.rows, k)
		}
	}
}

// waitsFor notes what every mailbox waits for; nil when publishing goes on.
func (b *Board) waitsFor(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nats = err
}

// workers notes who is there, with which weight. The map is the board's from then on.
func (b *Board) workers(weights map[string]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.weights = weights
}

// announced notes whether the other workers hear of this one.
func (b *Board) announced(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unheard = err
}

// peers are the workers that are there, and why they do not hear of this one, if that is so.
func (b *Board) peers() (names []string, unheard error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Sorted(maps.Keys(b.weights)), b.unheard
}

// row returns the mailbox's row; b.mu is held.
func (b *Board) row(key publish.Key) *Row {
	r := b.rows[key]
	if r == nil {
		r = &Row{Mailbox: key.Mailbox, Tenant: key.Tenant, State: string(ingest.StateStarting), Since: time.Now()}
		b.rows[key] = r
	}
	return r
}

// update changes a mailbox's row; a mailbox that is no longer configured has none, and is not known.
func (b *Board) update(key publish.Key, f func(*Row)) (known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rows[key]
	if r != nil {
		f(r)
	}
	return r != nil
}

// Rows returns a copy of the table, sorted by tenant and mailbox.
func (b *Board) Rows() []Row {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Row, 0, len(b.rows))
	for _, r := range b.rows {
		row := *r
		row.Weight = b.weights[row.Worker]
		if b.nats != nil && row.Code == "" {
			row.apply(ingest.Status{State: ingest.StateNATSUnavailable, At: row.Since, Err: b.nats, Fault: ingest.FaultOf(b.nats)})
		}
		if b.unheard != nil && row.Code == "" && row.Worker == "" { // it waits for a place among the workers
			row.apply(ingest.Status{State: ingest.StateBackoff, At: row.Since, Err: b.unheard, Fault: ingest.FaultOf(b.unheard)})
		}
		out = append(out, row)
	}
	slices.SortFunc(out, Row.compare)
	return out
}

func (r Row) compare(other Row) int {
	return cmp.Or(cmp.Compare(r.Tenant, other.Tenant), cmp.Compare(r.Mailbox, other.Mailbox))
}

// Troubled counts the mailboxes that are in trouble.
func (b *Board) Troubled() int {
	n := 0
	for _, r := range b.Rows() {
		if r.Code != "" {
			n++
		}
	}
	return n
}

// OnlyAuth reports whether every trouble is one of signing in.
func (b *Board) OnlyAuth() bool {
	rows := slices.DeleteFunc(b.Rows(), func(r Row) bool { return r.Code == "" })
	return len(rows) > 0 && !slices.ContainsFunc(rows, func(r Row) bool {
		return !strings.HasPrefix(r.Code, "MF-AUTH-") && !strings.HasPrefix(r.Code, "MF-LOGIN-")
	})
}

// waiting is what every mailbox waits for; nil: nothing.
func (b *Board) waiting() error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.nats
}
