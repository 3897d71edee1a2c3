package check

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
)

// soon is how long before its end something that has to be renewed by hand is mentioned.
const soon = 30 * 24 * time.Hour

// configuration is what can be seen without a network. The file itself was read before.
func (r *run) configuration() *Section {
	s := &Section{Kind: Configuration, Name: r.cfg.Path}
	s.add("file", func(context.Context) Outcome {
		return fine(fmt.Sprintf("%s, %s", count(len(r.cfg.Mailboxes), "mailbox", "mailboxes"), count(len(r.cfg.Credentials), "credential", "credentials")))
	})
	s.add("secrets", r.secrets)
	for _, name := range r.cfg.CredentialNames() {
		if c := r.cfg.Credentials[name]; !c.Certificate.IsZero() {
			s.add("certificate", func(ctx context.Context) Outcome { return certificate(ctx, c) })
		}
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// secrets reads every secret and every file of certificates: modes, owners, emptiness.
func (r *run) secrets(ctx context.Context) Outcome {
	err := r.cfg.CheckSecrets(ctx)
	if err == nil {
		return fine("all can be read, and by their owner only")
	}
	out := Outcome{Level: Failed, Code: ingest.CodeSecretMissing, Text: err.Error()}
	if all, ok := errors.AsType[config.Errors](err); ok {
		out.Text = all[0].Message
		if len(all) > 1 {
			out.Text = fmt.Sprintf("%d secrets or certificates cannot be used", len(all))
		}
		for _, e := range all {
			out.Next = append(out.Next, fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, e.Message, e.Hint))
		}
	}
	return out
}

// certificate looks at the end of a credential's certificate. What is not PEM (PKCS #12) shows its end
// when a token is asked for.
func certificate(ctx context.Context, c *config.Credential) Outcome {
	text, err := c.Certificate.Read(ctx)
	if err != nil {
		return failed(err)
	}
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			return ends("credentials."+c.Name+": certificate "+cert.Subject.CommonName, cert.NotAfter, ingest.CodeCertificate,
				"make a new certificate, upload it to the app registration, and replace "+c.Certificate.Reference()+"; nothing has to be restarted")
		}
	}
	return fine("credentials." + c.Name + ": not PEM; its end shows with the token")
}

// ends judges a day on which something stops to work.
func ends(what string, at time.Time, code ingest.Code, next string) Outcome {
	left := time.Until(at)
	day := at.UTC().Format(time.DateOnly)
	switch {
	case left <= 0:
		return Outcome{Level: Failed, Code: code, Text: what + " ended on " + day, Next: []string{next}}
	case left < soon:
		return doubtful(fmt.Sprintf("%s ends on %s, in %d days", what, day, int(left.Hours()/24)), next)
	}
	return fine(what + " is good until " + day)
}
