package rig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

var (
	errUser   = errors.New("a user's name is lower-case ASCII without spaces, colons or slashes; a password has no colon and no line break")
	errFolder = errors.New("a folder's name has no dot, no empty level and no control character")
)

// AddUser makes a mailbox, or changes its password. It works while the server runs.
func (d *Dovecot) AddUser(name, password string) error {
	bad := strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' || r == '/' || r >= 'A' && r <= 'Z' })
	if bad || name == "" || name[0] == '.' || strings.ContainsAny(password, ":\r\n\x00") {
		return fmt.Errorf("add user %q: %w", name, errUser)
	}
	if _, err := d.maildir(name, ""); err != nil {
		return fmt.Errorf("add user %q: %w", name, err)
	}
	d.users[name] = password
	var b bytes.Buffer
	for user, pw := range d.users {
		// passwd(5) with the scheme in front: user:password:uid:gid:gecos:home:shell:extra
		fmt.Fprintf(&b, "%s:{PLAIN}%s::::%s::\n", user, pw, filepath.Dir(d.MailDir(user)))
	}
	tmp := d.path("users.new")
	err := os.WriteFile(tmp, b.Bytes(), 0o600)
	if err == nil {
		err = d.owner.own(tmp)
	}
	if err == nil {
		err = os.Rename(tmp, d.path("users"))
	}
	if err != nil {
		return fmt.Errorf("add user %q: %w", name, err)
	}
	return nil
}

// MailDir is the folder of a user's INBOX.
func (d *Dovecot) MailDir(user string) string { return filepath.Join(d.dir, "mail", user, "Maildir") }

// Deliver stores msg in a user's folder ("" or INBOX, or a path with slashes; missing ones are
// made) as received at when. It returns the file, which keeps its name until its flags change.
// The octets should have CRLF line ends: Dovecot sends a bare LF as CRLF.
func (d *Dovecot) Deliver(user, folder string, msg []byte, when time.Time) (path string, err error) {
	dir, err := d.maildir(user, folder)
	if err != nil {
		return "", fmt.Errorf("deliver to %s: %w", user, err)
	}
	tmp, err := os.CreateTemp(filepath.Join(dir, "tmp"), "deliver")
	if err != nil {
		return "", fmt.Errorf("deliver to %s: %w", user, err)
	}
	_, err = tmp.Write(msg)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return "", fmt.Errorf("deliver to %s: %w", user, errors.Join(err, os.Remove(tmp.Name())))
	}
	wire := len(msg) + bytes.Count(msg, []byte("\n")) - bytes.Count(msg, []byte("\r\n"))
	return d.place(tmp.Name(), dir, int64(len(msg)), int64(wire), when)
}

// place moves a written file to its name. S= is its size on disk and W= that on the wire: with
// both in the name Dovecot opens no file to answer STAT, LIST and RFC822.SIZE. The name begins with
// the time because the order of names is the order in which new mail is given its UIDs.
func (d *Dovecot) place(tmp, dir string, size, wire int64, when time.Time) (string, error) {
	unique := strings.NewReplacer(".", "", ",", "", ":", "").Replace(filepath.Base(tmp))
	name := filepath.Join(dir, "cur", fmt.Sprintf("%d.M%06dP%s.mfrig,S=%d,W=%d:2,", when.Unix(), when.Nanosecond()/1000, unique, size, wire))
	err := os.Chtimes(tmp, when, when)
	if err == nil {
		err = os.Chmod(tmp, 0o644)
	}
	if err == nil {
		err = d.owner.own(tmp)
	}
	if err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		return "", fmt.Errorf("store a message: %w", err)
	}
	return name, nil
}

// maildir makes a folder's three folders (Maildir++) and returns the one above them.
func (d *Dovecot) maildir(user, folder string) (string, error) {
	dir := d.MailDir(user)
	if folder != "" && !strings.EqualFold(folder, "INBOX") {
		levels := strings.Split(folder, "/")
		bad := func(s string) bool {
			return s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '.' })
		}
		if slices.ContainsFunc(levels, bad) {
			return "", fmt.Errorf("folder %q: %w", folder, errFolder)
		}
		for i := range levels {
			levels[i] = mutf7(levels[i])
		}
		dir = filepath.Join(dir, "."+strings.Join(levels, "."))
	}
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := d.owner.mkdir(filepath.Join(dir, sub)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// mutf7 encodes a folder's name as IMAP and Maildir++ do (RFC 3501 section 5.1.3).
func mutf7(s string) string {
	var out strings.Builder
	var wide []rune
	flush := func() {
		if len(wide) == 0 {
			return
		}
		var b []byte
		for _, u := range utf16.Encode(wide) {
			b = append(b, byte(u>>8), byte(u))
		}
		out.WriteString("&" + strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(b), "/", ",") + "-")
		wide = wide[:0]
	}
	for _, r := range s {
		if r < ' ' || r > '~' {
			wide = append(wide, r)
			continue
		}
		flush()
		out.WriteRune(r)
		if r == '&' {
			out.WriteByte('-')
		}
	}
	flush()
	return out.String()
}
