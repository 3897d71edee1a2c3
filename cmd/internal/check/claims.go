package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
)

const (
	longToken = 4000            // POP3 front ends of Exchange refuse tokens of more than 4,096 octets
	maxSkew   = 5 * time.Minute // of clocks; Entra allows as much
)

// roleOf is the application permission that a protocol needs.
func roleOf(p config.Protocol) string {
	if p == config.POP3 {
		return "POP.AccessAsApp"
	}
	return "IMAP.AccessAsApp"
}

// audiences are the names that Exchange goes by, in all clouds.
func audiences() []string {
	return []string{
		"https://outlook.office365.com", "https://outlook.office.com", "https://ps.outlook.com", "https://outlook.office365.us",
		"https://outlook-dod.office365.us", "https://partner.outlook.cn", "00000002-0000-0ff1-ce00-000000000000",
	}
}

// forExchange says whether a token is meant for Exchange.
func forExchange(c oauth.Claims) bool {
	return slices.ContainsFunc(c.Audience, func(a string) bool { return slices.Contains(audiences(), strings.TrimRight(a, "/")) })
}

// judge reads what the token says: Entra issues tokens that open nothing, and the mail server says
// only that it refuses them.
func (r *run) judge(m *config.Mailbox, t *tokenSteps) Outcome {
	c, ok := oauth.Describe(t.got.Value)
	if !ok {
		return fine("the token is opaque: only the mail server can read it")
	}
	t.says = c
	cred := m.Credential
	var need []string
	for _, p := range r.protocols(m) {
		need = append(need, roleOf(p))
	}
	exchange := m.Provider == config.Microsoft365
	text := words(c)
	if exchange || cred.Type == config.TypeEntra {
		text = described(c)
	}
	lacking := slices.DeleteFunc(slices.Clone(need), c.HasRole)
	switch {
	case exchange && !forExchange(c):
		return red(ingest.CodeAudience, text, "set scope: https://outlook.office365.com/.default in credentials."+cred.Name+" (or leave it out); a token for Microsoft Graph opens no mailbox over IMAP or POP3")
	case cred.ClientID != "" && c.AppID != "" && !strings.EqualFold(c.AppID, cred.ClientID):
		return red(ingest.CodeAudience, text, "the token is another application's: check client_id: and authority: of credentials."+cred.Name)
	case isGUID(cred.Tenant) && c.Tenant != "" && !strings.EqualFold(c.Tenant, cred.Tenant):
		return red(ingest.CodeAudience, text, "the token is of another tenant than "+cred.Tenant+": check tenant: and authority: of credentials."+cred.Name)
	case cred.Type == config.TypeDelegated:
		if missing := unasked(need, c.Scopes); len(missing) > 0 && forExchange(c) {
			return red(ingest.CodeRole, text, "the user was not asked for "+list(missing)+": add it to scope: of credentials."+cred.Name+" (or leave scope: out) and sign in again: mailflume login "+cred.Name)
		}
	case len(lacking) > 0 && len(c.Scopes) == 0 && (exchange || forExchange(c)):
		return red(ingest.CodeRole, text, roleAdvice(cred, lacking)...)
	}
	return r.doubts(cred, t, need, text)
}

