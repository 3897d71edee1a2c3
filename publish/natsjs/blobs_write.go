package natsjs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"mailflume/publish"
)

var (
	// errBlobLost: the server no longer has a part that it acknowledged (its tail or the whole stream).
	errBlobLost = errors.New("the server lost a part of the blob that it had acknowledged")
	// errBlobRaced: somebody else's message is where this writer's was to be.
	errBlobRaced = errors.New("another writer was first")
)

// blobMeta is an object's metadata as it stands in the bucket.
type blobMeta struct {
	jetstream.ObjectInfo
	seq  uint64
	time time.Time
}

// at is where the metadata stands; zero, the fence of a first message, if there is none.
func (m *blobMeta) at() uint64 {
	if m == nil {
		return 0
	}
	return m.seq
}

// live says whether the metadata names octets of ours: not deleted, not a link, not somebody's
// idea of JSON.
func (m *blobMeta) live() bool {
	return m != nil && !m.Deleted && validNUID(m.NUID) && (m.Opts == nil || m.Opts.Link == nil)
}

// validNUID keeps wildcards of a foreign client out of the subjects that are purged.
func validNUID(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

func (b *Blobs) parseMeta(m *blobMsg) *blobMeta {
	if m == nil {
		return nil
	}
	t := &blobMeta{seq: m.Seq, time: m.Time}
	if json.Unmarshal(m.Data, &t.ObjectInfo) != nil {
		t.ObjectInfo = jetstream.ObjectInfo{} // not live: it will be replaced under its sequence
	}
	return t
}

// lookup returns the metadata of d; nil if the bucket has none.
func (b *Blobs) lookup(ctx context.Context, bk *bucket, d blobDigest) (*blobMeta, error) {
	var got *blobMsg
	err := b.persist(ctx, func(ctx context.Context) (err error) {
		got, err = b.directGet(ctx, bk, blobGet{Last: b.metaSubject(d.name())})
		return b.revive(ctx, err)
	})
	return b.parseMeta(got), err
}

// keeps says whether an object can stay as it is: not in the second half of its life, of the octets
// that its name says, and with all its chunks. An object whose chunks are gone (a lost tail, a foreign
// purge) is written again.
func (b *Blobs) keeps(ctx context.Context, bk *bucket, m *blobMeta, d blobDigest) (bool, error) {
	if m.Digest != d.object() {
		return false, nil // anybody can give an object that name
	}
	if age := time.Since(m.time) + bk.ahead; bk.maxAge > 0 && age > bk.maxAge/2-bk.recentFor() {
		return false, nil
	}
	if m.Chunks == 0 {
		return true, nil
	}
	n, err := b.stored(ctx, m.NUID)
	return n == uint64(m.Chunks), err
}

// stored counts the chunks that the leader holds under a NUID.
func (b *Blobs) stored(ctx context.Context, nuid string) (n uint64, err error) {
	err = b.persist(ctx, func(ctx context.Context) (err error) {
		n, err = b.count(ctx, b.chunkSubject(nuid))
		return err
	})
	return n, err
}

// revive makes the bucket again if the answer says that its stream is gone: a standalone server
// lost its disk, or somebody deleted it. It returns err for the next try to overcome.
func (b *Blobs) revive(ctx context.Context, err error) error {
	if err == nil || (!errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, jetstream.ErrNoStreamResponse) && errorCode(err) != jetstream.JSErrCodeStreamNotFound) {
		return err
	}
	b.recent.forget()
	if _, again := b.find(ctx, true); blobFinal(again) {
		return again
	}
	return err
}

// upload writes one object: chunks under a fresh NUID, one in flight, each fenced on the one
// before, then the metadata.
type upload struct {
	b       *Blobs
	bk      *bucket
	nuid    string
	subject string
	seq     uint64 // of the last chunk
	chunks  uint32
	size    uint64
	largest uint32
	named   bool      // metadata may name the chunks: then they are no longer this writer's alone
	life    uint64    // the connection's when the last chunk was acknowledged
	at      time.Time // and the time of day: it runs on while a machine sleeps
}

func (b *Blobs) newUpload(bk *bucket) *upload {
	id := nuid.Next()
	return &upload{b: b, bk: bk, nuid: id, subject: b.chunkSubject(id), life: b.life(), at: wallClock()}
}

func wallClock() time.Time { return time.Now().Round(0) }

// chunk stores the next chunk. data is not kept.
func (u *upload) chunk(ctx context.Context, data []byte) error {
	life := u.b.life()
	out, err := u.b.fenced(ctx, &nats.Msg{Subject: u.subject, Data: data}, u.seq, func(m *blobMsg) bool { return bytes.Equal(m.Data, data) })
	if errors.Is(err, errBlobRaced) { // nobody else writes under this NUID
		return fmt.Errorf("%w: chunk %d, last sequence %d, not %d", errBlobLost, u.chunks, out.last.at(), u.seq)
	}
	if err != nil {
		return fmt.Errorf("chunk %d: %w", u.chunks, err)
	}
	u.seq, u.life, u.at = out.seq, life, wallClock()
	u.chunks++
	u.size += uint64(len(data))
	u.largest = max(u.largest, uint32(len(data)))
	return nil
}

