//go:build !unix

package embed

import (
	"errors"
	"os"
)

// tryLock refuses: without a lock that dies with its process, two servers could write one store.
func tryLock(*os.File) error {
	return errors.New("the embedded server needs a Unix system: use an external NATS server")
}
