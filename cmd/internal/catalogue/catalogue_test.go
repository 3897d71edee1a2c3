package catalogue

import (
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailflume/ingest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// letter is the catalogue's class of a fault: Transient, Session, Configuration (tried every 15 minutes),
// Permanent (tried hourly), Message.
func letter(f ingest.Fault) string {
	switch {
	case f.Class == ingest.SessionOver:
		return "S"
	case f.Class == ingest.BadMessage:
		return "M"
	case f.Class == ingest.Permanent, f.Lasting:
		return "P"
	case f.Class == ingest.Auth, f.Class == ingest.Config:
		return "C"
	}
	return "T"
}

// want is what the catalogue asks of a row. Some numbers have several signals of different classes.
type want struct {
	class string // letters
	codes []ingest.Code
	says  string // in the error or the advice
}

func wanted() map[int]want {
	is := func(class, says string, codes ...ingest.Code) want { return want{class, codes, says} }
	return map[int]want{
		1: is("P", "Value", ingest.CodeClientSecret), 2: is("P", "certificate", ingest.CodeSecretExpired), 3: is("P", "Value", ingest.CodeClientSecret),
		4: is("P", "adminconsent?client_id="+client, ingest.CodeAppUnknown), 5: is("P", "tenant:", ingest.CodeAppUnknown), 6: is("P", "consent", ingest.CodeAppUnknown),
		7: is("P", "public client flows", ingest.CodePublicClient), 8: is("P", "client_secret:", ingest.CodePublicClient),
		9: is("P", "upload the certificate", ingest.CodeCertificate), 10: is("C", "NTP", ingest.CodeClockOrAssertion),
		11: is("P", "renew", ingest.CodeCertificate), 12: is("P", "certificate", ingest.CodeCertificate),
		13: is("C", "issuer, subject and audience", ingest.CodeFederation), 14: is("P", "audience", ingest.CodeFederation),
		15: is("P", "GUID", ingest.CodeTenantUnknown), 16: is("P", "cloud:", ingest.CodeTenantUnknown), 17: is("P", "never common", ingest.CodeTenantUnknown), 18: is("P", "tenant:", ingest.CodeTenantUnknown),
		19: is("P", "Exchange Online", ingest.CodeScope), 20: is("P", "exactly one", ingest.CodeScope),
		21: is("C", "/"+tenant+"/adminconsent", ingest.CodeConsent), 22: is("C", "IMAP.AccessAsApp", ingest.CodeConsent), 23: is("P", "licence", ingest.CodeScope),
		24: is("P", "enable it", ingest.CodeAppDisabled), 25: is("C", "assign", ingest.CodeNotAssigned),
		26: is("P", "named location", ingest.CodePolicy), 27: is("P", "security defaults", ingest.CodePolicy), 28: is("P", "app-only", ingest.CodePolicy),
		29: is("P", "address and tenant", ingest.CodeUserUnknown), 30: is("P", "sign in again", ingest.CodeSignInAgain),
		31: is("P", "sign in again", ingest.CodeRefreshToken), 32: is("P", "sign in again", ingest.CodeRefreshToken), 33: is("P", "app-only", ingest.CodeAccount),
		34: is("T", "", ingest.CodeTokenThrottled), 35: is("T", "fewer workers", ingest.CodeTokenThrottled), 36: is("T", "cached token", ingest.CodeTokenDown), 37: is("T", "trace_id", ingest.CodeTokenDown),
		38: is("P", "proxy", ingest.CodeTokenRequest), 39: is("T", "captive portal", ingest.CodeTokenAnswer),
		40: is("P", "ca_file", ingest.CodeCertUnknownCA),
		41: is("P", "authority", ingest.CodeTokenAnswer), 42: is("P", "final address", ingest.CodeTokenRedirect),
		43: is("C", "Domain-wide delegation", ingest.CodeDelegation), 44: is("P", "not suspended", ingest.CodeSubject),
		45: is("C", "NTP", ingest.CodeClockOrAssertion), 46: is("P", "publish the consent screen", ingest.CodeRefreshToken),
		68: is("P", "Add-RecipientPermission -Identity "+user+" -Trustee ", ingest.CodeSubmitRefused, ingest.CodeSubmitOff),
		47: is("C", "New-ServicePrincipal -AppId "+client, ingest.CodeAuthRefused), 48: is("C", "-PopEnabled $true", ingest.CodeAuthRefused),
		49: is("C", "Add-MailboxPermission -Identity "+user, ingest.CodeNotConnected), 50: is("S", "AccessTokenExpired", ingest.CodeBye),
		51: is("T", "89117", ingest.CodeThrottled), 52: is("S", "13", ingest.CodeBye),
		53: is("TM", "", ingest.CodeServerBusy, ingest.CodeMessageRefused), // of a message first: four of them in a row are the server's

		54: is("M", "set aside", ingest.CodeMessageRefused), 55: is("P", "IMAP", ingest.CodeTokenTooLong), 56: is("P", "fewer permissions", ingest.CodeTokenTooLong),
		57: is("C", "Invalid base64", ingest.CodeAuthRefused), 58: is("C", `"status"`, ingest.CodeAuthRefused), 59: is("P", "check address:", ingest.CodeAddress),
		60: is("T", "identity provider", ingest.CodeAuthTemporary), 61: is("TC", "close other clients", ingest.CodeTooManySessions, ingest.CodeAlert),
		62: is("T", "24 hours", ingest.CodeQuota), 63: is("CP", "browser", ingest.CodeAlert), 64: is("CP", "enabled", ingest.CodeAlert, ingest.CodeNotConnected),
		65: is("T", "session", ingest.CodeLocked), 66: is("TC", "", ingest.CodeThrottled, ingest.CodeAuthRefused),
		67: is("TPC", "", ingest.CodeAuthTemporary, ingest.CodeNotConnected, ingest.CodeAuthRefused),
		70: is("T", "port:", ingest.CodeConnRefused),
	}
}

func TestEveryRowOfTheCatalogueIsRecognised(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	wants, seen := wanted(), map[int]bool{}
	for _, r := range Rows() {
		if seen[r.N] = true; r.Where != "" {
			t.Logf("%d %s: %s", r.N, r.Name, r.Where)
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			f, err := Reproduce(t.Context(), r, key)
			if err != nil {
				t.Fatal(err)
			}
			w := wants[r.N]
			if class := letter(f.Fault); !strings.Contains(w.class, class) || !slices.Contains(w.codes, f.Fault.Code) || !strings.Contains(f.Text, w.says) {
				t.Errorf("row %d: %s %s, want %s %v with %q:\n%s", r.N, class, f.Fault.Code, w.class, w.codes, w.says, f.Text)
			}
			if r.N == 51 && f.Fault.Wait != 89117*time.Millisecond {
				t.Errorf("it waits %s", f.Fault.Wait)
			}
		})
	}
	for n := 1; n <= 70; n++ {
		if !seen[n] {
			t.Errorf("row %d is missing", n)
		}
	}
}
