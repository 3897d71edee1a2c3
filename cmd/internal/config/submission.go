package config

import (
	"cmp"
	"time"

	"mailflume/ingest"
)

// Submission is the server that takes probes: `check --send` and canary send them. What is left out
// follows from the provider.
type Submission struct {
	Host string          `yaml:"host,omitempty" jsonschema_description:"Submission server; needed for provider generic."`
	Port int             `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535" jsonschema_description:"Port; by default 587, or 465 with tls: implicit."`
	TLS  ingest.Security `yaml:"tls,omitempty" jsonschema:"enum=implicit,enum=starttls,default=starttls" jsonschema_description:"TLS from the first octet, or by STARTTLS."`
}

// Canary has a probe sent to the mailbox now and then. Every 0: none.
type Canary struct {
	Every   Duration `yaml:"every,omitempty" jsonschema_description:"How often a probe is sent, at least 1m; 0: never."`
	Timeout Duration `yaml:"timeout,omitempty" jsonschema_description:"How long after its submission the event of a probe may come; by default 5m."`
}

// defaultCanaryTimeout is what delivery within one organisation keeps with room to spare.
const defaultCanaryTimeout = Duration(5 * time.Minute)

// Submission returns where probes of the mailbox are submitted; an empty host: that is not known.
func (m *Mailbox) Submission() Submission {
	s := m.SMTP
	if s.Host == "" {
		given := s
		switch m.Provider {
		case Microsoft365:
			s = Submission{submissionHost(m), 587, ingest.StartTLS}
		case Gmail:
			s = Submission{"smtp.gmail.com", 465, ingest.ImplicitTLS}
			if given.TLS == ingest.StartTLS || given.Port == 587 {
				s = Submission{"smtp.gmail.com", 587, ingest.StartTLS}
			}
		}
		s.Port, s.TLS = cmp.Or(given.Port, s.Port), cmp.Or(given.TLS, s.TLS)
	}
	if s.TLS == "" { // 465 is the one port that is TLS from the first octet (RFC 8314 section 3.3)
		s.TLS = ingest.StartTLS
		if s.Port == 465 {
			s.TLS = ingest.ImplicitTLS
		}
	}
	if s.Port == 0 {
		s.Port = 587
		if s.TLS == ingest.ImplicitTLS {
			s.Port = 465
		}
	}
	return s
}

// submissionHost is Exchange Online's submission server in the credential's cloud. In the clouds of the
// US government it has the name of the mail server; in China a name beside it.
func submissionHost(m *Mailbox) string {
	if c := m.Credential; c != nil {
		switch c.Cloud {
		case CloudUSGov, CloudDoD:
			return cloudOf(c.Cloud).mailHost
		case CloudChina:
			return "smtp.partner.outlook.cn"
		}
	}
	return "smtp.office365.com"
}

// canary checks the schedule of probes and the server that takes them.
func (r *resolver) canary() {
	m := r.m
	if m.SMTP.Host != "" {
		if hint := hostHint(m.SMTP.Host); hint != "" {
			r.bad("smtp.host", quote(m.SMTP.Host)+" is not a host name", hint)
		}
	}
	c := &m.Canary
	if c.Every == 0 {
		c.Timeout = 0 // that of a canary in defaults which this mailbox switches off
		return
	}
	c.Timeout, m.SMTP = cmp.Or(c.Timeout, defaultCanaryTimeout), m.Submission()
	switch {
	case c.Every < Duration(time.Minute):
		r.bad("canary.every", "probes more often than once a minute are a load of their own", "write 1m or more, for example 15m")
	case c.Timeout > c.Every:
		r.bad("canary.every", "the next probe would be sent before the last one is late", "write a canary.timeout of at most "+c.Every.String())
	case c.Timeout <= m.PollEvery:
		r.bad("canary.every", "every probe could be late by polling alone", "write a canary.timeout of more than poll_every, which is "+m.PollEvery.String())
	case m.SMTP.Host == "":
		r.bad("canary.every", "it is not known where probes are submitted", "add smtp: {host: …} with the name of the submission server")
	}
}
