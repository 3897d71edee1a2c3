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
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeClientSecret}
	case "unauthorized_client":
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAppUnknown}
	case "invalid_scope", "invalid_resource", "invalid_target":
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeScope}
	case "invalid_tenant":
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTenantUnknown}
	case "consent_required", "interaction_required", "access_denied":
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeConsent}
	}
	return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenOther} // invalid_request, invalid_grant and new ones
}

type advice struct {
	numbers []int
	fault   ingest.Fault
}

// numberAdvice is Microsoft's list of AADSTS error codes, as far as an application can meet them.
func numberAdvice() []advice {
	auth := func(c ingest.Code) ingest.Fault { return ingest.Fault{Class: ingest.Auth, Code: c} }
	return []advice{
		{[]int{7000222}, auth(ingest.CodeSecretExpired)},
		{[]int{7000215, 70002, 7000218}, auth(ingest.CodeClientSecret)},
		{[]int{700016, 700011, 7000229, 70001}, auth(ingest.CodeAppUnknown)},
		{[]int{700024}, auth(ingest.CodeClockOrAssertion)},
		{[]int{70021, 700211, 700212, 700213, 7002138, 700229}, ingest.Fault{Class: ingest.Config, Code: ingest.CodeFederation}},
		{[]int{700027, 50012, 700030, 700023, 700021, 50027}, auth(ingest.CodeCertificate)},
		{[]int{90002, 900023, 900382, 900432, 90038, 9001023, 90130, 50194, 50059, 90019, 50128}, auth(ingest.CodeTenantUnknown)},
		{[]int{500011, 50001, 70011, 28002, 700022, 1002012}, auth(ingest.CodeScope)},
		{[]int{65001, 90094, 90008, 650056, 650057, 65005, 650052, 50105, 501051}, auth(ingest.CodeConsent)},
		{[]int{50196}, ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeTokenThrottled, Wait: 5 * time.Minute}}, // loop detected
		{[]int{90055}, ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeTokenThrottled}},
		{[]int{90033, 90006, 90012, 90024, 50033, 90090}, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown}},
		// Known, and best told in Microsoft's own words: public client, disabled application, Conditional Access.
		{[]int{700025, 7000112, 1000031, 53003, 530032, 50131, 530035, 7000114}, auth(ingest.CodeTokenOther)},
	}
}
