package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/worker"
)

func TestStatusTellsAWorkerFromWhateverElseAnswers(t *testing.T) {
	t.Parallel()
	var rows []worker.Row
	for i := range 3000 {
		rows = append(rows, worker.Row{Mailbox: fmt.Sprintf("box%d", i), State: "backoff", Since: time.Now(), Error: "NO \x1b[2J", Unsettled: "NO \u202e"})
	}
	table, err := json.Marshal(map[string]any{"mailboxes": rows})
	must(t, err)
	one, err := json.Marshal(map[string]any{"mailboxes": rows[:1]})
	must(t, err)
	file, _ := setAsideSome(t, nil)
	text, err := os.ReadFile(file)
	must(t, err)
	for name, row := range map[string]struct {
		status int
		body   string
		code   int
		said   string
	}{
		"a worker with 3,000 mailboxes":     {200, string(table), 0, "box2999"},
		"a worker in trouble":               {200, string(one), 0, "box0"},
		"a worker without any":              {200, `{"mailboxes":[]}`, 0, "MAILBOX"},
		"a worker that refuses":             {403, `{"code":"MF-CTL-006","error":"the host is not this machine's own","next":""}`, exitFailed, "403"},
		"a program with another API":        {200, `{"status":"ok"}`, exitFailed, "http.listen"},
		"a program with pages":              {200, "<html>", exitFailed, "http.listen"},
		"a proxy before a worker that died": {502, `{"mailboxes":[]}`, exitFailed, "502"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(row.status)
			_, _ = fmt.Fprint(rw, row.body)
		}))
		changed := string(text) + "http: {listen: \"" + strings.TrimPrefix(s.URL, "http://") + "\"}\n"
		must(t, os.WriteFile(file, []byte(changed), 0o600))
		for _, format := range []string{"table", "wide", "json", "yaml"} {
			if format == "yaml" && row.body == string(table) {
				continue // that takes a second
			}
			code, out, errOut := call(t, "status", "-c", file, "-o", format)
			if code != row.code || (code != 0 || row.body == string(table)) && !strings.Contains(out+errOut, row.said) {
				t.Errorf("%s, as %s: exit %d, %.300s%s", name, format, code, out, errOut)
			}
			if strings.Contains(out, "\x1b") || (format == "table" && strings.Contains(out, "\u202e")) {
				t.Errorf("%s, as %s: a server writes to the terminal", name, format)
			}
		}
		s.Close()
	}
	http.DefaultClient.CloseIdleConnections()
}
