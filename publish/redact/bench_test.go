package redact

import (
	"strings"
	"testing"
)

func BenchmarkAnError(b *testing.B) {
	var sent Memory
	for n := range remembered {
		sent.Keep("eyJ0eXAiOiJKV1QiLCJub25jZSI6" + strings.Repeat(string(rune('a'+n))+"Zm9yIHRlc3Rz", 120))
	}
	for b.Loop() {
		sent.Masker().Text(`server says NO AUTHENTICATE failed. Error="AuthFailed:LogonDenied-None-OAuthLog:AuthExc_Auth Failed. Request is throttled. Suggested Backoff Time: 89117 milliseconds`)
	}
}

func BenchmarkALogOfAMebibyte(b *testing.B) {
	m := New("eyJ0eXAiOiJKV1QiLCJub25jZSI6"+strings.Repeat("Zm9yIHRlc3Rz", 120), "Mf8Q~a-client-secret-of-entra")
	log := strings.Repeat(`{"level":"warn","mailbox":"broken-cert","tenant":"default","state":"auth_failed","code":"MF-AUTH-012","error":"token for broken-cert@example.com: MF-AUTH-012 token: no private key found","repeated":0,"retry_in":"1m3s","time":"2026-11-21T16:06:46Z","message":"mailbox in trouble"}`+"\n", 3700)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		m.Mask(log)
	}
}
