package check

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
	"mailflume/publish/natsjs"
)

// Options say what is looked at.
type Options struct {
	Mailboxes []*config.Mailbox // of the configuration
	Offline   bool              // only what can be seen without a network
	Send      bool              // submit a probe to each mailbox and wait for its event
	Parallel  int               // mailboxes at a time; 0: 16
	Patience  time.Duration     // how long NATS is waited for; 0: 5 s
	// Reach says how to connect to NATS, and what to call when it is no longer needed.
	Reach func(ctx context.Context) (natsjs.Options, func(), error)
	// Progress is told how many sections are done. It may be nil and is called from many goroutines.
	Progress func(done, all int)
	// Trace is told the dialogues with mail servers, without what signs in. As Progress.
	Trace func(m *config.Mailbox, line string)
}

// Report is what was found, in an order that depends on the configuration alone.
type Report struct {
	Sections []*Section
	Took     time.Duration
}

// run is one check under way.
type run struct {
	cfg   *config.Config
	opt   Options
	parts *worker.Parts

	link    *connection // to NATS
	linked  *Step
	tokens  map[string]*tokenSteps  // by credential
	servers map[string]*serverSteps // by address

	asked   sync.Once // what running workers say, for probes
	workers worker.Overview
	mute    error

	done atomic.Int32
	all  int
}

// Run looks at everything. It ends early if ctx does; what was left out is then not done.
func Run(ctx context.Context, cfg *config.Config, o Options) *Report {
	if o.Parallel <= 0 {
		o.Parallel = 16
	}
	if o.Patience <= 0 {
		o.Patience = 5 * time.Second
	}
	began := time.Now()
	r := &run{cfg: cfg, opt: o, tokens: map[string]*tokenSteps{}, servers: map[string]*serverSteps{}}
	r.parts = worker.NewParts(cfg, func(string, oauth.RefreshInfo) {})
	r.parts.Trace(o.Trace)
	defer r.parts.Close() // nothing of it is needed any more
	shared := []*Section{r.configuration()}
	if o.Offline {
		shared[0].run(ctx)
		return &Report{Sections: shared, Took: time.Since(began)}
	}
	nats, hangUp := r.nats()
	defer hangUp()
	shared = append(shared, nats)
	first := len(shared) // delegated sign-ins are kept in NATS
	shared = append(shared, r.credentials()...)
	shared = append(shared, r.mailServers()...)
	var boxes []*Section
	for _, m := range o.Mailboxes {
		boxes = append(boxes, r.mailbox(m))
	}
	r.all = len(shared) + len(boxes)
	r.each(ctx, shared[:first])
	r.each(ctx, shared[first:])
	r.each(ctx, boxes)
	report := &Report{Sections: append(shared, boxes...), Took: time.Since(began)}
	report.once()
	return report
}

// once leaves what the step secrets has told to it: each user of a file that cannot be used says so again.
func (r *Report) once() {
	if !slices.ContainsFunc(r.Sections[0].Steps, func(st *Step) bool { return st.Code == ingest.CodeSecretMissing }) {
		return
	}
	for _, s := range r.Sections[1:] {
		for _, st := range s.Steps {
			if st.Code == ingest.CodeSecretMissing {
				st.Outcome = Outcome{Text: "not done: it needs secrets"}
			}
		}
	}
}

// each runs sections, so many at a time, and waits for all of them.
func (r *run) each(ctx context.Context, sections []*Section) {
	var wg sync.WaitGroup
	places := make(chan struct{}, r.opt.Parallel)
	for _, s := range sections {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			s.run(ctx)
			if n := int(r.done.Add(1)); r.opt.Progress != nil {
				r.opt.Progress(n, r.all)
			}
		})
	}
	wg.Wait()
}

// Cause is what a failed check comes down to.
type Cause int

// The causes, the one that has to be mended first being the largest but for Authentication, which
// means that nothing but signing in failed.
const (
	None Cause = iota
	OfMailbox
	Authentication
	OfNATS
	OfConfiguration
)

// Cause judges the report.
func (r *Report) Cause() Cause {
	count := map[Cause]int{}
	for _, s := range r.Sections {
		for _, st := range s.Steps {
			if st.Level == Failed {
				count[causeOf(s.Kind, st)]++
			}
		}
	}
	for _, c := range []Cause{OfConfiguration, OfNATS, OfMailbox, Authentication} {
		if count[c] > 0 {
			return c
		}
	}
	return None
}

func causeOf(k Kind, st *Step) Cause {
	switch {
	case k == Configuration:
		return OfConfiguration
	case k == NATS:
		return OfNATS
	case k == Credential, st.Name == "token", st.Name == "claims", st.Fault.Class == ingest.Auth:
		return Authentication
	}
	return OfMailbox
}

// Count is how many steps went so.
func (r *Report) Count(l Level) int {
	n := 0
	for _, s := range r.Sections {
		for _, st := range s.Steps {
			if st.Level == l {
				n++
			}
		}
	}
	return n
}
