package worker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/probe"
	"mailflume/cmd/internal/submit"
	"mailflume/ingest"
	"mailflume/publish"
)

// Submission returns how probes of a mailbox are submitted by who signs in with login.
func Submission(m *config.Mailbox, login ingest.Login) (submit.Options, error) {
	to := m.Submission()
	if to.Host == "" {
		return submit.Options{}, &ingest.Error{
			Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid},
			Err:   fmt.Errorf("it is not known where probes of %s are submitted: add smtp: {host: …} to the mailbox", m.Name()),
		}
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: to.Host}
	if m.CAFile != "" {
		pool, err := certPool(m.CAFile)
		if err != nil {
			return submit.Options{}, fmt.Errorf("ca_file: %w", err)
		}
		c.RootCAs = pool
	}
	end := ingest.Endpoint{Addr: net.JoinHostPort(to.Host, strconv.Itoa(to.Port)), Security: to.TLS, TLS: c}
	return submit.Options{Endpoint: end, Login: login}, nil
}

// submission is how a worker submits probes of a mailbox. Google's scope for reading a mailbox by IMAP lets
// nobody send: where the configuration leaves it open, it is the one for POP3 and SMTP.
func (b *builder) submission(m *config.Mailbox) (submit.Options, error) {
	as := *m
	if m.Credential.Type == config.TypeGoogle {
		as.Protocol = config.POP3
	}
	login, err := b.login(&as)
	if err != nil {
		return submit.Options{}, err
	}
	return Submission(m, login)
}

// canary is the engine's canary of a mailbox; nil: it has none.
func (b *builder) canary(m *config.Mailbox) (*ingest.Canary, error) {
	if m.Canary.Every == 0 {
		return nil, nil
	}
	opt, err := b.submission(m)
	if err != nil {
		return nil, err
	}
	return &ingest.Canary{
		Every: time.Duration(m.Canary.Every), Timeout: time.Duration(m.Canary.Timeout),
		Send: func(ctx context.Context, id string) error {
			_, err := submit.Send(ctx, opt, m.Address, m.Address, probe.Message(id, m.Address, time.Now()))
			return err
		},
	}, nil
}

// onTold logs what a mailbox's events say about the mailbox itself.
func (w *Worker) onTold(box publish.Key, kind publish.EventType, why *publish.Problem) {
	w.metrics.told.WithLabelValues(w.metrics.label(box), string(kind)).Inc()
	l := w.log.With().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("event", string(kind)).Logger()
	if why == nil {
		l.Info().Msg("told consumers about the mailbox")
		return
	}
	l.Warn().Str("code", why.Code).Str("problem", why.Message).Str("next", why.Next).Msg("told consumers about the mailbox")
}

// onProbed notes what became of a probe.
func (w *Worker) onProbed(box publish.Key, p ingest.Probe) {
	l := w.log.With().Str("mailbox", box.Mailbox).Str("tenant", box.Tenant).Str("probe", p.ID).Int64("ms", p.Took.Milliseconds()).Logger()
	w.board.update(box, func(r *Row) {
		if r.Probe = ""; !p.Arrived {
			r.Probe = p.Err.Error()
		}
	})
	if p.Arrived {
		w.metrics.probes.WithLabelValues(w.metrics.label(box)).Set(p.Took.Seconds())
		l.Debug().Msg("probe came")
		return
	}
	code := ingest.FaultOf(p.Err).Code
	_, next := ingest.Explain(code)
	w.metrics.probesLost.WithLabelValues(w.metrics.label(box), string(code)).Inc()
	l.Warn().Str("code", string(code)).Err(p.Err).Str("next", next).Msg("probe failed")
}