// commit makes the object visible under its digest. old is the metadata it replaces, nil if there
// was none. If another writer was first, its object is kept, this one's chunks are dropped, and
// that is success too.
func (u *upload) commit(ctx context.Context, d blobDigest, mediaType string, old *blobMeta) error {
	if wallClock().Sub(u.at) > blobStale {
		return fmt.Errorf("%w: the writer slept for more than %s", errBlobLost, blobStale)
	}
	body, err := json.Marshal(u.info(d, mediaType))
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	doubt := false
	for range 10 {
		msg := &nats.Msg{Subject: u.b.metaSubject(d.name()), Data: body, Header: nats.Header{}}
		if old.at() > 0 {
			msg.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
		}
		out, err := u.b.fenced(ctx, msg, old.at(), func(m *blobMsg) bool { return u.b.parseMeta(m).NUID == u.nuid })
		doubt = doubt || out.tries > 1
		switch {
		case err == nil:
			return u.settle(ctx, out.seq, old, doubt)
		case !errors.Is(err, errBlobRaced):
			u.named = out.unknown
			return fmt.Errorf("metadata: %w", err)
		}
		old = u.b.parseMeta(out.last)
		if !old.live() {
			doubt = true
			continue // deleted, or nothing at all: written again under what is there now
		}
		if keep, err := u.b.keeps(ctx, u.bk, old, d); err != nil {
			return err
		} else if keep {
			u.discard(ctx)
			return nil
		}
	}
	return fmt.Errorf("%w: the metadata of %s changed ten times in a row", publish.ErrUnavailable, d.name())
}

func (u *upload) info(d blobDigest, mediaType string) jetstream.ObjectInfo {
	m := jetstream.ObjectMeta{Name: d.name(), Opts: &jetstream.ObjectMetaOptions{ChunkSize: max(u.largest, 1)}}
	if mediaType != "" && len(mediaType) <= 255 { // it comes from a mail: it could be a megabyte
		m.Headers = nats.Header{"Content-Type": {mediaType}}
	}
	return jetstream.ObjectInfo{
		ObjectMeta: m, Bucket: u.b.bucket, NUID: u.nuid, Size: u.size, Chunks: u.chunks,
		Digest: d.object(),
	}
}

// settle drops the replaced object's chunks. First, if the server may have changed its mind since
// the last chunk was acknowledged (another connection, a repeated publish, a sequence that went
// back), it asks whether the chunks are still there: metadata must not outlive them.
func (u *upload) settle(ctx context.Context, seq uint64, old *blobMeta, doubt bool) error {
	if u.chunks > 0 && (doubt || seq <= u.seq || u.b.life() != u.life) {
		n, err := u.b.stored(ctx, u.nuid)
		if err != nil {
			u.named = true
			return err
		}
		if n != uint64(u.chunks) {
			u.b.cleanUp(ctx, func(ctx context.Context) error { return u.bk.stream.DeleteMsg(ctx, seq) })
			return fmt.Errorf("%w: %d of %d chunks are left", errBlobLost, n, u.chunks)
		}
	}
	if old.live() && old.NUID != u.nuid {
		u.b.purge(ctx, u.bk, old.NUID)
	}
	return nil
}

// discard drops the chunks of an upload that came to nothing. If metadata may have landed that names them,
// another writer may have found it and gone home content: then they stay, and Sweep judges them.
func (u *upload) discard(ctx context.Context) {
	if !u.named {
		u.b.purge(ctx, u.bk, u.nuid)
	}
}

func (b *Blobs) purge(ctx context.Context, bk *bucket, nuid string) {
	b.cleanUp(ctx, func(ctx context.Context) error {
		return bk.stream.Purge(ctx, jetstream.WithPurgeSubject(b.chunkSubject(nuid)))
	})
}

// cleanUp has a few seconds of its own, also when the caller's time is over. What it cannot remove
// is left to Sweep, or is written over by the next Put of the same octets.
func (b *Blobs) cleanUp(ctx context.Context, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = do(ctx)
}

// fencedWrite is what became of a fenced publish.
type fencedWrite struct {
	seq     uint64   // where it stands
	last    *blobMsg // errBlobRaced: what stands there instead
	tries   int
	unknown bool // another error: it may have landed, or may yet
}

// fenced publishes msg if the last message of its subject stands at after. It does not return
// before the outcome is known or was asked for during RetryFor. errBlobRaced: the subject's last
// message is neither the one at after nor this one.
func (b *Blobs) fenced(ctx context.Context, msg *nats.Msg, after uint64, mine func(*blobMsg) bool) (fencedWrite, error) {
	if msg.Header == nil {
		msg.Header = nats.Header{}
	}
	msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(after, 10))
	var out fencedWrite
	var doubt error // the last publish may have landed: nothing is sent before it is known
	err := b.persist(ctx, func(attempt context.Context) error {
		if doubt == nil {
			out.tries++
			ack, err := b.c.js.PublishMsg(attempt, msg)
			if err == nil {
				out.seq = ack.Sequence
				return nil
			}
			if is := outcomeOf(ack, err); is == notStored || is == raced || blobFinal(err) {
				return b.revive(ctx, err)
			}
			doubt, out.unknown = err, true
		}
		last, err := b.resolve(ctx, msg.Subject, doubt)
		if err != nil {
			return err
		}
		cause := doubt
		doubt, out.last = nil, last
		switch {
		case last.at() == after:
			return fmt.Errorf("%w: it was not stored: %w", publish.ErrUnavailable, cause)
		case last.at() > after && mine(last):
			out.seq = last.Seq
			return nil
		}
		return errBlobRaced
	})
	return out, err
}

// resolve asks the leader for the last message of a subject after a publish whose outcome is not
// known. It has its own time, since the publish may have used up all of its attempt's. On a slow
// link the question queues behind the chunk: it is answered when the chunk has arrived.
func (b *Blobs) resolve(ctx context.Context, subject string, cause error) (*blobMsg, error) {
	last, err := b.leaderGet(ctx, blobGet{Last: subject})
	if err == nil {
		return last, nil
	}
	if err := b.revive(ctx, err); blobFinal(err) {
		return nil, err
	}
	return nil, fmt.Errorf("%w; its outcome: %w", cause, err)
}
