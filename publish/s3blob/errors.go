package s3blob

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"mailflume/publish"
)

const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 5 * time.Second
	attempt    = 2 * time.Minute // for one request: a part at 45 KB/s
)

// What the server can answer that is no failure of the store. They never leave the package alone.
var (
	errExists   = errors.New("an object of that name exists")
	errNotKnown = errors.New("the server does not know If-None-Match")
	errNoUpload = errors.New("the multipart upload is gone")
)

// persist does what may be done twice until it succeeds, is refused, or has been unavailable for too
// long. Refused keys are read anew once: they may have been rotated.
func (s *Store) persist(ctx context.Context, do func(ctx context.Context) error) error {
	until, step, refused := time.Now().Add(s.o.RetryFor), firstRetry, false
	for {
		err := s.masked(once(ctx, do))
		if err == nil || ctx.Err() != nil {
			return err
		}
		switch {
		case errors.Is(err, publish.ErrDenied) && !refused:
			refused = true
			s.keys.Expire()
			continue
		case !passes(err) || time.Now().Add(step).After(until):
			return err
		}
		if err := pause(ctx, step/2+rand.N(step/2)); err != nil {
			return err
		}
		step = min(2*step, lastRetry)
	}
}

// masked is an error without the secrets that a server may repeat of those it was sent.
func (s *Store) masked(err error) error {
	if err == nil {
		return nil
	}
	return s.sent.Masker().Error(err)
}

// once makes one attempt. The end of the caller's context is the caller's, everything else the store's.
func once(ctx context.Context, do func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	err := do(limited)
	if end := ctx.Err(); err != nil && end != nil {
		return fmt.Errorf("%w: %w", end, err)
	}
	return classify(err)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// passes reports whether waiting may cure err.
func passes(err error) bool {
	for _, final := range []error{publish.ErrDenied, publish.ErrFull, publish.ErrNotFound, errExists, errNotKnown, errNoUpload} {
		if errors.Is(err, final) {
			return false
		}
	}
	return true
}

// classify wraps an error of S3 in the sentinel that tells callers what to do; it goes by the code and
// the status of the answer, never by its text.
func classify(err error) error {
	if err == nil {
		return nil
	}
	kind := publish.ErrUnavailable
	answer, answered := errors.AsType[minio.ErrorResponse](err)
	switch status := answer.StatusCode; {
	case errors.Is(err, errNoKeys):
		kind = publish.ErrDenied
	case !answered:
	case answer.Code == minio.NoSuchUpload:
		return errNoUpload
	case answer.Code == minio.NoSuchBucket:
		err = fmt.Errorf("there is no such bucket: make it, or correct blobs.url: %w", err)
	case status == http.StatusNotFound:
		return fmt.Errorf("%w: %w", publish.ErrNotFound, err)
	case status == http.StatusPreconditionFailed:
		return errExists
	case status == http.StatusNotImplemented:
		return errNotKnown
	default:
		kind = refusal(answer)
	}
	if answered && answer.Code != "" {
		err = fmt.Errorf("%s: %w", answer.Code, err)
	}
	return fmt.Errorf("%w (%w): %w", publish.ErrBlobs, kind, err)
}

// refusal tells what a status or code that is no success means.
func refusal(answer minio.ErrorResponse) error {
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return publish.ErrDenied
	case http.StatusInsufficientStorage:
		return publish.ErrFull
	}
	switch answer.Code {
	case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "AuthorizationHeaderMalformed", "InvalidRegion", "AllAccessDisabled":
		return publish.ErrDenied // with a status of 400
	case "400 Bad Request": // the same to a HEAD, whose answer has no room for a code
		return publish.ErrDenied
	case "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull", "StorageFull", "ServiceQuotaExceededException":
		return publish.ErrFull
	}
	return publish.ErrUnavailable
}
