package ingest

import "slices"

type explanation struct {
	code          Code
	meaning, next string
}

// explanations is the one table of what operators are told.
func explanations() []explanation {
	return slices.Concat(generalExplanations(), authExplanations(), loginExplanations(), mailboxExplanations(), submitExplanations(), natsExplanations())
}

func generalExplanations() []explanation {
	return []explanation{
		{CodeUnknown, "something failed that mailflume has no name for", "read the error text; it is tried again by itself. Report it if it stays"},
		{CodeConfigInvalid, "the configuration is not valid", "correct the line that the error shows, then run: mailflume config validate"},
		{CodeSecretMissing, "a secret, or a file of certificates, cannot be used", "create the file or variable that the error names, or correct the path; files with secrets need mode 0600 or 0400, ca_file: is PEM"},
		{CodeListen, "the address for http.listen cannot be used", "stop what listens there, or set http.listen to another address or to off: each worker on a machine needs an address of its own"},
		{CodeDiffers, "workers that share this mailbox define it otherwise", "give all workers the same configuration; until then the mailbox is read as the worker that has it says"},
		{CodeFileRead, "a file of mail cannot be read; the others are", "check its path and mode. Of a folder, name the files in it: FOLDER/*"},
		{CodeFileFolder, "the folder for attachments cannot be used", "name a folder that is yours or can be made, on a disk with room for what the messages hold"},
		{CodeFileWrite, "the output cannot be written", "check where stdout goes and the room there"},
		{CodeHostUnknown, "the host name does not exist in DNS", "check host: in the configuration, and the resolver of this machine"},
		{CodeDNS, "the name could not be resolved just now", "check this machine's DNS resolver; it is tried again by itself"},
		{CodeConnRefused, "nothing listens on that address and port", "check host: and port:, and that the service is running and not behind a firewall"},
		{CodeTimeout, "the server did not answer in time", "check the network and firewall between this machine and the server, and that tls: fits the port (993 and 995 are implicit); it is tried again by itself"},
		{CodeConnLost, "the connection was lost", "nothing to do: it is opened again by itself. If it happens often, look at the network or a proxy in between, and whether the server has as many places as limits.connections_per_host: what is above that polls instead of holding a connection"},
		{CodeProtocolLimit, "the server sent more than any sane server does (line, list depth or literal size)", "check that host: is the mail server you mean; the connection was closed to protect this worker"},
		{CodeProtocol, "the server sent something that is not the protocol", "check protocol:, port: and tls:; a proxy or another service may be answering"},
		{CodeCertExpired, "the server's certificate has expired or is not yet valid", "renew the certificate on the server, and check this machine's clock"},
		{CodeCertUnknownCA, "the server's certificate is signed by an authority this machine does not know", "set ca_file: to the authority's certificate (a private CA, or TLS inspection on the way)"},
		{CodeCertName, "the server's certificate is for another name", "set host: to a name that is in the certificate"},
		{CodeCertInvalid, "the server's certificate cannot be used: it is malformed, or not meant for servers", "have the server's certificate re-issued; the error says what is wrong with it"},
		{CodeNotTLS, "the server does not speak TLS on this port", "set tls: starttls, or the port for implicit TLS (993 for IMAP, 995 for POP3)"},
		{CodeTLSRefused, "the server ended the TLS handshake", "check that the server offers TLS 1.2 or newer, and that no firewall or proxy in between forbids it"},
		{CodeNoSTARTTLS, "the server does not offer STARTTLS", "use tls: implicit with port 993 (IMAP) or 995 (POP3); mailflume never signs in without TLS"},
	}
}

