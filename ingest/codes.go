package ingest

// Code is the stable name of one thing that can go wrong, for example MF-AUTH-003. Codes are added,
// never renamed or re-used: people and alerts depend on them.
type Code string

// The codes. Explain says what each means and what to do.
const (
	CodeUnknown Code = "MF-GEN-001"

	CodeConfigInvalid Code = "MF-CFG-001"
	CodeSecretMissing Code = "MF-CFG-002"
	CodeListen        Code = "MF-CFG-003"
	CodeDiffers       Code = "MF-CFG-004"

	CodeFileRead   Code = "MF-FILE-001"
	CodeFileFolder Code = "MF-FILE-002"
	CodeFileWrite  Code = "MF-FILE-003"

	CodeHostUnknown   Code = "MF-NET-001"
	CodeDNS           Code = "MF-NET-002"
	CodeConnRefused   Code = "MF-NET-003"
	CodeTimeout       Code = "MF-NET-004"
	CodeConnLost      Code = "MF-NET-005"
	CodeProtocolLimit Code = "MF-NET-006"
	CodeProtocol      Code = "MF-NET-007"

	CodeCertExpired   Code = "MF-TLS-001"
	CodeCertUnknownCA Code = "MF-TLS-002"
	CodeCertName      Code = "MF-TLS-003"
	CodeCertInvalid   Code = "MF-TLS-004"
	CodeNotTLS        Code = "MF-TLS-005"
	CodeTLSRefused    Code = "MF-TLS-006"
	CodeNoSTARTTLS    Code = "MF-TLS-007"

	CodeAuthRefused      Code = "MF-AUTH-001"
	CodeClientSecret     Code = "MF-AUTH-002"
	CodeSecretExpired    Code = "MF-AUTH-003"
	CodeAppUnknown       Code = "MF-AUTH-004"
	CodeTenantUnknown    Code = "MF-AUTH-005"
	CodeScope            Code = "MF-AUTH-006"
	CodeConsent          Code = "MF-AUTH-007"
	CodeTokenThrottled   Code = "MF-AUTH-008"
	CodeTokenDown        Code = "MF-AUTH-009"
	CodeTokenAnswer      Code = "MF-AUTH-010"
	CodeTokenRedirect    Code = "MF-AUTH-011"
	CodeCertificate      Code = "MF-AUTH-012"
	CodeNotConnected     Code = "MF-AUTH-013"
	CodeMechanism        Code = "MF-AUTH-014"
	CodeTokenTooLong     Code = "MF-AUTH-015"
	CodeTokenExpired     Code = "MF-AUTH-016"
	CodeAuthTemporary    Code = "MF-AUTH-017"
	CodePasswordRefused  Code = "MF-AUTH-018"
	CodeTokenOther       Code = "MF-AUTH-019"
	CodeClockOrAssertion Code = "MF-AUTH-020"
	CodeFederation       Code = "MF-AUTH-021"
	CodeIdentity         Code = "MF-AUTH-022"
	CodeDelegation       Code = "MF-AUTH-023"
	CodeSubject          Code = "MF-AUTH-024"
	CodeRefreshToken     Code = "MF-AUTH-025"
	CodeEndsSoon         Code = "MF-AUTH-026"
	CodeRotated          Code = "MF-AUTH-027"
	CodeRole             Code = "MF-AUTH-040"
	CodeAudience         Code = "MF-AUTH-041"
	CodePublicClient     Code = "MF-AUTH-042"
	CodeAppDisabled      Code = "MF-AUTH-043"
	CodeNotAssigned      Code = "MF-AUTH-044"
	CodePolicy           Code = "MF-AUTH-045"
	CodeUserUnknown      Code = "MF-AUTH-046"
	CodeSignInAgain      Code = "MF-AUTH-047"
	CodeAccount          Code = "MF-AUTH-048"
	CodeTokenRequest     Code = "MF-AUTH-049"
	CodeAddress          Code = "MF-AUTH-050"
	CodeAlert            Code = "MF-AUTH-051"

	CodeLoginNeeded    Code = "MF-LOGIN-001"
	CodeLoginEnded     Code = "MF-LOGIN-002"
	CodeLoginDenied    Code = "MF-LOGIN-003"
	CodeLoginExpired   Code = "MF-LOGIN-004"
	CodeLoginAccount   Code = "MF-LOGIN-005"
	CodeLoginNoRefresh Code = "MF-LOGIN-006"
	CodeLoginBrowser   Code = "MF-LOGIN-007"
	CodeLoginConsent   Code = "MF-LOGIN-008"
	CodeLoginClient    Code = "MF-LOGIN-009"
	CodeLoginDevice    Code = "MF-LOGIN-010"
	CodeLoginKey       Code = "MF-LOGIN-011"
	CodeLoginSealed    Code = "MF-LOGIN-012"

	CodeFolderMissing   Code = "MF-BOX-001"
	CodeThrottled       Code = "MF-BOX-002"
	CodeTooManySessions Code = "MF-BOX-003"
	CodeServerBusy      Code = "MF-BOX-004"
	CodeBye             Code = "MF-BOX-005"
	CodeQuota           Code = "MF-BOX-006"
	CodeLocked          Code = "MF-BOX-007"
	CodeNoUIDL          Code = "MF-BOX-008"
	CodeActionRefused   Code = "MF-BOX-009"
	CodeActionUnsafe    Code = "MF-BOX-010"
	CodeUIDLReset       Code = "MF-BOX-011"
	CodeContentLost     Code = "MF-BOX-012"

	CodeCanaryLate Code = "MF-BOX-020"

	CodeSubmitRefused  Code = "MF-SMTP-001"
	CodeSubmitOff      Code = "MF-SMTP-002"
	CodeSendAs         Code = "MF-SMTP-003"
	CodeSubmitRejected Code = "MF-SMTP-004"
	CodeSubmitBusy     Code = "MF-SMTP-005"

	CodeMessageTooLarge  Code = "MF-MSG-001"
	CodeMessageMissing   Code = "MF-MSG-002"
	CodeMessageRefused   Code = "MF-MSG-003"
	CodeMessagePanic     Code = "MF-MSG-004"
	CodeMessageTruncated Code = "MF-MSG-005"
	CodeEventTooLarge    Code = "MF-MSG-006"
	CodeMessageSuspect   Code = "MF-MSG-007"

	CodeNATSDown     Code = "MF-NATS-001"
	CodeNATSDenied   Code = "MF-NATS-002"
	CodeStreamFull   Code = "MF-NATS-003"
	CodeStreamUnsafe Code = "MF-NATS-004"
	CodeFenced       Code = "MF-NATS-005"
	CodeLogMoved     Code = "MF-NATS-006"
	CodeNewerFormat  Code = "MF-NATS-007"
	CodeBlobCorrupt  Code = "MF-NATS-008"
	CodeDataDir      Code = "MF-NATS-009"
	CodeBlobStore    Code = "MF-NATS-011"
	CodeNoWorker     Code = "MF-NATS-012"
	CodeNameTaken    Code = "MF-NATS-013"
	CodeOneCopy      Code = "MF-NATS-014"

	CodeNotServed Code = "MF-CTL-001"
	CodePaused    Code = "MF-CTL-002"
	CodeBusy      Code = "MF-CTL-003"
	CodeNotAsked  Code = "MF-CTL-004"
	CodeSilent    Code = "MF-CTL-005"
	CodeNoMailbox Code = "MF-CTL-006"
	CodeCrossSite Code = "MF-CTL-007"
	CodeFrozen    Code = "MF-CTL-008"

	CodeAuditFailed Code = "MF-AUDIT-001"
	CodeLogBroken   Code = "MF-AUDIT-002"
	CodePinExpired  Code = "MF-AUDIT-003"
)

// Explain returns what a code means and what to do next, one line each. An unknown code returns
// two empty strings.
func Explain(c Code) (meaning, next string) {
	for _, r := range explanations() {
		if r.code == c {
			return r.meaning, r.next
		}
	}
	return "", ""
}

// Codes returns every code in the order of their families.
func Codes() []Code {
	rows := explanations()
	out := make([]Code, len(rows))
	for i, r := range rows {
		out[i] = r.code
	}
	return out
}
