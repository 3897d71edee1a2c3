package imapsource

import (
	"sync/atomic"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

// TestAMailboxThatWasOpenTodayIsOnlyBusy: Exchange says "authenticated but not connected" both of a right that
// is missing and of a back end that is busy.
func TestAMailboxThatWasOpenTodayIsOnlyBusy(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Now().Unix())
	refuse := &imaptest.Script{Rules: []imaptest.Rule{{Command: "EXAMINE", Answers: []string{"{tag} BAD User is authenticated but not connected.\r\n"}}}}
	src, wait := scripted(t, refuse, Options{Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	defer wait()
	try := func() ingest.Fault {
		t.Helper()
		sess := open(t, src)
		_, err := sess.Sync(t.Context(), nil)
		_ = sess.Close()
		return ingest.FaultOf(err)
	}
	if f := try(); f.Class != ingest.Config || f.Code != ingest.CodeNotConnected {
		t.Errorf("of a mailbox that was never open: %+v", f)
	}
	good, waitGood := scripted(t, &imaptest.Script{Rules: []imaptest.Rule{box1(0)}}, Options{Now: src.opt.Now})
	defer waitGood()
	sess := open(t, good)
	_, err := sess.Sync(t.Context(), nil)
	must(t, err)
	must(t, sess.Close())
	if good.opened.Load() != now.Load() {
		t.Error("an opening is not remembered")
	}
	src.opened.Store(now.Load() - int64(23*time.Hour/time.Second))
	if f := try(); f.Class != ingest.Transient || f.Code != ingest.CodeServerBusy {
		t.Errorf("of one that was open 23 hours ago: %+v", f)
	}
	now.Add(int64(2 * time.Hour / time.Second))
	if f := try(); f.Class != ingest.Config || f.Code != ingest.CodeNotConnected {
		t.Errorf("of one that was open 25 hours ago: %+v", f)
	}
}
