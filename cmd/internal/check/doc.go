// Package check walks everything between a configuration and the first event, and says of each step
// whether it works and, if not, what to do: it is `mailflume check`.
//
// A [Section] is a heading (the configuration, NATS, a credential, a mail server, a mailbox) with its
// [Step]s, which are data: a name, what has to work before, and a function. [Run] makes the sections
// of a configuration and runs them. What mailboxes share is looked at once: a token that opens a
// thousand mailboxes is asked for once, a server's certificate is read once. Mailboxes follow, a
// bounded number at a time, each by signing in with that one token. A step whose condition failed is
// not done and says so.
//
// Nothing is changed on a mail server: folders are opened with EXAMINE (with SELECT only where a
// post-action is configured and the server has no ACL, which is what the worker would do too), and no
// message is asked for. In NATS nothing is stored but one small blob, always the same one.
//
//	report := check.Run(ctx, cfg, check.Options{Mailboxes: cfg.Mailboxes, Reach: reach})
//	check.Print(os.Stdout, report, check.Style{})
//
// Run waits for every goroutine that it starts.
package check
