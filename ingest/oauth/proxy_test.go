package oauth

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// behindProxy, in the environment, has the test binary ask for a token behind a proxy and print the error:
// net/http reads the environment once.
const behindProxy = "MAILFLUME_TEST_BEHIND_PROXY"

func TestAProxysPasswordIsInNoError(t *testing.T) {
	const secret = "Mf8Q~proxy-CANARY-0123456789"
	if os.Getenv(behindProxy) != "" {
		e := startEntra(t, EntraOptions{Tenant: "t", ClientID: "client", Authority: "https://login.mailflume.example", Secret: static(canary)})
		_, err := e.Token(t.Context(), "")
		fmt.Println("error:", err)
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				write(c, "HTTP/1.1 407 you said %s\r\nContent-Length: 0\r\n\r\n", r.Header.Get("Proxy-Authorization"))
			}
			_ = c.Close()
		}
	}()
	defer func() { _ = ln.Close(); <-done }()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", t.Name())
	cmd.Env = append(os.Environ(), behindProxy+"=1", "HTTPS_PROXY=http://user:"+secret+"@"+ln.Addr().String())
	out, err := cmd.CombinedOutput()
	if text := leaks(string(out), secret, "user:"+secret); err != nil || text != "" || !strings.Contains(string(out), "you said") {
		t.Errorf("%v: %s", err, out)
	}
}