func authExplanations() []explanation {
	return []explanation{
		{CodeAuthRefused, "the mail server refused the sign-in", "compare what the token says (mailflume check shows it) with what the server wants: issuer, audience, permissions and user; the server's own log says what it misses. Exchange Online: check that the app has IMAP.AccessAsApp or POP.AccessAsApp with admin consent, that New-ServicePrincipal used the Enterprise Application's object id, and run Add-MailboxPermission for this mailbox"},
		{CodeClientSecret, "the token endpoint refused the client secret", "paste the secret's Value (not its ID) into the secret file, or create a new secret for the app registration"},
		{CodeSecretExpired, "the client secret has expired", "add a new secret to the app registration and put its Value into the secret file; a certificate lasts longer"},
		{CodeAppUnknown, "the token endpoint does not know this application in this tenant", "check client_id:, tenant: and cloud:, and grant admin consent in that tenant, which creates the enterprise application; mailflume check prints the link"},
		{CodeTenantUnknown, "the token endpoint does not know this tenant", "check tenant: (a GUID or domain of the organisation, never common) and cloud:"},
		{CodeScope, "the token endpoint refused the scope", "check scope: for Entra it is exactly one that ends in /.default (Exchange Online: https://outlook.office365.com/.default), for Google https://www.googleapis.com/auth/gmail.imap_admin or https://mail.google.com/. A tenant at Entra also needs a licence for Exchange Online"},
		{CodeConsent, "the application lacks consent for this permission", "add IMAP.AccessAsApp or POP.AccessAsApp of Office 365 Exchange Online to the app registration and grant admin consent; mailflume check prints the link"},
		{CodeTokenThrottled, "the token endpoint asks to slow down", "nothing to do: it is tried again when the endpoint allows. If it stays, run fewer workers per tenant"},
		{CodeTokenDown, "the token endpoint cannot be reached or is failing", "check the network and the provider's status page; mailboxes go on while their cached token lasts. If it stays, open a ticket with the trace_id in the error"},
		{CodeTokenAnswer, "the token endpoint's answer is not a token", "look for a captive portal or proxy between this machine and the authority, and check authority:"},
		{CodeTokenRedirect, "the token endpoint answered with a redirect, which is never followed with a secret", "set authority: or token_url: to the final address"},
		{CodeCertificate, "the certificate was not accepted, or has expired, or its key cannot be used", "upload the certificate to the app registration, renew it if it has ended; the key must be RSA, in PEM or PFX. Where the registration trusts an authority and a subject in place of one certificate, the file needs the whole chain and that subject"},
		{CodeNotConnected, "signed in, but the server does not open the mailbox", "run mailflume check: it prints the commands with your ids. Exchange Online: give the app FullAccess with Add-MailboxPermission, check the address, and Get-CASMailbox for ImapEnabled and PopEnabled"},
		{CodeMechanism, "the server does not offer the configured sign-in method", "use one that the server offers (the error lists them): a token signs in with XOAUTH2 or OAUTHBEARER, a password with PLAIN; auth: forces one"},
		{CodeTokenTooLong, "the server closed the connection on the token: it is longer than the server takes", "give the app fewer permissions: each makes the token longer. Over POP3 servers take less than over IMAP: use that, or raise the server's limit"},
		{CodeTokenExpired, "the token ended during the session", "nothing to do: the session is opened again with a fresh token"},
		{CodeAuthTemporary, "the mail server cannot let anybody in at the moment", "nothing to do: it is tried again by itself; the server's own identity provider or its store is failing"},
		{CodePasswordRefused, "the mail server refused the user name or password", "check user: and the password file"},
		{CodeTokenOther, "the token endpoint refused the request", "the error carries the provider's own words and its correlation id; follow those"},
		{CodeClockOrAssertion, "the token endpoint says the signed request is outside its time range", "check this machine's clock (NTP); with federated_token also that something keeps the file fresh"},
		{CodeFederation, "Entra trusts no federated credential that fits the token", "compare issuer, subject and audience in the error with the federated credential of the app registration, letter for letter; a new one takes some minutes. The token has to be a workload's own, never a user's"},
		{CodeIdentity, "the platform gives no token for a managed identity", "check that mailflume runs in Azure, that an identity is assigned to the machine or app, and for a user-assigned one that client_id: is its client id"},
		{CodeDelegation, "Google has not given the service account this scope for this mailbox's domain", "Admin console > Security > API controls > Domain-wide delegation: add the service account's numeric client id with exactly the scope in the error; it can take 24 hours. Mailboxes outside the Workspace, @gmail.com too, cannot be delegated"},
		{CodeSubject, "Google gives the service account no token for this mailbox", "check that the address is that of a user who is not suspended (no alias, no group), and that the key of the service account has not been deleted; the error has Google's words"},
		{CodeRefreshToken, "the refresh token has ended: it expired, was revoked, or was replaced by a newer one", "sign in again and put the new refresh token into its file. At Google: publish the consent screen, in Testing refresh tokens end after 7 days"},
		{CodeEndsSoon, "the certificate or client secret of these credentials ends within 30 days", "add a new one to the app registration and put it into its file (it is read anew, no restart is needed); then correct client_secret_expires, if you use it"},
		{CodeRotated, "the issuer replaces the refresh token with each use, so the one in the file may be void: after a restart, or for another worker, the sign-in fails", "switch rotation off at the issuer, use client credentials, or put a new refresh token into the file when mailflume restarts"},
		{CodeRole, "the token lacks the permission that the protocol needs, so every mailbox refuses it", "add IMAP.AccessAsApp or POP.AccessAsApp of Office 365 Exchange Online as an application permission and grant admin consent: mailflume check prints the links"},
		{CodeAudience, "the token is meant for another service or belongs to another application", "check scope:, client_id: and authority: of the credential: Exchange Online wants https://outlook.office365.com/.default"},
		{CodePublicClient, "the app registration is a public client, or the request carried no credential", "configure client_secret: or certificate:, and in the app registration > Authentication set \"Allow public client flows\" to No"},
		{CodeAppDisabled, "the application is disabled in this tenant", "Entra portal > Enterprise applications > the application > Properties: enable it for sign-in"},
		{CodeNotAssigned, "the tenant lets only assigned users and applications in, and this one is not assigned", "Enterprise applications > the application > Users and groups: assign it, or switch off \"Assignment required\" under Properties"},
		{CodePolicy, "a Conditional Access policy or the security defaults block this sign-in", "exempt the application's service principal from the policy, or add this machine's egress IP address to its named location; security defaults forbid every old way to sign in, so check that nothing but OAuth2 is used; delegated sign-ins under a device policy: use an app-only credential"},
		{CodeUserUnknown, "the user who signs in does not exist in this tenant", "check the address and tenant:"},
		{CodeSignInAgain, "the tenant wants the user to sign in again, with another factor", "sign in again interactively, or move to an app-only credential, which has no user"},
		{CodeAccount, "the account is locked or disabled, or its password has expired or is wrong", "have the account put right, and move to an app-only credential, which has no password"},
		{CodeTokenRequest, "the token endpoint calls the request malformed", "check authority: or token_url:, and whether a proxy on the way alters requests"},
		{CodeAddress, "the mail server calls the sign-in malformed: the user or address is not one of its own", "check address: and user: of the mailbox"},
		{CodeAlert, "the mail server refuses the sign-in and has a message for people", "read its words in the error: too many connections (close other clients), the protocol is switched off (switch it on for the account), or the owner has to sign in with a browser"},
	}
}

