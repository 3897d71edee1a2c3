package submit

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"mailflume/ingest"
)

// FuzzServer: whatever a submission server says, the submission ends with an error of this package or with a
// message that was taken, and no token in what people read.
func FuzzServer(f *testing.F) {
	const hello = "220 ready\r\n250-mx\r\n250-AUTH XOAUTH2 OAUTHBEARER PLAIN\r\n250 8BITMIME\r\n"
	for _, rest := range []string{
		"334 \r\n235 2.7.0 in\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go\r\n250 2.0.0 taken\r\n221 bye\r\n",
		"334 \r\n334 eyJzdGF0dXMiOiI0MDEifQ==\r\n535 5.7.3 no\r\n", "334 \r\n535-5.7.139 no,\r\n535 5.7.139 never\r\n",
		"334 !!!\r\n", "454 4.7.0 later\r\n", "334 \r\n235 in\r\n550 5.7.60 SendAsDenied\r\n", "99 x\r\n", "535 5.999999999999.7 x\r\n", "\x00\xff\r\n", "334 \r\n250-",
	} {
		f.Add(hello + rest)
	}
	f.Add("554 5.3.2 no\r\n")
	f.Add("220-" + strings.Repeat("x", 5000) + "\r\n")
	f.Fuzz(func(t *testing.T, says string) {
		const secret = "ya29.canary-canary-canary"
		near, far := net.Pipe()
		defer near.Close()
		go func() {
			go func() { _, _ = io.Copy(io.Discard, far) }()
			_, _ = far.Write([]byte(says))
			_ = far.Close()
		}()
		_ = near.SetDeadline(time.Now().Add(10 * time.Second))
		c := smtp.NewClient(&guard{near, maxHeard})
		opt := Options{Login: ingest.Login{User: box, Mechanism: ingest.Bearer}}
		err := classify("smtp connect", atConnect, c.Hello("[127.0.0.1]"))
		if err == nil {
			if err = authenticate(c, opt, secret); err == nil {
				err = classify("smtp submit", atMessage, transfer(c, box, box, bytes.Clone(probe)))
			}
		}
		if err == nil {
			return
		}
		if _, ok := errors.AsType[*ingest.Error](err); !ok || strings.Contains(err.Error(), "canary-canary") {
			t.Errorf("%T %v", err, err)
		}
	})
}
