package check_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mailflume/cmd/internal/check"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/pop3/pop3test"
)

// link is one certificate of a chain.
type link struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// sign makes a certificate below another one; nil: signed by itself.
func sign(t *testing.T, name string, by *link, life time.Duration, change ...func(*x509.Certificate)) *link {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-30 * 24 * time.Hour), NotAfter: time.Now().Add(life),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	for _, f := range change {
		f(c)
	}
	if by == nil {
		by = &link{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &link{c, key}
}

func pemOf(l *link) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.cert.Raw})
}

// serve answers each connection with a function, and returns the port.
func serve(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				answer(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return portOf(l.Addr().String())
}

// secured greets after a handshake with a chain.
func secured(chain ...*link) func(net.Conn) {
	cert := tls.Certificate{PrivateKey: chain[0].key}
	for _, l := range chain {
		cert.Certificate = append(cert.Certificate, l.cert.Raw)
	}
	return func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
		_, _ = s.Write([]byte("* OK hello\r\n"))
		_, _ = s.Read(make([]byte, 1))
	}
}

func TestWhatIsWrongOnTheWayToAMailServerIsToldByItsOwnStep(t *testing.T) {
	const year = 365 * 24 * time.Hour
	root := sign(t, "Root", nil, year)
	between := sign(t, "Intermediate", root, year)
	other := sign(t, "Inspection", nil, year)
	nobody := func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"mail.elsewhere.example"} }
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Write([]byte(text))
			_, _ = c.Read(make([]byte, 512))
			_, _ = c.Write([]byte("mf1 BAD what?\r\n"))
		}
	}
	for _, c := range []struct {
		name   string
		answer func(net.Conn) // nil: nothing listens
		more   string
		step   string
		level  check.Level
		code   ingest.Code
		says   []string
	}{
		{name: "a name that nobody knows", more: ", host: no-such-host.invalid", step: "dns", level: check.Failed, says: []string{"resolver"}},
		{name: "a port that refuses", step: "tcp", level: check.Failed, code: ingest.CodeConnRefused},
		{name: "all in order", answer: secured(sign(t, "mail", between, year), between), step: "tls", level: check.OK, says: []string{"TLS 1.3", "mail", "good until"}},
		{name: "an end in ten days", answer: secured(sign(t, "mail", between, 10*24*time.Hour+time.Hour), between), step: "tls", level: check.Warning, says: []string{"in 10 days", "renewed"}},
		{name: "an intermediate that ends first", answer: func() func(net.Conn) {
			short := sign(t, "Short", root, 5*24*time.Hour+time.Hour)
			return secured(sign(t, "mail", short, year), short)
		}(), step: "tls", level: check.Warning, says: []string{"Short", "in 5 days"}},
		{name: "it has ended", answer: secured(sign(t, "mail", root, -time.Hour)), step: "tls", level: check.Failed, code: ingest.CodeCertExpired, says: []string{"renew"}},
		{name: "signed by itself", answer: secured(sign(t, "self", nil, year)), step: "tls", level: check.Failed, code: ingest.CodeCertUnknownCA, says: []string{"signed by itself", "SHA-256", "ca_file"}},
		{name: "another authority", answer: secured(sign(t, "mail", other, year), other), step: "tls", level: check.Failed, code: ingest.CodeCertUnknownCA, says: []string{"its authority is Inspection", "ca_file"}},
		{name: "a chain that is not whole", answer: secured(sign(t, "mail", between, year)), step: "tls", level: check.Failed, code: ingest.CodeCertUnknownCA, says: []string{"incomplete", `issued by "Intermediate"`, "ca_file"}},
		{name: "another name", answer: secured(sign(t, "mail", root, year, nobody)), step: "tls", level: check.Failed, code: ingest.CodeCertName, says: []string{"mail.elsewhere.example", "host:"}},
		{name: "no TLS on the port", answer: say("* OK hello\r\n"), step: "tls", level: check.Failed, code: ingest.CodeNotTLS, says: []string{"starttls"}},
		{name: "no STARTTLS", more: ", tls: starttls", answer: say("* OK hello\r\n"), step: "tls", level: check.Failed, code: ingest.CodeNoSTARTTLS, says: []string{"993"}},
		{name: "a server that hangs up", answer: func(net.Conn) {}, step: "tls", level: check.Failed, code: ingest.CodeConnLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, imaptest.Options{}, pop3test.Options{})
			s.write(t, "imap.pem", pemOf(root))
			port := "1"
			if c.answer != nil {
				port = serve(t, c.answer)
			}
			line := strings.Replace(s.box("imap", "support", c.more), "port: "+portOf(s.imap.Addr()), "port: "+port, 1)
			r := look(t, s.load(t, line, ""))
			st := step(t, r, check.Server, "", c.step)
			all := st.Text + "\n" + strings.Join(st.Next, "\n")
			if st.Level != c.level || c.code != "" && st.Code != c.code {
				t.Errorf("%s %s, want %s %s: %s", st.Level, st.Code, c.level, c.code, all)
			}
			for _, want := range c.says {
				if !strings.Contains(all, want) {
					t.Errorf("it does not say %q: %s", want, all)
				}
			}
			if c.level == check.Failed {
				onlyOneFails(t, r, c.step)
			}
		})
	}
}

// onlyOneFails wants nothing else to fail than this, and what needs it not to be tried.
func onlyOneFails(t *testing.T, r *check.Report, name string) {
	t.Helper()
	steps := []string{"dns", "tcp", "tls", "sasl", "login", "folders", "rights"}
	at := slices.Index(steps, name)
	for _, sec := range r.Sections {
		if sec.Kind != check.Server && sec.Kind != check.Mailbox {
			continue
		}
		for _, st := range sec.Steps {
			want := check.OK
			switch i := slices.Index(steps, st.Name); {
			case i == at:
				want = check.Failed
			case i > at:
				want = check.NotDone
			}
			if st.Level != want {
				t.Errorf("%s is %s, want %s: %s", st.Name, st.Level, want, st.Text)
			}
			if want == check.NotDone && !strings.HasPrefix(st.Text, "not done: it needs ") {
				t.Errorf("%s says %q", st.Name, st.Text)
			}
		}
	}
	if got := fmt.Sprint(r.Count(check.Failed)); got != "1" {
		t.Errorf("%s steps failed", got)
	}
}
