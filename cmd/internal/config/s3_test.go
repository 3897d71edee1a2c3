package config

import "testing"

func TestAnS3URLNamesBucketPrefixAndServer(t *testing.T) {
	yes := true
	for url, want := range map[string]S3{
		"s3://mail?region=eu-central-1":                  {Bucket: "mail", Region: "eu-central-1"},
		"s3://mail/a/b/?endpoint=minio.example.com:9000": {Bucket: "mail", Prefix: "a/b", Endpoint: "minio.example.com:9000"},
		"s3://mail?endpoint=http://127.0.0.1:9000&region=r&path_style=true&profile=p": {
			Bucket: "mail", Endpoint: "http://127.0.0.1:9000", Region: "r", Profile: "p", PathStyle: &yes,
		},
	} {
		got, ok := (&Blobs{URL: url}).S3()
		if ok && want.PathStyle != nil && got.PathStyle != nil && *got.PathStyle == *want.PathStyle {
			got.PathStyle = want.PathStyle
		}
		if !ok || got != want {
			t.Errorf("%s: %+v, %t", url, got, ok)
		}
	}
	for _, url := range []string{
		"nats:", "file:///blobs", "s3:", "s3://?region=r", "s3://mail", "s3://mail?region=r&region=s", "s3://mail?region=", "s3://mail?region=r&sse=yes",
		"s3://mail?endpoint=ftp://x", "s3://mail?endpoint=https://x:99999", "s3://mail?endpoint=https://k:s@x", "s3://mail?region=%zz",
	} {
		if got, ok := (&Blobs{URL: url}).S3(); ok {
			t.Errorf("%s is accepted: %+v", url, got)
		}
	}
}