// described is a token in one line. The object id comes last, as it is what people copy.
func described(c oauth.Claims) string {
	rights := "roles " + list(c.Roles)
	if len(c.Roles) == 0 && len(c.Scopes) > 0 {
		rights = "scp " + list(c.Scopes)
	}
	ends := "none"
	if !c.Expires.IsZero() {
		ends = c.Expires.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("aud %s · %s · tid %s · appid %s · exp %s · oid %s", list(c.Audience), rights, c.Tenant, c.AppID, ends, c.ObjectID)
}

// isGUID tells a tenant's id from one of its domains.
func isGUID(s string) bool {
	return len(s) == 36 && strings.Count(s, "-") == 4 && !strings.Contains(s, ".")
}

// unasked are the delegated permissions that scopes lacks for what roles allow an application. A token
// without any does not say.
func unasked(roles, scopes []string) (out []string) {
	for _, role := range roles {
		want := strings.Replace(role, ".AccessAsApp", ".AccessAsUser.All", 1)
		if len(scopes) > 0 && !slices.ContainsFunc(scopes, func(s string) bool { return strings.EqualFold(s, want) }) {
			out = append(out, want)
		}
	}
	return out
}

// doubts are what works now and will be regretted.
func (r *run) doubts(cred *config.Credential, t *tokenSteps, need []string, text string) Outcome {
	c := t.says
	var next []string
	if want := strings.TrimSuffix(cred.Scope, "/.default"); want != cred.Scope && !forExchange(c) && !slices.Contains(c.Audience, want) {
		next = append(next, "the token is for "+list(c.Audience)+", and "+want+" was asked for")
	}
	if !c.Expires.IsZero() && time.Now().After(c.Expires) {
		next = append(next, "by this machine's clock the token has ended already, on "+c.Expires.UTC().Format(time.RFC3339)+": check NTP")
	}
	if forExchange(c) && r.sends(cred) {
		next = append(next, cannotSend(cred, c)...)
	}
	if extra := beyond(c, need); len(extra) > 0 && forExchange(c) {
		next = append(next, "the application may do more than it needs ("+list(extra)+"): remove these permissions from the app registration, and from scope: if they are asked for there. Each makes the token longer, and whoever has the secret may use it")
	}
	if len(t.got.Value) > longToken && slices.Contains(need, roleOf(config.POP3)) {
		next = append(next, fmt.Sprintf("the token has %d characters: POP3 servers refuse more than about 4,096. Remove permissions, or use IMAP", len(t.got.Value)))
	}
	if skew := time.Since(c.Issued); !c.Issued.IsZero() && (skew < -maxSkew || skew > time.Hour) {
		next = append(next, fmt.Sprintf("this machine's clock and the issuer's differ by about %s: check NTP", skew.Abs().Round(time.Minute)))
	}
	if len(next) > 0 {
		return doubtful(text, next...)
	}
	return fine(text)
}

// sends reports whether probes are submitted with a credential.
func (r *run) sends(c *config.Credential) bool {
	return slices.ContainsFunc(r.opt.Mailboxes, func(m *config.Mailbox) bool { return m.Credential == c && (r.opt.Send || m.Canary.Every > 0) })
}

// cannotSend is for a token that reads and does not submit.
func cannotSend(cred *config.Credential, c oauth.Claims) []string {
	const why = "the token lacks %s: mail is read, but no probe (canary:, check --send) can be submitted"
	switch {
	case len(c.Scopes) > 0:
		if !slices.ContainsFunc(c.Scopes, func(s string) bool { return strings.EqualFold(s, "SMTP.Send") }) {
			return []string{fmt.Sprintf(why, "SMTP.Send") + ". Add it to scope: of credentials." + cred.Name + " (or leave scope: out) and sign in again: mailflume login " + cred.Name}
		}
	case !c.HasRole(sendAsApp):
		return append([]string{fmt.Sprintf(why, sendAsApp)}, roleAdvice(cred, []string{sendAsApp})...)
	}
	return nil
}

// beyond are the permissions of a token that nothing here needs.
func beyond(c oauth.Claims, need []string) []string {
	known := append(slices.Clone(need), sendAsApp, "SMTP.Send", "offline_access", "openid", "profile", "email", "User.Read")
	for _, role := range need {
		known = append(known, strings.Replace(role, ".AccessAsApp", ".AccessAsUser.All", 1))
	}
	return slices.DeleteFunc(slices.Concat(c.Roles, c.Scopes), func(have string) bool {
		return slices.ContainsFunc(known, func(n string) bool { return strings.EqualFold(n, have) })
	})
}

// red is a token that is refused sooner or later.
func red(code ingest.Code, text string, next ...string) Outcome {
	return Outcome{Level: Failed, Code: code, Text: text, Next: next, Fault: ingest.Fault{Class: ingest.Auth, Code: code}}
}

// words are the claims that servers look at.
func words(c oauth.Claims) string {
	return fmt.Sprintf("iss %s · aud %s · permissions %s · sub %s", c.Issuer, list(c.Audience), list(append(slices.Clone(c.Scopes), c.Roles...)), c.Subject)
}

// list names a few.
func list(s []string) string {
	const few = 10
	switch {
	case len(s) == 0:
		return "none"
	case len(s) > few:
		return fmt.Sprintf("%s and %d more", strings.Join(s[:few], " "), len(s)-few)
	}
	return strings.Join(s, " ")
}
