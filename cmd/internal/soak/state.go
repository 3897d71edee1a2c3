package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Options say how large a run is.
type Options struct {
	Seed     uint64        `json:"seed"`
	Rounds   int           `json:"rounds"`
	Messages int           `json:"messages"`
	Boxes    int           `json:"mailboxes"`
	Workers  int           `json:"workers"`
	Round    time.Duration `json:"round"` // how long one takes on average
}

// usualRound is how long a round takes if the number of rounds is not given.
const usualRound = 1200 * time.Millisecond

// fill completes the options. Every mailbox gets as many messages as the others.
func (o *Options) fill(duration time.Duration) {
	if o.Rounds <= 0 {
		o.Rounds = max(1, int(duration/usualRound))
	}
	o.Boxes, o.Workers = max(1, o.Boxes), max(1, o.Workers)
	o.Messages = max(1, o.Messages/o.Boxes) * o.Boxes
	o.Round = duration / time.Duration(o.Rounds)
}

// State is how far a run is.
type State struct {
	Options
	Done     int            `json:"done"` // rounds
	Struck   map[string]int `json:"struck"`
	UnderWay int            `json:"under_way"` // strikes while mail was on its way
	Fenced   int            `json:"fenced"`    // times a worker found itself replaced
	Trouble  int            `json:"trouble"`   // what must never happen: a panic, an end of its own
	Elapsed  time.Duration  `json:"elapsed"`
	Resumed  int            `json:"resumed"` // times the run was interrupted
	dir      string
	began    time.Time
}

func stateFile(dir string) string { return filepath.Join(dir, "state.json") }

// openState starts a run in dir, or takes up the one that is there, with its own options.
func openState(dir string, o Options) (*State, error) {
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o700); err != nil {
		return nil, err
	}
	s := &State{Options: o, Struck: map[string]int{}}
	switch b, err := os.ReadFile(stateFile(dir)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(b, s); err != nil {
			return nil, fmt.Errorf("read %s (remove the folder to begin anew): %w", stateFile(dir), err)
		}
		s.Resumed++
	}
	s.dir, s.began = dir, time.Now().Add(-s.Elapsed)
	return s, nil
}

// save writes the state in one step.
func (s *State) save() error {
	s.Elapsed = time.Since(s.began)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp := stateFile(s.dir) + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, stateFile(s.dir))
}

// remove clears away what a run has left, and nothing else that may lie in its folder.
func (s *State) remove() error {
	var errs []error
	for _, name := range []string{"nats", "nats.log", "logs", "bin", "state.json", "config.yaml", "secret", "issuer.pem", "imap.pem"} {
		errs = append(errs, os.RemoveAll(filepath.Join(s.dir, name)))
	}
	_ = os.Remove(s.dir) // if it is empty now
	return errors.Join(errs...)
}