func loginExplanations() []explanation {
	return []explanation{
		{CodeLoginNeeded, "nobody has signed in for these credentials yet", "run: mailflume login NAME, with the name of the credentials; running workers are told"},
		{CodeLoginEnded, "the sign-in has ended: it was revoked, expired, or the account's password or rules have changed", "run: mailflume login NAME again; running workers are told. At Google: publish the consent screen, in Testing sign-ins end after 7 days"},
		{CodeLoginDenied, "whoever was asked to sign in refused", "run mailflume login again and accept; if an administrator has to, the error has the issuer's words"},
		{CodeLoginExpired, "nobody finished signing in in time", "run mailflume login again and finish within ten minutes. If the browser showed an error instead of a question, follow that: mailflume does not hear of it"},
		{CodeLoginAccount, "another account signed in than the one that the mailbox needs", "run mailflume login again in a private window and sign in with the account in the error; if the one that signed in does open the mailbox, name it: account:"},
		{CodeLoginNoRefresh, "the issuer gave no refresh token, so the sign-in would end within the hour", "Entra and others: add offline_access to scope:. Google: remove mailflume under Third-party access of the account and sign in again"},
		{CodeLoginBrowser, "the browser's answer cannot be received on this machine", "sign in with a code on any device instead: mailflume login NAME --device"},
		{CodeLoginConsent, "the account or its organisation has not consented to what mailflume asks for", "sign in again and leave every box ticked; if the organisation allows no consent by users, an administrator grants the delegated permissions (IMAP.AccessAsUser.All or POP.AccessAsUser.All) to the app registration"},
		{CodeLoginClient, "the issuer wants a secret of this application, and none is set", "Entra: App registration > Authentication > Allow public client flows: yes, and add the platform Mobile and desktop applications with http://localhost. Google and others: set client_secret:"},
		{CodeLoginDevice, "the issuer has no device codes for mail", "sign in with a browser on this machine, without --device. Google has none for mail; another issuer: set device_url:"},
		{CodeLoginKey, "the key that stored sign-ins are sealed with cannot be used", "make one with: openssl rand -base64 32 > token.key; chmod 600 token.key, and name it in token_key:. All workers need the same"},
		{CodeLoginSealed, "the stored sign-in cannot be opened", "give this worker the key that the others have (token_key:, and the one before as token_key_previous:). If that key is lost: mailflume login NAME"},
	}
}

