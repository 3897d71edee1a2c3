package catalogue

import (
	"encoding/base64"
	"strings"
	"time"

	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
)

// Row is one failure.
type Row struct {
	N      int    // in the catalogue
	Name   string // the signal
	Issuer oauthtest.Fault
	Mint   *oauthtest.MintOptions // the token that the issuer gives; nil: a good one
	IMAP   []imaptest.Rule        // the server answers from this script
	Real   func(s *imaptest.Server)
	POP3   *pop3test.Options     // the mailbox is read over POP3
	Change [2]string             // in the configuration: old, new
	Login  func(s *stage) string // the credentials, in place of Entra's, without name and ca_file
	SMTP   string                // what the submission server answers to the token of a probe
	Where  string                // why it is not reproduced here
}

const onToken, onDiscovery = "/oauth2/v2.0/token", "/openid-configuration"

// aadsts is a refusal of Entra.
func aadsts(n int, field string, number int, name string) Row {
	status := 400
	if field == "invalid_client" {
		status = 401
	}
	r := Row{N: n, Name: name, Issuer: oauthtest.Fault{Path: onToken, Status: status, Body: oauthtest.EntraError(field, number, name)}}
	switch {
	case n == 10: // what is out of its time range is known by the clocks
		r.Login, r.Issuer.Skew = (*stage).certificate, 3*time.Hour
	case n >= 9 && n <= 12:
		r.Login = (*stage).certificate
	case n == 13, n == 14:
		r.Login = (*stage).federatedToken
	case n >= 28 && n <= 33: // a user signed in
		r.Login, r.Issuer.Path = (*stage).refreshToken, "/token"
	case n == 34, n == 35:
		r.Issuer.Status = 429
	}
	return r
}

// atLogin is an answer to AUTHENTICATE.
func atLogin(n int, answer string) Row {
	return Row{N: n, Name: answer, IMAP: []imaptest.Rule{{Command: "AUTHENTICATE", Answers: []string{"{tag} " + answer + "\r\n"}}}}
}

// useless is a token that Entra gives and Exchange refuses, which says no more than to any other.
func useless(name string, token oauthtest.MintOptions) Row {
	r := atLogin(47, "NO AUTHENTICATE failed.")
	r.Name, r.Mint = name, &token
	return r
}

// challenged is a refused token with a reason.
func challenged(n int, reason, answer string) Row {
	return Row{N: n, Name: reason + " and " + answer, IMAP: []imaptest.Rule{
		{Command: "AUTHENTICATE", Answers: []string{"+ " + base64.StdEncoding.EncodeToString([]byte(reason)) + "\r\n"}},
		{Command: "AQ==", Answers: []string{"{tag} " + answer + "\r\n"}},
	}}
}

// atOpen is an answer to EXAMINE; a BYE ends the connection.
func atOpen(n int, answer string) Row {
	bye := strings.HasPrefix(answer, "* BYE")
	if !bye {
		answer = "{tag} " + answer
	}
	return Row{N: n, Name: strings.TrimPrefix(answer, "{tag} "), IMAP: []imaptest.Rule{{Command: "EXAMINE", Answers: []string{answer + "\r\n"}, Hangup: bye}}}
}

// popLogin is an answer to the credentials over POP3.
func popLogin(n int, line string) Row {
	return Row{N: n, Name: strings.TrimSuffix(line, pop3test.Hangup), POP3: &pop3test.Options{Verify: func(string, string) error { return pop3test.Reply(line) }}}
}

// long is what makes a token longer than servers take.
func long() *oauthtest.MintOptions {
	roles := []string{"IMAP.AccessAsApp", "POP.AccessAsApp"}
	for range 200 {
		roles = append(roles, "Some.Permission.That.Is.Not.Needed")
	}
	return &oauthtest.MintOptions{Roles: roles}
}

// Rows are all failures, in the catalogue's order. Some numbers have several signals.
func Rows() []Row {
	return append(append(append(entraRows(), otherRows()...), mailRows()...), popRows()...)
}

