package config

import (
	"mailflume/ingest"
	"mailflume/publish"
)

// Config is a configuration as it takes effect: defaults merged, names resolved, rules checked.
// It is read-only once Load or Parse has returned it.
type Config struct {
	// Path is the file it was read from.
	Path string `yaml:"-"`
	// Files are all files it was read from: Path and what mailboxes_from matched.
	Files []string `yaml:"-"`
	// Partial says that LoadRest read it: nothing is known of mailboxes and credentials.
	Partial bool `yaml:"-"`

	NATS        NATS                   `yaml:"nats"`
	Worker      Worker                 `yaml:"worker"`
	Blobs       Blobs                  `yaml:"blobs"`
	Credentials map[string]*Credential `yaml:"credentials"`
	Mailboxes   []*Mailbox             `yaml:"mailboxes"`
	Limits      Limits                 `yaml:"limits"`
	HTTP        HTTP                   `yaml:"http"`
	Log         Log                    `yaml:"log"`
}

// NATS says where events go. Without a URL, JetStream runs inside the process.
type NATS struct {
	// URL names the servers, separated by commas; empty: JetStream runs inside the process.
	URL string `yaml:"url,omitempty" jsonschema:"example=nats://127.0.0.1:4222" jsonschema_description:"NATS servers, separated by commas. Left out: JetStream runs inside mailflume and stores in data_dir."`
	// DataDir is where the embedded server stores, absolute.
	DataDir string `yaml:"data_dir,omitempty" path:"dir" jsonschema:"default=./mailflume-data" jsonschema_description:"Folder of the embedded JetStream, relative to this file."`
	// Sync is how often the embedded server calls fsync.
	Sync Sync `yaml:"sync" jsonschema_description:"How often the embedded server calls fsync: a duration, or always."`
	// CredentialsFile is a .creds file: one of the three ways to sign in.
	CredentialsFile SecretFile `yaml:"credentials_file,omitempty" jsonschema_description:"NATS .creds file."`
	// NKeySeedFile holds an nkey seed: the second way.
	NKeySeedFile SecretFile `yaml:"nkey_seed_file,omitempty" jsonschema_description:"File that holds an nkey seed."`
	// User with PasswordFile is the third way.
	User         string     `yaml:"user,omitempty" jsonschema_description:"NATS user name; needs password_file."`
	PasswordFile SecretFile `yaml:"password_file,omitempty" jsonschema_description:"File that holds the password of user."`
	// TLS is needed for private authorities and client certificates only; tls:// alone uses the system's roots.
	TLS NATSTLS `yaml:"tls,omitempty" jsonschema_description:"TLS towards the NATS servers."`
	// Stream is where the events lie.
	Stream Stream `yaml:"stream,omitempty" jsonschema_description:"The stream that holds the events."`
}

// Embedded says whether JetStream runs inside the process.
func (n *NATS) Embedded() bool { return n.URL == "" }

// NATSTLS is TLS towards the NATS servers. All paths are absolute or empty.
type NATSTLS struct {
	CAFile   string     `yaml:"ca_file,omitempty" path:"file" jsonschema_description:"Certificates of the authorities to trust (PEM) instead of the system's."`
	CertFile string     `yaml:"cert_file,omitempty" path:"file" jsonschema_description:"Client certificate (PEM); needs key_file."`
	KeyFile  SecretFile `yaml:"key_file,omitempty" jsonschema_description:"Key of the client certificate (PEM)."`
}

// Stream is the JetStream stream that holds the events.
type Stream struct {
	Name     string   `yaml:"name" jsonschema:"default=MAIL" jsonschema_description:"Name of the stream."`
	Prefix   string   `yaml:"prefix" jsonschema:"default=mail.v1" jsonschema_description:"First tokens of every subject."`
	Replicas int      `yaml:"replicas" jsonschema:"minimum=1,maximum=5,default=1" jsonschema_description:"Copies of the stream in a NATS cluster."`
	MaxAge   Duration `yaml:"max_age" jsonschema_description:"How long events stay in the stream; 0: for ever."`
	MaxBytes Size     `yaml:"max_bytes" jsonschema_description:"Largest size of the stream; 0: unlimited. A full stream refuses new events, fetching waits and nothing is lost."`
	// Chosen says that Replicas is somebody's choice, not the default.
	Chosen bool `yaml:"-" json:"-"`
	Manage bool `yaml:"manage" jsonschema:"default=true" jsonschema_description:"Whether mailflume creates and updates the stream itself."`
	// AllowDiscardOld is refused mail loss, accepted.
	AllowDiscardOld bool `yaml:"allow_discard_old,omitempty" jsonschema:"default=false" jsonschema_description:"Accept a stream that drops its oldest events when it is full, although mail can be lost that way without an error. Without this such a stream is refused."`
}