func mailboxExplanations() []explanation {
	return []explanation{
		{CodeFolderMissing, "a configured folder does not exist or cannot be opened", "correct folders: (or the target of after: move), or create the folder; the error lists the folders that exist"},
		{CodeThrottled, "the server asks this mailbox to slow down", "nothing to do: the wait that the server named is kept"},
		{CodeTooManySessions, "the mailbox or this address has too many sessions", "close other clients of this mailbox; it is tried again by itself"},
		{CodeServerBusy, "the server cannot serve the mailbox at the moment", "nothing to do: it is tried again by itself. After an hour look at the provider's status page"},
		{CodeBye, "the server ended the session", "nothing to do: it is opened again by itself"},
		{CodeQuota, "the account is over its bandwidth or command quota", "wait: Google lifts it within 24 hours; lower the load on this mailbox"},
		{CodeLocked, "another POP3 session holds the mailbox", "stop the other client, which may be a second mailbox with this user in the configuration; it is tried again by itself"},
		{CodeNoUIDL, "the POP3 server has no UIDL, so messages cannot be told apart", "use IMAP for this mailbox"},
		{CodeActionRefused, "the server refused the action after publishing (seen, flag, move or delete)", "check the rights on the folder, and that the target of move exists"},
		{CodeActionUnsafe, "the server has neither MOVE nor UIDPLUS, so move and delete would touch other people's mail", "use after: {action: seen} or flag on this server"},
		{CodeUIDLReset, "the server gave nearly all messages new ids (UIDL, or UIDVALIDITY of a folder), and that again within a day", "find out why it does (two servers behind one name, a migration under way); every message is known by its content, but reading all of them again and again helps nobody. It is tried again by itself a day after the first change"},
		{CodeContentLost, "the server gave all messages new ids, and of some it cannot be told any more whether they were published: contents are known of the last million", "move what was received before the second time in the error out of the folder, or set the mailbox up anew: another id, and start: that time. Until then nothing is published twice and nothing is passed over"},
		{CodeCanaryLate, "a probe that was sent to the mailbox was not published in time", "look where it is with the trace of the mail system (Get-MessageTrace): not delivered, in a folder that is not watched (junk, a rule), or not read (is mailflume run running?); mailflume check MAILBOX --send measures each leg"},
		{CodeMessageTooLarge, "the message is larger than limits.message_size", "raise limits.message_size; the message is set aside, nothing else waits"},
		{CodeMessageMissing, "the server answered OK but sent no message", "open the message with another client; it is set aside after three tries"},
		{CodeMessageRefused, "the server cannot produce this message", "open the message with another client; it is set aside after three tries"},
		{CodeMessagePanic, "reading the message failed inside mailflume", "report it with the raw message (raw of the quarantined event, `mailflume blob get`); it is set aside, nothing else waits"},
		{CodeMessageTruncated, "the server ended the message before its announced end", "nothing to do: it is fetched again; after three tries it is set aside"},
		{CodeEventTooLarge, "the event does not fit into the server's max_payload, even without the fields that it can travel without", "raise max_payload on the NATS server to at least 256 KiB; the message is set aside, nothing else waits"},
		{CodeMessageSuspect, "the worker died three times while it had this message in work", "look for what ended the process then (a limit on memory, a crash in its log); look at the message with care, and report it if it is to blame. It is set aside, nothing else waits"},
	}
}

func submitExplanations() []explanation {
	return []explanation{
		{CodeSubmitRefused, "the submission server refused the sign-in", "Exchange Online: give the app the application permission SMTP.SendAsApp with admin consent, and run Add-RecipientPermission -Identity MAILBOX -Trustee APP-OBJECT-ID -AccessRights SendAs; reading mail needs neither"},
		{CodeSubmitOff, "the submission server does not let this mailbox sign in: SMTP AUTH is switched off for it or for the tenant", "run Set-CASMailbox -Identity MAILBOX -SmtpClientAuthenticationDisabled $false (for all: Set-TransportConfig -SmtpClientAuthenticationDisabled $false), give the app SMTP.SendAsApp, and run Add-RecipientPermission -Identity MAILBOX -Trustee APP-OBJECT-ID -AccessRights SendAs; it acts after some minutes"},
		{CodeSendAs, "signed in, but not allowed to send as this mailbox", "run Add-RecipientPermission -Identity MAILBOX -Trustee APP-OBJECT-ID -AccessRights SendAs, with the object id of the Enterprise Application"},
		{CodeSubmitRejected, "the submission server refused the probe", "follow the server's own words: they stand in the error"},
		{CodeSubmitBusy, "the submission server cannot take the probe at the moment", "nothing to do: the next one is sent at its time. If it stays, send fewer probes (canary: every)"},
	}
}