func otherRows() []Row {
	body := func(b string) oauthtest.Fault { return oauthtest.Fault{Path: onToken, Body: b} }
	return []Row{
		{N: 35, Name: "HTTP 429", Issuer: oauthtest.Fault{Path: onToken, Status: 429, RetryAfter: "17", Body: "{}"}},
		{N: 36, Name: "HTTP 503", Issuer: oauthtest.Fault{Path: onToken, Status: 503, Body: "<html>out of order"}},
		{N: 36, Name: "an answer that does not come to its end", Issuer: oauthtest.Fault{Path: onToken, Body: strings.Repeat(" ", 1000), Drip: time.Second}},
		{N: 39, Name: "HTML in place of a token", Issuer: body("<html><title>Sign in to the guest network</title>")},
		{N: 40, Name: "a certificate of an authority that nobody knows", Change: [2]string{"ca_file: issuer.pem\ndefaults", "ca_file: imap.pem\ndefaults"}},
		{N: 41, Name: "the discovery document is another issuer's", Issuer: oauthtest.Fault{Path: onDiscovery,
			Body: `{"issuer":"https://evil.example/","token_endpoint":"https://evil.example/token","authorization_endpoint":"https://evil.example/a"}`}},
		{N: 42, Name: "307 from the token endpoint", Issuer: oauthtest.Fault{Path: onToken, Status: 307, Redirect: "https://elsewhere.example/token"}},
		{N: 43, Name: "Google: client is unauthorized", Login: func(s *stage) string { return s.serviceAccount() }},
		{N: 44, Name: "Google: invalid email or user id", Login: func(s *stage) string {
			s.issuer.Suspend(user)
			return s.serviceAccount(oauth.GoogleIMAP)
		}},
		{N: 45, Name: "Google: short-lived token", Login: func(s *stage) string { return s.serviceAccount(oauth.GoogleIMAP) }, Issuer: oauthtest.Fault{
			Path: "/token", Status: 400, Skew: 3 * time.Hour, Body: `{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}`,
		}},
		{N: 46, Name: "Google: token has been expired or revoked", Login: (*stage).refreshToken, Issuer: oauthtest.Fault{
			Path: "/token", Status: 400, Body: `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`,
		}},
		{N: 68, Name: "535 5.7.3 Authentication unsuccessful", SMTP: "535 5.7.3 Authentication unsuccessful"},
		{N: 68, Name: "535 5.7.139 SmtpClientAuthentication is disabled", SMTP: "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."},
		{N: 69, Name: "UIDVALIDITY changes", Where: "ingest/imapsource, TestReset…: a state, no failure"},
		{N: 70, Name: "nobody listens", Change: [2]string{"port: {{box}}", "port: 1"}},
	}
}

func mailRows() []Row {
	return []Row{
		useless("a token without roles", oauthtest.MintOptions{Roles: []string{}}),
		useless("a token for Microsoft Graph", oauthtest.MintOptions{Audience: "https://graph.microsoft.com"}),
		atLogin(47, "NO AUTHENTICATE failed."),
		atOpen(49, "BAD User is authenticated but not connected."),
		atOpen(50, "* BYE Session invalidated - AccessTokenExpired"),
		atOpen(51, "NO Request is throttled. Suggested Backoff Time: 89117 milliseconds"),
		atOpen(51, "* BYE Request is throttled. Suggested Backoff Time: 89117 milliseconds"),
		atOpen(52, "* BYE Connection is closed. 13"),
		atOpen(53, "NO Server Unavailable. 15"),
		{N: 54, Name: "NO Command Error. 10 for one message", Real: func(s *imaptest.Server) {
			_ = s.Add(user, "INBOX", []byte("Subject: poison\r\n\r\nx\r\n"), time.Now())
			s.Break(func(_ string, _ uint32, octets int) imaptest.Fault {
				if octets == 0 {
					return imaptest.Fault{}
				}
				return imaptest.Fault{Refuse: "Command Error. 10"}
			})
		}},
		{N: 56, Name: "EOF right after a long token", Mint: long(), IMAP: []imaptest.Rule{{Command: "AUTHENTICATE", Hangup: true}}},
		atLogin(57, "BAD Invalid base64 data in continued response"),
		challenged(58, `{"status":"401","schemes":"bearer","scope":"mail"}`, "NO [AUTHENTICATIONFAILED] Authentication failed."),
		challenged(58, `{"status":"invalid_token"}`, "NO [AUTHENTICATIONFAILED] Authentication failed."),
		challenged(59, `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
		atLogin(60, "NO [UNAVAILABLE] Temporary authentication failure."),
		atLogin(61, "NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=3)"),
		atLogin(61, "NO [ALERT] Too many simultaneous connections. (Failure)"),
		atLogin(62, "NO [OVERQUOTA] Account exceeded command or bandwidth limits."),
		atLogin(63, "NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)"),
		atLogin(63, "NO [WEBALERT https://accounts.google.com/signin/continue] Web login required."),
		atLogin(64, "NO [ALERT] Your account is not enabled for IMAP use. (Failure)"),
	}
}

func popRows() []Row {
	return []Row{
		popLogin(48, "-ERR Authentication failure: unknown user name or bad password."),
		{N: 53, Name: "-ERR Server Unavailable. 21", POP3: &pop3test.Options{Hooks: pop3test.Hooks{Line: func(_, line string) (string, bool) {
			return "-ERR Server Unavailable. 21\r\n", strings.HasPrefix(line, "RETR")
		}}}},
		func() Row {
			r := popLogin(55, "-ERR Protocol error. Connection is closed. 10"+pop3test.Hangup)
			r.Mint = long()
			return r
		}(),
		popLogin(64, "-ERR [SYS/PERM] Your account is not enabled for POP access."),
		popLogin(65, "-ERR [IN-USE] Mailbox is locked by another POP3 session."),
		popLogin(66, "-ERR [LOGIN-DELAY] minimum time between mail checks violation"),
		popLogin(66, "-ERR Exceeded the login limit for a 15 minute period. Reduce the frequency of requests to the POP3 server."),
		popLogin(67, "-ERR [SYS/TEMP] try again"),
		popLogin(67, "-ERR [SYS/PERM] gone"),
		popLogin(67, "-ERR [AUTH] no"),
	}
}