// Worker is what the process is among those that share the mailboxes.
type Worker struct {
	// ID is needed only where data_dir does not outlive the process.
	ID string `yaml:"id,omitempty" jsonschema:"pattern=^[A-Za-z0-9._-]{1\\,128}$" jsonschema_description:"Name of this worker, which no other one may have; by default the host's with four characters that data_dir keeps, the same after every restart."`
	// Weight counts against that of the others.
	Weight int `yaml:"weight" jsonschema:"minimum=1,maximum=1000,default=1" jsonschema_description:"Share of the mailboxes compared with the other workers': one of weight 2 gets twice as many as one of weight 1."`
}

// Blobs says where octets go: originals, long bodies, attachments.
type Blobs struct {
	URL string `yaml:"url" jsonschema:"default=nats:" jsonschema_description:"nats: (Object Store), file:///path, or s3://bucket/prefix?endpoint=…&region=… (also path_style=true|false and profile=NAME)."`
	// CredentialsFile and CAFile are for S3. Without the first, keys come from the environment, from
	// ~/.aws/credentials or from the role of the machine.
	CredentialsFile SecretFile `yaml:"credentials_file,omitempty" jsonschema_description:"s3: credentials file as the AWS tools write it; by default the environment, ~/.aws/credentials, or the role of the container or machine."`
	CAFile          string     `yaml:"ca_file,omitempty" path:"file" jsonschema_description:"s3: certificates of the authorities to trust for the endpoint (PEM)."`
	Raw             bool       `yaml:"raw" jsonschema:"default=true" jsonschema_description:"Whether the original octets of each message are kept."`
	Attachments     bool       `yaml:"attachments" jsonschema:"default=true" jsonschema_description:"Whether attachments are kept."`
}

// CredentialType names a way to obtain what a mail server accepts as sign-in.
type CredentialType string

// The credential types that this version supports.
const (
	TypeEntra     CredentialType = "entra"     // app-only token of Microsoft Entra ID
	TypeGoogle    CredentialType = "google"    // service account of Google Workspace with domain-wide delegation
	TypeOAuth2    CredentialType = "oauth2"    // token of any other issuer
	TypeDelegated CredentialType = "delegated" // account that a person signs in to
	TypePassword  CredentialType = "password"  // user name and password
)

// Cloud names one of Microsoft's clouds; it selects authority, scope and mail hosts.
type Cloud string

// The clouds.
const (
	CloudPublic Cloud = "public"
	CloudUSGov  Cloud = "usgov" // GCC High
	CloudDoD    Cloud = "dod"
	CloudChina  Cloud = "china" // operated by 21Vianet
)

// ClientAuth is where a client secret travels.
type ClientAuth string

// The places for a client secret (RFC 6749 section 2.3.1).
const (
	ClientAuthBasic ClientAuth = "basic" // in the Authorization header
	ClientAuthPost  ClientAuth = "post"  // in the form
)

