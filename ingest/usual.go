package ingest

import "strings"

// Usual is the fault that a code mostly comes with; ok is false for those that end a command and are
// never tried again by themselves. What the server says with it may make it another class.
func Usual(c Code) (f Fault, ok bool) {
	f = Fault{Code: c}
	switch c {
	case CodeTokenThrottled, CodeThrottled, CodeQuota:
		f.Class = Throttled
	case CodeTokenExpired, CodeBye:
		f.Class = SessionOver
	case CodeTokenDown, CodeTokenAnswer, CodeAuthTemporary, CodeTooManySessions, CodeServerBusy, CodeLocked, CodeConnRefused, CodeTimeout,
		CodeConnLost, CodeProtocolLimit, CodeProtocol, CodeDNS, CodeUnknown:
		f.Class = Transient
	case CodeConsent, CodeAuthRefused, CodePasswordRefused, CodeTokenOther, CodeClockOrAssertion, CodeNotAssigned, CodeAlert, CodeSecretMissing, CodeFederation,
		CodeLoginNeeded, CodeLoginEnded, CodeLoginConsent, CodeLoginClient:
		f.Class = Auth
	case CodeNewerFormat:
		f.Class = Permanent
	case CodeNotConnected, CodeMechanism, CodeNATSDenied, CodeStreamUnsafe, CodeHostUnknown,
		CodeLoginKey, CodeLoginSealed:
		f.Class = Config
	case CodeTokenRedirect:
		f.Class, f.Lasting = Config, true
	default:
		return f, f.byFamily()
	}
	return f, true
}

// byFamily is for codes whose family says it all.
func (f *Fault) byFamily() bool {
	switch family, _, _ := strings.Cut(strings.TrimPrefix(string(f.Code), "MF-"), "-"); family {
	case "TLS", "BOX":
		f.Class = Config
	case "AUTH":
		f.Class, f.Lasting = Auth, true
	case "MSG":
		f.Class = BadMessage
	case "NATS":
		f.Class = Transient
	default:
		return false
	}
	return true
}
