package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// Overview is the table of all workers.
type Overview struct {
	Rows    []Row
	Workers []Peer // sorted by name
}

// Peer is one worker of an Overview, with the trouble it is in.
type Peer struct {
	Worker string `json:"worker"`
	Code   string `json:"code,omitempty"`
	Error  string `json:"error,omitempty"`
	Next   string `json:"next,omitempty"`
}

// surveyTime is how long workers have to answer: one that lives does at once.
const surveyTime = 3 * time.Second

// rowText bounds what a row of a report says in the words of others.
const rowText = 4 << 10

// report is what this worker says when all are asked.
func (w *Worker) report() natsjs.Report {
	var r natsjs.Report
	peers, unheard := w.board.peers()
	r.Peers = peers
	me := Peer{Worker: w.opt.Name}
	if unheard != nil {
		me.trouble(unheard)
	}
	var err error
	if r.About, err = json.Marshal(me); err != nil {
		w.log.Error().Err(err).Msg("report")
	}
	for _, row := range w.board.Rows() {
		row.Error, row.Unsettled = row.Error[:min(len(row.Error), rowText)], row.Unsettled[:min(len(row.Unsettled), rowText)]
		if b, err := json.Marshal(row); err == nil {
			r.Rows = append(r.Rows, b)
		}
	}
	return r
}

func (p *Peer) trouble(err error) {
	code := ingest.FaultOf(err).Code
	_, next := ingest.Explain(code)
	p.Code, p.Error, p.Next = string(code), strings.TrimLeft(strings.TrimPrefix(err.Error(), string(code)), ": "), next
}

// Survey asks all workers of a stream, on whatever machine they run, and makes one table of what they say.
func Survey(ctx context.Context, conn *natsjs.Conn, stream string) (Overview, error) {
	reports, missing, err := conn.Survey(ctx, stream, surveyTime)
	switch {
	case errors.Is(err, natsjs.ErrNoWorker):
		return Overview{}, controlError(ingest.CodeNoWorker, err)
	case errors.Is(err, natsjs.ErrMute):
		return Overview{}, controlError(ingest.CodeFrozen, err)
	case err != nil:
		return Overview{}, err
	}
	return merge(reports, missing)
}

// claim is a row and how good the word of the worker that sent it is.
type claim struct {
	row  Row
	rank int
}

// merge makes one table: the word of the worker that has a mailbox counts. What those say that do not
// answer is not known, and their mailboxes are shown so.
func merge(reports []natsjs.Report, missing []string) (Overview, error) {
	var o Overview
	best := map[publish.Key]claim{}
	for _, r := range reports {
		peer := Peer{Worker: r.Worker}
		if err := json.Unmarshal(r.About, &peer); err != nil {
			return o, fmt.Errorf("%w: the report of worker %s: %w", publish.ErrUnavailable, r.Worker, err)
		}
		o.Workers = append(o.Workers, peer)
		for _, b := range r.Rows {
			var row Row
			if err := json.Unmarshal(b, &row); err != nil {
				return o, fmt.Errorf("%w: the report of worker %s: %w", publish.ErrUnavailable, r.Worker, err)
			}
			key, said := publish.Key{Tenant: row.Tenant, Mailbox: row.Mailbox}, claim{row, rankOf(row, r.Worker)}
			if old, ok := best[key]; !ok || cmp.Or(cmp.Compare(said.rank, old.rank), said.row.Since.Compare(old.row.Since)) > 0 {
				best[key] = said
			}
		}
	}
	for _, name := range missing {
		p := Peer{Worker: name}
		p.trouble(frozen(name))
		o.Workers = append(o.Workers, p)
	}
	for _, c := range best {
		if c.rank == hearsay && slices.Contains(missing, c.row.Worker) {
			c.row = silent(c.row)
		}
		o.Rows = append(o.Rows, c.row)
	}
	slices.SortFunc(o.Rows, Row.compare)
	slices.SortStableFunc(o.Workers, func(a, b Peer) int { return cmp.Compare(a.Worker, b.Worker) })
	return o, nil
}

// How good a worker's word on a mailbox is.
const (
	hearsay = iota // of another worker's
	works          // it works on it, and does not know of others
	owns           // it is its own
)

func rankOf(r Row, teller string) int {
	switch {
	case r.Worker == teller:
		return owns
	case r.Worker == "" && r.State != string(ingest.StateStandby):
		return works
	}
	return hearsay
}

// stateSilent is of a mailbox whose worker does not answer.
const stateSilent = "silent"

func silent(r Row) Row {
	out := Row{Mailbox: r.Mailbox, Tenant: r.Tenant, Address: r.Address, Protocol: r.Protocol, Worker: r.Worker, Weight: r.Weight, State: stateSilent, Since: r.Since}
	p := Peer{}
	p.trouble(frozen(r.Worker))
	out.Code, out.Error, out.Next = p.Code, p.Error, p.Next
	return out
}

func frozen(name string) error {
	return controlError(ingest.CodeFrozen, fmt.Errorf("worker %s does not answer", name))
}
