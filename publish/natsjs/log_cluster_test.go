package natsjs_test

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/publish/natsjs"
)

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// startCluster starts three servers and returns them with a URL of all.
func startCluster(t *testing.T) (servers []*testServer, all string) {
	t.Helper()
	ports := []int{freePort(t), freePort(t), freePort(t)}
	var routes []*url.URL
	for _, p := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", p)})
	}
	var urls []string
	for i, p := range ports {
		srv := startServer(t, serverOptions{configure: func(o *server.Options) {
			o.ServerName = fmt.Sprintf("n%d", i)
			o.Cluster = server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: p}
			o.Routes = routes
		}})
		servers, urls = append(servers, srv), append(urls, srv.url())
	}
	return servers, strings.Join(urls, ",")
}

func TestALeaderThatGoesAwayLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	servers, all := startCluster(t)
	o := servers[0].options()
	o.URL = all
	conn := dial(t, o)
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true}); err != nil {
		t.Fatal(err)
	}
	js := servers[0].admin(t)
	st, err := js.Stream(t.Context(), natsjs.DefaultStream)
	if err != nil || st.CachedInfo().Config.Replicas != 3 {
		t.Fatalf("%v, %+v", err, st)
	}
	c := mustClaim(t, conn.Log())
	const total = 600
	for n := 1; n <= total; n++ {
		switch n {
		case 100, 200, 300: // the leader hands over
			if _, err := js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN.MAIL", nil, 5*time.Second); err != nil {
				t.Log(err)
			}
		case 400, 500: // the leader dies
			killLeader(t, servers, st.CachedInfo().Cluster.Leader)
		}
		if err := appendOne(t, c, n); err != nil {
			t.Fatalf("append %d: %v", n, err)
		}
		if n%150 == 0 {
			c = mustClaim(t, conn.Log())
			if err := c.Save(deadline(t), []byte("so far")); err != nil {
				t.Fatal(err)
			}
		}
		if n == 399 || n == 499 {
			if _, err := st.Info(deadline(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantEvents(t, conn, total)
}

// killLeader restarts the server of that name.
func killLeader(t *testing.T, servers []*testServer, leader string) {
	t.Helper()
	for _, s := range servers {
		if s.opts.ServerName == leader {
			s.stop()
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.start(t)
			}()
			t.Cleanup(func() { <-done })
		}
	}
}
