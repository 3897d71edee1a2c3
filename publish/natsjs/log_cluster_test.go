package natsjs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/publish"
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

// startCluster starts three servers and returns them with the options to connect to all of them.
func startCluster(t *testing.T) (servers []*testServer, o natsjs.Options) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a cluster")
	}
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
	o = servers[0].options()
	o.URL = strings.Join(urls, ",")
	return servers, o
}

func TestALeaderThatGoesAwayLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	servers, o := startCluster(t)
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

// On three replicas a stale write of an id that is known is answered "duplicate" before the fence is
// looked at: an owner that believed it would take another's event for its own.
func TestOwnersThatFightOverAReplicatedLogPublishEachEventOnce(t *testing.T) {
	t.Parallel()
	servers, o := startCluster(t)
	conn := dial(t, o)
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true}); err != nil {
		t.Fatal(err)
	}
	old := mustClaim(t, conn.Log())
	appendAll(t, old, 1, 3)
	young := mustClaim(t, dial(t, o).Log())
	appendAll(t, young, 4, 6)
	for _, n := range []int{3, 4, 7} { // what it wrote itself, what the other wrote, what nobody wrote
		if err := appendOne(t, old, n); !errors.Is(err, publish.ErrFenced) {
			t.Errorf("the owner before appends %d: %v", n, err)
		}
	}
	wantEvents(t, conn, 6)

	const total = 150
	var wg sync.WaitGroup
	for range 4 {
		c := dial(t, o)
		wg.Go(func() {
			for fight(t, c.Log(), total) {
				select {
				case <-time.After(time.Duration(rand.IntN(1500)) * time.Millisecond):
				case <-t.Context().Done():
				}
			}
		})
	}
	js := servers[0].admin(t)
	for range 3 {
		<-time.After(time.Second)
		if _, err := js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN.MAIL", nil, 5*time.Second); err != nil {
			t.Log(err)
		}
	}
	wg.Wait()
	wantEvents(t, conn, total)
}

func TestOneCopyInAClusterIsNoticed(t *testing.T) {
	t.Parallel()
	_, o := startCluster(t)
	for name, replicas := range map[string]int{"ONE": 1, "THREE": 3} {
		conn := dial(t, o)
		if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Name: name, Prefix: name, Replicas: replicas, Manage: true}); err != nil {
			t.Fatal(err)
		}
		if conn.Unreplicated() != (replicas == 1) {
			t.Errorf("%d replicas: unreplicated %v", replicas, conn.Unreplicated())
		}
	}
	if startServer(t, serverOptions{}).conn(t).Unreplicated() {
		t.Error("one server is no cluster")
	}
}
