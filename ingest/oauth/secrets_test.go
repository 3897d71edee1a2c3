package oauth

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

// leaks returns what of the secrets can be seen in a value: printed in any way, or anywhere in the
// memory that it leads to.
func leaks(v any, secrets ...string) string {
	var forms []string
	for _, s := range secrets {
		b := []byte(s)
		forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b))
	}
	texts := []string{fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v)}
	texts = append(texts, reachable(reflect.ValueOf(v), map[uintptr]bool{}, 0)...)
	for _, text := range texts {
		for _, f := range forms {
			if strings.Contains(text, f) {
				return text
			}
		}
	}
	return ""
}

// reachable collects every string and byte slice that reflection finds, unexported fields included.
func reachable(v reflect.Value, seen map[uintptr]bool, depth int) (out []string) {
	if !v.IsValid() || depth > 30 {
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		return []string{v.String()}
	case reflect.Pointer, reflect.Interface:
		if v.Kind() == reflect.Pointer {
			if seen[v.Pointer()] {
				return nil
			}
			seen[v.Pointer()] = true
		}
		return reachable(v.Elem(), seen, depth+1)
	case reflect.Struct:
		for n := range v.NumField() {
			out = append(out, reachable(v.Field(n), seen, depth+1)...)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Kind() == reflect.Slice {
				return []string{string(v.Bytes())}
			}
			return nil
		}
		for n := range v.Len() {
			out = append(out, reachable(v.Index(n), seen, depth+1)...)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			out = append(out, reachable(it.Key(), seen, depth+1)...)
			out = append(out, reachable(it.Value(), seen, depth+1)...)
		}
	}
	return out
}

func TestTheLeakDetectorFindsAPlantedSecret(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, "https://host/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X", url.QueryEscape(canary))
	for _, v := range []any{fmt.Errorf("x %s", canary), &struct{ r *http.Request }{req}, []any{map[string][]byte{"k": []byte(canary)}}} {
		if leaks(v, canary) == "" {
			t.Errorf("nothing found in %T", v)
		}
	}
}

// TestAnAuthorityThatEchoesTheSecretGetsItIntoNoError plays an authority (or a proxy with its
// certificate) that puts what it was sent into everything that ends up in errors.
func TestAnAuthorityThatEchoesTheSecretGetsItIntoNoError(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("client:" + canary))
	for name, answer := range map[string]func(w http.ResponseWriter, body string){
		"in the description": func(w http.ResponseWriter, body string) {
			w.WriteHeader(401)
			write(w, `{"error":"invalid_client","error_description":%q,"correlation_id":%q,"trace_id":%q}`, "you sent "+canary, canary, body)
		},
		"in the error field": func(w http.ResponseWriter, _ string) {
			w.WriteHeader(400)
			write(w, `{"error":%q}`, canary)
		},
		"in HTML":   func(w http.ResponseWriter, body string) { write(w, "<p>%s", body) },
		"in base64": func(w http.ResponseWriter, _ string) { write(w, "Authorization: Basic %s", basic) },
		"split by control characters": func(w http.ResponseWriter, _ string) {
			write(w, "%s%s", strings.Join(strings.Split(canary, ""), "\x01"), strings.ReplaceAll(canary, " ", "\n"))
		},
		"as the content type": func(w http.ResponseWriter, body string) {
			w.Header().Set("Content-Type", strings.ReplaceAll(canary, "ü", "u"))
			write(w, "%s", body)
		},
		"as a redirect": func(w http.ResponseWriter, body string) {
			w.Header().Set("Location", "https://evil.example/?"+body)
			w.WriteHeader(307)
		},
		"as the granted scope": func(w http.ResponseWriter, _ string) {
			write(w, `{"access_token":"x","expires_in":3600,"scope":%q}`, canary)
		},
		"with a token that MSAL cannot read": func(w http.ResponseWriter, _ string) {
			write(w, `{"access_token":%q,"expires_in":3599.5}`, canary)
		},
		"as the access token": func(w http.ResponseWriter, _ string) {
			write(w, `{"access_token":%q,"expires_in":3600}`, canary)
		},
		"in a broken answer": func(w http.ResponseWriter, _ string) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			defer func() { _ = conn.Close() }()
			write(conn, "HTTP/1.1 %s\r\n\r\n", canary)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fakeAuthority(t, func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err != nil || r.PostForm.Get("client_secret") != canary {
					t.Errorf("the form is %v, %v", r.PostForm, err)
				}
				answer(w, r.PostForm.Encode())
			})
			var info RefreshInfo
			o := optionsForServer(s)
			o.Hooks.Refreshed = func(i RefreshInfo) { info = i }
			e := startEntra(t, o)
			_, err := e.Token(t.Context(), "")
			if err == nil || ingest.FaultOf(err).Code == ingest.CodeUnknown {
				t.Fatalf("error = %v", err)
			}
			ascii := strings.ReplaceAll(canary, "ü", "u")
			for _, v := range []any{err, info} {
				if text := leaks(v, canary, ascii, basic); text != "" {
					t.Errorf("the secret is in %q", text)
				}
			}
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

// TestWhatAnAuthorityGaveIsInNoError: a token that cannot be used is one all the same.
func TestWhatAnAuthorityGaveIsInNoError(t *testing.T) {
	const token = "EwBwA8l6BAAU-opaque.token~0123456789"
	for name, answer := range map[string]string{
		"as the scope":     `{"access_token":"` + token + `","expires_in":3600,"scope":"` + token + `"}`,
		"as an error":      `{"access_token":"` + token + `","error":"invalid_client","error_description":"we gave you ` + strings.ToUpper(token) + `"}`,
		"in base64":        `{"refresh_token":"` + token + `","error":"invalid_client","trace_id":"` + base64.StdEncoding.EncodeToString([]byte("x"+token)) + `"}`,
		"without an end":   `{"refresh_token":"` + token + `","access_token":"` + token,
		"as the assertion": `{"error":"invalid_client","error_description":"you sent %ASSERTION%"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var sent string
			s := fakeAuthority(t, func(w http.ResponseWriter, r *http.Request) {
				sent = r.FormValue("client_assertion")
				write(w, "%s", strings.ReplaceAll(answer, "%ASSERTION%", base64.StdEncoding.EncodeToString([]byte(sent[len(sent)-300:]))))
			})
			_, pemText, err := oauthtest.ClientCertificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			o := optionsForServer(s)
			o.Secret, o.Certificate = nil, func(context.Context) ([]byte, error) { return pemText, nil }
			_, err = startEntra(t, o).Token(t.Context(), "")
			if err == nil {
				t.Fatal("it has a token")
			}
			if text := leaks(err, token, strings.ToUpper(token), base64.StdEncoding.EncodeToString([]byte("x" + token))[4:40], base64.StdEncoding.EncodeToString([]byte(sent[len(sent)-300:]))[:100]); text != "" {
				t.Errorf("it is in %q", text)
			}
		})
	}
}

// write answers a client, which may have gone.
func write(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// fakeAuthority serves a good discovery document and leaves the token endpoint to the test.
func fakeAuthority(t *testing.T, token http.HandlerFunc) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewUnstartedServer(mux)
	mux.HandleFunc("GET /t/v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		write(w, `{"issuer":"%[1]s/t/v2.0","token_endpoint":"%[1]s/token","authorization_endpoint":"%[1]s/authorize"}`, s.URL)
	})
	mux.HandleFunc("POST /token", token)
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func optionsForServer(s *httptest.Server) EntraOptions {
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return EntraOptions{Tenant: "t", ClientID: "client", Authority: s.URL, Secret: static(canary), Common: Common{RootCAs: roots}}
}
