package oauth

import (
	"context"
	"strings"
	"testing"
)

func TestNewEntraRefusesWhatCannotWork(t *testing.T) {
	cert := func(context.Context) ([]byte, error) { return nil, nil }
	for _, c := range []struct {
		name   string
		change func(*EntraOptions)
		says   string // "": accepted
	}{
		{"defaults", func(*EntraOptions) {}, ""},
		{"certificate", func(o *EntraOptions) { o.Secret, o.Certificate = nil, cert }, ""},
		{"authority with the tenant", func(o *EntraOptions) { o.Authority = "https://idp.example/CONTOSO.example/" }, ""},
		{"authority with a port", func(o *EntraOptions) { o.Authority = "https://127.0.0.1:8443" }, ""},
		{"no tenant", func(o *EntraOptions) { o.Tenant = "" }, "tenant is missing"},
		{"common", func(o *EntraOptions) { o.Tenant = "Common" }, "without a user"},
		{"organizations", func(o *EntraOptions) { o.Tenant = "organizations" }, "without a user"},
		{"consumers", func(o *EntraOptions) { o.Tenant = "consumers" }, "without a user"},
		{"adfs", func(o *EntraOptions) { o.Tenant = "adfs" }, "not an Entra tenant"},
		{"tenant with a path", func(o *EntraOptions) { o.Tenant = "a/../b" }, "neither"},
		{"tenant of dots", func(o *EntraOptions) { o.Tenant = ".." }, "neither"},
		{"no client", func(o *EntraOptions) { o.ClientID = "" }, "client id is missing"},
		{"client with a line break", func(o *EntraOptions) { o.ClientID = "a\nb" }, "client id"},
		{"no credential", func(o *EntraOptions) { o.Secret = nil }, "exactly one"},
		{"two credentials", func(o *EntraOptions) { o.Certificate = cert }, "exactly one"},
		{"scope of a user", func(o *EntraOptions) { o.Scope = "https://outlook.office365.com/IMAP.AccessAsUser.All" }, "/.default"},
		{"two scopes", func(o *EntraOptions) { o.Scope = "https://a/.default https://b/.default" }, "/.default"},
		{"scope without a resource", func(o *EntraOptions) { o.Scope = "/.default" }, "/.default"},
		{"plain http", func(o *EntraOptions) { o.Authority = "http://idp.example" }, "https"},
		{"no host", func(o *EntraOptions) { o.Authority = "https://:443" }, "https"},
		{"no URL", func(o *EntraOptions) { o.Authority = "://" }, "URL"},
		{"another tenant's authority", func(o *EntraOptions) { o.Authority = "https://idp.example/other" }, "no path"},
		{"query", func(o *EntraOptions) { o.Authority = "https://idp.example?x=y" }, "query"},
		{"password in the authority", func(o *EntraOptions) { o.Authority = "https://u:" + "hunter2@idp.example" }, "password"},
		{"password in a broken authority", func(o *EntraOptions) { o.Authority = "https://u:hunter2@idp.example:x" }, "URL"},
		{"cloud", func(o *EntraOptions) { o.Cloud = "moon" }, "public, usgov, dod or china"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := EntraOptions{Tenant: "contoso.example", ClientID: "client", Secret: static("s")}
			c.change(&o)
			e, err := NewEntra(o)
			if c.says == "" {
				if err != nil || !strings.HasSuffix(e.String(), "/contoso.example client client scope https://outlook.office365.com/.default") {
					t.Errorf("NewEntra = %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error = %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestCloudsAreShorthandsThatExplicitValuesOverride(t *testing.T) {
	for _, c := range []struct{ cloud, authority, scope, want string }{
		{"", "", "", "https://login.microsoftonline.com/t client https://outlook.office365.com/.default"},
		{"public", "", "", "https://login.microsoftonline.com/t client https://outlook.office365.com/.default"},
		{"usgov", "", "", "https://login.microsoftonline.us/t client https://outlook.office365.us/.default"},
		{"dod", "", "", "https://login.microsoftonline.us/t client https://outlook.office365.us/.default"},
		{"china", "", "", "https://login.partner.microsoftonline.cn/t client https://partner.outlook.cn/.default"},
		{"china", "https://idp.example/t", "https://mail.example/.default", "https://idp.example/t client https://mail.example/.default"},
	} {
		o := EntraOptions{Tenant: "t", ClientID: "client", Secret: static("s"), Cloud: c.cloud, Authority: c.authority, Scope: c.scope}
		if key, err := o.Key(); err != nil || key != c.want {
			t.Errorf("Key = %q, %v; want %q", key, err, c.want)
		}
	}
}
