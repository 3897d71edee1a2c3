package check

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"mailflume/ingest"
)

// throughProxy has the proxy of HTTPS_PROXY open a way to target (host:port), as a token request does, and
// tells of the proxy what net/http says of the issuer.
func throughProxy(ctx context.Context, p *url.URL, target string) Outcome {
	ctx, cancel := context.WithTimeout(ctx, networkTime)
	defer cancel()
	port := map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[p.Scheme]
	addr := net.JoinHostPort(p.Hostname(), cmp.Or(p.Port(), port, "80"))
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return failed(err, "check HTTPS_PROXY where mailflume starts, "+p.Host+", and that the proxy is running; NO_PROXY="+strings.TrimSuffix(target, ":443")+" goes around it")
	}
	defer conn.Close()
	if p.Scheme != "http" {
		return fine("connected to the proxy " + p.Host)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	status, err := askProxy(conn, p, target)
	if err != nil {
		return failed(fmt.Errorf("the proxy %s: %w", p.Host, err), "check HTTPS_PROXY where mailflume starts: what answers at "+p.Host+" is no HTTP proxy, or breaks off")
	}
	if status == http.StatusOK {
		return fine("the proxy " + p.Host + " connects to " + target)
	}
	out := Outcome{
		Level: Failed, Code: ingest.CodeTokenDown, Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown},
		Text: fmt.Sprintf("the proxy %s answers %d %s", p.Host, status, http.StatusText(status)),
		Next: []string{"have the proxy let this machine reach " + target},
	}
	if status == http.StatusProxyAuthRequired {
		out.Next = []string{"write the user whom the proxy wants into HTTPS_PROXY where mailflume starts: http://USER:PASSWORD@" + p.Host + ". Only Basic is spoken: for Kerberos or NTLM have this machine excepted"}
	}
	return out
}

// malformedProxy reports whether HTTPS_PROXY holds what net/http ignores without a word.
func malformedProxy() bool {
	proxy := cmp.Or(os.Getenv("HTTPS_PROXY"), os.Getenv("https_proxy"))
	_, err := url.Parse(proxy)
	_, bare := url.Parse("http://" + proxy)
	return err != nil && bare != nil
}

// askProxy sends CONNECT (RFC 9110 section 9.3.6).
func askProxy(conn net.Conn, p *url.URL, target string) (status int, err error) {
	auth := ""
	if password, ok := p.User.Password(); ok {
		auth = "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(p.User.Username()+":"+password)) + "\r\n"
	}
	if _, err := fmt.Fprintf(conn, "CONNECT %[1]s HTTP/1.1\r\nHost: %[1]s\r\n%[2]s\r\n", target, auth); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(bufio.NewReader(http.MaxBytesReader(nil, conn, 64<<10)), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
