// Package config reads mailflume's configuration: YAML files, and CSV files for many mailboxes,
// become one [Config] in which nothing is left to be defaulted.
//
// What it promises:
//
//   - a Config that Load returns is valid as far as files can tell: every mailbox has an address, an
//     id of its own in its tenant, credentials that exist and fit, a server, and a post-action that
//     its protocol can do;
//   - every error says where it is (file, line, column, the line with a caret) and what would be
//     right, and up to twenty are reported at once ([Errors]);
//   - unknown keys, duplicate keys and literal secrets are errors; a literal secret is never shown
//     again, neither in the message nor in the line;
//   - secrets are references ([Secret]), read only when they are needed, and print as ***;
//   - relative paths start at the folder of the file that they stand in, data_dir included;
//   - what is read is bounded: 16 MiB of YAML, 64 MiB of CSV per file, 200,000 mailboxes, and
//     aliases that expand to more than a file could hold are refused.
//
// A mailbox is decoded over the keys of defaults, and those over [DefaultSettings]. Labels add up;
// any other key replaces what stood there. What is still open follows from the rest: the provider
// gives the host (without provider, a host makes it generic), the cloud of the credentials gives
// Microsoft's, the ports 143 and 110 mean STARTTLS, the type of the credentials gives the
// mechanism, the address gives user and id.
//
// The package starts no goroutines and keeps no state. [Load] touches only the files it is told
// to; [Config.CheckSecrets] reads the secrets too. A reload is Load again, then [Diff]:
//
//	after, err := config.Load(path)
//	if err != nil {
//		return err // the old configuration stays
//	}
//	change := config.Diff(before, after)
//	if err := change.Err(); err != nil {
//		return err
//	}
//	fmt.Fprintln(os.Stderr, change) // +1 mailbox (sales), ~1 mailbox (support: poll_every), -0 mailboxes
//
// Two mailboxes are run the same way if their [Mailbox.Definition] is the same.
package config
