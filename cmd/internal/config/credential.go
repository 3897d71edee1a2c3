package config

import (
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// cloud is what differs between Microsoft's clouds.
type cloud struct{ authority, scope, mailHost string }

// cloudOf returns the endpoints of a cloud. Scopes of the national clouds are Microsoft's by analogy
// with their delegated ones; that is why authority, scope and host can each be set singly.
func cloudOf(c Cloud) cloud {
	switch c {
	case CloudUSGov:
		return cloud{"https://login.microsoftonline.us", "https://outlook.office365.us/.default", "outlook.office365.us"}
	case CloudDoD:
		return cloud{"https://login.microsoftonline.us", "https://outlook.office365.us/.default", "outlook-dod.office365.us"}
	case CloudChina:
		return cloud{"https://login.partner.microsoftonline.cn", "https://partner.outlook.cn/.default", "partner.outlook.cn"}
	}
	return cloud{"https://login.microsoftonline.com", "https://outlook.office365.com/.default", "outlook.office365.com"}
}

const supportedTypes = "this version supports entra (with client_secret or certificate) and password"

// decode reads a credential. One of a type that is not built yet is reported once, instead of each
// of its keys.
func (c *Credential) decode(d *decoder, n ast.Node, _ string) {
	if m, ok := n.(ast.MapNode); ok {
		for it := m.MapRange(); it.Next(); {
			key, _ := scalar(it.Key())
			value := d.resolve(it.Value())
			text, _ := scalar(value)
			switch {
			case key == "type" && contains([]string{"google", "oauth2", "delegated"}, text):
				d.report(value, wrong(value, "credentials of type "+text+" come with a later version", supportedTypes))
				c.Type = CredentialType(text)
				return
			case key == "federated_token" || key == "managed_identity":
				d.report(it.Key(), wrong(it.Key(), key+" comes with a later version", supportedTypes))
				return
			}
		}
	}
	// Rules across keys are checked only if each key by itself was right.
	before := len(d.problems.list)
	own := *d
	own.places = map[string]place{}
	own.object(n, reflect.ValueOf(c).Elem(), "")
	own.places[""] = d.at(n)
	if len(d.problems.list) == before {
		c.places = own.places
	}
}

// credential fills in what a credential leaves open and checks it.
func (s *section) credential(name string, c *Credential) {
	c.Name = name
	if c.places == nil {
		return // reported while it was read
	}
	bad := func(key, message, hint string) {
		at, ok := c.places[key]
		if !ok {
			at = s.place("credentials." + name)
		}
		s.problems.at(at, message, hint)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`).MatchString(name) {
		bad("", quote(name)+" cannot name credentials", "use letters, digits, dot, underscore and hyphen")
	}
	switch c.Type {
	case TypeEntra:
		c.entra(bad)
	case TypePassword:
		c.password(bad)
	default:
		bad("", "these credentials have no type", "add type: entra or type: password")
	}
	for _, key := range shapeOf(reflect.TypeFor[Credential]()).names {
		if _, given := c.places[key]; given && !contains(keysOf(c.Type), key) {
			bad(key, key+" does not belong to credentials of type "+string(c.Type), "remove it; known here: "+strings.Join(keysOf(c.Type), ", "))
		}
	}
	c.places = nil
}

// keysOf lists the keys that a type of credentials takes.
func keysOf(t CredentialType) []string {
	if t == TypePassword {
		return []string{"type", "user", "password"}
	}
	return []string{"type", "tenant", "client_id", "client_secret", "certificate", "cloud", "authority", "scope", "ca_file"}
}

// password checks credentials of type password.
func (c *Credential) password(bad func(key, message, hint string)) {
	if c.Password.IsZero() {
		bad("", "these credentials have no password", "add password: file:/path/to/it")
	}
}

// entra checks credentials of type entra and fills in what the cloud gives.
func (c *Credential) entra(bad func(key, message, hint string)) {
	private := c.Authority != ""
	if private {
		if hint := authorityHint(c.Authority); hint != "" {
			bad("authority", quote(c.Authority)+" cannot be an authority", hint)
		}
	}
	// An app-only token is issued by one organisation: Entra answers AADSTS9001023 to common.
	switch strings.ToLower(c.Tenant) {
	case "":
		bad("tenant", "these credentials have no tenant", "add tenant: with the GUID or a domain of the organisation")
	case "common", "organizations", "consumers":
		bad("tenant", quote(c.Tenant)+" names no organisation: an app signs in to one", "write the GUID or a domain of the organisation")
	default:
		if !tenantPattern(private).MatchString(c.Tenant) {
			bad("tenant", quote(c.Tenant)+" is not a tenant", "write the GUID or a domain of the organisation, for example contoso.onmicrosoft.com")
		}
	}
	switch {
	case c.ClientID == "":
		bad("client_id", "these credentials have no client_id", "add client_id: with the Application (client) ID of the app registration")
	case !regexp.MustCompile(`^[A-Za-z0-9._~:/-]{1,256}$`).MatchString(c.ClientID):
		bad("client_id", quote(c.ClientID)+" is not a client id", "write the Application (client) ID of the app registration, a GUID")
	}
	switch {
	case c.ClientSecret.IsZero() && c.Certificate.IsZero():
		bad("", "these credentials have neither client_secret nor certificate", "add client_secret: file:/path/to/it, or certificate: file:/path/to/it.pem")
	case !c.ClientSecret.IsZero() && !c.Certificate.IsZero():
		bad("certificate", "these credentials have both client_secret and certificate", "keep one of the two")
	}
	if c.Scope != "" && (!strings.HasSuffix(c.Scope, "/.default") || strings.ContainsAny(c.Scope, " \t\n")) {
		bad("scope", quote(c.Scope)+" cannot be asked for by an app", "write exactly one scope that ends in /.default, for example https://outlook.office365.com/.default")
	}
	c.fill()
}

// fill takes what is not set singly from the cloud.
func (c *Credential) fill() {
	if c.Cloud == "" {
		c.Cloud = CloudPublic
	}
	of := cloudOf(c.Cloud)
	if c.Authority == "" {
		c.Authority = of.authority
	}
	if c.Scope == "" {
		c.Scope = of.scope
	}
	c.Authority = strings.TrimRight(c.Authority, "/")
}

// tenantPattern: Entra knows GUIDs and domains, a private issuer may have any names.
func tenantPattern(private bool) *regexp.Regexp {
	if private {
		return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	}
	return regexp.MustCompile(`^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$`)
}

// authorityHint says what is wrong with an authority; "" if nothing is.
func authorityHint(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return "write the URL of the token issuer without the tenant, for example https://login.microsoftonline.com"
	// RFC 6749 section 3.2: the token endpoint requires TLS.
	case u.Scheme != "https":
		return "the secret would travel in clear: write https://" + u.Host
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "write only scheme and host: https://" + u.Hostname()
	case !validPort(u.Port()):
		return "the port is a number from 1 to 65535"
	}
	return ""
}
