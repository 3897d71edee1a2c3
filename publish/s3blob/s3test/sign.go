package s3test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far a client's clock may be from ours.
const maxSkew = 15 * time.Minute

// verify checks the request's signature version 4 (header form, one chunk) and returns S3's code for
// what is wrong with it.
func (s *Server) verify(r *http.Request) string {
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return "AccessDenied"
	}
	part := map[string]string{}
	for p := range strings.SplitSeq(auth, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		part[k] = v
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	day := at.Format("20060102")
	scope := day + "/" + s.opt.Region + "/s3/aws4_request"
	switch {
	case err != nil || time.Since(at).Abs() > maxSkew:
		return "RequestTimeTooSkewed"
	case !strings.HasPrefix(part["Credential"], s.opt.AccessKey+"/"):
		return "InvalidAccessKeyId"
	case part["Credential"] != s.opt.AccessKey+"/"+scope:
		return "AuthorizationHeaderMalformed"
	}
	toSign := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + scope + "\n" + sum(canonical(r, part["SignedHeaders"]))
	key := []byte("AWS4" + s.opt.SecretKey)
	for _, step := range []string{day, s.opt.Region, "s3", "aws4_request", toSign} {
		key = mac(key, step)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(part["Signature"])) {
		return "SignatureDoesNotMatch"
	}
	return ""
}

// canonical is the request as it is signed.
func canonical(r *http.Request, signed string) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n")
	for name := range strings.SplitSeq(signed, ";") {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	b.WriteString("\n" + signed + "\n" + r.Header.Get("X-Amz-Content-Sha256"))
	return b.String()
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum(nil)
}
