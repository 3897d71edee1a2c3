package config

import (
	"fmt"
	"strings"
)

// Example returns a minimal commented configuration for a provider: microsoft365, google (also
// gmail) or generic. It parses as it is; the secret that it refers to is yet to be written.
func Example(provider string) ([]byte, error) {
	var credentials, mailbox string
	switch provider {
	case "microsoft365":
		credentials, mailbox = exampleEntra, exampleMicrosoft365
	case "google", "gmail":
		credentials, mailbox = exampleGoogle, exampleGmail
	case "generic":
		credentials, mailbox = fmt.Sprintf(examplePassword, "mailserver", "user name and password; over TLS only", "mail-password"), exampleGeneric
	default:
		known := []string{"microsoft365", "google", "generic"}
		return nil, fmt.Errorf("there is no provider %s: %s", quote(provider), suggest(provider, known, "name "+oneOf(known)))
	}
	return []byte(strings.Join([]string{exampleHead, credentials, mailbox, exampleTail}, "\n")), nil
}

const exampleHead = `# mailflume: every message once, from the mailbox into NATS JetStream.
# 1. Fill in what is below; all keys: mailflume config schema
# 2. Write the secret into its file, beside this one: umask 077; mkdir -p secrets; cat >secrets/NAME   (end with Ctrl-D)
# 3. mailflume check   says of each step from here to the first event whether it works, and what to do if not
# 4. mailflume run     and in a second terminal: mailflume tap --follow
`

const exampleEntra = `credentials:
  contoso:
    type: entra
    tenant: contoso.onmicrosoft.com                  # GUID or domain of the organisation
    client_id: 00000000-0000-0000-0000-000000000000  # Application (client) ID of the app registration
    client_secret: file:secrets/contoso              # the secret's Value, in a file of mode 0600
    # certificate: file:secrets/contoso.pem          # or .pfx, instead of a secret; lasts longer
    # managed_identity: true                         # or workload_identity: true, in Azure and Kubernetes
`

const exampleGoogle = `credentials:
  workspace:
    # a service account with domain-wide delegation of https://www.googleapis.com/auth/gmail.imap_admin
    type: google
    service_account: file:secrets/workspace.json  # its key, a file of mode 0600
    # for one account an app password will do: type: password, password: file:secrets/app-password
`

const examplePassword = `credentials:
  %s:
    # %s
    type: password
    password: file:secrets/%s  # a file of mode 0600
`

const exampleMicrosoft365 = `mailboxes:
  - id: support                   # stable name in subjects and commands
    address: support@contoso.com
    credentials: contoso
    # protocol: pop3              # default: imap
    # folders: [INBOX]            # names, globs, special use such as \All
    # start: all                  # default: now, only mail that arrives from now on
`

const exampleGmail = `mailboxes:
  - id: support                   # stable name in subjects and commands
    address: support@example.com
    provider: gmail
    credentials: workspace
    # start: all                  # default: now, only mail that arrives from now on
`

const exampleGeneric = `mailboxes:
  - id: support                   # stable name in subjects and commands
    address: support@example.com
    provider: generic
    host: mail.example.com
    # port: 993                   # tls: starttls for port 143
    credentials: mailserver
    # start: all                  # default: now, only mail that arrives from now on
`

const exampleTail = `# Without nats.url JetStream runs inside mailflume and stores in ./mailflume-data:
# nats:
#   url: nats://127.0.0.1:4222
`
