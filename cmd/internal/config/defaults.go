package config

import (
	"time"

	"mailflume/ingest"
)

// What holds when a key is left out.
const (
	DefaultTenant     = "default"
	DefaultDataDir    = "mailflume-data" // beside the configuration file
	DefaultStreamName = "MAIL"
	DefaultPrefix     = "mail.v1"
	DefaultBlobsURL   = "nats:"
	DefaultListen     = "127.0.0.1:8025"
)

// DefaultNATS is the nats section when it is left out: embedded, 30 days of events.
func DefaultNATS() NATS {
	return NATS{
		DataDir: DefaultDataDir,
		Sync:    Sync(time.Second),
		Stream: Stream{
			Name: DefaultStreamName, Prefix: DefaultPrefix, Replicas: 1,
			MaxAge: Duration(30 * 24 * time.Hour), Manage: true,
		},
	}
}

// DefaultWorker is a worker like any other.
func DefaultWorker() Worker { return Worker{Weight: 1} }

// DefaultBlobs keeps everything in the Object Store beside the stream.
func DefaultBlobs() Blobs { return Blobs{URL: DefaultBlobsURL, Raw: true, Attachments: true} }

// DefaultSettings are those of a mailbox for which neither the mailbox nor defaults says anything.
// Host, port, TLS, sign-in and user follow from the provider, the protocol and the credentials.
func DefaultSettings() Settings {
	return Settings{
		Tenant:    DefaultTenant,
		Protocol:  IMAP,
		PollEvery: Duration(time.Minute),
		Idle:      true,
		Folders:   []string{"INBOX"},
		After:     After{Action: ingest.ActionNone, Grace: 10 * time.Minute},
	}
}

// DefaultLimits: 256 MiB hold about a thousand small messages in flight; 150 MiB is the largest
// message that Exchange Online lets an administrator allow; 200 connections from one address is
// what large providers bear.
func DefaultLimits() Limits {
	return Limits{Memory: 256 << 20, MessageSize: 150 << 20, ConnectionsPerHost: 200, ConnectionsPerMailbox: 1}
}

// DefaultHTTP listens on loopback only: the status page has no sign-in.
func DefaultHTTP() HTTP { return HTTP{Listen: DefaultListen} }

// DefaultLog is JSON at level info.
func DefaultLog() Log { return Log{Level: "info", Format: "json"} }
