package config

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"mailflume/ingest"
)

// resolver fills in what a mailbox leaves open and checks what it says.
type resolver struct {
	*loader
	m   *Mailbox
	own map[string]place // where the mailbox's own keys stand
}

// place is where a key's value stands: in the mailbox, else in defaults, else the mailbox itself.
func (r *resolver) place(key string) place {
	if p, ok := r.own[key]; ok {
		return p
	}
	if p, ok := r.defaults["defaults."+key]; ok {
		return p
	}
	return r.own[""]
}

// given says whether the mailbox or defaults sets a key.
func (r *resolver) given(key string) bool {
	_, own := r.own[key]
	_, shared := r.defaults["defaults."+key]
	return own || shared
}

// bad reports what is wrong with a key where it stands.
func (r *resolver) bad(key, message, hint string) { r.problems.at(r.place(key), message, hint) }

// resolve runs the steps in the order in which they depend on each other: the host follows from the
// credential's cloud, the sign-in from the provider.
func (r *resolver) resolve() {
	r.identity()
	r.credential()
	r.server()
	r.signIn()
	r.maildrop()
	r.folders()
	r.after()
	r.canary()
	if r.m.PollEvery < Duration(time.Second) {
		r.bad("poll_every", "poll_every is shorter than a second", "write 1s or more; idle: true brings news at once without polling")
	}
}

// validID: an id and a tenant become tokens of subjects and parts of bucket names.
func validID(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(c rune) bool { return !idRune(c) })
}

// idRune: upper case is left out because subjects keep case and bucket names may not.
func idRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c)
}

const idHint = "use lower-case letters, digits, dot, underscore and hyphen, at most 128 of them"

// identity checks address, id and tenant, and derives the id if there is none.
func (r *resolver) identity() {
	m := r.m
	switch {
	case m.Address == "":
		r.problems.at(r.own[""], "this mailbox has no address", "add address: name@example.com")
		if m.ID == "" {
			return
		}
	case !validAddress(m.Address):
		r.bad("address", quote(m.Address)+" is not a mail address", "write name@example.com")
	}
	if m.ID == "" && m.Address != "" {
		m.ID = DeriveID(m.Address)
	}
	if m.Address != "" && !validID(m.ID) {
		if r.given("id") {
			r.bad("id", quote(m.ID)+" cannot be an id", idHint)
		} else {
			r.bad("address", "no id can be made of this address", "add id: and a name of your own; "+idHint)
		}
		return
	}
	for _, key := range []string{"tenant", "renamed_from"} {
		value := m.Tenant
		if key == "renamed_from" {
			value = m.RenamedFrom
		}
		if value != "" && !validID(value) || value == "" && key == "tenant" {
			r.bad(key, quote(value)+" cannot name a tenant", idHint)
		}
	}
	if m.RenamedFrom != "" && m.RenamedFrom == m.Tenant {
		r.bad("renamed_from", "renamed_from names the tenant that the mailbox has now", "write the tenant that it had before")
	}
	r.unique()
}

// unique keeps two mailboxes from one log: the second would be fenced by the first for ever.
func (r *resolver) unique() {
	key := r.m.Key().String()
	at := r.place("id")
	if _, own := r.own["id"]; !own {
		at = r.place("address")
	}
	if first, taken := r.ids[key]; taken {
		// The address may be the same: one mailbox twice would publish every message twice.
		r.problems.at(at, "the id "+quote(r.m.ID)+" is taken in the tenant "+quote(r.m.Tenant), "it belongs to the mailbox on "+first.from(at)+": give one of them an id: of its own")
		return
	}
	r.ids[key] = at
}

// maildrop keeps two mailboxes from one POP3 maildrop, which is open to one session at a time (RFC 1939
// section 4): they would lock each other out, and what one deletes the other never sees.
func (r *resolver) maildrop() {
	m := r.m
	if m.Protocol != POP3 || m.Host == "" || m.User == "" {
		return
	}
	key := strings.ToLower(strings.TrimSuffix(m.Host, ".")) + " " + strings.ToLower(m.User)
	at := r.own[""]
	for _, k := range []string{"user", "address"} {
		if p, ok := r.own[k]; ok {
			at = p
			break
		}
	}
	if first, taken := r.drops[key]; taken {
		r.problems.at(at, "the maildrop of "+quote(m.User)+" on "+m.Host+" is read by another mailbox already", "it is that on "+first.from(at)+": a maildrop is open to one session at a time, so remove one of the two, or read it over IMAP")
		return
	}
	r.drops[key] = at
}

