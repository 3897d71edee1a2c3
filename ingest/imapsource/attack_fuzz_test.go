package imapsource

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

var bodies sync.Map

// octetsOf is mail, kept.
func octetsOf(uid, size int) string {
	if b, ok := bodies.Load(uid); ok {
		return b.(string)
	}
	b, _ := bodies.LoadOrStore(uid, string(mail(uid, size)))
	return b.(string)
}

// shuffler answers pipelined FETCHes of bodies in a random interleaving, each in its own order.
type shuffler struct{ n int }

func (sh shuffler) size(uid int) int {
	switch {
	case uid%37 == 0:
		return 300 << 10 // goes alone
	case uid%11 == 0:
		return 90 << 10
	}
	return 150
}

func (sh shuffler) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	lines := make(chan string, 64)
	go func() {
		defer close(lines)
		sc := bufio.NewScanner(c)
		for sc.Scan() {
			lines <- sc.Text()
		}
	}()
	defer func() {
		_ = c.Close()
		for range lines {
		}
	}()
	type fetch struct {
		tag  string
		uids []int
	}
	var open []fetch
	say := func(s string) bool { _, err := io.WriteString(c, s); return err == nil }
	if !say("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE] hi\r\n") {
		return
	}
	for {
		if len(open) > 0 {
			var line string
			var got bool
			select {
			case line, got = <-lines:
				if !got {
					return
				}
			case <-time.After(300 * time.Microsecond):
			}
			if !got {
				i := rand.IntN(len(open))
				f := &open[i]
				for k := 1 + rand.IntN(5); k > 0 && len(f.uids) > 0; k-- {
					if !say(keptBody(f.uids[0], sh.size(f.uids[0]))) {
						return
					}
					f.uids = f.uids[1:]
				}
				if len(f.uids) == 0 {
					if !say(f.tag + " OK fetched\r\n") {
						return
					}
					open = append(open[:i], open[i+1:]...)
				}
				continue
			}
			if !sh.command(line, say, func(tag string, u []int) { open = append(open, fetch{tag, u}) }) {
				return
			}
			continue
		}
		line, ok := <-lines
		if !ok || !sh.command(line, say, func(tag string, u []int) { open = append(open, fetch{tag, u}) }) {
			return
		}
	}
}

func (sh shuffler) command(line string, say func(string) bool, fetch func(string, []int)) bool {
	tag, cmd, _ := strings.Cut(line, " ")
	switch {
	case strings.HasPrefix(cmd, "CAPABILITY"):
		return say("* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE\r\n" + tag + " OK\r\n")
	case strings.HasPrefix(cmd, "EXAMINE"):
		return say(fmt.Sprintf("* %d EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT %d]\r\n%s OK [READ-ONLY]\r\n", sh.n, sh.n+1, tag))
	case strings.HasPrefix(cmd, "UID FETCH ") && strings.Contains(cmd, "BODY"):
		set, _, _ := strings.Cut(strings.TrimPrefix(cmd, "UID FETCH "), " ")
		fetch(tag, sh.set(set))
		return true
	case strings.HasPrefix(cmd, "UID FETCH "):
		set, _, _ := strings.Cut(strings.TrimPrefix(cmd, "UID FETCH "), " ")
		var b strings.Builder
		for _, i := range sh.set(set) {
			fmt.Fprintf(&b, "* %d FETCH (UID %d FLAGS () INTERNALDATE \"01-Mar-2026 09:00:00 +0000\" RFC822.SIZE %d)\r\n", i, i, len(octetsOf(i, sh.size(i))))
		}
		return say(b.String() + tag + " OK listed\r\n")
	case strings.HasPrefix(cmd, "LOGOUT"):
		say("* BYE\r\n" + tag + " OK\r\n")
		return false
	}
	return say(tag + " OK done\r\n")
}

func keptBody(uid, size int) string {
	m := octetsOf(uid, size)
	return fmt.Sprintf("* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", uid, uid, len(m), m)
}

func (sh shuffler) set(s string) (out []int) {
	for _, r := range strings.Split(s, ",") {
		a, b, ok := strings.Cut(r, ":")
		lo, _ := strconv.Atoi(a)
		hi := lo
		if ok {
			if b == "*" {
				hi = sh.n
			} else {
				hi, _ = strconv.Atoi(b)
			}
		}
		for i := lo; i <= min(hi, sh.n); i++ {
			out = append(out, i)
		}
	}
	return out
}