// Credential is one way to sign in, used by any number of mailboxes. Authority and Scope are
// filled in from the cloud.
type Credential struct {
	Name string `yaml:"-" json:"-"`

	// Type decides which of the other keys belong here.
	Type CredentialType `yaml:"type" jsonschema:"required,enum=entra,enum=google,enum=oauth2,enum=delegated,enum=password" jsonschema_description:"entra: app-only sign-in of Microsoft Entra ID; google: service account of Google Workspace; oauth2: any other issuer; delegated: an account that a person signs in to (mailflume login); password: user name and password."`
	// Tenant, ClientID and one of the next five identify the app to Entra.
	Tenant       string `yaml:"tenant,omitempty" jsonschema_description:"entra: GUID or domain of the organisation, never common; delegated: the same, or organizations, consumers or common."`
	ClientID     string `yaml:"client_id,omitempty" jsonschema_description:"entra: Application (client) ID of the app registration, or of a user-assigned managed identity; oauth2: id of the client; delegated: id of the app registration."`
	ClientSecret Secret `yaml:"client_secret,omitempty" jsonschema_description:"entra: reference to the client secret's Value; oauth2, delegated: reference to the client secret."`
	// ClientSecretExpires is what only the administrator knows: no issuer tells.
	ClientSecretExpires Date   `yaml:"client_secret_expires,omitempty" jsonschema_description:"entra, oauth2, delegated: when the client secret ends, to be warned 30 days before."`
	Certificate         Secret `yaml:"certificate,omitempty" jsonschema_description:"entra: reference to a file with the certificate and its RSA key, PEM or PFX, instead of client_secret."`
	CertificatePassword Secret `yaml:"certificate_password,omitempty" jsonschema_description:"entra: reference to the password of a PFX."`
	FederatedToken      Secret `yaml:"federated_token,omitempty" jsonschema_description:"entra: reference to a token that the app registration trusts (federated credential), instead of client_secret; read anew for each request."`
	WorkloadIdentity    bool   `yaml:"workload_identity,omitempty" jsonschema:"default=false" jsonschema_description:"entra: what Kubernetes workload identity sets: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_AUTHORITY_HOST and AZURE_FEDERATED_TOKEN_FILE, for whatever is not set here."`
	ManagedIdentity     bool   `yaml:"managed_identity,omitempty" jsonschema:"default=false" jsonschema_description:"entra: the identity that Azure gives this machine or app; with client_id a user-assigned one."`
	// ServiceAccount is for type google.
	ServiceAccount Secret `yaml:"service_account,omitempty" jsonschema_description:"google: reference to the service account's key, the JSON file as Google gives it."`
	// TokenURL is for oauth2, and for google in place of the key's own.
	TokenURL     string            `yaml:"token_url,omitempty" jsonschema_description:"oauth2: https URL of the token endpoint; google: instead of the one in the key; delegated: instead of the provider's."`
	ClientAuth   ClientAuth        `yaml:"client_auth,omitempty" jsonschema:"enum=basic,enum=post" jsonschema_description:"oauth2, delegated: whether the client secret travels in the Authorization header or in the form; basic by default, post at Microsoft and Google."`
	Params       map[string]string `yaml:"params,omitempty" jsonschema_description:"oauth2: parameters to add to the token request, such as audience or resource; delegated: to the authorization request."`
	RefreshToken Secret            `yaml:"refresh_token,omitempty" jsonschema_description:"oauth2: reference to a refresh token; without it the client signs in for itself (client credentials)."`
	Token        Secret            `yaml:"token,omitempty" jsonschema_description:"oauth2: reference to a token that something else keeps fresh, bare or as the value of an Authorization header, instead of all the others; read anew for each sign-in."`
	// Cloud gives Authority and Scope, which may also be set singly.
	Cloud     Cloud  `yaml:"cloud,omitempty" jsonschema:"enum=public,enum=usgov,enum=dod,enum=china,default=public" jsonschema_description:"entra, delegated: which of Microsoft's clouds; selects authority, scope and mail hosts."`
	Authority string `yaml:"authority,omitempty" jsonschema_description:"entra, delegated: https URL of the token issuer, instead of the cloud's."`
	Scope     string `yaml:"scope,omitempty" jsonschema_description:"scope to ask for. entra: instead of the cloud's, ends in /.default; google: by default gmail.imap_admin for IMAP and https://mail.google.com/ for POP3; delegated: by default what the mailboxes need."`
	// CAFile holds the authorities to trust for the token issuer; empty: the system's.
	CAFile string `yaml:"ca_file,omitempty" path:"file" jsonschema_description:"certificates of the authorities to trust for the token issuer (PEM); not for type password."`
	// SignIn and the next five are for type delegated. Account is filled in from its only mailbox.
	SignIn           SignInProvider `yaml:"provider,omitempty" jsonschema:"enum=microsoft365,enum=google,enum=generic,default=microsoft365" jsonschema_description:"delegated: selects the endpoints and the scope."`
	Account          string         `yaml:"account,omitempty" jsonschema_description:"delegated: address of the account that signs in, if it is not the mailbox's own: for shared mailboxes."`
	AuthURL          string         `yaml:"auth_url,omitempty" jsonschema_description:"delegated: https URL of the authorization endpoint, instead of the provider's."`
	DeviceURL        string         `yaml:"device_url,omitempty" jsonschema_description:"delegated: https URL of the device authorization endpoint, instead of the provider's."`
	TokenKey         Secret         `yaml:"token_key,omitempty" jsonschema_description:"delegated: reference to the key that the stored sign-in is sealed with: 32 random octets, as they are or in base64 (openssl rand -base64 32)."`
	TokenKeyPrevious Secret         `yaml:"token_key_previous,omitempty" jsonschema_description:"delegated: reference to the key before, while keys are changed."`
	// User and Password are for type password.
	User     string `yaml:"user,omitempty" jsonschema_description:"password: user name, if it is not the mailbox's address."`
	Password Secret `yaml:"password,omitempty" jsonschema_description:"password: reference to the password."`

	places map[string]place // while it is checked: where its keys stand
	use    use
}

