package fault

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// Env is the variable that names the file.
const Env = "MAILFLUME_FAULTS"

// Row is what came of one fault.
type Row struct {
	ID       string        `json:"id"`
	Fault    string        `json:"fault"`   // what was done
	Outcome  string        `json:"outcome"` // what happened then
	Messages int           `json:"messages"`
	Lost     int           `json:"lost"`
	Doubled  int           `json:"doubled"`
	Recovery time.Duration `json:"recovery"` // from the end of the fault to the next event; 0: nothing stood still
	Failed   bool          `json:"failed"`
}

// Note adds a row when the test has ended.
func Note(t testing.TB, r Row) {
	t.Helper()
	path := os.Getenv(Env)
	if path == "" {
		return
	}
	t.Cleanup(func() {
		r.Failed = t.Failed()
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Write(append(b, '\n')); err != nil { // in one write: tests of several processes share the file
			t.Fatal(err)
		}
	})
}
