package s3blob

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"mailflume/publish/redact"
)

// errNoKeys: requests cannot be signed. Unsigned ones are never sent in their place.
var errNoKeys = errors.New("there are no keys for S3: name a file in blobs.credentials_file, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role")

// proxy is the environment's. It is given its password, and may repeat it.
func (s *Store) proxy(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if u != nil {
		secret, _ := u.User.Password()
		s.sent.Keep(secret)
	}
	return u, err
}

// roleWait bounds one request to the service that hands out the keys of a role.
const roleWait = 5 * time.Second

// keys finds the keys: in the file that is named and nowhere else, or in the environment, the usual
// file, and the role of the container or machine, in this order. A file that is written anew is read
// anew. It implements credentials.Provider; the client's lock guards it.
type keys struct {
	file, profile, region string
	found                 credentials.Provider
	value                 credentials.Value // that found gave
	read                  fs.FileInfo       // of the file it came from
	sent                  redact.Memory
}

// RetrieveWithCredContext implements credentials.Provider.
func (k *keys) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	file := &credentials.FileAWSCredentials{Filename: k.file, Profile: k.profile}
	places := []credentials.Provider{file}
	if k.file == "" {
		places = []credentials.Provider{
			&credentials.EnvAWS{}, file, &credentials.IAM{Region: k.region, Client: &http.Client{Timeout: roleWait}},
		}
	}
	var why []error
	for _, p := range places {
		v, err := p.RetrieveWithCredContext(cc)
		if err == nil && v.AccessKeyID != "" && v.SecretAccessKey != "" {
			k.found, k.value, k.read = p, v, stat(p)
			for _, secret := range []string{v.AccessKeyID, v.SecretAccessKey, v.SessionToken} {
				k.sent.Keep(secret)
			}
			return v, nil
		}
		why = append(why, err)
	}
	if k.replaced() { // by something that is not whole yet, or never will be
		return k.value, nil
	}
	return credentials.Value{}, fmt.Errorf("%w: %w", errNoKeys, errors.Join(why...))
}

// Retrieve implements credentials.Provider.
func (k *keys) Retrieve() (credentials.Value, error) { return k.RetrieveWithCredContext(nil) }

// IsExpired implements credentials.Provider.
func (k *keys) IsExpired() bool { return k.found == nil || k.found.IsExpired() || k.replaced() }

// replaced reports whether the file that the keys came from is another one now.
func (k *keys) replaced() bool {
	now := stat(k.found)
	return k.read != nil && now != nil && (!os.SameFile(now, k.read) || !now.ModTime().Equal(k.read.ModTime()) || now.Size() != k.read.Size())
}

// stat looks at the file of a provider; nil for what is no file or not there.
func stat(p credentials.Provider) fs.FileInfo {
	file, ok := p.(*credentials.FileAWSCredentials)
	if !ok {
		return nil
	}
	info, err := os.Stat(file.Filename) // set when it was read, if it is the usual one
	if err != nil {
		return nil
	}
	return info
}
