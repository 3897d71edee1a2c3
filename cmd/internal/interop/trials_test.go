//go:build interop

package interop_test

import (
	"fmt"
	"net"
	"strings"
	"time"

	"mailflume/cmd/internal/rig"
	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

// mints makes the issuer give one such token and no other.
func mints(o oauthtest.MintOptions) func(s *scene) {
	return func(s *scene) {
		s.issuer.Fail(oauthtest.Fault{Path: "/token", Body: fmt.Sprintf(`{"access_token":%q,"expires_in":3600}`, s.issuer.Mint(o))})
	}
}

func fails(f oauthtest.Fault) func(s *scene) { return func(s *scene) { s.issuer.Fail(f) } }

func clears(s *scene) { s.issuer.ClearFaults() }

func closes(s *scene) { s.closeIssuer() }

func opens(s *scene) { s.must(s.openIssuer()) }

func trials() []trial {
	return append(append(issuerTrials(), tokenTrials()...), serverTrials()...)
}

const (
	parked = 15 * time.Minute // what people may mend at any time
	hourly = time.Hour        // what only a change on this side mends
)

// issuerTrials: no token can be had. Thirty mailboxes ask as one does.
func issuerTrials() []trial {
	app := rig.Options{AppOnly: true}
	many := setting{dovecot: app, boxes: 15}
	down := finding{state: ingest.StateBackoff, code: ingest.CodeTokenDown, next: "status page", check: ingest.CodeTokenDown}
	with := func(f finding, says string) finding { f.says = says; return f }
	throttled := finding{state: ingest.StateThrottled, code: ingest.CodeTokenThrottled, says: "429", next: "nothing to do", check: ingest.CodeTokenThrottled}
	html := finding{state: ingest.StateBackoff, code: ingest.CodeTokenAnswer, says: "sign in to the network", next: "captive portal", check: ingest.CodeTokenAnswer}
	secret := finding{state: ingest.StateAuthFailed, code: ingest.CodeClientSecret, says: "AADSTS7000215", next: "Value", check: ingest.CodeClientSecret, rest: hourly}
	return []trial{
		{name: "the issuer is down at the start", set: many, strike: closes, heal: opens, tokens: 4, imap: with(down, "refused")},
		{name: "an issuer that is not Entra is down", set: setting{dovecot: app, credential: "{type: oauth2, token_url: ISSUER/token, client_id: rig, client_secret: file:secret, ca_file: ca.pem}"},
			strike: closes, heal: opens, tokens: 4, imap: with(down, "refused")},
		{name: "the issuer answers 503", set: many, strike: fails(oauthtest.Fault{Path: "/token", Status: 503, Body: "down"}), heal: clears, tokens: 4, imap: with(down, "HTTP 503")},
		{name: "the issuer answers 429", set: many, strike: fails(oauthtest.Fault{Path: "/token", Status: 429, RetryAfter: "6", Body: "{}"}), heal: clears, tokens: 4, imap: throttled},
		{name: "a captive portal answers", set: many, strike: fails(oauthtest.Fault{Path: "/token", Body: "<html>sign in to the network</html>"}), heal: clears, tokens: 4, imap: html},
		{name: "the secret is wrong", set: setting{dovecot: app}, strike: func(s *scene) { s.issuer.SetSecret("another") },
			heal: func(s *scene) { s.issuer.SetSecret("the-clients-secret") }, tokens: 6, imap: secret},
	}
}

// tokenTrials: there is a token, and Dovecot takes it for nobody or not for this mailbox.
func tokenTrials() []trial {
	app := rig.Options{AppOnly: true}
	graph := mints(oauthtest.MintOptions{Audience: "https://graph.microsoft.com"})
	forExchange := rig.Options{AppOnly: true, Audience: oauthtest.DefaultAudience}
	forBearers := forExchange
	forBearers.Mechanisms = []string{"oauthbearer"}
	refused := finding{state: ingest.StateAuthFailed, code: ingest.CodeAuthRefused, says: `status`, next: "issuer, audience, permissions and user", check: ingest.CodeAuthRefused, tries: 6, rest: parked}
	noRole := refused
	noRole.check = ingest.CodeRole
	taken := noRole
	taken.tries = 8
	noRoles := mints(oauthtest.MintOptions{Roles: []string{"Other"}})
	forIMAP := rig.Options{AppOnly: true, Scope: "IMAP.AccessAsApp"}
	disabled := finding{state: ingest.StateAuthFailed, code: ingest.CodeAppDisabled, says: "one is needed because", next: "enable it", check: ingest.CodeAppDisabled, tries: 6, rest: hourly}
	long := finding{state: ingest.StateAuthFailed, code: ingest.CodeTokenTooLong, says: "octets", next: "fewer permissions", check: ingest.CodeTokenTooLong, tries: 4, rest: hourly}
	roles := append(strings.Split(strings.Repeat("Some.Permission.That.Is.Not.Needed ", 250), " "), "IMAP.AccessAsApp", "POP.AccessAsApp")
	return []trial{
		{name: "wrong audience", set: setting{introspect: true, dovecot: forExchange}, strike: graph, heal: clears, tokens: 8, imap: refused},
		{name: "wrong audience with OAUTHBEARER", set: setting{introspect: true, dovecot: forBearers}, strike: graph, heal: clears, tokens: 8, imap: refused},
		{name: "the permission is taken away in mid-life", set: setting{introspect: true, dovecot: forIMAP}, inLife: true, heal: clears, tokens: 8, imap: taken, strike: func(s *scene) {
			s.issuer.Revoke(s.front.Token())
			noRoles(s)
		}},
		{name: "wrong scope", set: setting{introspect: true, dovecot: forIMAP}, strike: noRoles, heal: clears, tokens: 8, imap: noRole},
		{name: "the token of somebody else", set: setting{}, strike: mints(oauthtest.MintOptions{Subject: "other@rig.test"}), tokens: 8, imap: refused},
		{name: "a token that is too long", set: setting{dovecot: app}, strike: mints(oauthtest.MintOptions{Roles: roles}), heal: clears, tokens: 6, imap: long},
		{name: "a token that has grown too long", set: setting{introspect: true, dovecot: app}, inLife: true, heal: clears, tokens: 6, imap: long, strike: func(s *scene) {
			s.issuer.Revoke(s.front.Token())
			mints(oauthtest.MintOptions{Roles: roles})(s)
		}},
		{name: "revoked, and the application is disabled", set: setting{introspect: true, dovecot: app}, inLife: true, heal: clears, tokens: 8, imap: disabled, strike: func(s *scene) {
			s.issuer.Revoke(s.front.Token())
			s.issuer.Fail(oauthtest.Fault{Path: "/token", Status: 401, Body: oauthtest.EntraError("invalid_client", 7000112, "Application is disabled.")})
		}},
	}
}

// serverTrials: the token is good, and Dovecot cannot or will not look at it.
func serverTrials() []trial {
	app := rig.Options{AppOnly: true}
	with := func(more string) rig.Options { return rig.Options{AppOnly: true, More: more} }
	asks := setting{introspect: true, dovecot: app}
	temporary := finding{state: ingest.StateBackoff, code: ingest.CodeAuthTemporary, says: "Temporary authentication failure", next: "nothing to do", check: ingest.CodeAuthTemporary, tries: 8}
	closed := temporary
	closed.check = ingest.CodeTokenDown
	unknown := temporary
	unknown.check = "" // it has a token of its own
	noMethod := finding{state: ingest.StateConfigError, code: ingest.CodeMechanism, says: "it offers: PLAIN", next: "use one that the server offers", check: ingest.CodeMechanism, tries: 3, rest: parked}
	noPassword := noMethod
	noPassword.says = "it offers: XOAUTH2"
	wrong := finding{state: ingest.StateAuthFailed, code: ingest.CodePasswordRefused, says: "Authentication failed", next: "password file", check: ingest.CodePasswordRefused, tries: 6, rest: parked}
	noTLS := finding{state: ingest.StateConfigError, code: ingest.CodeNoSTARTTLS, says: "TLS", next: "never signs in without TLS", check: ingest.CodeNoSTARTTLS, rest: parked}
	full := finding{state: ingest.StateBackoff, code: ingest.CodeTooManySessions, says: "Maximum number of connections", next: "close other clients", check: ingest.CodeTooManySessions, tries: 8}
	locked := finding{state: ingest.StateBackoff, code: ingest.CodeLocked, says: "Maximum number of connections", next: "stop the other client", tries: 2}
	pw := "{type: password, password: file:password}"
	changePassword := func(to string) func(*scene) {
		return func(s *scene) {
			<-time.After(1100 * time.Millisecond) // Dovecot knows the file again by its time, in seconds
			for _, x := range s.boxes() {
				s.must(s.dovecot.AddUser(x.User, to))
			}
			<-time.After(1100 * time.Millisecond)
		}
	}
	return []trial{
		{name: "Dovecot's issuer answers 503", set: asks, strike: fails(oauthtest.Fault{Path: "/introspect", Status: 503, Body: "down"}), heal: clears, tokens: 1, imap: temporary},
		{name: "Dovecot's issuer does not know Dovecot", set: asks, strike: fails(oauthtest.Fault{Path: "/introspect", Status: 401, Body: "{}"}), heal: clears, tokens: 1, imap: temporary},
		{name: "Dovecot's issuer answers HTML", set: asks, strike: fails(oauthtest.Fault{Path: "/introspect", Body: "<html>"}), heal: clears, tokens: 1, imap: temporary},
		{name: "everybody's issuer is down in mid-life", set: asks, inLife: true, strike: closes, heal: opens, imap: closed},
		{name: "a token is revoked, and Dovecot takes that for an outage", set: setting{introspect: true, dovecot: rig.Options{AppOnly: true, Audience: oauthtest.DefaultAudience}},
			inLife: true, imap: unknown, strike: func(s *scene) { s.issuer.Revoke(s.front.Token()) },
			heal: func(s *scene) { s.ahead.Add(int64(6 * time.Minute)) }}, // so long it is believed; then another token is tried
		{name: "Dovecot takes no tokens", set: setting{dovecot: with("auth_mechanisms = plain")}, tokens: 1, imap: noMethod},
		{name: "Dovecot takes no passwords", set: setting{dovecot: with("auth_mechanisms = xoauth2"), credential: pw}, imap: noPassword},
		{name: "the password has changed", set: setting{dovecot: app, credential: pw}, inLife: true, strike: changePassword("other"), heal: changePassword("password"), imap: wrong},
		{name: "there is no TLS", set: setting{direct: true, defaults: ", tls: starttls", dovecot: with("ssl = no")}, tokens: 1, imap: noTLS},
		{name: "somebody else has the only session", set: setting{dovecot: with("mail_max_userip_connections = 1")}, strike: holds, heal: letsGo, tokens: 1, imap: full, pop3: locked},
	}
}

// holds signs in to each mailbox and stays.
func holds(s *scene) {
	for _, x := range s.boxes() {
		conn, err := net.Dial("tcp", map[string]string{"imap": s.dovecot.IMAP, "pop3": s.dovecot.POP3}[x.Protocol])
		s.must(err)
		s.Cleanup(func() { _ = conn.Close() })
		s.held = append(s.held, conn)
		say := "a LOGIN " + x.User + " password\r\n"
		if x.Protocol == "pop3" {
			say = "USER " + x.User + "\r\nPASS password\r\n"
		}
		_, err = fmt.Fprint(conn, say)
		s.must(err)
		buf, heard := make([]byte, 4096), ""
		for !strings.Contains(heard, "Logged in") {
			n, err := conn.Read(buf)
			s.must(err)
			heard += string(buf[:n])
		}
	}
}

func letsGo(s *scene) {
	for _, conn := range s.held {
		s.must(conn.Close())
	}
}
