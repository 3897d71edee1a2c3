package natsjs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// reporter lets a worker answer surveys.
func (s *testServer) reporter(t *testing.T, worker string, rows int, peers ...string) {
	t.Helper()
	c := s.conn(t, func(o *natsjs.Options) { o.Worker = worker })
	r := natsjs.Report{Peers: peers, About: json.RawMessage(`{"of":"` + worker + `"}`)}
	for i := range rows {
		r.Rows = append(r.Rows, json.RawMessage(fmt.Sprintf(`{"n":%d,"pad":"%0500d"}`, i, 0)))
	}
	svc, err := c.Serve(natsjs.Handler{Report: func() natsjs.Report { return r }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = svc.Close() })
}

func TestASurveyGathersTheReportsOfAllWorkersHoweverLongTheyAre(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	c := s.conn(t)
	if _, _, err := c.Survey(t.Context(), "", 0); !errors.Is(err, natsjs.ErrNoWorker) {
		t.Errorf("without a worker: %v", err)
	}
	s.reporter(t, "one", 5000, "one", "two")
	s.reporter(t, "two", 1)
	s.reporter(t, "one", 0)
	reports, missing, err := c.Survey(t.Context(), "", 20*time.Second)
	if err != nil || len(missing) != 0 || len(reports) != 3 {
		t.Fatalf("%d reports, missing %v, %v", len(reports), missing, err)
	}
	for _, r := range reports {
		if string(r.About) != `{"of":"`+r.Worker+`"}` {
			t.Errorf("%s is %s", r.Worker, r.About)
		}
		for i, row := range r.Rows {
			if want := fmt.Sprintf(`{"n":%d,`, i); string(row[:len(want)]) != want {
				t.Fatalf("row %d is %.20s", i, row)
			}
		}
	}
	if n := len(reports[0].Rows) + len(reports[1].Rows); n != 5000 || len(reports[2].Rows) != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestASurveyNamesTheWorkersThatDoNotAnswerInTime(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	s.reporter(t, "one", 1, "one", "two", "three")
	s.reporter(t, "two", 1, "one", "two")
	begin := time.Now()
	reports, missing, err := s.conn(t).Survey(t.Context(), "", 700*time.Millisecond)
	if err != nil || len(reports) != 2 || !slices.Equal(missing, []string{"three"}) || time.Since(begin) > 10*time.Second {
		t.Errorf("%d reports, missing %v, %v", len(reports), missing, err)
	}
}

func TestPatienceEndsAtAServerThatIsNotThereOrHasNoJetStream(t *testing.T) {
	t.Parallel()
	_, err := natsjs.Connect(deadline(t), natsjs.Options{URL: "nats://127.0.0.1:1", Patience: time.Millisecond})
	if !errors.Is(err, publish.ErrUnavailable) || !strings.Contains(err.Error(), "127.0.0.1:1") || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("refused: %v", err)
	}
	_, err = natsjs.Connect(deadline(t), natsjs.Options{URL: "nats://no-such-host.invalid", Patience: time.Millisecond})
	if !errors.Is(err, publish.ErrUnavailable) || !strings.Contains(err.Error(), "no-such-host.invalid") {
		t.Errorf("no such host: %v", err)
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer func() { s.Shutdown(); s.WaitForShutdown() }()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	c, err := natsjs.Connect(deadline(t), natsjs.Options{URL: s.ClientURL(), Patience: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.EnsureStream(deadline(t), natsjs.StreamConfig{}); !errors.Is(err, publish.ErrUnavailable) || !strings.Contains(err.Error(), "nats-server -js") {
		t.Errorf("without JetStream: %v", err)
	}
}
