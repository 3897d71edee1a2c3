package catalogue

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

// otherWords is a mail server's refusal in words that nobody has seen.
func otherWords(rules []imaptest.Rule) (out []imaptest.Rule) {
	said := regexp.MustCompile(`^((?:\{tag\}|\*) (?:NO|BAD|BYE)(?: \[[^\]]*\])?) .*\r\n$`)
	for _, r := range rules {
		r.Answers = slices.Clone(r.Answers)
		for i, a := range r.Answers {
			r.Answers[i] = said.ReplaceAllString(a, "${1} 接続できません, bitte später\r\n")
		}
		out = append(out, r)
	}
	return out
}

// variants are the same failure told otherwise: in another language, with a number that nobody knows, with that of
// another failure, and with the error field alone.
func variants(t *testing.T, r Row) (out []Row) {
	t.Helper()
	if r.IMAP != nil && r.N != 51 { // the time to wait stands in the text and nowhere else
		r.IMAP = otherWords(r.IMAP)
		return []Row{r}
	}
	var said struct{ Error string }
	if json.Unmarshal([]byte(r.Issuer.Body), &said) != nil || said.Error == "" {
		return nil
	}
	for _, body := range []string{
		fmt.Sprintf(`{"error":%q,"error_description":"Fehler AADSTS7000222: nicht möglich","error_codes":[99999999]}`, said.Error),
		fmt.Sprintf(`{"error":%q,"error_description":"AADSTS90033: retry","error_codes":[90033,7000222]}`, said.Error),
		fmt.Sprintf(`{"error":%q}`, said.Error),
		fmt.Sprintf(`{"error":%q,"error_codes":"none","correlation_id":7}`, said.Error),
	} {
		v := r
		v.Issuer.Body = body
		out = append(out, v)
	}
	return out
}

func TestADecisionHangsOnNoTextAndNoNumber(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	fault := func(t *testing.T, r Row) ingest.Fault {
		t.Helper()
		f, err := Reproduce(t.Context(), r, key)
		if err != nil {
			t.Fatal(err)
		}
		return f.Fault
	}
	seen := map[string]bool{}
	for _, r := range Rows() {
		all := variants(t, r)
		if name := fmt.Sprint(r.N, r.IMAP != nil, r.Name); len(all) == 0 || seen[name] {
			continue
		} else {
			seen[name] = true
		}
		t.Run(fmt.Sprint(r.N), func(t *testing.T) {
			t.Parallel()
			want := fault(t, r)
			for _, v := range all {
				got := fault(t, v)
				if got.Class != want.Class || r.IMAP != nil && got != want {
					t.Errorf("%s%v: %+v, want %+v", v.Issuer.Body, v.IMAP, got, want)
				}
			}
		})
	}
}
