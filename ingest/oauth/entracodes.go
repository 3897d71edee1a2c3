package oauth

import (
	"slices"
	"time"

	"mailflume/ingest"
)

// refusalFault decides by the error field of RFC 6749 section 5.2. Entra's AADSTS numbers only
// choose better advice: Microsoft says that numbers and texts change. The few numbers that mean
// "wait" arrive under fields that mean "you are wrong", so these also soften the class.
func refusalFault(field string, numbers []int) ingest.Fault {
	f := byField(field)
	if f.Class == ingest.Transient {
		return f
	}
	for _, row := range numberAdvice() {
		if slices.ContainsFunc(numbers, func(n int) bool { return slices.Contains(row.numbers, n) }) {
			return row.fault
		}
	}
	return f
}

// byField reads the error field. A field that nobody knows is a refusal: an administrator must look.
func byField(field string) ingest.Fault {
	switch field {
	case "temporarily_unavailable", "server_error", "slow_down":
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown}
	case "invalid_client":
		return ours(ingest.CodeClientSecret)
	case "unauthorized_client":
		return ours(ingest.CodeAppUnknown)
	case "invalid_scope", "invalid_resource", "invalid_target":
		return ours(ingest.CodeScope)
	case "invalid_tenant":
		return ours(ingest.CodeTenantUnknown)
	case "consent_required", "interaction_required", "access_denied":
		return theirs(ingest.CodeConsent)
	}
	return theirs(ingest.CodeTokenOther) // invalid_request, invalid_grant and new ones
}

// ours is a refusal that lasts until something here changes, theirs one that an administrator of the
// tenant can end at any time.
func ours(c ingest.Code) ingest.Fault {
	return ingest.Fault{Class: ingest.Auth, Code: c, Lasting: true}
}

func theirs(c ingest.Code) ingest.Fault { return ingest.Fault{Class: ingest.Auth, Code: c} }

type advice struct {
	numbers []int
	fault   ingest.Fault
}

// numberAdvice is Microsoft's list of AADSTS error codes, as far as an application can meet them.
func numberAdvice() []advice {
	return []advice{
		{[]int{7000222}, ours(ingest.CodeSecretExpired)},
		{[]int{7000215, 70002}, ours(ingest.CodeClientSecret)},
		{[]int{700025, 7000218}, ours(ingest.CodePublicClient)},
		{[]int{700016, 700011, 7000229}, ours(ingest.CodeAppUnknown)},
		{[]int{700024}, theirs(ingest.CodeClockOrAssertion)}, // may pass: three tries first
		{[]int{70021, 700211, 700212, 700213, 7002138}, ingest.Fault{Class: ingest.Config, Code: ingest.CodeFederation}},
		{[]int{700229}, ingest.Fault{Class: ingest.Config, Code: ingest.CodeFederation, Lasting: true}}, // a user's token
		{[]int{700027, 50012, 700030, 700021, 50027}, ours(ingest.CodeCertificate)},
		{[]int{90002, 900023, 900382, 900432, 90038, 9001023, 90130, 50194, 50059, 90019, 50128}, ours(ingest.CodeTenantUnknown)},
		{[]int{500011, 50001, 70011, 28002, 700022, 700023, 1002012, 650052}, ours(ingest.CodeScope)},
		{[]int{65001, 90094, 90008, 650056, 650057, 65005}, theirs(ingest.CodeConsent)},
		{[]int{7000112, 70001, 1000031, 7000114}, ours(ingest.CodeAppDisabled)},
		{[]int{50105, 501051}, theirs(ingest.CodeNotAssigned)},
		{[]int{53003, 530032, 50131, 530035, 53000, 53001, 50005}, ours(ingest.CodePolicy)},
		{[]int{50034, 51004}, ours(ingest.CodeUserUnknown)},
		{[]int{50076, 50079, 50074, 50078}, ours(ingest.CodeSignInAgain)},
		{[]int{50173, 50133, 50132, 700082, 70008, 70043, 50089}, ours(ingest.CodeRefreshToken)},
		{[]int{50053, 50057, 50055, 50126}, ours(ingest.CodeAccount)},
		{[]int{50196}, ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeTokenThrottled, Wait: 5 * time.Minute}}, // loop detected
		{[]int{90055}, ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeTokenThrottled}},
		{[]int{90033, 90006, 90012, 90024, 50033, 90090}, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown}},
		{[]int{90036, 50000}, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown, Wait: 5 * time.Minute}},
		{[]int{900144, 90014, 9002313, 900561}, ours(ingest.CodeTokenRequest)},
	}
}
