package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// setAsideSome makes a data_dir whose stream holds a message that was received, one that was set aside with its octets, one
// without, and one that was received later. It returns the configuration file and the ids.
func setAsideSome(t *testing.T, raw []byte) (file string, ids []string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "mailflume.yaml")
	must(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600))
	must(t, os.WriteFile(file, []byte("nats: {data_dir: "+dir+"/data}\ncredentials:\n  c: {type: entra, tenant: contoso.com, client_id: 1b2d0000-0000-4000-8000-000000000000, client_secret: file:"+dir+"/secret}\n"+
		"mailboxes:\n  - {id: box, address: a@contoso.com, credentials: c}\n"), 0o600))
	cfg, err := config.Load(file)
	must(t, err)
	server, err := worker.StartEmbedded(t.Context(), cfg, 0, nil)
	must(t, err)
	defer server.Shutdown()
	conn, err := natsjs.Connect(t.Context(), server.Options())
	must(t, err)
	defer conn.Close()
	must(t, conn.EnsureStream(t.Context(), natsjs.StreamConfig{Manage: true}))
	store := conn.Blobs(config.DefaultTenant, natsjs.BlobOptions{})
	must(t, store.Setup(t.Context()))
	blob, err := store.Put(t.Context(), "message/rfc822", bytes.NewReader(raw))
	must(t, err)
	key := publish.Key{Tenant: config.DefaultTenant, Mailbox: "box"}
	claim, err := conn.Log().Claim(t.Context(), key)
	must(t, err)
	add := func(kind publish.EventType, uid uint32, stored *publish.Stored) {
		at := time.Now()
		data := &publish.Data{
			Mailbox: publish.MailboxInfo{ID: "box", Tenant: config.DefaultTenant}, Folder: &publish.Folder{Path: "INBOX", UIDValidity: 1}, UID: uid, Raw: stored, ReceivedAt: &at,
		}
		id := publish.MessageID(key, "INBOX", 1, uid)
		if kind == publish.Quarantined {
			id = publish.NewID(id, string(kind), "3")
			data.Quarantine = &publish.Quarantine{Code: "MF-MSG-004", Reason: "a program error\nand its stack", Attempts: 3}
			ids = append(ids, id)
		}
		must(t, claim.Append(t.Context(), publish.NewEvent(key, kind, id, at, data), publish.Ref("INBOX;1;"+string(rune('0'+uid)))))
	}
	add(publish.Received, 1, nil)
	add(publish.Quarantined, 2, &publish.Stored{SHA256: blob.SHA256, Size: blob.Size, Ref: blob.Ref})
	add(publish.Quarantined, 3, nil)
	add(publish.Quarantined, 4, nil)
	add(publish.Received, 4, nil)
	return file, ids
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheQuarantineIsListedShownAndExported(t *testing.T) {
	t.Parallel()
	raw := []byte("Subject: odd\r\n\r\nbody\x00\xff")
	file, ids := setAsideSome(t, raw)
	code, out, errOut := call(t, "-c", file, "quarantine", "ls")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 3 || !strings.Contains(lines[1], ids[0][:10]) || !strings.Contains(lines[1], "INBOX UID 2") || !strings.Contains(lines[2], "UID 3") {
		t.Errorf("exit %d, %s\n%s", code, errOut, out)
	}
	if strings.Contains(out, "stack") {
		t.Errorf("a line tells too much:\n%s", out)
	}
	if code, _, errOut := call(t, "-c", file, "quarantine", "ls", "bax"); code != exitUsage || !strings.Contains(errOut, "did you mean box?") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
	for _, name := range []string{"default/box", "a@contoso.com", "box"} {
		if code, again, errOut := call(t, "-c", file, "quarantine", "ls", name); code != 0 || again != out {
			t.Errorf("%s: exit %d\n%s%s", name, code, again, errOut)
		}
	}
	other := filepath.Join(filepath.Dir(file), "other.yaml") // box has left the configuration
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(other, bytes.Replace(text, []byte("id: box"), []byte("id: new"), 1), 0o600))
	if code, again, errOut := call(t, "-c", other, "quarantine", "ls", "box"); code != 0 || again != out {
		t.Errorf("exit %d\n%s%s", code, again, errOut)
	}
	code, out, _ = call(t, "-c", file, "quarantine", "show", ids[0][:10])
	var ev publish.Event
	if err := json.Unmarshal([]byte(out), &ev); code != 0 || err != nil || ev.ID != ids[0] || ev.Data.Quarantine.Attempts != 3 {
		t.Errorf("exit %d, %v\n%s", code, err, out)
	}
	to := filepath.Join(t.TempDir(), "odd.eml")
	code, _, errOut = call(t, "-c", file, "quarantine", "export", ids[0], "-o", to)
	if got, err := os.ReadFile(to); code != 0 || err != nil || !bytes.Equal(got, raw) {
		t.Errorf("exit %d, %v: %q %s", code, err, got, errOut)
	}
	for _, args := range [][]string{{"export", ids[1]}, {"export", ids[2]}, {"show", "zzz"}, {"show", ""}} {
		if code, _, errOut := call(t, append([]string{"-c", file, "quarantine"}, args...)...); code == 0 || errOut == "" {
			t.Errorf("%v: exit %d, %q", args, code, errOut)
		}
	}
}
