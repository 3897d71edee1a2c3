package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
)

// soon is how long before its end something that has to be renewed by hand is mentioned.
const soon = 30 * 24 * time.Hour

// configuration is what can be seen without a network. The file itself was read before.
func (r *run) configuration() *Section {
	s := &Section{Kind: Configuration, Name: r.cfg.Path}
	s.add("file", func(context.Context) Outcome {
		for _, name := range r.cfg.CredentialNames() {
			if r.cfg.Credentials[name].ClientID == config.Placeholder {
				return Outcome{
					Level: Failed, Code: ingest.CodeConfigInvalid, Text: "client_id of credentials." + name + " is still what mailflume init wrote",
					Next: []string{"write the Application (client) ID of the app registration, fill in what else " + r.cfg.Path + " leaves open, and check again"},
				}
			}
		}
		text := fmt.Sprintf("%s, %s", count(len(r.cfg.Mailboxes), "mailbox", "mailboxes"), count(len(r.cfg.Credentials), "credential", "credentials"))
		if twice := readTwice(r.cfg.Mailboxes); len(twice) > 0 {
			return doubtful(text, twice...)
		}
		return fine(text)
	})
	s.add("secrets", r.secrets)
	for _, name := range r.cfg.CredentialNames() {
		c := r.cfg.Credentials[name]
		if !c.Certificate.IsZero() {
			s.add("certificate", func(ctx context.Context) Outcome { return certificate(ctx, c) })
		}
		if end := time.Time(c.ClientSecretExpires); !end.IsZero() {
			s.add("secret", func(context.Context) Outcome {
				return ends("credentials."+c.Name+": client secret", end, ingest.CodeSecretExpired, "make a new client secret, put its Value into "+c.ClientSecret.Reference()+" (nothing has to be restarted), and correct client_secret_expires")
			})
		}
	}
	return s
}

// readTwice names mailboxes that read the same folder: each of its messages is published by both.
func readTwice(boxes []*config.Mailbox) (out []string) {
	const shown = 5
	first := map[string]string{}
	for _, m := range boxes {
		for _, f := range m.Folders {
			if strings.EqualFold(f, "INBOX") {
				f = "INBOX"
			}
			key := strings.Join([]string{strings.ToLower(m.Host), strings.ToLower(m.User), f}, " ")
			switch other, taken := first[key]; {
			case !taken:
				first[key] = m.Name()
			case other != m.Name() && len(out) < shown:
				out = append(out, fmt.Sprintf("%s and %s read the same folder %s of %s: its messages are published twice", other, m.Name(), f, m.User))
			}
		}
	}
	return out
}

// Unread is the report on a configuration that cannot be used.
func Unread(path string, err error) *Report {
	out := Outcome{Level: Failed, Code: ingest.CodeConfigInvalid, Text: "the configuration is not valid"}
	all, _ := errors.AsType[config.Errors](err)
	for _, e := range all {
		out.Next = append(out.Next, fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Line, e.Column, e.Message, e.Hint))
	}
	return &Report{Sections: []*Section{{Kind: Configuration, Name: path, Steps: []*Step{{Name: "file", Outcome: out}}}}}
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
		if doubts := r.cfg.DoubtSecrets(ctx); len(doubts) > 0 {
			return doubtful("all can be read, but not all look as they should", doubts...)
		}
		return fine("all can be read, and by their owner only")
	}
	out := Outcome{Level: Failed, Code: ingest.CodeSecretMissing, Text: err.Error()}
	if all, ok := errors.AsType[config.Errors](err); ok {
		out.Text = fmt.Sprintf("%d secrets or files of certificates cannot be used", len(all))
		if len(all) == 1 {
			out.Text = "one secret or file of certificates cannot be used"
		}
		for _, e := range all {
			at := e.File
			if e.Line > 0 {
				at = fmt.Sprintf("%s:%d", e.File, e.Line)
			}
			out.Next = append(out.Next, fmt.Sprintf("%s: %s: %s", at, e.Message, e.Hint))
		}
	}
	return out
}

// certificate looks at the certificate of a credential as it is used for a token, in PEM or as PFX.
func certificate(ctx context.Context, c *config.Credential) Outcome {
	text, err := c.Certificate.ReadBytes(ctx)
	password := ""
	if err == nil && !c.CertificatePassword.IsZero() {
		password, err = c.CertificatePassword.Read(ctx)
	}
	if err != nil {
		return Outcome{Level: Failed, Code: ingest.CodeSecretMissing, Text: "credentials." + c.Name + ": " + err.Error()}
	}
	next := "make a new certificate, upload it to the app registration, and replace " + c.Certificate.Reference() + "; nothing has to be restarted"
	thumb, end, err := oauth.Certificate(text, strings.TrimRight(password, "\r\n"), time.Now())
	if err != nil {
		return Outcome{Level: Failed, Code: ingest.CodeCertificate, Text: "credentials." + c.Name + ": " + err.Error(), Next: []string{next}}
	}
	return ends("credentials."+c.Name+": certificate SHA-256 "+thumb, end, ingest.CodeCertificate, next)
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
