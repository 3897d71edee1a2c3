package oauthtest

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDovecotTakesTheIssuersTokens runs a real Dovecot 2.3 that validates tokens with the issuer's
// key, and one that asks the issuer.
func TestDovecotTakesTheIssuersTokens(t *testing.T) {
	bin, err := exec.LookPath("dovecot")
	version := ""
	if err == nil {
		out, _ := exec.Command(bin, "--version").Output()
		version = string(out)
	}
	if !strings.HasPrefix(version, "2.3.") { // another version has another configuration language
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatalf("no Dovecot 2.3 on this machine: %q, %v", version, err)
		}
		t.Skipf("no Dovecot 2.3 on this machine: %q, %v", version, err)
	}
	i, _ := start(t, Options{Secret: "introspect", Host: "localhost"})
	for _, mode := range []string{"local", "post"} {
		t.Run(mode, func(t *testing.T) {
			d := startDovecot(t, bin, i, mode)
			revoked := i.Mint(MintOptions{})
			i.Revoke(revoked)
			for _, c := range []struct {
				name, token string
				ok          bool
			}{
				{"an application's token", i.Mint(MintOptions{ClientID: "app", Tenant: "t"}), true},
				{"expired", i.Mint(MintOptions{TTL: -time.Minute}), false},
				{"not yet valid", i.Mint(MintOptions{NotBefore: time.Hour}), false},
				{"another key", i.Mint(MintOptions{BadSignature: true}), false},
				{"another issuer", i.Mint(MintOptions{Issuer: "https://evil.example"}), false},
				{"revoked", revoked, mode == "local"}, // only the issuer knows
			} {
				if got := d.xoauth2(t, "box@example.test", c.token); strings.HasPrefix(got, "a OK") != c.ok {
					t.Errorf("%s: Dovecot says %q\n%s", c.name, got, d.log())
				}
			}
		})
	}
}

type dovecot struct{ dir, addr string }

func (d dovecot) log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "log")) // for a failure's text only
	return string(b)
}

func startDovecot(t *testing.T, bin string, i *Issuer, mode string) dovecot {
	t.Helper()
	dir, err := os.MkdirTemp("", "dovecot") //nolint:usetesting // another user must reach it, by a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	user, attr := "nobody", &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		attr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	} else {
		user = string(must(exec.Command("id", "-un").Output()))
	}
	d := dovecot{dir: dir, addr: freeAddr(t)}
	if err := i.WriteDovecotKey(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "ca.pem"), string(i.CAPEM()))
	writeFile(t, filepath.Join(dir, "oauth2.conf"), oauth2Conf(dir, i, mode))
	writeFile(t, filepath.Join(dir, "dovecot.conf"), dovecotConf(dir, d.addr, strings.TrimSpace(user)))
	if attr.Credential != nil {
		if err := chownAll(dir, 65534); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), bin, "-F", "-c", filepath.Join(dir, "dovecot.conf"))
	cmd.SysProcAttr = attr
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has ended: it was told to stop
	return d
}

func oauth2Conf(dir string, i *Issuer, mode string) string {
	conf := "username_attribute = upn\nusername_format = " + AppOnly + "\n"
	if mode == "local" {
		return conf + "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix=" + dir + "/keys/\nissuers = " + i.URL() + "\n"
	}
	return conf + "introspection_mode = post\nforce_introspection = yes\nactive_attribute = active\nactive_value = true\n" +
		"introspection_url = " + strings.Replace(i.URL(), "https://", "https://dovecot:"+i.Secret()+"@", 1) + "/introspect\n" +
		"tls_ca_cert_file = " + dir + "/ca.pem\n"
}

func dovecotConf(dir, addr, user string) string {
	_, port, _ := net.SplitHostPort(addr) // made by freeAddr
	return fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
auth_debug = yes
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = %[3]s
default_internal_group = %[4]s
default_login_user = %[3]s
first_valid_uid = 1
auth_mechanisms = xoauth2
auth_failure_delay = 0
mail_location = maildir:%[1]s/mail/%%u
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = %[1]s/oauth2.conf
}
userdb {
  driver = static
  args = uid=%[3]s gid=%[4]s home=%[1]s/home
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[2]s
  }
  inet_listener imaps {
    port = 0
  }
}
service stats {
  chroot =
}
`, dir, port, user, groupOf(user))
}

func groupOf(user string) string {
	return strings.TrimSpace(string(must(exec.Command("id", "-gn", user).Output())))
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func chownAll(dir string, id int) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, id, id)
	})
}

// xoauth2 signs in and returns the tagged answer.
func (d dovecot) xoauth2(t *testing.T, user, token string) string {
	t.Helper()
	conn := d.dial(t)
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	if !lines.Scan() { // the greeting comes when the auth process is ready
		t.Fatalf("no greeting\n%s", d.log())
	}
	ir := base64.StdEncoding.EncodeToString([]byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01"))
	if _, err := fmt.Fprintf(conn, "a AUTHENTICATE XOAUTH2 %s\r\n", ir); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "+"): // the error as JSON: answered with an empty line
			if _, err := fmt.Fprint(conn, "\r\n"); err != nil {
				t.Fatal(err)
			}
		case strings.HasPrefix(line, "a "):
			return line
		}
	}
	t.Fatalf("Dovecot ended the connection\n%s", d.log())
	return ""
}

func (d dovecot) dial(t *testing.T) net.Conn {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		conn, err := net.Dial("tcp", d.addr)
		if err == nil {
			return conn
		}
		if time.Now().After(deadline) {
			t.Fatalf("Dovecot does not listen: %v\n%s", err, d.log())
		}
		<-time.After(20 * time.Millisecond)
	}
}
