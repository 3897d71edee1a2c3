package oauth

import (
	"slices"
	"time"

	"mailflume/ingest"
)

// advice is what a number of Entra's adds to a refusal.
type advice struct {
	numbers []int
	code    ingest.Code
	lasting bool          // nothing but a change on this side ends it
	wait    time.Duration // at least
}

// adviceFor finds the first row that has one of the numbers.
func adviceFor(numbers []int) (advice, bool) {
	rows := numberAdvice()
	i := slices.IndexFunc(rows, func(row advice) bool {
		return slices.ContainsFunc(numbers, func(n int) bool { return slices.Contains(row.numbers, n) })
	})
	if i < 0 {
		return advice{}, false
	}
	return rows[i], true
}

// numberAdvice is Microsoft's list of AADSTS error codes, as far as an application can meet them.
func numberAdvice() []advice {
	const lasting = true
	return []advice{
		{[]int{7000222}, ingest.CodeSecretExpired, lasting, 0},
		{[]int{7000215, 70002}, ingest.CodeClientSecret, lasting, 0},
		{[]int{700025, 7000218}, ingest.CodePublicClient, lasting, 0},
		{[]int{700016, 700011, 7000229}, ingest.CodeAppUnknown, lasting, 0},
		{[]int{700024}, ingest.CodeClockOrAssertion, false, 0},
		{[]int{70021, 700211, 700212, 700213, 7002138}, ingest.CodeFederation, false, 0},
		{[]int{700229}, ingest.CodeFederation, lasting, 0}, // a user's token
		{[]int{700027, 50012, 700030, 700021, 50027}, ingest.CodeCertificate, lasting, 0},
		{[]int{90002, 900023, 900382, 900432, 90038, 9001023, 90130, 50194, 50059, 90019, 50128}, ingest.CodeTenantUnknown, lasting, 0},
		{[]int{500011, 50001, 70011, 28002, 700022, 700023, 1002012, 650052}, ingest.CodeScope, lasting, 0},
		{[]int{65001, 90094, 90008, 650056, 650057, 65005}, ingest.CodeConsent, false, 0},
		{[]int{7000112, 70001, 1000031, 7000114}, ingest.CodeAppDisabled, lasting, 0},
		{[]int{50105, 501051}, ingest.CodeNotAssigned, false, 0},
		{[]int{53003, 530032, 50131, 530035, 53000, 53001, 50005}, ingest.CodePolicy, lasting, 0},
		{[]int{50034, 51004}, ingest.CodeUserUnknown, lasting, 0},
		{[]int{50076, 50079, 50074, 50078}, ingest.CodeSignInAgain, lasting, 0},
		{[]int{50173, 50133, 50132, 700082, 70008, 70043, 50089}, ingest.CodeRefreshToken, lasting, 0},
		{[]int{50053, 50057, 50055, 50126}, ingest.CodeAccount, lasting, 0},
		{[]int{50196}, ingest.CodeTokenThrottled, false, 5 * time.Minute}, // loop detected
		{[]int{90055}, ingest.CodeTokenThrottled, false, 0},
		{[]int{90033, 90006, 90012, 90024, 50033, 90090}, ingest.CodeTokenDown, false, 0},
		{[]int{90036, 50000}, ingest.CodeTokenDown, false, 5 * time.Minute},
		{[]int{900144, 90014, 9002313, 900561}, ingest.CodeTokenRequest, lasting, 0},
	}
}
