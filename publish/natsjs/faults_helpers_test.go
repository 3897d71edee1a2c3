package natsjs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/logtest/fault"
	"mailflume/publish/natsjs"
)

// readAhead is the bound that ingest.Options documents: a log that waits has at most this many small
// messages of a mailbox before it.
const readAhead = 8

// plant is the whole engine between a mailbox in memory and a real server.
type plant struct {
	box       *sourcetest.Mailbox
	conn      *natsjs.Conn
	fleet     *ingest.Fleet
	mail      int
	told      chan error // what Hooks.Waiting was told
	polled    chan struct{}
	read      atomic.Int64 // messages that the source gave out
	delivered atomic.Int64
	aside     atomic.Int64
	latest    atomic.Int64 // when a message was published last
	gap       atomic.Int64 // the longest time without one, from the strike on
	row       fault.Row
}

// newPlant connects, makes sure of the stream and fills a mailbox.
func newPlant(t *testing.T, o natsjs.Options, sc natsjs.StreamConfig, mail int) *plant {
	t.Helper()
	p := &plant{box: sourcetest.NewMailbox(ingest.Start{All: true}, ingest.After{}), told: make(chan error, 1000), polled: make(chan struct{}, 1000), mail: mail}
	p.conn = dial(t, withWaiting(o, p.told))
	if err := p.conn.EnsureStream(deadline(t), sc); err != nil {
		t.Fatal(err)
	}
	for i := range mail {
		p.box.Add(fmt.Appendf(nil, "Subject: %d\r\nMessage-ID: <%d@example.com>\r\n\r\n%s\r\n", i, i, strings.Repeat("a line of text\r\n", 60)))
	}
	return p
}

// strike runs the engine; do happens in the source when it comes to message at.
func (p *plant) strike(t *testing.T, at uint32, do func(), change ...func(*ingest.Mailbox)) {
	t.Helper()
	struck := false
	p.box.OnMessage = func(_ context.Context, uid uint32) {
		p.read.Add(1)
		if uid == at && !struck {
			struck = true
			do()
		}
	}
	p.fleet = ingest.New(ingest.Options{Log: p.conn.Log(), Worker: "w1", Hooks: ingest.Hooks{
		Delivered: func(_ publish.Key, d ingest.Delivery) {
			p.delivered.Add(1)
			now := time.Now().UnixNano()
			if before := p.latest.Swap(now); before > 0 {
				p.gap.Store(max(p.gap.Load(), now-before))
			}
			if d.Type != publish.Received {
				p.aside.Add(1)
			}
		},
		Polled: func(publish.Key, time.Time) { p.polled <- struct{}{} },
	}})
	box := ingest.Mailbox{
		Key: logtest.Box(), Info: publish.MailboxInfo{ID: logtest.Box().Mailbox}, Host: "h", Source: p.box, PollEvery: time.Minute, Definition: "1",
	}
	for _, f := range change {
		f(&box)
	}
	if err := p.fleet.Apply([]ingest.Mailbox{box}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.fleet.Stop(context.Background()) })
}

// stands asserts that publishing waits for a reason of that kind, that the reason has this code and a
// next step, and that nothing is read while it waits.
func (p *plant) stands(t *testing.T, kind error, code ingest.Code) error {
	t.Helper()
	why := heard(t, p.told, kind)
	f := ingest.FaultOf(why)
	if _, next := ingest.Explain(f.Code); f.Code != code || next == "" {
		t.Errorf("the reason %v has code %s, want %s and a next step", why, f.Code, code)
	}
	// What was ready comes through first; then nothing is read over several tries.
	for end := time.Now().Add(20 * time.Second); ; {
		read, delivered := p.read.Load(), p.delivered.Load()
		<-time.After(1200 * time.Millisecond)
		if p.read.Load() != read || p.delivered.Load() != delivered {
			if time.Now().After(end) {
				t.Errorf("reading goes on: %d of %d messages, %d published", p.read.Load(), p.mail, p.delivered.Load())
				break
			}
			continue
		}
		if read-delivered > readAhead || int(read) >= p.mail {
			t.Errorf("%d of %d messages were read, %d are published: want at most %d more than that", read, p.mail, delivered, readAhead)
		}
		break
	}
	return why
}

// heard waits until the hook is told an error of this kind.
func heard(t *testing.T, told <-chan error, kind error) error {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case err := <-told:
			if errors.Is(err, kind) {
				return err
			}
		case <-limit:
			t.Fatalf("never told %v", kind)
		}
	}
}

// goesOn asserts that the mailbox is read to its end without a hand, and that the log holds every
// message once and in order.
func (p *plant) goesOn(t *testing.T) {
	t.Helper()
	p.latest.Store(time.Now().UnixNano()) // what caused it is gone
	p.gap.Store(0)
	select {
	case <-p.polled:
	case <-time.After(60 * time.Second):
		t.Fatalf("it does not go on: %d of %d read, %d published", p.read.Load(), p.mail, p.delivered.Load())
	}
	got := received(t, p.conn)
	p.count(got)
	for i, d := range got {
		if want := sourcetest.RefOf(uint32(i + 1)); d.Ref != want {
			t.Fatalf("event %d of the stream is %s, want %s", i+1, d.Ref, want)
		}
	}
	if len(got) != p.mail || p.aside.Load() != 0 {
		t.Fatalf("%d events in the stream, want %d; %d were set aside", len(got), p.mail, p.aside.Load())
	}
	wantChain(t, got)
}

// count says how many of the messages have no event and how many events there are besides.
func (p *plant) count(got []*natsjs.Delivered) {
	once := map[publish.Ref]bool{}
	for _, d := range got {
		once[d.Ref] = true
	}
	p.row.Messages, p.row.Lost, p.row.Doubled = p.mail, p.mail-len(once), len(got)-len(once)
}

// note enters the fault into the table of `make faults`. Recovery is the longest time without an event
// after the cause was gone.
func (p *plant) note(t *testing.T, id, what, outcome string) {
	t.Helper()
	p.row.ID, p.row.Fault, p.row.Outcome = id, what, outcome
	p.row.Recovery = time.Duration(p.gap.Load())
	fault.Note(t, p.row)
}

// childServer starts a server in a process of its own, which can be frozen.
func childServer(t *testing.T) (url string, p *os.Process) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBlobServerChild$")
	cmd.Env = append(os.Environ(), "MAILFLUME_TEST_BLOB_SERVER=1")
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "url="); ok {
			return url, cmd.Process
		}
	}
	t.Fatal("the server does not say where it is")
	return "", nil
}
