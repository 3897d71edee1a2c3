package config

import (
	"net/url"
	"os"
	"regexp"
	"strings"
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

// report is what says that something is wrong with a key.
type report func(key, message, hint string)

// entra checks credentials of type entra and fills in what the cloud and the platform give.
func (c *Credential) entra(bad report) {
	if c.WorkloadIdentity && !c.workload(bad) {
		return
	}
	private := c.Authority != ""
	if private {
		if hint := urlHint(c.Authority); hint != "" {
			bad("authority", quote(c.Authority)+" cannot be an authority", hint)
		}
	}
	c.oneProof(bad)
	if !c.FederatedToken.IsZero() {
		c.FederatedToken.ref.shared = true // kubelet decides its mode, and only this pod sees it
	}
	if c.ManagedIdentity {
		c.managed(bad)
	} else {
		c.checkTenant(bad, private)
	}
	if c.ClientID == "" && !c.ManagedIdentity {
		bad("client_id", "these credentials have no client_id", "add client_id: with the Application (client) ID of the app registration")
	}
	if c.ClientID != "" && !regexp.MustCompile(`^[A-Za-z0-9._~:/-]{1,256}$`).MatchString(c.ClientID) {
		bad("client_id", "this is not a client id", "write the Application (client) ID of the app registration, a GUID")
	}
	if c.Scope != "" && (!strings.HasSuffix(c.Scope, "/.default") || strings.ContainsAny(c.Scope, " \t\n")) {
		bad("scope", quote(c.Scope)+" cannot be asked for by an app", "write exactly one scope that ends in /.default, for example https://outlook.office365.com/.default")
	}
	c.fill()
}

// oneProof wants exactly one way to prove who the app is.
func (c *Credential) oneProof(bad report) {
	var given []string
	for _, way := range []struct {
		key string
		set bool
	}{
		{"client_secret", !c.ClientSecret.IsZero()}, {"certificate", !c.Certificate.IsZero()},
		{"federated_token", !c.FederatedToken.IsZero()}, {"managed_identity", c.ManagedIdentity},
	} {
		if way.set {
			given = append(given, way.key)
		}
	}
	switch {
	case len(given) == 0:
		bad("", "these credentials have neither client_secret nor certificate",
			"add client_secret: file:/path/to/it, or certificate: file:/path/to/it.pem, federated_token:, workload_identity: true or managed_identity: true")
	case len(given) > 1:
		bad(given[1], "these credentials have both "+given[0]+" and "+given[1], "keep one of the two")
	}
	if !c.CertificatePassword.IsZero() && c.Certificate.IsZero() {
		bad("certificate_password", "there is a password and no certificate", "add certificate: file:/path/to/it.pfx, or remove certificate_password")
	}
}

// checkTenant: an app-only token is issued by one organisation; Entra answers AADSTS9001023 to common.
func (c *Credential) checkTenant(bad report, private bool) {
	switch strings.ToLower(c.Tenant) {
	case "":
		bad("tenant", "these credentials have no tenant", "add tenant: with the GUID or a domain of the organisation")
	case "common", "organizations", "consumers":
		bad("tenant", quote(c.Tenant)+" names no organisation: an app signs in to one", "write the GUID or a domain of the organisation")
	default:
		if !tenantPattern(private).MatchString(c.Tenant) {
			bad("tenant", "this is not a tenant", "write the GUID or a domain of the organisation, for example contoso.onmicrosoft.com")
		}
	}
}

// managed: the platform knows the tenant and where to ask.
func (c *Credential) managed(bad report) {
	for _, key := range []string{"tenant", "authority"} {
		if _, given := c.places[key]; given {
			bad(key, key+" does not belong to a managed identity: the platform decides", "remove it")
		}
	}
}

// workload takes what Kubernetes workload identity puts into the environment of a pod.
func (c *Credential) workload(bad report) (ok bool) {
	ok = true
	take := func(into *string, name string, needed bool) {
		if *into == "" {
			*into = os.Getenv(name)
		}
		if *into == "" && needed {
			ok = false
			bad("workload_identity", "the environment variable "+name+" is not set", "it is set in pods with the label azure.workload.identity/use: true whose service account is annotated; elsewhere use federated_token, tenant and client_id")
		}
	}
	take(&c.Tenant, "AZURE_TENANT_ID", true)
	take(&c.ClientID, "AZURE_CLIENT_ID", true)
	take(&c.Authority, "AZURE_AUTHORITY_HOST", false)
	if c.FederatedToken.IsZero() {
		var file string
		if take(&file, "AZURE_FEDERATED_TOKEN_FILE", true); file != "" {
			c.FederatedToken = newSecret(schemeFile, file)
			c.FederatedToken.ref.at = c.places["workload_identity"]
		}
	}
	c.WorkloadIdentity = false // from here on it is a federated token
	return ok
}

// fill takes what is not set singly from the cloud.
func (c *Credential) fill() {
	if c.Cloud == "" {
		c.Cloud = CloudPublic
	}
	of := cloudOf(c.Cloud)
	if c.Authority == "" && !c.ManagedIdentity {
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

// urlHint says what is wrong with an authority; "" if nothing is.
func urlHint(s string) string {
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
