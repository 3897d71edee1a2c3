package worker_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish/logtest/fault"
)

// freeAddr returns an address that was free a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func natsServer(t *testing.T, addr string) {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	o := &server.Options{Host: host, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true}
	_, _ = fmt.Sscan(port, &o.Port)
	srv, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not get ready")
	}
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
}

// stage writes a configuration for the demo's mailboxes and an external NATS.
func stage(t *testing.T, natsAddr, stream, httpAddr string) *config.Config {
	t.Helper()
	s, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := os.ReadFile(s.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("data_dir: nats", "url: nats://"+natsAddr+"\n  stream: "+stream, "127.0.0.1:0", httpAddr).Replace(string(b))
	if err := os.WriteFile(s.ConfigFile(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(s.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// ask reads a page of a listener that may not be there yet.
func ask(t *testing.T, addr, path string) (int, string) {
	t.Helper()
	for limit := time.After(20 * time.Second); ; {
		res, err := http.Get("http://" + addr + path)
		if err == nil {
			var b strings.Builder
			_ = res.Write(&b)
			_ = res.Body.Close()
			return res.StatusCode, b.String()
		}
		select {
		case <-limit:
			t.Fatal(err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// work runs a worker until stop; it is sent when it has started.
func work(t *testing.T, cfg *config.Config) (log *lines, started <-chan *worker.Worker, stop func()) {
	t.Helper()
	log = &lines{new: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	out, done := make(chan *worker.Worker, 1), make(chan struct{})
	go func() {
		defer close(done)
		w, err := worker.Start(ctx, cfg, worker.Options{Log: zerolog.New(log), Version: "test"})
		if err != nil {
			t.Error(err)
			return
		}
		out <- w
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	stop = func() { // before its NATS is
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return log, out, stop
}

// wholeMail waits until the demo's mail is published, all of it.
func wholeMail(t *testing.T, w *worker.Worker) {
	t.Helper()
	for limit := time.After(60 * time.Second); ; {
		n := int64(0)
		for _, r := range w.Board().Rows() {
			n += r.Published
			if r.Code != "" || r.Quarantined > 0 {
				n = 0
			}
		}
		if n == 2*65 {
			return
		}
		select {
		case <-limit:
			t.Fatalf("%d of 130 messages are published: %+v", n, w.Board().Rows())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestFault_N1_NATSIsNotThereAtTheStart(t *testing.T) {
	natsAddr, httpAddr := freeAddr(t), freeAddr(t)
	log, started, stop := work(t, stage(t, natsAddr, "{}", httpAddr))
	defer stop()
	log.await(t, string(ingest.CodeNATSDown))
	log.await(t, `"next":"check nats.url`)
	if code, body := ask(t, httpAddr, "/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if code, _ := ask(t, httpAddr, "/livez"); code != http.StatusOK {
		t.Errorf("/livez: %d: waiting is no reason to be restarted", code)
	}
	if text := log.text(); strings.Contains(text, "connecting") || len(started) > 0 {
		t.Errorf("mail was touched: %s", text)
	}
	begin := time.Now()
	natsServer(t, natsAddr)
	w := <-started
	recovery := time.Since(begin)
	wholeMail(t, w)
	if code, body := ask(t, httpAddr, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz afterwards: %d %s", code, body)
	}
	fault.Note(t, fault.Row{
		ID: "N1", Fault: "NATS is not there at the start", Outcome: "no mail is touched, /readyz says 503 and the log why; work begins by itself", Messages: 130, Recovery: recovery,
	})
}

func TestFault_N8_TheTableAndTheMetricsSayWhatIsFull(t *testing.T) {
	natsAddr, httpAddr := freeAddr(t), freeAddr(t)
	natsServer(t, natsAddr)
	nc, err := nats.Connect("nats://" + natsAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	small := jetstream.StreamConfig{Name: "MAIL", Subjects: []string{"mail.v1.>"}, MaxBytes: 20 << 10, Discard: jetstream.DiscardNew}
	if _, err := js.CreateStream(t.Context(), small); err != nil {
		t.Fatal(err)
	}
	log, started, stop := work(t, stage(t, natsAddr, "{}", httpAddr))
	defer stop()
	w := <-started
	log.await(t, `"code":"MF-NATS-003"`)
	log.await(t, "raise max_bytes")
	for _, row := range w.Board().Rows() {
		if row.Code != string(ingest.CodeStreamFull) || row.State != string(ingest.StateNATSUnavailable) || row.Next == "" {
			t.Errorf("the table does not say why: %+v", row)
		}
	}
	if _, body := ask(t, httpAddr, "/metrics"); !strings.Contains(body, `mailflume_publish_waiting{code="MF-NATS-003"} 1`) {
		t.Error("the metric does not say why")
	}
	if code, body := ask(t, httpAddr, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "publishing waits") {
		t.Errorf("/readyz: %d %s", code, body)
	}
	stream, err := js.Stream(t.Context(), "MAIL")
	if err != nil {
		t.Fatal(err)
	}
	large := stream.CachedInfo().Config
	large.MaxBytes = 100 << 20
	if _, err := js.UpdateStream(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	wholeMail(t, w)
	if _, body := ask(t, httpAddr, "/metrics"); strings.Contains(body, "mailflume_publish_waiting{") {
		t.Error("the metric still says that it waits")
	}
}
