package oauth

import (
	"testing"
	"time"

	"mailflume/ingest"
)

// fields are those of RFC 6749 section 5.2, RFC 8628, RFC 8707 and Entra, and one that is new.
func fields() []string {
	return []string{
		"invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type", "invalid_resource", "invalid_target",
		"invalid_tenant", "temporarily_unavailable", "server_error", "slow_down", "access_denied", "consent_required", "interaction_required", "login_required", "brand_new",
	}
}

func TestNumbersOfEntraChooseTheAdviceAndNothingElse(t *testing.T) {
	for g := grantEntra; g <= grantSignIn; g++ {
		for _, field := range fields() {
			want := g.refusal(field, nil, 0)
			for _, row := range numberAdvice() {
				for _, n := range append(row.numbers, 99999999) {
					got := g.refusal(field, []int{n}, 0)
					if got.Class != want.Class || got.Wait != 0 || want.Class == ingest.Transient && got != want {
						t.Errorf("grant %d, %s with AADSTS%d: %+v, without %+v", g, field, n, got, want)
					}
				}
			}
		}
	}
}

func TestARefusedClientIsToldOfWhatItSent(t *testing.T) {
	for _, c := range []struct {
		grant   grant
		skew    time.Duration
		numbers []int
		code    ingest.Code
		lasting bool
	}{
		{grant: grantEntra, code: ingest.CodeClientSecret, lasting: true},
		{grant: grantEntra, skew: time.Hour, code: ingest.CodeClientSecret, lasting: true}, // a secret knows no time
		{grant: grantClient, code: ingest.CodeClientSecret, lasting: true},
		{grant: grantCertificate, code: ingest.CodeCertificate, lasting: true},
		{grant: grantCertificate, skew: -time.Hour, code: ingest.CodeClockOrAssertion},
		{grant: grantCertificate, numbers: []int{700016}, code: ingest.CodeAppUnknown, lasting: true},
		{grant: grantFederated, code: ingest.CodeFederation},
		{grant: grantFederated, skew: time.Hour, code: ingest.CodeClockOrAssertion},
		{grant: grantFederated, numbers: []int{700229}, code: ingest.CodeFederation, lasting: true},
	} {
		got := c.grant.refusal("invalid_client", c.numbers, c.skew)
		if want := (ingest.Fault{Class: ingest.Auth, Code: c.code, Lasting: c.lasting}); got != want {
			t.Errorf("grant %d, skew %v, %v: %+v, want %+v", c.grant, c.skew, c.numbers, got, want)
		}
	}
}
