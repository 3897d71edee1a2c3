package natsjs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/publish"
	"mailflume/publish/logtest"
)

// blobCluster starts three servers and returns their URLs.
func blobCluster(t *testing.T) string {
	t.Helper()
	var routes []*url.URL
	var ports []int
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		ports = append(ports, port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var urls []string
	var servers []*server.Server
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("s%d", i), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		if !s.ReadyForConnections(20 * time.Second) {
			t.Fatal("the cluster did not start")
		}
		urls = append(urls, s.ClientURL())
	}
	return strings.Join(urls, ",")
}

func TestLeaderChangesLoseAndDoubleNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	t.Parallel()
	urls := blobCluster(t)
	b := quickConn(t, urls, time.Second).Blobs("contoso", BlobOptions{RetryFor: time.Minute})
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := b.c.js.Stream(t.Context(), b.streamName()); err != nil || s.CachedInfo().Config.Replicas != 3 {
		t.Fatalf("a bucket made in a cluster has one place only: %v, %v", s, err)
	}
	changes := 0
	stepDown := func() {
		if b.api(context.Background(), "STREAM.LEADER.STEPDOWN", struct{}{}, &struct{}{}) == nil {
			changes++
		}
	}
	for i, size := range []int{10_000, 900_000, 6 << 20, 1000, 3 << 20, 10 << 20} {
		data := someOctets(size, byte(i))
		if _, err := b.Put(t.Context(), "", &hookReader{r: bytes.NewReader(data), n: size / 2, at: stepDown}); err != nil {
			t.Errorf("%d octets: %v", size, err)
			continue
		}
		logtest.CheckBlob(t, b, data)
	}
	if changes < 4 {
		t.Errorf("the leader changed %d times only", changes)
	}
	clean(t, b)
}

func TestAWorkerNeedsNoMoreThanItsPermissions(t *testing.T) {
	t.Parallel()
	s := blobServer(t, func(o *server.Options) {
		allow := []string{"$O.mailflume-contoso.>", "$JS.API.DIRECT.GET.OBJ_mailflume-contoso", "$JS.API.DIRECT.GET.OBJ_mailflume-contoso.>"}
		for _, verb := range []string{"INFO", "MSG.GET", "MSG.DELETE", "PURGE"} {
			allow = append(allow, "$JS.API.STREAM."+verb+".OBJ_mailflume-contoso")
		}
		o.Users = []*server.User{
			{Username: "admin", Password: "x"},
			{Username: "worker", Password: "x", Permissions: &server.Permissions{
				Publish: &server.SubjectPermission{Allow: allow}, Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
			}},
		}
	})
	url := func(user string) string { return fmt.Sprintf("nats://%s:x@%s", user, s.Addr()) }
	worker := quickConn(t, url("worker"), 500*time.Millisecond)
	b := worker.Blobs("contoso", BlobOptions{RetryFor: time.Second, MaxAge: 24 * time.Hour})
	if _, err := b.Put(t.Context(), "", strings.NewReader("no bucket")); !errors.Is(err, publish.ErrDenied) {
		t.Errorf("a put that would have to make the bucket = %v, want ErrDenied", err)
	}
	if err := blobConn(t, url("admin")).Blobs("contoso", BlobOptions{MaxAge: 24 * time.Hour}).Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1000, 2 << 20} {
		data := someOctets(size, 1)
		mustPut(t, b, data)
		age(t, b, 13*time.Hour) // so that the next one purges
		mustPut(t, b, data)
		logtest.CheckBlob(t, b, data)
		age(t, b, -13*time.Hour)
	}
	if _, err := b.Sweep(t.Context(), 0); err != nil {
		t.Error(err)
	}
	clean(t, blobConn(t, url("admin")).Blobs("contoso", BlobOptions{}))
	if err := worker.deniedSince(time.Now().Add(-time.Hour)); err == nil {
		t.Error("making the bucket was not denied")
	}
}
