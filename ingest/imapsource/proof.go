package imapsource

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"slices"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
	"mailflume/publish"
)

// A server that was set back to an earlier state gives UIDs out again, and once it has got as much new
// mail as it lost, no number tells. But then every UID above that state is another message. So a folder
// remembers the octets of some that were published: the last ones, and farther back ever fewer. The first
// look of a session, and one every hour, lists them. A size that is not theirs may be an estimate
// (Exchange): there the octets are read again. That is one message at most, and once per process.
const (
	maxProofs   = 16
	newProofs   = 8       // the last ones are all kept
	proofOctets = 4 << 20 // a larger message is not read again
)

// proof is a message as it was published: which octets its UID is for.
type proof struct {
	uid  uint32
	size int64
	sum  [8]byte
}

func proofOf(uid uint32, c publish.Content) proof {
	return proof{uid, c.Size, [8]byte(c.Sum[:8])}
}

// prove adds proofs and thins them out.
func (b *box) prove(more []proof) {
	b.proofs = append(slices.Clone(b.proofs), more...)
	slices.SortStableFunc(b.proofs, func(x, y proof) int { return int(int64(x.uid) - int64(y.uid)) })
	b.proofs = slices.CompactFunc(b.proofs, func(x, y proof) bool { return x.uid == y.uid })
	for len(b.proofs) > maxProofs {
		b.proofs = thin(b.proofs)
	}
}

// thin takes away the older proof that leaves the smallest gap for its age.
func thin(l []proof) []proof {
	last, at, least := l[len(l)-1].uid, 0, 2.0
	for i := 1; i < len(l)-newProofs; i++ {
		if gap := float64(l[i+1].uid-l[i-1].uid) / float64(last-l[i-1].uid); gap < least {
			at, least = i, gap
		}
	}
	return slices.Delete(l, at, at+1)
}

// highest is the highest UID that the folder is known to have given away.
func (b *box) highest() uint32 {
	h := max(b.mark, b.low)
	if n := len(b.done); n > 0 {
		h = max(h, b.done[n-1].hi)
	}
	return h
}

// disproved tells that a UID of the open folder is for other octets than it was.
func (s *session) disproved(ctx context.Context, b *box) (bool, error) {
	now := s.src.opt.Now()
	if age := now.Sub(s.proved[b.name]); len(b.proofs) == 0 || s.selected.count == 0 || age >= 0 && age < lateEvery {
		return false, nil
	}
	var set imap.UIDSet
	for _, p := range b.proofs {
		set.AddNum(imap.UID(p.uid))
	}
	found := map[uint32]item{}
	if _, _, err := s.list(ctx, set, func(it item) bool { found[it.uid] = it; return false }, b); err != nil {
		return false, err
	}
	for _, p := range slices.Backward(b.proofs) {
		it, there := found[p.uid]
		if !there || it.size == p.size || it.size < 0 || it.size > proofOctets {
			continue
		}
		if wrong, err := s.denies(ctx, b, p, it); wrong || err != nil {
			return wrong, err
		}
		break // so those below are the same too
	}
	s.proved[b.name] = now
	return false, nil
}

// denies reads a message again whose size is not that of a proof.
func (s *session) denies(ctx context.Context, b *box, p proof, it item) (bool, error) {
	key := msgRef{b.name, b.epoch, p.uid}
	looked := [2]int64{it.size, it.received.Unix()}
	if n, _ := s.src.noteOf(key); n.proof == looked {
		return false, nil
	}
	// Whatever comes of it: a message that ends each session must not keep the folder from being read.
	s.src.noted(key, func(n *note) { n.proof = looked })
	c, ok, err := s.octets(ctx, it)
	if err != nil || !ok {
		return false, err
	}
	if proofOf(p.uid, c) == p {
		return false, nil
	}
	s.src.forget(key) // until the reset is written, whoever looks next has to see it too
	return true, nil
}

// octets reads one message for what it is made of; not ok: the server does not give it.
func (s *session) octets(ctx context.Context, it item) (c publish.Content, ok bool, err error) {
	if err := s.ended(ctx); err != nil {
		return c, false, err
	}
	release := s.until(ctx)
	defer release()
	f := s.issue([]item{it}, true, nil)
	if a := f.await(); a != nil && (a.uid == 0 || a.uid == it.uid) && a.lit.Size() <= 2*proofOctets {
		h := sha256.New()
		b := &body{f: f, it: it, a: a, left: a.lit.Size()}
		if c.Size, err = io.Copy(h, b); err == nil {
			copy(c.Sum[:], h.Sum(nil))
			ok = true
		}
	} else if a != nil {
		return c, false, s.fault("imap fetch", atOther, s.kill(errAbandoned))
	}
	if end := s.fault("imap fetch", atOther, f.close()); err == nil && s.g.failure() != nil {
		err = end
	}
	return c, ok, err
}

// append writes proofs in ascending order.
func appendProofs(buf []byte, l []proof) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(l)))
	at := uint32(0)
	for _, p := range l {
		buf = binary.AppendUvarint(buf, uint64(p.uid-at))
		buf = binary.AppendUvarint(buf, uint64(p.size))
		buf = append(buf, p.sum[:]...)
		at = p.uid
	}
	return buf
}

// proofs reads what appendProofs writes.
func (d *decoder) proofs() []proof {
	n, at := int(d.uint(maxProofs)), uint64(0)
	var out []proof
	for i := 0; i < n && !d.bad; i++ {
		step := d.uint(1<<32 - 1)
		p := proof{size: int64(d.uint(1<<63 - 1))}
		if at += step; step == 0 || at > 1<<32-1 || copy(p.sum[:], d.b) < len(p.sum) {
			d.bad = true
			return nil
		}
		p.uid, d.b = uint32(at), d.b[len(p.sum):]
		out = append(out, p)
	}
	return out
}

// proves says whether an entry tells which octets its UID is for.
func proves(e ingest.Entry) bool {
	return e.Content != publish.Content{} && (e.Type == publish.Received || e.Type == publish.Quarantined || e.Type == ingest.Recognised)
}
