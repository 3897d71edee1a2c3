package s3blob_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mailflume/publish/redact"
	"mailflume/publish/s3blob"
)

// behindProxy, in the environment, has the test binary store something behind a proxy and print the error:
// net/http reads the environment once.
const behindProxy = "MAILFLUME_TEST_BEHIND_PROXY"

func TestAProxysPasswordIsInNoError(t *testing.T) {
	const secret = "Mf8Q~proxy-CANARY-0123456789"
	if os.Getenv(behindProxy) != "" {
		s, err := s3blob.New(s3blob.Options{Endpoint: "https://s3.mailflume.example", Bucket: "mail", RetryFor: time.Nanosecond})
		if err == nil {
			_, err = s.Put(t.Context(), "text/plain", strings.NewReader("x"))
		}
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
				_, _ = fmt.Fprintf(c, "HTTP/1.1 407 you said %s\r\nContent-Length: 0\r\n\r\n", r.Header.Get("Proxy-Authorization"))
			}
			_ = c.Close()
		}
	}()
	defer func() { _ = ln.Close(); <-done }()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", t.Name())
	cmd.Env = append(os.Environ(), behindProxy+"=1", "HTTPS_PROXY=http://user:"+secret+"@"+ln.Addr().String(), "AWS_ACCESS_KEY_ID=AKIDTEST", "AWS_SECRET_ACCESS_KEY=x")
	out, err := cmd.CombinedOutput()
	if found := redact.Find(string(out), secret); err != nil || len(found) > 0 || !strings.Contains(string(out), "you said Basic ") {
		t.Errorf("%v, %v in %s", err, found, out)
	}
}
