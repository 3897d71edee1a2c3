package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// S3 is what an s3: URL of the blob store says.
type S3 struct {
	Bucket, Prefix            string
	Endpoint, Region, Profile string
	PathStyle                 *bool // nil: as the endpoint is known to want it
}

// S3 reads the URL; ok is false unless it is a good one of a store on S3.
func (b *Blobs) S3() (s S3, ok bool) {
	u, err := url.Parse(b.URL)
	if err != nil || u.Scheme != "s3" {
		return S3{}, false
	}
	s, wrong, _ := parseS3(u)
	return s, wrong == ""
}

const s3Hint = "write for example s3://bucket?region=eu-central-1 or s3://bucket/prefix?endpoint=https://minio.example.com:9000"

// parseS3 reads s3://BUCKET[/PREFIX]?endpoint=…&region=…&path_style=…&profile=…, or says what is wrong
// with it and what would be right. Keys are in no URL: they are in a file, the environment or a role.
func parseS3(u *url.URL) (s S3, wrong, hint string) {
	s = S3{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(s.Bucket) {
		return s, quote(s.Bucket) + " cannot name a bucket", s3Hint
	}
	if len(s.Prefix) > 512 || s.Prefix != "" && slices.Contains(strings.Split(s.Prefix, "/"), "") {
		return s, quote(s.Prefix) + " cannot begin the keys of a bucket", s3Hint
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return s, "this is not a URL", s3Hint
	}
	style := ""
	into := map[string]*string{"endpoint": &s.Endpoint, "region": &s.Region, "profile": &s.Profile, "path_style": &style}
	known := []string{"endpoint", "region", "path_style", "profile"}
	for key, values := range query {
		to := into[key]
		if to == nil {
			return s, "unknown key " + quote(key), suggest(key, known, "there are "+oneOf(known))
		}
		if *to = values[0]; len(values) > 1 || *to == "" {
			return s, key + " needs one value", s3Hint
		}
	}
	switch {
	case style != "" && style != "true" && style != "false":
		return s, quote(style) + " is neither true nor false", "write path_style=true to put the bucket into the path, false to put it into the host name"
	case s.Endpoint == "" && s.Region == "":
		return s, "the region of the bucket is missing", "add ?region= with that of the bucket, or ?endpoint= with the URL of a server of your own"
	case s.Endpoint != "" && !validEndpoint(s.Endpoint):
		return s, "the endpoint is not a host with an optional port", "write for example endpoint=https://minio.example.com:9000"
	}
	if style != "" {
		path := style == "true"
		s.PathStyle = &path
	}
	return s, "", ""
}

// validEndpoint accepts a host with an optional port, and http: or https: before it.
func validEndpoint(text string) bool {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && validPort(u.Port())
}