// DeriveID makes an id of an address: lower case, with a hyphen for what an id may not hold.
func DeriveID(address string) string {
	id := strings.Map(func(c rune) rune {
		if idRune(c) {
			return c
		}
		return '-'
	}, strings.ToLower(address))
	if strings.Trim(id, "-.") == "" {
		return ""
	}
	return id
}

// validAddress accepts what a server can know as a mailbox (RFC 5321 section 4.1.2, RFC 6531),
// without quoted local parts. Control characters would end up inside XOAUTH2.
func validAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || len(s) > 254 || strings.Contains(domain, "@") {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c == 0x7f || strings.ContainsRune(`<>(),;:"\[]`, c)
	})
}

// credential finds the credential that the mailbox names, or the only one there is.
func (r *resolver) credential() {
	names := r.cfg.CredentialNames()
	m := r.m
	if m.Credentials == "" && len(names) == 1 {
		m.Credentials = names[0]
	}
	switch c, ok := r.cfg.Credentials[m.Credentials]; {
	case ok:
		m.Credential = c
	case m.Credentials != "":
		// Long lists are cut: the suggestion usually says enough.
		hint := "add it under credentials:"
		if len(names) > 0 {
			hint = "there are: " + strings.Join(names[:min(len(names), 20)], ", ")
		}
		r.bad("credentials", "there are no credentials named "+quote(m.Credentials), suggest(m.Credentials, names, hint))
	case len(names) == 0:
		r.problems.at(r.own[""], "this mailbox has no credentials, and none are defined", "add an entry under credentials: and name it here")
	default:
		r.problems.at(r.own[""], "it is not clear which credentials this mailbox uses", "add credentials: with one of "+strings.Join(names[:min(len(names), 20)], ", "))
	}
}

// server fills in host, port and TLS.
func (r *resolver) server() {
	m := r.m
	// Who names a host without a provider does not mean Exchange Online.
	if m.Provider == "" {
		m.Provider = Microsoft365
		if m.Host != "" {
			m.Provider = Generic
		} else if m.Credential != nil && (m.Credential.Type == TypeGoogle || m.Credential.SignIn == SignInGoogle) {
			m.Provider = Gmail
		}
	}
	if m.Host == "" {
		m.Host = r.providerHost()
		if m.Host == "" {
			r.bad("provider", "this mailbox has no host", "add host: with the name of the mail server")
		}
	} else if hint := hostHint(m.Host); hint != "" {
		r.bad("host", quote(m.Host)+" is not a host name", hint)
	}
	// Ports 143 and 110 never speak TLS from the first octet; anything else is asked to.
	if m.TLS == "" {
		m.TLS = ingest.ImplicitTLS
		if m.Protocol == IMAP && m.Port == 143 || m.Protocol == POP3 && m.Port == 110 {
			m.TLS = ingest.StartTLS
		}
	}
	if m.Port == 0 {
		m.Port = defaultPort(m.Protocol, m.TLS)
	}
}

// defaultPort is the port that IANA gives to the protocol (RFC 8314 section 3.2, 3.3; RFC 9051 section 2.1).
func defaultPort(p Protocol, s ingest.Security) int {
	switch {
	case p == POP3 && s == ingest.StartTLS:
		return 110
	case p == POP3:
		return 995
	case s == ingest.StartTLS:
		return 143
	}
	return 993
}

// providerHost is the provider's server; Microsoft's depends on the cloud of the credential.
func (r *resolver) providerHost() string {
	switch r.m.Provider {
	case Microsoft365:
		cloud := CloudPublic
		if c := r.m.Credential; c != nil && c.Cloud != "" {
			cloud = c.Cloud
		}
		return cloudOf(cloud).mailHost
	case Gmail:
		if r.m.Protocol == POP3 {
			return "pop.gmail.com"
		}
		return "imap.gmail.com"
	}
	return ""
}

// hostHint says what to write instead of something that is not a host name; "" if it is one.
func hostHint(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	if _, rest, ok := strings.Cut(host, "://"); ok {
		return "write only the name: " + strings.TrimRight(rest, "/")
	}
	if inner, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil { // the brackets belong to URLs
		return "write host: \"" + inner.String() + "\""
	}
	if h, p, err := net.SplitHostPort(host); err == nil {
		return "write host: " + h + " and port: " + p
	}
	if !validHost(host) {
		return "write a name such as mail.example.com, or an IP address"
	}
	return ""
}

