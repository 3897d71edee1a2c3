package rig

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// owner is the user that the server runs as and that owns its files.
type owner struct {
	user, group string
	uid, gid    int
	change      bool // we are root: files must be given away and the child must change its user
}

// whoRuns is the caller, or nobody when the caller is root: Dovecot then needs no privileges and a
// mistake in a test can do no harm.
func whoRuns() (owner, error) {
	u, err := user.Current()
	if err != nil {
		return owner{}, fmt.Errorf("look up the current user: %w", err)
	}
	root := os.Getuid() == 0
	if root {
		if u, err = user.Lookup("nobody"); err != nil {
			return owner{}, fmt.Errorf("find an unprivileged user: %w", err)
		}
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return owner{}, fmt.Errorf("look up the group of %s: %w", u.Username, err)
	}
	o := owner{user: u.Username, group: g.Name, change: root}
	if o.uid, err = strconv.Atoi(u.Uid); err != nil {
		return owner{}, fmt.Errorf("user id of %s: %w", u.Username, err)
	}
	if o.gid, err = strconv.Atoi(u.Gid); err != nil {
		return owner{}, fmt.Errorf("group id of %s: %w", u.Username, err)
	}
	return o, nil
}

// own gives one file to the server's user.
func (o owner) own(name string) error {
	if !o.change {
		return nil
	}
	return os.Lchown(name, o.uid, o.gid)
}

// ownAll gives away a folder with everything in it.
func (o owner) ownAll(dir string) error {
	if !o.change {
		return nil
	}
	return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return o.own(name)
	})
}

// mkdir makes the missing folders of dir, all of which belong to the server.
func (o owner) mkdir(dir string) error {
	if st, err := os.Stat(dir); err == nil && st.IsDir() {
		return nil
	}
	if err := o.mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return o.own(dir)
}

// longestDir leaves room below it for the longest socket that Dovecot makes: sun_path holds 108
// octets with the final zero.
const longestDir = 60

// ownFolder makes the server's folder where its user can reach it by a short path.
func ownFolder(parent string) (string, error) {
	if parent == "" {
		if parent = os.TempDir(); !reachable(parent) || len(parent) > longestDir-20 {
			parent = "/tmp"
		}
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return "", fmt.Errorf("dovecot's folder: %w", err)
	}
	if !reachable(parent) {
		return "", fmt.Errorf("dovecot's folder: %s is not open to every user: choose another Dir", parent)
	}
	dir, err := os.MkdirTemp(parent, "mfrig")
	if err != nil {
		return "", fmt.Errorf("dovecot's folder: %w", err)
	}
	if len(dir) > longestDir {
		_ = os.Remove(dir)
		return "", fmt.Errorf("dovecot's folder: %s is longer than %d octets, too long for its sockets: choose another Dir", dir, longestDir)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", fmt.Errorf("dovecot's folder: %w", err)
	}
	return dir, nil
}

// reachable reports whether every user can enter dir and all folders above it.
func reachable(dir string) bool {
	for {
		st, err := os.Stat(dir)
		if err != nil || st.Mode()&0o001 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}
