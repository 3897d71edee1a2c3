package pop3

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialogue returns a client whose server plays the script: lines "S: …" are sent, lines "C: …" are
// expected, "S:… " with \r\n added; "X" closes, "-" stays silent until the client is gone.
// The end of the script closes too.
func dialogue(t *testing.T, opt *Options, script ...string) *Client {
	t.Helper()
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = server.Close() }()
		r := bufio.NewReader(server)
		for _, step := range script {
			switch {
			case strings.HasPrefix(step, "S: "):
				if _, err := server.Write([]byte(step[3:] + "\r\n")); err != nil {
					return
				}
			case step == "-":
				_, _ = r.ReadByte()
				return
			default:
				line, err := r.ReadString('\n')
				if want := strings.TrimPrefix(step, "C: ") + "\r\n"; err != nil || line != want {
					t.Errorf("server expected %q, got %q, %v", want, line, err)
					return
				}
			}
		}
	}()
	t.Cleanup(func() { _ = client.Close(); <-done })
	if opt == nil {
		opt = &Options{}
	}
	opt.AllowPlaintext = true
	return New(client, opt)
}

// greeted is a dialogue behind the greeting.
func greeted(t *testing.T, script ...string) *Client {
	t.Helper()
	c := dialogue(t, nil, append([]string{"S: +OK ready"}, script...)...)
	if err := c.Greet(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// signedIn is a dialogue behind the sign-in.
func signedIn(t *testing.T, script ...string) *Client {
	t.Helper()
	c := greeted(t, append([]string{"C: USER ann", "S: +OK", "C: PASS x y", "S: +OK"}, script...)...)
	if err := c.AuthUserPass(t.Context(), "ann", "x y"); err != nil {
		t.Fatal(err)
	}
	return c
}

// trickle plays the script and then sends one octet for ever, each after a pause.
func trickle(t *testing.T, script []string, pause time.Duration) *Client {
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = server.Close() }()
		r := bufio.NewReader(server)
		for _, step := range script {
			if line, ok := strings.CutPrefix(step, "S: "); ok {
				_, _ = server.Write([]byte(line + "\r\n"))
			} else {
				_, _ = r.ReadString('\n')
			}
		}
		for {
			<-time.After(pause)
			if _, err := server.Write([]byte("x")); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = client.Close(); <-done })
	return New(client, &Options{AllowPlaintext: true})
}
