package config

import (
	"fmt"
	"strings"
)

// Example returns a minimal commented configuration for a provider: microsoft365, google or generic, or
// for a person who signs in at Microsoft: delegated. Names that people have for these do too. It parses as
// it is; the secret that it refers to is yet to be written.
func Example(provider string) ([]byte, error) {
	var credentials, mailbox string
	switch provider {
	case "microsoft365", "m365", "office365", "exchange", "entra":
		credentials, mailbox = exampleEntra, exampleMicrosoft365
	case "delegated":
		credentials, mailbox = exampleDelegated, strings.Replace(exampleMicrosoft365, "credentials: contoso", "credentials: clerk", 1)
	case "google", "gmail":
		credentials, mailbox = exampleGoogle, exampleGmail
	case "generic", "password":
		credentials, mailbox = fmt.Sprintf(examplePassword, "mailserver", "user name and password; over TLS only", "mail-password"), exampleGeneric
	default:
		known := []string{"microsoft365", "google", "gmail", "generic", "delegated"}
		return nil, fmt.Errorf("there is no provider %s: %s", quote(provider), suggest(provider, known, "name "+oneOf(known)))
	}
	return []byte(strings.Join([]string{exampleHead, credentials, mailbox, exampleTail}, "\n")), nil
}

// Placeholder is the client_id of an Example: that of no application.
const Placeholder = "00000000-0000-0000-0000-000000000000"

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
    client_id: ` + Placeholder + `  # Application (client) ID of the app registration
    client_secret: file:secrets/contoso              # the secret's Value, in a file of mode 0600
    # certificate: file:secrets/contoso.pem          # or .pfx, instead of a secret; lasts longer
    # managed_identity: true                         # or workload_identity: true, in Azure and Kubernetes
`

const exampleDelegated = `credentials:
  clerk:
    # a person signs in, once: mailflume login clerk. Only where no administrator gives app-only access (deploy/delegated.md)
    type: delegated
    tenant: contoso.onmicrosoft.com                  # GUID or domain of the organisation
    client_id: ` + Placeholder + `  # Application (client) ID of the app registration
    token_key: file:secrets/token.key                # openssl rand -base64 32 >secrets/token.key, mode 0600
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
