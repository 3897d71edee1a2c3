package catalogue

import (
	"slices"

	"mailflume/ingest"
)

// codes are what an operator is told of each failure. Some have several signals, or causes that only the
// token tells apart.
func codes() map[int][]ingest.Code {
	is := func(codes ...ingest.Code) []ingest.Code { return codes }
	return map[int][]ingest.Code{
		1: is(ingest.CodeClientSecret), 2: is(ingest.CodeSecretExpired), 3: is(ingest.CodeClientSecret),
		4: is(ingest.CodeAppUnknown), 5: is(ingest.CodeAppUnknown), 6: is(ingest.CodeAppUnknown),
		7: is(ingest.CodePublicClient), 8: is(ingest.CodePublicClient),
		9: is(ingest.CodeCertificate), 10: is(ingest.CodeClockOrAssertion), 11: is(ingest.CodeCertificate), 12: is(ingest.CodeCertificate),
		13: is(ingest.CodeFederation), 14: is(ingest.CodeFederation),
		15: is(ingest.CodeTenantUnknown), 16: is(ingest.CodeTenantUnknown), 17: is(ingest.CodeTenantUnknown), 18: is(ingest.CodeTenantUnknown),
		19: is(ingest.CodeScope), 20: is(ingest.CodeScope), 21: is(ingest.CodeConsent), 22: is(ingest.CodeConsent), 23: is(ingest.CodeScope),
		24: is(ingest.CodeAppDisabled), 25: is(ingest.CodeNotAssigned), 26: is(ingest.CodePolicy), 27: is(ingest.CodePolicy), 28: is(ingest.CodePolicy),
		29: is(ingest.CodeUserUnknown), 30: is(ingest.CodeSignInAgain), 31: is(ingest.CodeRefreshToken), 32: is(ingest.CodeRefreshToken), 33: is(ingest.CodeAccount),
		34: is(ingest.CodeTokenThrottled), 35: is(ingest.CodeTokenThrottled), 36: is(ingest.CodeTokenDown), 37: is(ingest.CodeTokenDown), 38: is(ingest.CodeTokenRequest),
		39: is(ingest.CodeTokenAnswer), 40: is(ingest.CodeCertUnknownCA), 41: is(ingest.CodeTokenAnswer), 42: is(ingest.CodeTokenRedirect),
		43: is(ingest.CodeDelegation), 44: is(ingest.CodeSubject), 45: is(ingest.CodeClockOrAssertion), 46: is(ingest.CodeRefreshToken),
		47: is(ingest.CodeAuthRefused, ingest.CodeRole, ingest.CodeAudience), 48: is(ingest.CodeAuthRefused), 49: is(ingest.CodeNotConnected),
		50: is(ingest.CodeBye), 51: is(ingest.CodeThrottled), 52: is(ingest.CodeBye),
		53: is(ingest.CodeServerBusy, ingest.CodeMessageRefused), // of a message first: four of them in a row are the server's
		54: is(ingest.CodeMessageRefused), 55: is(ingest.CodeTokenTooLong), 56: is(ingest.CodeTokenTooLong), 57: is(ingest.CodeAuthRefused),
		58: is(ingest.CodeAuthRefused), 59: is(ingest.CodeAddress), 60: is(ingest.CodeAuthTemporary), 61: is(ingest.CodeTooManySessions, ingest.CodeAlert),
		62: is(ingest.CodeQuota), 63: is(ingest.CodeAlert), 64: is(ingest.CodeAlert, ingest.CodeNotConnected), 65: is(ingest.CodeLocked),
		66: is(ingest.CodeThrottled, ingest.CodeAuthRefused), 67: is(ingest.CodeAuthTemporary, ingest.CodeNotConnected, ingest.CodeAuthRefused),
		68: is(ingest.CodeSubmitRefused, ingest.CodeSubmitOff), 70: is(ingest.CodeConnRefused),
	}
}

// Codes are what an operator is told of failure n.
func Codes(n int) []ingest.Code { return codes()[n] }

// Of are the failures that a code is told of, in order.
func Of(c ingest.Code) (out []int) {
	for n, told := range codes() {
		if slices.Contains(told, c) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}
