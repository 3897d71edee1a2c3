package worker_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// call sends a request to the worker's HTTP listener.
func call(t *testing.T, w *worker.Worker, method, path string, header ...string) (status int, body map[string]any, head http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.HTTPAddr()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("Content-Type") != "application/json" || json.Unmarshal(b, &body) != nil {
		t.Errorf("%s %s: %s is no JSON: %s", method, path, res.Header.Get("Content-Type"), b)
	}
	return res.StatusCode, body, res.Header
}

func TestTheAPIPausesResumesAndPolls(t *testing.T) {
	w, log, _ := start(t)
	log.await(t, `"mailbox":"invoices","tenant":"default","state":"polling_wait"`)
	post := func(verb string) (int, map[string]any) {
		status, body, _ := call(t, w, "POST", "/api/v1/mailboxes/invoices/"+verb)
		return status, body
	}
	if status, body := post("pause"); status != 200 || body["done"] != "pause" || body["worker"] == "" {
		t.Errorf("pause: %d %v", status, body)
	}
	if status, row, _ := call(t, w, "GET", "/api/v1/mailboxes/invoices?tenant=default"); status != 200 || row["state"] != "paused" || row["protocol"] != "pop3" {
		t.Errorf("its row: %d %v", status, row)
	}
	if status, body := post("poll"); status != 409 || body["code"] != "MF-CTL-002" || body["next"] == "" {
		t.Errorf("poll: %d %v", status, body)
	}
	if status, body := post("resume"); status != 200 {
		t.Errorf("resume: %d %v", status, body)
	}
	if status, body := post("poll"); status != 200 {
		t.Errorf("poll: %d %v", status, body)
	}
}

func TestTheAPIRefusesWhatItMust(t *testing.T) {
	w, log, _ := start(t)
	log.await(t, "started")
	for _, c := range []struct {
		method, path string
		header       []string
		status       int
		code         string
	}{
		{"GET", "/api/v1/mailboxes/nobody", nil, 404, "MF-CTL-006"},
		{"GET", "/api/v1/mailboxes/support?tenant=other", nil, 404, "MF-CTL-006"},
		{"POST", "/api/v1/mailboxes/nobody/pause", nil, 404, "MF-CTL-006"},
		{"POST", "/api/v1/mailboxes/support/explode", nil, 404, "MF-CTL-004"},
		{"GET", "/api/v2", nil, 404, "MF-CTL-004"},
		{"GET", "/api/v1/mailboxes/support/pause", nil, 405, "MF-CTL-004"},
		{"DELETE", "/api/v1/mailboxes/support", nil, 405, "MF-CTL-004"},
		{"POST", "/api/v1/mailboxes", nil, 405, "MF-CTL-004"},
		{"POST", "/api/v1/mailboxes/support/pause", []string{"Sec-Fetch-Site", "cross-site"}, 403, "MF-CTL-007"},
		{"POST", "/api/v1/mailboxes/support/pause", []string{"Origin", "https://evil.example"}, 403, "MF-CTL-007"},
		{"POST", "/api/v1/mailboxes/support/pause", []string{"Host", "evil.example:8025", "Origin", "http://evil.example:8025"}, 403, "MF-CTL-007"},
		{"GET", "/api/v1/mailboxes", []string{"Host", "evil.example"}, 403, "MF-CTL-007"},
	} {
		status, body, head := call(t, w, c.method, c.path, c.header...)
		if status != c.status || body["code"] != c.code || body["error"] == "" || body["next"] == "" || (status == 405) != (head.Get("Allow") != "") {
			t.Errorf("%s %s %v: %d %v", c.method, c.path, c.header, status, body)
		}
	}
	if status, _, _ := call(t, w, "GET", "/api/v1/mailboxes", "Host", "localhost:1"); status != 200 {
		t.Errorf("localhost: %d", status)
	}
	for _, r := range w.Board().Rows() {
		if r.State == string(ingest.StatePaused) {
			t.Errorf("%s is paused", r.Mailbox)
		}
	}
}

func TestARequestFindsTheOwnerThroughAnyWorkerAndSurvivesIt(t *testing.T) {
	t.Parallel()
	url := sharedServer(t)
	stage := demoStage(t)
	defer http.DefaultClient.CloseIdleConnections()
	one, two := startColleague(t, stage.ConfigFile(), url, "one"), startColleague(t, stage.ConfigFile(), url, "two")
	for _, c := range []*colleague{one, two} {
		c.log.await(t, `"workers":2`)
	}
	owner, other := one, two
	support := publish.Key{Tenant: config.DefaultTenant, Mailbox: "support"}
	for _, r := range one.w.Board().Rows() {
		if r.Mailbox == support.Mailbox && r.Worker == "two" {
			owner, other = two, one
		}
	}
	name := ""
	ask := func(verb string) error {
		_, err := worker.Ask(t.Context(), other.w.Conn(), natsjs.Request{Box: support, Verb: verb}, natsjs.Asking{Taken: func(w string) { name = w }})
		return err
	}
	if err := ask("pause"); err != nil || map[string]*colleague{"one": one, "two": two}[name] != owner {
		t.Errorf("%v, by %q", err, name)
	}
	owner.stop()
	other.log.await(t, `"mailboxes_here":2`)
	begin := time.Now()
	for state := ""; state != string(ingest.StatePaused); <-time.After(20 * time.Millisecond) {
		for _, r := range other.w.Board().Rows() {
			if r.Mailbox == support.Mailbox {
				state = r.State
			}
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("the new owner has it %s", state)
		}
	}
	begin = time.Now()
	err := ask("explode")
	if ingest.FaultOf(err).Code != ingest.CodeNotAsked || !strings.Contains(err.Error(), "explode") || time.Since(begin) > 20*time.Second {
		t.Errorf("a verb that is none: %v", err)
	}
	if err := ask("resume"); err != nil {
		t.Error(err)
	}
	other.log.await(t, `"mailbox":"support","tenant":"default","state":"idle"`)
}
