package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// getmail delivers to a Maildir and leaves mail on the server, which is its default. It notes what it has
// delivered at the end of a session (the option to do so after each message makes 6.18.11 deliver
// everything in every session). It makes one pass: the stage starts it again, as cron would.
type getmail struct{ dir, bin string }

const getmailConfig = `[retriever]
type = %s
server = localhost
port = %d
username = %s
password = %s
%sca_certs = %s
timeout = 60
[destination]
type = Maildir
path = %s/
%s[options]
read_all = false
delete = false
`

func newGetmail(s *stage, bin string) (peer, error) {
	g := &getmail{dir: filepath.Join(s.dir, "Maildir"), bin: bin}
	for _, d := range []string{"new", "cur", "tmp"} {
		if err := os.MkdirAll(filepath.Join(g.dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	as, err := g.unprivileged()
	if err != nil {
		return nil, err
	}
	kind, folder := "SimpleIMAPSSLRetriever", "mailboxes = (\"INBOX\",)\n"
	if s.pop3 != nil {
		kind, folder = "SimplePOP3SSLRetriever", ""
	}
	text := fmt.Sprintf(getmailConfig, kind, s.port(), user, password, folder, filepath.Join(s.dir, "ca.pem"), g.dir, as)
	return g, os.WriteFile(filepath.Join(s.dir, "getmailrc"), []byte(text), 0o600)
}

// unprivileged gives the Maildir to nobody if this is root, whose mail getmail does not deliver, and
// returns the line that tells it so.
func (g *getmail) unprivileged() (line string, err error) {
	if os.Getuid() != 0 {
		return "", nil
	}
	nobody, err := osuser.Lookup("nobody")
	if err != nil {
		return "", err
	}
	uid, err := strconv.Atoi(nobody.Uid)
	for _, d := range []string{"", "new", "cur", "tmp"} {
		err = errors.Join(err, os.Chown(filepath.Join(g.dir, d), uid, -1))
	}
	for d := g.dir; d != os.TempDir() && d != filepath.Dir(d); d = filepath.Dir(d) {
		if st, _ := os.Stat(d); st.Mode()&1 == 0 {
			err = errors.Join(err, os.Chmod(d, 0o711)) //nolint:gosec // nobody has to come through
		}
	}
	return "user = nobody\n", err
}

func (g *getmail) command() *exec.Cmd {
	return exec.Command(g.bin, "-g", filepath.Dir(g.dir), "-r", "getmailrc") //nolint:noctx,gosec // ended by the stage
}

func (g *getmail) files() ([]os.DirEntry, error) { return os.ReadDir(filepath.Join(g.dir, "new")) }

func (g *getmail) copies() (int, error) {
	files, err := g.files()
	return len(files), err
}

func (g *getmail) read() ([]received, error) {
	files, err := g.files()
	if err != nil {
		return nil, err
	}
	out := make([]received, 0, len(files))
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(g.dir, "new", f.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, read(b))
	}
	return out, nil
}

func (g *getmail) close() error { return nil }

// fetchmail delivers to an SMTP server and deletes mail from its own, which are its defaults. It makes
// one pass.
type fetchmail struct {
	inbasket
	bin  string
	ln   net.Listener
	wg   sync.WaitGroup
	open sync.Map
}

const fetchmailConfig = `set no bouncemail
poll localhost protocol %s port %d timeout 60
  user "%s" password "%s" is root here %s ssl sslcertck sslcertfile "%s" smtphost "127.0.0.1/%d" smtpaddress localhost
`

func newFetchmail(s *stage, bin string) (peer, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	more := ""
	if s.pop3 != nil {
		more = "fetchall" // what it deletes it need not remember, and it reads by RETR
	}
	f := &fetchmail{bin: bin, ln: ln}
	f.wg.Go(f.accept)
	text := fmt.Sprintf(fetchmailConfig, s.protocol(), s.port(), user, password, more, filepath.Join(s.dir, "ca.pem"), port(ln.Addr().String()))
	return f, os.WriteFile(filepath.Join(s.dir, "fetchmailrc"), []byte(text), 0o600)
}

func (f *fetchmail) command() *exec.Cmd {
	return exec.Command(f.bin, "-f", "fetchmailrc", "--nosyslog", "--pidfile", "pid", "--idfile", "ids", "-v") //nolint:noctx,gosec // ended by the stage
}

func (f *fetchmail) accept() {
	for {
		conn, err := f.ln.Accept()
		if err != nil {
			return
		}
		f.open.Store(conn, true)
		f.wg.Go(func() {
			defer f.open.Delete(conn)
			defer conn.Close()
			_ = f.smtp(conn) // fetchmail was killed
		})
	}
}

// smtp takes messages (RFC 5321). A message counts from the answer to its end on.
func (f *fetchmail) smtp(conn net.Conn) error {
	r := bufio.NewReader(conn)
	say := func(s string) error {
		_, err := io.WriteString(conn, s+"\r\n")
		return err
	}
	if err := say("220 ready"); err != nil {
		return err
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		answer := "250 ok"
		switch strings.ToUpper(strings.Fields(line + " NOOP")[0]) {
		case "DATA":
			if err := say("354 go on"); err != nil {
				return err
			}
			b, err := dotted(r)
			if err != nil {
				return err
			}
			f.put(read(b))
		case "QUIT":
			return say("221 bye")
		}
		if err := say(answer); err != nil {
			return err
		}
	}
}

// dotted reads a message up to the line with a dot.
func dotted(r *bufio.Reader) ([]byte, error) {
	var out []byte
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if strings.TrimRight(line, "\r\n") == "." {
			return out, nil
		}
		out = append(out, strings.TrimPrefix(line, ".")...)
	}
}

func (f *fetchmail) close() error {
	err := f.ln.Close()
	f.open.Range(func(conn, _ any) bool {
		c, _ := conn.(net.Conn)
		err = errors.Join(err, c.Close())
		return true
	})
	f.wg.Wait()
	return err
}
