package natsjs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// The ids are those of the fault matrix. Each test lets one fault strike in the middle of a mailbox:
// reading stops within its bound, the reason is told with its code, nothing is dropped or doubled,
// and work goes on by itself when the cause is gone.

func managed() natsjs.StreamConfig { return natsjs.StreamConfig{Manage: true} }

func TestFault_N2_TheServerDiesAndComesBack(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	p := newPlant(t, srv.options(), managed(), 120)
	p.strike(t, 50, srv.stop)
	p.stands(t, publish.ErrUnavailable, ingest.CodeNATSDown)
	srv.start(t)
	p.goesOn(t)
	waitFor(t, p.told, nil)
	p.note(t, "N2", "NATS is stopped in the middle of publishing, and started again", "reading stops within 8 messages; publishing goes on by itself")
}

func TestFault_N6_TheConnectionIsHalfOpen(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	proxy := startProxy(t, srv.url())
	o := srv.options()
	o.URL, o.PublishTimeout = proxy.URL(), 300*time.Millisecond
	p := newPlant(t, o, managed(), 120)
	p.strike(t, 50, func() { proxy.swallow(true) })
	p.stands(t, publish.ErrUnavailable, ingest.CodeNATSDown)
	proxy.swallow(false)
	p.goesOn(t)
	p.note(t, "N6", "the connection to NATS is half-open: nothing comes through any more", "as N2")
}

func TestFault_N4_N5_TheLeaderDiesThenTheMajority(t *testing.T) {
	t.Parallel()
	servers, o := startCluster(t)
	p := newPlant(t, o, managed(), 200)
	leader := servers[0].stream(t).CachedInfo().Cluster.Leader
	var down []*testServer // the leader first
	p.strike(t, 50, func() {
		for _, s := range servers { // the leader, and with the second one the majority
			if s.opts.ServerName == leader {
				down = append([]*testServer{s}, down...)
			} else {
				down = append(down, s)
			}
		}
		down[0].stop()
		down[1].stop()
	})
	p.stands(t, publish.ErrUnavailable, ingest.CodeNATSDown)
	down[1].start(t) // two of three are a majority: a new leader is chosen
	p.goesOn(t)
	down[0].start(t)
	p.note(t, "N5", "cluster of three: two stop, one comes back", "nothing is fetched without a majority, then publishing goes on")
}

func TestFault_N7_TheStreamIsDeleted(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	if err := srv.conn(t).EnsureStream(deadline(t), managed()); err != nil {
		t.Fatal(err)
	}
	p := newPlant(t, srv.options(), natsjs.StreamConfig{}, 120) // a managed one is made again: TestAStreamThatIsDeletedIsMadeAndFilledAgain
	js := srv.admin(t)
	p.strike(t, 50, func() {
		if err := js.DeleteStream(context.Background(), natsjs.DefaultStream); err != nil {
			t.Error(err)
		}
	})
	if why := p.stands(t, publish.ErrUnavailable, ingest.CodeNATSDown); !strings.Contains(why.Error(), "stream MAIL was deleted") {
		t.Errorf("the reason is %v", why)
	}
	if err := srv.conn(t).EnsureStream(deadline(t), managed()); err != nil { // a person
		t.Fatal(err)
	}
	p.goesOn(t) // what was lost with it is read again
	p.note(t, "N7", "the stream is deleted", "the state says so; when the stream is there again, all of it is read again from the mailbox")
}

func TestFault_N14_TheTailIsLost(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	p := newPlant(t, srv.options(), managed(), 120)
	st := srv.stream(t)
	p.strike(t, 70, func() {
		info, err := st.Info(context.Background())
		for seq := uint64(0); err == nil && seq < 20; seq++ {
			err = st.DeleteMsg(context.Background(), info.State.LastSeq-seq)
		}
		if err != nil {
			t.Error(err)
		}
	})
	p.goesOn(t)
	if n := p.delivered.Load(); n < 120+10 {
		t.Errorf("%d messages were published: the lost ones were not read again", n)
	}
	p.note(t, "N14", "the last 20 messages of the log are lost", "the owner finds out, claims anew, and reads them again")
}

func TestFault_N15_AnOutageOutlastsTheDuplicateWindow(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	proxy := startProxy(t, srv.url())
	_, err := srv.admin(t).CreateStream(t.Context(), jetstream.StreamConfig{Name: natsjs.DefaultStream, Subjects: []string{"mail.v1.>"}, Duplicates: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	o := srv.options()
	o.URL, o.PublishTimeout = proxy.URL(), 200*time.Millisecond
	p := newPlant(t, o, managed(), 120)
	p.strike(t, 50, func() { // it is stored, its answer is lost, and the server forgets its id meanwhile
		proxy.swallow(true)
		time.AfterFunc(600*time.Millisecond, func() { proxy.swallow(false) })
	})
	p.goesOn(t)
	p.note(t, "N15", "an acknowledgement is lost for longer than the duplicate window", "the log says whether it landed; the fence keeps a copy out")
}
