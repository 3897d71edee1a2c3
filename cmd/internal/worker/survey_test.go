package worker_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
)

// survey asks until cond holds.
func survey(t *testing.T, c *colleague, cond func(worker.Overview) bool) worker.Overview {
	t.Helper()
	limit := time.NewTimer(40 * time.Second)
	defer limit.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		o, err := worker.Survey(t.Context(), c.w.Conn(), "")
		if err == nil && cond(o) {
			return o
		}
		select {
		case <-again.C:
		case <-limit.C:
			t.Fatalf("%+v, %v", o, err)
		}
	}
}

func off(c *config.Config) { c.HTTP.Listen = "off" }

func TestASurveyShowsTroubleAtWhicheverWorkerItIs(t *testing.T) {
	t.Parallel()
	url := sharedServer(t)
	stage := demoStage(t)
	broken := func(c *config.Config) {
		off(c)
		for _, m := range c.Mailboxes {
			m.Port = 1
		}
	}
	one := startColleague(t, stage.ConfigFile(), url, "one", off)
	two := startColleague(t, stage.ConfigFile(), url, "two", func(c *config.Config) { c.Worker.Weight = 1000 }, broken)
	two.log.await(t, `"workers":2`)
	o := survey(t, one, func(o worker.Overview) bool {
		return !slices.ContainsFunc(o.Rows, func(r worker.Row) bool {
			return r.Worker == "two" && r.Code != string(ingest.CodeConnRefused) || r.Worker == "one" && r.State != "idle" && r.State != "polling_wait" || r.Worker == ""
		})
	})
	if len(o.Rows) != 2 || len(o.Workers) != 2 || !slices.ContainsFunc(o.Rows, func(r worker.Row) bool { return r.Worker == "two" }) {
		t.Errorf("%+v", o)
	}
	for _, r := range o.Rows {
		if r.Counted == nil || r.State == string(ingest.StateStandby) {
			t.Errorf("not its owner's word: %+v", r)
		}
	}
	namesake := startColleague(t, stage.ConfigFile(), url, "two", off)
	o = survey(t, one, func(o worker.Overview) bool {
		return len(o.Workers) == 3 && o.Workers[1].Code+o.Workers[2].Code == string(ingest.CodeNameTaken)
	})
	for _, r := range namesake.w.Board().Rows() {
		if r.Code != string(ingest.CodeNameTaken) || strings.Contains(r.Error, "store") {
			t.Errorf("at the worker without a name of its own: %+v", r)
		}
	}
	if slices.ContainsFunc(o.Rows, func(r worker.Row) bool { return r.Code == string(ingest.CodeNameTaken) }) {
		t.Errorf("another worker's mailboxes are not in that trouble: %+v", o.Rows)
	}
}

func TestASurveyNamesAFrozenWorkerWithItsMailboxes(t *testing.T) {
	t.Parallel()
	url := sharedServer(t)
	stage := demoStage(t)
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_, err = nc.Subscribe("mailflume.v1.ctl.report", func(m *nats.Msg) {
		_ = m.Respond([]byte(`{"v":1,"worker":"one","instance":"i","peers":["one","ice"],"about":{},"total":2,"rows":[` +
			`{"mailbox":"a","tenant":"default","state":"standby","worker":"ice","published":7},{"mailbox":"b","tenant":"default","state":"idle","worker":"one"}]}`))
	})
	if err != nil {
		t.Fatal(err)
	}
	c := startColleague(t, stage.ConfigFile(), url, "asks", off)
	o := survey(t, c, func(o worker.Overview) bool { return len(o.Workers) == 3 })
	frozen := string(ingest.CodeFrozen)
	for _, r := range o.Rows {
		if (r.Mailbox == "a") != (r.Code == frozen && r.State == "silent" && r.Worker == "ice" && r.Published == 0) {
			t.Errorf("%+v", r)
		}
	}
	if i := slices.IndexFunc(o.Workers, func(p worker.Peer) bool { return p.Worker == "ice" }); i < 0 || o.Workers[i].Code != frozen || o.Workers[i].Next == "" {
		t.Errorf("%+v", o.Workers)
	}
}