// Protocol is how a mailbox is read.
type Protocol string

// The protocols.
const (
	IMAP Protocol = "imap"
	POP3 Protocol = "pop3"
)

// Provider selects hosts and quirks.
type Provider string

// The providers.
const (
	Microsoft365 Provider = "microsoft365"
	Gmail        Provider = "gmail"
	Generic      Provider = "generic"
)

// Mailbox is one mailbox, fully resolved: nothing is left to be defaulted.
type Mailbox struct {
	ID       string `yaml:"id" jsonschema:"pattern=^[a-z0-9._-]{1\\,128}$" jsonschema_description:"Stable name of the mailbox in subjects and commands; derived from the address if left out."`
	Address  string `yaml:"address" jsonschema:"required" jsonschema_description:"Mail address of the mailbox."`
	Settings `yaml:",inline"`

	// Credential is what Settings.Credentials names.
	Credential *Credential `yaml:"-" json:"-"`

	definition string // computed once by Load; empty in a Mailbox made by hand
}

// Key is what names the mailbox's log.
func (m *Mailbox) Key() publish.Key { return publish.Key{Tenant: m.Tenant, Mailbox: m.ID} }

// Name is what people call the mailbox: its id, with the tenant before it unless that is the default.
func (m *Mailbox) Name() string {
	if m.Tenant == DefaultTenant {
		return m.ID
	}
	return m.Key().String()
}

