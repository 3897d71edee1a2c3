// Package natsjs keeps mailbox logs and blobs on NATS JetStream.
package natsjs
