// Command mailflume moves mail from mailboxes into a NATS JetStream stream: every message once, in
// order, whole, with its attachments beside it.
//
//	mailflume demo                    the whole product on this machine, nothing to set up
//	mailflume init                    writes mailflume.yaml, to fill in
//	mailflume run                     the worker
//	mailflume parse FILE              what its event would say of a message
//	mailflume audit MAILBOX           what became of every message in a mailbox
//
// `mailflume --help` lists the commands; README.md tells the rest. Results go to stdout, logs and
// errors to stderr. Exit codes: 0 ok, 1 usage, 2 configuration, 3 some mailbox or message failed,
// 4 authentication, 5 NATS, 130 interrupted.
package main
