package imapsource

import (
	"errors"
	"io"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
)

// body is a Message's Body. go-imap's literal ends with io.EOF wherever the connection does, so it
// counts; and io.EOF is given only when the server has gone on after the message (its next answer
// or the command's end was read), because a server whose announced length is wrong says something
// else there.
type body struct {
	f    *flight
	it   item
	a    *arrival
	left int64
	err  error
}

var errOver = errors.New("message is over: the loop went on")

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.a.lit.Read(p)
	if b.left -= int64(n); err == nil {
		return n, nil
	}
	switch {
	case !errors.Is(err, io.EOF):
	case b.left > 0:
		err = io.ErrUnexpectedEOF
	default:
		if err = b.confirm(); err == nil {
			b.f.whole[b.it.uid] = true
			b.err = io.EOF
			return n, io.EOF
		}
	}
	if b.left > 0 {
		b.f.broken = true
		_ = b.f.s.g.fail(err)
	}
	b.err = b.f.s.fault("imap read message", atMessage, err)
	return n, b.err
}

// confirm waits for whatever comes after the message.
func (b *body) confirm() error {
	f, uid := b.f, b.a.uid
	if b.a.all {
		return nil
	}
	for data := b.a.msg.Next(); data != nil; data = b.a.msg.Next() {
		d, ok := data.(imapclient.FetchItemDataUID)
		if !ok {
			continue
		}
		if uid != 0 && uint32(d.UID) != uid {
			return f.s.g.fail(errors.New("server gives one message two UIDs"))
		}
		uid = uint32(d.UID)
	}
	m, o := f.step()
	if m != nil {
		f.next, f.peeked = m, true
	} else if o == nil {
		if err := f.close(); err != nil {
			if _, tagged := errors.AsType[*imap.Error](err); !tagged {
				return err
			}
		}
	} else if err := f.surplus(o); err != nil {
		return err
	}
	if uid != b.it.uid {
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageMissing}, Op: "imap read message",
			Err: errors.New("server does not say which message it sent")}
	}
	return nil
}

// surplus drains a second body that came for one message.
func (f *flight) surplus(o *arrival) error {
	for o != nil {
		for o.msg.Next() != nil {
		}
		var m *imapclient.FetchMessageData
		if m, o = f.step(); m != nil {
			f.next, f.peeked = m, true
			return nil
		}
	}
	if err := f.close(); err != nil {
		if _, tagged := errors.AsType[*imap.Error](err); !tagged {
			return err
		}
	}
	return nil
}