// cutConn lives for some octets, and sometimes falls silent before its end.
type cutConn struct {
	net.Conn
	mu   sync.Mutex
	left int
}

func (c *cutConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	left := c.left
	c.mu.Unlock()
	if left <= 0 {
		_ = c.Close()
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p[:min(len(p), left)])
	c.mu.Lock()
	c.left -= n
	c.mu.Unlock()
	return n, err
}

// Whatever the network, the server's order and the consumer do: everything comes once in its order,
// whole, and nothing hangs.
func TestAttackRandomCutsOrdersAndConsumers(t *testing.T) {
	life := 6 * time.Second
	if s := os.Getenv("CHAOS"); s != "" {
		life, _ = time.ParseDuration(s)
	}
	server, client, err := imaptest.Certificates()
	must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	sh := shuffler{n: 900}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { sh.serve(tls.Server(c, server)) })
		}
	})
	defer wg.Wait()
	defer ln.Close()
	end := time.Now().Add(life)
	sessions, rounds, hung := 0, 0, false
	for time.Now().Before(end) && !hung {
		src := mustSource(t, Options{Start: ingest.Start{All: true}, ProgressTimeout: 2 * time.Second, WindowBytes: 64<<10 + rand.Int64N(2<<20), Endpoint: ingest.Endpoint{
			Addr: ln.Addr().String(), Security: ingest.ImplicitTLS, TLS: client, Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, n, a)
				if err != nil {
					return nil, err
				}
				left := 1 << 40
				if rand.IntN(3) > 0 {
					left = 5000 + rand.IntN(3<<20)
				}
				return &cutConn{Conn: c, left: left}, nil
			}}})
		at, next := ingest.Cursor(nil), 1
		for next <= sh.n && time.Now().Before(end) {
			sessions++
			sess, err := src.Open(t.Context())
			if err != nil {
				continue
			}
			ctx, cancel := context.WithCancel(t.Context())
			if rand.IntN(3) == 0 {
				time.AfterFunc(rand.N(60*time.Millisecond), cancel)
			}
			done := make(chan []got, 1)
			stopAt := 1 << 30
			if rand.IntN(4) == 0 {
				stopAt = rand.IntN(400)
			}
			go func() {
				var l []got
				defer func() { _ = sess.Close(); done <- l }()
				c, err := sess.Sync(ctx, at)
				if err != nil {
					return
				}
				at = c
				for m, err := range sess.Messages(ctx, at, 0) {
					if m == nil {
						return
					}
					if err != nil {
						l = append(l, got{ref: m.Ref, uid: m.UID, err: err})
						return
					}
					if rand.IntN(50) == 0 {
						<-time.After(rand.N(5 * time.Millisecond))
					}
					if rand.IntN(400) == 0 {
						return // in the middle of everything
					}
					if rand.IntN(400) == 0 {
						_, _ = io.CopyN(io.Discard, m.Body, 50)
						return
					}
					b, err := io.ReadAll(m.Body)
					if err != nil {
						return
					}
					if string(b) != octetsOf(int(m.UID), sh.size(int(m.UID))) {
						t.Errorf("uid %d has other octets", m.UID)
					}
					l = append(l, got{ref: m.Ref, uid: m.UID})
					if len(l) >= stopAt {
						return
					}
				}
			}()
			select {
			case l := <-done:
				for _, g := range l {
					if g.err != nil {
						t.Errorf("uid %d is blamed: %v", g.uid, g.err)
						continue
					}
					if int(g.uid) != next {
						t.Errorf("uid %d after %d", g.uid, next-1)
					}
					next = int(g.uid) + 1
				}
				at = finish(t, src, at, l)
			case <-time.After(30 * time.Second):
				buf := make([]byte, 1<<20)
				t.Errorf("hangs\n%s", buf[:runtime.Stack(buf, true)])
				hung = true
				end = time.Now()
			}
			cancel()
		}
		rounds++
	}
	t.Logf("%d sessions, %d mailboxes", sessions, rounds)
}
