package worker

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mailflume/publish/natsjs/embed"
)

// identity is as whom a worker announces itself. A worker that was killed and started again has the same one,
// so it goes on with its mailboxes at once; two that run beside each other never have.
type identity struct {
	name string
	mark string // of the lock: who had it before is dead
	lock *os.File
}

// maxBeside is how many workers may share a data directory.
const maxBeside = 64

// identify gives a worker its name. That of a worker without one is the host's and what the first free lock in
// the data directory holds; the kernel frees the lock of a process that has ended, however that was. Where
// nothing can be locked the name is the host's and the process's, and its successor waits for the last beat
// to expire. A worker's name that somebody chose has a lock of its own.
func identify(dir, chosen string) (identity, error) {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "worker"
	}
	id := identity{name: cmp.Or(chosen, fmt.Sprintf("%s-%d", host, os.Getpid()))}
	dir = filepath.Join(dir, "workers")
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return id, err
	}
	if chosen != "" {
		err = id.take(filepath.Join(dir, chosen))
		return id, err
	}
	for n := 1; n <= maxBeside; n++ {
		if err = id.take(filepath.Join(dir, fmt.Sprint("#", n))); !errors.Is(err, embed.ErrLocked) {
			break
		}
	}
	if err == nil {
		id.name = host + "-" + strings.ToLower(id.mark[:4])
	}
	return id, err
}

// take locks the file and reads its mark, which is drawn when the file is new.
func (id *identity) take(path string) error {
	lock, err := embed.Lock(path)
	if err != nil {
		return err
	}
	mark := rand.Text()
	old, err := io.ReadAll(io.LimitReader(lock, 1024))
	if text := strings.TrimSpace(string(old)); len(text) == len(mark) {
		mark = text
	} else if err == nil {
		_, err = lock.WriteAt([]byte(mark+"\n"), 0)
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	id.mark, id.lock = mark, lock
	return nil
}