// Settings are the keys that may stand in a mailbox and in defaults.
type Settings struct {
	// Credentials names the credential; Mailbox.Credential is the credential itself.
	Credentials string `yaml:"credentials,omitempty" jsonschema_description:"Name of an entry of credentials; may be left out if there is only one."`
	// Tenant is part of the log's name: changing it is refused unless RenamedFrom says it is meant.
	Tenant      string `yaml:"tenant,omitempty" jsonschema:"default=default,pattern=^[a-z0-9._-]{1\\,128}$" jsonschema_description:"Names the stream subject and the blob bucket."`
	RenamedFrom string `yaml:"renamed_from,omitempty" jsonschema:"pattern=^[a-z0-9._-]{1\\,128}$" jsonschema_description:"Former tenant, when tenant was changed on purpose."`
	// Labels go into every event as they are; they mean nothing to mailflume.
	Labels map[string]string `yaml:"labels,omitempty" jsonschema_description:"Labels copied into every event; added to those of defaults."`
	// Protocol and Provider give Host, Port and TLS, where those are not set.
	Protocol Protocol `yaml:"protocol,omitempty" jsonschema:"enum=imap,enum=pop3,default=imap" jsonschema_description:"How the mailbox is read."`
	Provider Provider `yaml:"provider,omitempty" jsonschema:"enum=microsoft365,enum=gmail,enum=generic,default=microsoft365" jsonschema_description:"Selects host, port, TLS and quirks."`
	// PollEvery also bounds how long a lost IDLE notification stays unnoticed.
	PollEvery Duration `yaml:"poll_every,omitempty" jsonschema_description:"How often the mailbox is looked at, at least 1s."`
	// Idle is always false for POP3.
	Idle bool `yaml:"idle" jsonschema:"default=true" jsonschema_description:"IMAP: wait for news on the connection (IDLE) between polls."`
	// Folders and Exclude are exact names, globs with * and ?, or special uses (RFC 6154).
	Folders []string `yaml:"folders,omitempty" jsonschema:"minItems=1" jsonschema_description:"Folders to watch: names, globs, or special use such as \\All."`
	Exclude []string `yaml:"exclude,omitempty" jsonschema_description:"Folders not to watch, although folders matches them."`
	// Start counts at the first claim only; later the position in the log decides.
	Start Start `yaml:"start" jsonschema_description:"Which mail that is already there is wanted: now (none), all, or from a date."`
	// After is checked against Folders: a message moved into a watched folder would come again.
	After After `yaml:"after,omitempty" jsonschema_description:"What is done to a message on the server once its event is stored."`
	// Host, Port, TLS and CAFile say where the server is. Addr joins the first two.
	Host   string          `yaml:"host,omitempty" jsonschema_description:"Mail server; needed for provider generic."`
	Port   int             `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535" jsonschema_description:"Port; by default that of the protocol and of tls."`
	TLS    ingest.Security `yaml:"tls,omitempty" jsonschema:"enum=implicit,enum=starttls,default=implicit" jsonschema_description:"TLS from the first octet, or by STARTTLS. Nothing is ever sent in clear."`
	CAFile string          `yaml:"ca_file,omitempty" path:"file" jsonschema_description:"Certificates of the authorities to trust for the mail server (PEM)."`
	// SMTP and Canary are for probes: see Submission.
	SMTP   Submission `yaml:"smtp,omitempty" jsonschema_description:"Submission server for probes, if it is not the provider's; it is signed in to as to the mailbox."`
	Canary Canary     `yaml:"canary,omitempty" jsonschema_description:"Send a probe to the mailbox now and then, and raise mailbox.stalled when its event does not come."`
	// Auth and User say how to sign in.
	Auth ingest.Mechanism `yaml:"auth,omitempty" jsonschema:"enum=bearer,enum=xoauth2,enum=oauthbearer,enum=password" jsonschema_description:"How to sign in; bearer (the default with tokens) is XOAUTH2 or OAUTHBEARER, as the server offers."`
	User string           `yaml:"user,omitempty" jsonschema_description:"User name to sign in with, if it is not the address."`
}

// Limits bound what the process uses.
type Limits struct {
	// Memory is shared by all mailboxes.
	Memory Size `yaml:"memory" jsonschema_description:"Bytes of mail in memory at once, over all mailboxes."`
	// MessageSize sets larger messages aside; the others go on.
	MessageSize Size `yaml:"message_size" jsonschema_description:"Larger messages are set aside unread."`
	// ConnectionsPerHost counts connections of this process only.
	ConnectionsPerHost    int `yaml:"connections_per_host" jsonschema:"minimum=1,maximum=100000,default=200" jsonschema_description:"Connections to one mail server at once."`
	ConnectionsPerMailbox int `yaml:"connections_per_mailbox" jsonschema:"minimum=1,maximum=16,default=1" jsonschema_description:"Connections to one mailbox at once."`
}

// HTTP is the status page, the API, the metrics and the health checks.
type HTTP struct {
	Listen string `yaml:"listen" jsonschema:"default=127.0.0.1:8025" jsonschema_description:"Address and port to listen on, or off."`
}

// Enabled says whether there is anything to listen on.
func (h *HTTP) Enabled() bool { return h.Listen != "off" }

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level" jsonschema:"enum=debug,enum=info,enum=warn,enum=error,default=info" jsonschema_description:"Least severe level that is logged."`
	Format string `yaml:"format" jsonschema:"enum=json,enum=console,default=json" jsonschema_description:"json for machines, console for people."`
}
