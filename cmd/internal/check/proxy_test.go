package check_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mailflume/cmd/internal/check"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/pop3/pop3test"
)

func TestAProxyThatDoesNotLetUsThroughIsNamed(t *testing.T) {
	for _, c := range []struct {
		name, user, answer string // the proxy's
		level              check.Level
		says               []string
	}{
		{"it connects", "", "HTTP/1.1 200 Connection established\r\n\r\n", check.OK, []string{"login.example:443"}},
		{"it wants a user", "", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", check.Failed, []string{"407", "http://USER:PASSWORD@"}},
		{"its user is refused", "me:CANARY@", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", check.Failed, []string{"403 Forbidden", "let this machine reach login.example:443"}},
		{"it is no proxy", "", "* OK IMAP4rev1\r\n", check.Failed, []string{"no HTTP proxy"}},
		{"it hangs up", "", "", check.Failed, []string{"no HTTP proxy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			heard := make(chan string, 1)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err == nil {
					heard <- req.Method + " " + req.Host + " " + req.Header.Get("Proxy-Authorization")
				}
				_, _ = io.WriteString(conn, c.answer)
			}()
			defer l.Close()
			p, err := url.Parse("http://" + c.user + l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			o := check.ThroughProxy(t.Context(), p, "login.example:443")
			text := o.Text + "\n" + strings.Join(o.Next, "\n")
			for _, s := range c.says {
				if !strings.Contains(text, s) {
					t.Errorf("it does not say %q", s)
				}
			}
			if o.Level != c.level || strings.Contains(text, "CANARY") || (o.Level == check.Failed) != (o.Code != "") {
				t.Errorf("%s %s: %s", o.Level, o.Code, text)
			}
			if got := <-heard; !strings.HasPrefix(got, "CONNECT login.example:443 ") || (c.user != "") != strings.HasSuffix(got, "Basic bWU6Q0FOQVJZ") {
				t.Errorf("the proxy hears %q", got)
			}
		})
	}
	p := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	if o := check.ThroughProxy(t.Context(), p, "login.example:443"); o.Code != ingest.CodeConnRefused || !strings.Contains(strings.Join(o.Next, ""), "HTTPS_PROXY") {
		t.Errorf("a proxy that is not there: %+v", o)
	}
}

func TestAProxyThatIsNoAddressIsNotIgnoredInSilence(t *testing.T) {
	s := newStage(t, imaptest.Options{}, pop3test.Options{})
	cfg := s.load(t, s.box("imap", "support", ""), "")
	for value, told := range map[string]bool{"http://user:p%ss@proxy.example:3128": true, "proxy.example:3128": false, "": false} {
		t.Setenv("HTTPS_PROXY", value)
		if out := text(t, look(t, cfg)); strings.Contains(out, "requests go around the proxy") != told || strings.Contains(out, "p%ss") {
			t.Errorf("%s:\n%s", value, out)
		}
	}
}