func natsExplanations() []explanation {
	return []explanation{
		{CodeNATSDown, "NATS JetStream cannot be reached or does not answer", "check nats.url, the server, and that JetStream is enabled there (nats-server -js); fetching waits, nothing is lost. If publishes keep timing out, NATS may be out of disk and need a restart; if the stream was deleted, make it again: mailflume does so by itself with nats.stream.manage: true"},
		{CodeNATSDenied, "NATS refused the credentials or a permission", "check the credentials, and grant the permissions that deploy/nats.md lists; the error names the subject"},
		{CodeStreamFull, "the stream, the account or the disk of NATS is full", "raise max_bytes or free space; fetching waits, nothing is lost"},
		{CodeStreamUnsafe, "the stream's settings would lose mail", "change the setting that the error names, or let mailflume create the stream (nats.stream.manage: true)"},
		{CodeFenced, "another worker has claimed this mailbox", "nothing to do: mailboxes move when workers come and go, and nothing is published twice. If it ended something that you asked for (retry, backfill, replay), ask again. If it happens to the same mailbox again and again, workers do not hear of each other: check that all have the same nats.url and nats.stream.name"},
		{CodeLogMoved, "the mailbox's log is not where this worker left it (tail lost, expired or purged)", "nothing to do: the position is taken from the log again and what is missing is published again"},
		{CodeNewerFormat, "the mailbox's log was written by a newer mailflume", "upgrade this worker"},
		{CodeBlobCorrupt, "stored octets do not match their digest", "check the disk of the store; the message is read again from the mailbox"},
		{CodeDataDir, "the data directory is in use or cannot be written", "stop the other mailflume that uses nats.data_dir, or set another; check its owner and mode"},
		{CodeBlobStore, "the folder or bucket of blobs.url cannot be used", "a folder: check that it exists, its owner and mode, and the space on its disk. S3: check the endpoint, that the bucket exists, the keys and their rights (README, Blobs on S3), this machine's clock (RequestTimeTooSkewed), and the quota; the error says which. Fetching waits, nothing is lost"},
		{CodeNoWorker, "no worker is running that could be asked", "start one and leave it running: mailflume run. With a NATS server of your own, name it in nats.url"},
		{CodeNameTaken, "another worker has this worker's name, so this one gets no mailboxes", "nothing to do if the other is about to end: this one takes over then. Else give each worker a worker.id of its own, or none, and start this one again; workers whose data_dir does not outlive them also need host names of their own"},
		{CodeOneCopy, "the NATS servers are a cluster, and there is only one copy of the stream", "while the one server that has it is away nothing is published, and a lost disk takes the events along: nats stream edit MAIL --replicas 3, the same for the streams KV_mailflume and OBJ_mailflume-…, and nats.stream.replicas: 3. If one copy is meant, write replicas: 1"},
		{CodeNotServed, "no worker has the mailbox at the moment", "try again in a few seconds: it may be moving between workers. If that does not help: mailflume status, and check that the worker answers and that the configuration of the workers has the mailbox"},
		{CodePaused, "the mailbox is paused", "let it go on first: mailflume resume MAILBOX"},
		{CodeBusy, "the worker is busy with other requests", "wait until one of them is done and ask again"},
		{CodeNotAsked, "the request is not understood", "a command: use the same version of mailflume as the worker. HTTP: the README says what /api/v1 knows"},
		{CodeSilent, "the worker took the request and then went silent, so it is not known what became of it", "look whether the worker runs (mailflume status), then ask again: what was done is not done twice, but for a replay"},
		{CodeNoMailbox, "no such mailbox is configured", "look for its id: mailflume config show. If more than one tenant has it, name the tenant too"},
		{CodeCrossSite, "the page of another site sent the request through a browser", "send it yourself: mailflume pause, resume or poll, or curl -X POST to the address in http.listen"},
		{CodeFrozen, "the worker that has the mailbox does not answer", "wait a quarter of a minute: the mailboxes of a worker that has died go to the others. If it stays, the worker is frozen, starved of CPU or cut off: look at its process and its log, and start it again"},
		{CodeAuditFailed, "messages of the mailbox are missing from the stream or doubled in it, or a folder could not be listed", "leave what is named as missing in the mailbox; consumers know a doubled event by its id. Then find out who else writes the stream: mailflume audit --chain"},
		{CodeLogBroken, "the mailbox's log is not what mailflume wrote: an event was changed, removed, inserted or moved", "find out who can write to the stream or its disk besides mailflume (deploy/nats.md); the raw messages in the blob store, named by their digest, tell what was true"},
		{CodePinExpired, "the pinned event has expired from the stream, so nothing can be compared with it", "pin again now (mailflume audit --chain), and from now on more often than nats.stream.max_age"},
	}
}
