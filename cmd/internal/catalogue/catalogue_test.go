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
	says  string // in the error or the advice
}

func wanted() map[int]want {
	is := func(class, says string) want { return want{class, says} }
	return map[int]want{
		1: is("P", "Value"), 2: is("P", "certificate"), 3: is("P", "Value"),
		4: is("P", "adminconsent?client_id="+client), 5: is("P", "tenant:"), 6: is("P", "consent"),
		7: is("P", "public client flows"), 8: is("P", "client_secret:"),
		9: is("P", "SHA-256"), 10: is("C", "NTP"),
		11: is("P", "renew"), 12: is("P", "certificate"),
		13: is("C", "issuer, subject and audience"), 14: is("P", "audience api://AzureADTokenExchange"),
		15: is("P", "GUID"), 16: is("P", "cloud:"), 17: is("P", "never common"), 18: is("P", "tenant:"),
		19: is("P", "Exchange Online"), 20: is("P", "exactly one"),
		21: is("C", "/"+tenant+"/adminconsent"), 22: is("C", "IMAP.AccessAsApp"), 23: is("P", "licence"),
		24: is("P", "enable it"), 25: is("C", "assign"),
		26: is("P", "named location"), 27: is("P", "security defaults"), 28: is("P", "app-only"),
		29: is("P", "address and tenant"), 30: is("P", "sign in again"),
		31: is("P", "sign in again"), 32: is("P", "sign in again"), 33: is("P", "app-only"),
		34: is("T", ""), 35: is("T", "fewer workers"), 36: is("T", "cached token"), 37: is("T", "trace_id"),
		38: is("P", "proxy"), 39: is("T", "captive portal"),
		40: is("P", "ca_file"),
		41: is("P", "authority"), 42: is("P", "final address"),
		43: is("C", "Domain-wide delegation"), 44: is("P", "not suspended"),
		45: is("C", "NTP"), 46: is("P", "publish the consent screen"),
		68: is("P", "Add-RecipientPermission -Identity "+user+" -Trustee "),
		47: is("C", "New-ServicePrincipal -AppId "+client), 48: is("C", "-PopEnabled $true"),
		49: is("C", "Add-MailboxPermission -Identity "+user), 50: is("S", "AccessTokenExpired"),
		51: is("T", "89117"), 52: is("S", "13"),
		53: is("TM", ""),
		54: is("M", "set aside"), 55: is("P", "IMAP"), 56: is("P", "fewer permissions"),
		57: is("C", "Invalid base64"), 58: is("C", `"status"`), 59: is("P", "check address:"),
		60: is("T", "identity provider"), 61: is("TC", "close other clients"),
		62: is("T", "24 hours"), 63: is("CP", "browser"), 64: is("CP", "enabled"),
		65: is("T", "session"), 66: is("TC", ""),
		67: is("TPC", ""),
		70: is("T", "port:"),
	}
}

// says are the words for rows whose advice is not that of their number.
func says() map[string]string {
	return map[string]string{
		"a token without roles":       "adminconsent?client_id=" + client,
		"a token for Microsoft Graph": "set scope: https://outlook.office365.com/.default",
	}
}

func TestEveryRowOfTheCatalogueIsRecognised(t *testing.T) {
	t.Parallel()
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
			if words, ok := says()[r.Name]; ok {
				w.says = words
			}
			if class := letter(f.Fault); !strings.Contains(w.class, class) || !slices.Contains(Codes(r.N), f.Fault.Code) || !strings.Contains(f.Text, w.says) {
				t.Errorf("row %d: %s %s, want %s %v with %q:\n%s", r.N, class, f.Fault.Code, w.class, Codes(r.N), w.says, f.Text)
			}
			if !slices.Contains(Codes(r.N), f.Worker.Code) {
				t.Errorf("row %d: a worker tells of %s", r.N, f.Worker.Code)
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

func TestEachCodeKnowsTheFailuresThatItIsToldOf(t *testing.T) {
	for n := 1; n <= 70; n++ {
		for _, c := range Codes(n) {
			if meaning, _ := ingest.Explain(c); meaning == "" || !slices.Contains(Of(c), n) || !slices.IsSorted(Of(c)) {
				t.Errorf("%s, of failure %d, is told of %v", c, n, Of(c))
			}
		}
	}
}
