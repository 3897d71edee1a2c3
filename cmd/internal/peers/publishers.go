package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// inbasket collects what arrives somewhere while a trial goes on.
type inbasket struct {
	mu  sync.Mutex
	got []received
}

func (b *inbasket) put(r received) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, r)
}

func (b *inbasket) copies() (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got), nil
}

func (b *inbasket) read() ([]received, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got), nil
}

// mailflume is the product, as `mailflume run`.
type mailflume struct {
	inbasket
	bin, config string
	conn        *natsjs.Conn
	cancel      context.CancelFunc
	wg          sync.WaitGroup
}

const mailflumeConfig = `nats: {url: "%s", stream: {name: "%s", prefix: "%s.v1"}}
credentials: {box: {type: password, password: file:password}}
mailboxes:
  - {id: "box-%s", address: box@example.com, credentials: box, provider: generic, protocol: %s, host: localhost, port: %d, ca_file: ca.pem, start: all, poll_every: 1s}
http: {listen: "off"}
`

// newMailflume prepares a worker with a stream of its own.
func newMailflume(s *stage, bin, url, name string) (peer, error) {
	m := &mailflume{bin: bin, config: filepath.Join(s.dir, "mailflume.yaml")}
	text := fmt.Sprintf(mailflumeConfig, url, strings.ToUpper(name), name, name, s.protocol(), s.port())
	err := errors.Join(os.WriteFile(m.config, []byte(text), 0o600), os.WriteFile(filepath.Join(s.dir, "password"), []byte(password), 0o600))
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(m.config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	if m.conn, err = natsjs.Connect(ctx, natsjs.Options{URL: url}); err == nil {
		err = m.conn.EnsureStream(ctx, worker.StreamConfig(cfg))
	}
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	m.wg.Go(func() { m.follow(ctx) })
	return m, nil
}

func (m *mailflume) follow(ctx context.Context) {
	for d, err := range m.conn.Events(ctx, natsjs.Filter{FromStart: true, Follow: true, Types: []publish.EventType{publish.Received, publish.Quarantined}}) {
		if err != nil {
			continue
		}
		data := d.Event.Data
		if d.Event.Kind == publish.Quarantined {
			n := int(data.UID)
			if data.UIDL != "" {
				n = number(data.UIDL)
			}
			m.put(received{n: n, aside: true})
			continue
		}
		r := received{n: -1}
		if _, err := fmt.Sscanf(data.Subject, "message %d", &r.n); err == nil {
			r.whole = data.Raw.SHA256 == digest(text(r.n))
		}
		m.put(r)
	}
}

func (m *mailflume) command() *exec.Cmd {
	return exec.Command(m.bin, "run", "-c", m.config) //nolint:noctx,gosec // ended by the stage; the program is the one the caller names
}

func (m *mailflume) close() error {
	m.cancel()
	m.wg.Wait()
	if m.conn == nil {
		return nil
	}
	return m.conn.Close()
}

// looper is the go-imap loop.
type looper struct {
	inbasket
	args []string
	bin  string
	nc   *nats.Conn
}

// newLoop prepares the loop with a stream of its own.
func newLoop(s *stage, bin, url, name string, more ...string) (peer, error) {
	l := &looper{bin: bin, args: append([]string{"-addr", s.srv.Addr(), "-user", user, "-password", password, "-ca", "ca.pem", "-nats", url, "-subject", name}, more...)}
	var err error
	if l.nc, err = nats.Connect(url); err != nil {
		return nil, err
	}
	if err := l.follow(name); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *looper) follow(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	js, err := jetstream.New(l.nc)
	if err != nil {
		return err
	}
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: strings.ToUpper(name), Subjects: []string{name}}); err != nil {
		return err
	}
	cons, err := js.OrderedConsumer(ctx, strings.ToUpper(name), jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	_, err = cons.Consume(func(msg jetstream.Msg) { l.put(read(msg.Data())) })
	return err
}

func (l *looper) command() *exec.Cmd {
	return exec.Command(l.bin, l.args...) //nolint:noctx,gosec // ended by the stage; built by this program
}

func (l *looper) close() error {
	l.nc.Close()
	return nil
}