// validHost accepts names of DNS, of /etc/hosts and of other alphabets.
func validHost(host string) bool {
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, func(c rune) bool {
			return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) && c != '-' && c != '_'
		}) {
			return false
		}
	}
	return true
}

// misfit says that a mailbox's mechanism is not for its credentials: right is, and types are what the
// mechanism is for. One of defaults is not wrong there, other mailboxes may need it.
func (r *resolver) misfit(right, types string) {
	_, own := r.own["auth"]
	message := "auth: " + string(r.m.Auth) + " does not fit credentials of type " + string(r.m.Credential.Type)
	if own {
		r.bad("auth", message, "remove auth:, or name credentials of type "+types)
		return
	}
	at, ok := r.own["credentials"]
	if !ok {
		at = r.own[""]
	}
	r.problems.at(at, message+", which mailbox "+r.m.Name()+" has: auth comes from defaults", "add auth: "+right+" to the mailbox, or name credentials of type "+types)
}

// signIn fills in mechanism and user, and checks that they fit the credential and the provider.
func (r *resolver) signIn() {
	m, c := r.m, r.m.Credential
	if c == nil || c.Type == "" {
		return // reported already
	}
	password := c.Type == TypePassword
	switch {
	case m.Auth == "" && password:
		m.Auth = ingest.Password
	case m.Auth == "":
		m.Auth = ingest.Bearer
	case m.Auth == ingest.Password && !password:
		r.misfit(string(ingest.Bearer), "password")
	case m.Auth != ingest.Password && password:
		r.misfit("password", "entra, google, oauth2 or delegated")
	}
	r.fits(c)
	if m.User == "" && password {
		m.User = c.User
	}
	if m.User == "" {
		m.User = m.Address
	}
	// A control character would end XOAUTH2's user field, or a POP3 command line.
	if strings.ContainsFunc(m.User, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		r.bad("user", "the user name holds a control character", "write it on one line, without tabs")
	}
	if c.Type == TypeDelegated {
		r.delegated()
	}
}

// fits checks that the provider takes such credentials. With a host of its own the mailbox may lie
// anywhere, for example behind a proxy, so nothing is assumed then.
func (r *resolver) fits(c *Credential) {
	t := c.Type
	switch p := r.m.Provider; {
	case r.given("host"):
	case p == Microsoft365 && t == TypePassword: // basic authentication ended in 2022
		r.bad("provider", "Exchange Online accepts no passwords", "use credentials of type entra; for another server add provider: generic and host:")
	case p == Microsoft365 && (t == TypeGoogle || c.SignIn == SignInGoogle):
		r.bad("provider", "Exchange Online accepts no tokens of Google", "use credentials of type entra, or provider: gmail")
	case p == Gmail && (t == TypeEntra || c.SignIn == SignInMicrosoft):
		r.bad("provider", "Gmail accepts no tokens of Entra", "use credentials of type google (a service account), or of type password with an app password")
	}
}

// folders checks what is watched.
func (r *resolver) folders() {
	m := r.m
	if m.Protocol == POP3 {
		m.Idle = false
		if len(m.Folders) != 1 || !strings.EqualFold(m.Folders[0], "INBOX") {
			r.bad("folders", "POP3 knows only INBOX", "remove folders:, or use protocol: imap")
		}
		if len(m.Exclude) > 0 {
			r.bad("exclude", "POP3 knows only INBOX: there is nothing to exclude", "remove exclude:, or use protocol: imap")
		}
		return
	}
	if len(m.Folders) == 0 {
		r.bad("folders", "no folder would be watched", "write [INBOX], or remove folders:")
	}
	for _, key := range []string{"folders", "exclude"} {
		list := m.Folders
		if key == "exclude" {
			list = m.Exclude
		}
		for i, f := range list {
			if strings.TrimSpace(f) == "" || strings.ContainsFunc(f, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				r.bad(key+"["+strconv.Itoa(i)+"]", "this is not the name of a folder", `write a name, a glob such as Archive/*, or a special use such as \All`)
			} else if slices.ContainsFunc(list[:i], func(g string) bool { return sameFolder(f, g) }) {
				r.bad(key+"["+strconv.Itoa(i)+"]", quote(f)+" stands here twice", "remove one of the two")
			}
		}
	}
}
