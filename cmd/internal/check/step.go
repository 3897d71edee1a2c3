package check

import (
	"cmp"
	"context"
	"strings"
	"time"

	"mailflume/ingest"
)

// Level is how a step went.
type Level int

// The levels.
const (
	NotDone Level = iota // something before it failed
	OK
	Warning // it works and deserves a look
	Failed
)

// String returns the level's name in JSON.
func (l Level) String() string {
	return [...]string{"not_done", "ok", "warning", "failed"}[l]
}

// Outcome is what a step found.
type Outcome struct {
	Level Level
	Text  string       // one line
	Code  ingest.Code  // of a failure
	Next  []string     // what to do, line by line
	Fault ingest.Fault // of a failure
}

// Step is one thing to look at.
type Step struct {
	Name  string
	Needs []*Step // all of these have to work first
	Run   func(ctx context.Context) Outcome
	Limit time.Duration // of its time; 0: stepTime

	Outcome
	Took time.Duration
}

// Kind is what a section is about.
type Kind string

// The kinds, in the order in which they are looked at and printed.
const (
	Configuration Kind = "configuration"
	NATS          Kind = "nats"
	Credential    Kind = "credential"
	Server        Kind = "server"
	Mailbox       Kind = "mailbox"
)

// Section is a heading with its steps.
type Section struct {
	Kind  Kind
	Name  string
	About string // beside the name, for people
	Steps []*Step

	end func() // after the last step; may be nil
}

// add appends a step that needs others, and returns it.
func (s *Section) add(name string, run func(ctx context.Context) Outcome, needs ...*Step) *Step {
	st := &Step{Name: name, Run: run, Needs: needs}
	s.Steps = append(s.Steps, st)
	return st
}

// stepTime bounds one step. Sources have shorter limits of their own.
const stepTime = 90 * time.Second

// run does the steps one after the other.
func (s *Section) run(ctx context.Context) {
	if s.end != nil {
		defer s.end()
	}
	for _, st := range s.Steps {
		if why := st.blocked(ctx); why != "" {
			st.Outcome = Outcome{Text: why}
			continue
		}
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, cmp.Or(st.Limit, stepTime))
		st.Outcome = st.Run(limited)
		cancel()
		if st.Level == Failed && ctx.Err() != nil { // it says nothing about the step
			st.Outcome = Outcome{Text: interrupted}
			continue
		}
		st.Took = time.Since(began)
	}
}

const interrupted = "not done: interrupted"

// blocked says why a step cannot be done, or nothing.
func (st *Step) blocked(ctx context.Context) string {
	if ctx.Err() != nil {
		return interrupted
	}
	for _, n := range st.Needs {
		if n.Level == Failed || n.Level == NotDone {
			return "not done: it needs " + n.Name
		}
	}
	return ""
}

// level is the worst of the section's steps.
func (s *Section) level() Level {
	worst := OK
	for _, st := range s.Steps {
		if st.Level == NotDone && worst == OK {
			worst = NotDone
		}
		if st.Level > worst || st.Level == Warning && worst == NotDone {
			worst = max(st.Level, Warning)
		}
	}
	return worst
}

// fine is a step that works.
func fine(text string) Outcome { return Outcome{Level: OK, Text: text} }

// doubtful is a step that works, with what to look at.
func doubtful(text string, next ...string) Outcome {
	return Outcome{Level: Warning, Text: text, Next: next}
}

// failed is a step that does not work. Without better advice it is the code's own.
func failed(err error, better ...string) Outcome {
	f := ingest.FaultOf(err)
	o := Outcome{Level: Failed, Code: f.Code, Next: better, Fault: f}
	o.Text = strings.TrimLeft(strings.TrimPrefix(err.Error(), string(f.Code)), ": ")
	if _, next := ingest.Explain(f.Code); len(better) == 0 && next != "" {
		o.Next = []string{next}
	}
	return o
}
