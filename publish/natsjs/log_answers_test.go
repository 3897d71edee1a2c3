package natsjs_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

// An impostor stands between a client and a server and answers publishes to the log itself.
type impostor struct {
	*natsjs.Relay

	mu      sync.Mutex
	answers []string // to the next publishes, each a message of the server; empty: the server answers
	pass    bool     // the server gets them all the same
	asked   int      // publishes that were answered
}

func startImpostor(t *testing.T, url string) *impostor {
	t.Helper()
	p := &impostor{}
	p.Relay = natsjs.StartRelay(t, url, p.read, func(client, server *net.TCPConn) { _, _ = io.Copy(client, server) })
	return p
}

// answer queues answers; pass says whether the publishes reach the server too.
func (p *impostor) answer(pass bool, answers ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers, p.pass, p.asked = answers, pass, 0
}

func (p *impostor) answered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// read reads what the client says, one protocol line after the other. A client that waits for an
// answer hears nothing else, so that one can be written between two of the server's.
func (p *impostor) read(client, server *net.TCPConn) {
	r := bufio.NewReader(client)
	sids := map[string]string{} // of subscriptions with a wildcard at their end
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		out := []byte(line)
		switch {
		case words[0] == "SUB":
			sids[strings.TrimSuffix(words[1], "*")] = words[len(words)-1]
		case strings.HasSuffix(words[0], "PUB"):
			size, _ := strconv.Atoi(words[len(words)-1])
			body := make([]byte, size+2)
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			out = append(out, body...)
			if answer, pass, ok := p.next(words[1]); ok {
				reply := words[2]
				writeAnswer(client, reply, sids[reply[:strings.LastIndexByte(reply, '.')+1]], answer)
				if !pass {
					continue
				}
			}
		}
		if _, err := server.Write(out); err != nil {
			return
		}
	}
}

// next takes the next answer, if a publish to this subject gets one.
func (p *impostor) next(subject string) (answer string, pass, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.answers) == 0 || !strings.HasPrefix(subject, janesLog) {
		return "", false, false
	}
	answer, p.answers = p.answers[0], p.answers[1:]
	p.asked++
	return answer, p.pass, true
}

func writeAnswer(w io.Writer, subject, sid, answer string) {
	if answer == noResponders {
		const status = "NATS/1.0 503\r\n\r\n"
		_, _ = fmt.Fprintf(w, "HMSG %s %s %d %d\r\n%s\r\n", subject, sid, len(status), len(status), status)
		return
	}
	_, _ = fmt.Fprintf(w, "MSG %s %s %d\r\n%s\r\n", subject, sid, len(answer), answer)
}

const noResponders = "503"

func apiError(status, code int) string {
	return fmt.Sprintf(`{"stream":"MAIL","error":{"code":%d,"err_code":%d,"description":"as the test wants it"}}`, status, code)
}

func TestEveryAnswerToAWriteHasItsConsequence(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	p := startImpostor(t, srv.url())
	const duplicate = `{"stream":"MAIL","seq":1,"duplicate":true}`
	type row struct {
		answer string
		times  int
		want   error // nil: the write is tried until it is stored, once
		told   error // what the hook hears, if anything for sure
	}
	rows := map[string]row{
		"10071 wrong last sequence":            {apiError(400, 10071), 1, nil, nil},
		"10071 again and again":                {apiError(400, 10071), 3, nil, nil},
		"10164 a write in flight":              {apiError(400, 10164), 3, nil, nil},
		"10164 that does not go away":          {apiError(400, 10164), 7, nil, nil},
		"no stream, or no leader":              {noResponders, 4, nil, publish.ErrUnavailable},
		"10077 the stream is full":             {apiError(503, 10077), 2, nil, publish.ErrFull},
		"10023 insufficient resources":         {apiError(503, 10023), 2, nil, publish.ErrFull},
		"10028 out of memory":                  {apiError(503, 10028), 1, nil, publish.ErrFull},
		"10047 out of storage":                 {apiError(503, 10047), 1, nil, publish.ErrFull},
		"10008 temporarily unavailable":        {apiError(503, 10008), 2, nil, publish.ErrUnavailable},
		"10999 a code nobody knows":            {apiError(500, 10999), 1, nil, publish.ErrUnavailable},
		"a duplicate of somebody else's":       {duplicate, 1, nil, nil},
		"an answer that is none":               {`{"stream":`, 1, nil, publish.ErrUnavailable},
		"10054 larger than the stream takes":   {apiError(400, 10054), 1, publish.ErrTooLarge, nil},
		"10097 headers larger than the server": {apiError(400, 10097), 1, publish.ErrTooLarge, nil},
	}
	for name, r := range rows {
		for _, stored := range []bool{false, true} {
			if stored && r.want != nil || stored && r.told == publish.ErrFull { // a server that says so stores nothing
				continue
			}
			for _, op := range []string{"claim", "append", "save"} {
				t.Run(fmt.Sprintf("%s, stored %v, %s", name, stored, op), func(t *testing.T) {
					srv.freshStream(t)
					told := make(chan error, 100)
					o := withWaiting(srv.options(), told)
					o.URL, o.RetryMax = p.URL(), 20*time.Millisecond
					conn := dial(t, o)
					if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true}); err != nil {
						t.Fatal(err)
					}
					answers := slices.Repeat([]string{r.answer}, r.times)
					begin := func() { p.answer(stored, answers...) }
					if err := writeOnce(t, conn, op, begin); !errors.Is(err, r.want) {
						t.Fatalf("got %v, want %v", err, r.want)
					}
					if n := p.answered(); n == 0 || !stored && n != r.times {
						t.Errorf("%d answers were given, want %d", n, r.times)
					}
					if r.told != nil && !stored {
						waitFor(t, told, r.told)
						waitFor(t, told, nil)
					}
				})
			}
		}
	}
}

// writeOnce does one write of a kind after begin, and then checks that the log and its owner are whole.
func writeOnce(t *testing.T, conn *natsjs.Conn, op string, begin func()) (err error) {
	t.Helper()
	c := mustClaim(t, conn.Log())
	appendAll(t, c, 1, 2)
	next, snapshot, since := 3, "", 4
	begin()
	switch op {
	case "claim":
		var young publish.Claim
		if young, err = conn.Log().Claim(deadline(t), logtest.Box()); err == nil {
			c = young
		}
	case "append":
		if err = appendOne(t, c, 3); err == nil {
			next = 4
		}
	case "save":
		if err = c.Save(deadline(t), []byte("s")); err == nil {
			snapshot, since = "s", 2
		}
	}
	appendAll(t, c, next, 4)
	wantEvents(t, conn, 4)
	wantPosition(t, mustClaim(t, conn.Log()), snapshot, since)
	return err
}
