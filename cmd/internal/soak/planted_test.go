package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// planted is a stream that a test writes as it likes.
type planted struct {
	*Storm
	t     *testing.T
	blobs *natsjs.Blobs
	gone  int // message whose octets are not in the store
}

// event is what a worker would publish of a message, with its octets stored.
func (p *planted) event(n int) *publish.Event {
	p.t.Helper()
	at, m := time.Unix(1e9, 0), p.post.message(0, n)
	data := &publish.Data{MessageID: p.post.id(0, n), UID: uint32(n), Mailbox: publish.MailboxInfo{ID: p.post.box(0), Tenant: config.DefaultTenant}, ReceivedAt: &at}
	data.Raw = p.store(n, m)
	if a := attachment(m); a != nil {
		s := p.store(n, a)
		data.Attachments = []publish.Attachment{{SHA256: s.SHA256, Size: s.Size, Ref: s.Ref}}
	}
	return publish.NewEvent(p.key(), publish.Received, data.MessageID, at, data)
}

func (p *planted) key() publish.Key {
	return publish.Key{Tenant: config.DefaultTenant, Mailbox: p.post.box(0)}
}

func (p *planted) store(n int, octets []byte) *publish.Stored {
	p.t.Helper()
	if n == p.gone {
		return &publish.Stored{SHA256: digest(octets), Size: int64(len(octets))}
	}
	b, err := p.blobs.Put(p.t.Context(), "", bytes.NewReader(octets))
	if err != nil {
		p.t.Fatal(err)
	}
	return &publish.Stored{SHA256: b.SHA256, Size: b.Size, Ref: b.Ref}
}

// aside makes the event one of a message that was set aside.
func aside(ev *publish.Event, code ingest.Code, attempts int) {
	ev.Kind, ev.Type = publish.Quarantined, "mailflume.message.quarantined.v1"
	ev.Data.Quarantine = &publish.Quarantine{Code: string(code), Attempts: attempts}
}

func TestAVerdictSeesWhatIsPlantedInTheStream(t *testing.T) {
	server, err := embed.Start(t.Context(), embed.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	for i, row := range []struct {
		name  string
		plant func(events []*publish.Event) []*publish.Event // of messages 1 to 20
		want  Verdict
		gone  int // message whose octets are not in the store
	}{
		{"nothing", func(e []*publish.Event) []*publish.Event { return e }, Verdict{Events: 20}, 0},
		{"a loss", func(e []*publish.Event) []*publish.Event { return slices.Delete(e, 6, 7) }, Verdict{Events: 19, Lost: 1}, 0},
		{"a double", func(e []*publish.Event) []*publish.Event { return slices.Insert(e, 7, e[6]) }, Verdict{Events: 21, Doubled: 1}, 0},
		{"a loss and a double", func(e []*publish.Event) []*publish.Event {
			e[4] = e[5]
			return e
		}, Verdict{Events: 20, Lost: 1, Doubled: 1}, 0},
		{"an exchange", func(e []*publish.Event) []*publish.Event {
			e[4], e[5] = e[5], e[4]
			return e
		}, Verdict{Events: 20, Disorder: 1}, 0},
		{"another message's octets", func(e []*publish.Event) []*publish.Event {
			e[4].Data.Raw = e[5].Data.Raw
			return e
		}, Verdict{Events: 20, Changed: 1}, 0},
		{"an attachment forgotten", func(e []*publish.Event) []*publish.Event {
			e[9].Data.Attachments = nil
			return e
		}, Verdict{Events: 20, Changed: 1}, 0},
		{"an attachment altered", func(e []*publish.Event) []*publish.Event {
			e[9].Data.Attachments[0].SHA256 = digest([]byte("other"))
			return e
		}, Verdict{Events: 20, Changed: 1}, 0},
		{"octets gone from the store", func(e []*publish.Event) []*publish.Event { return e }, Verdict{Events: 20, Changed: 1}, 20},
		{"a message of somebody else", func(e []*publish.Event) []*publish.Event {
			e[3].Data.MessageID = "x@example.org"
			return e
		}, Verdict{Events: 20, Strange: 1, Lost: 1}, 0},
		{"a message aside because workers died", func(e []*publish.Event) []*publish.Event {
			aside(e[3], ingest.CodeMessageSuspect, 3)
			return e
		}, Verdict{Events: 20, Aside: 1}, 0},
		{"a message aside for nothing", func(e []*publish.Event) []*publish.Event {
			aside(e[3], ingest.CodeMessageTruncated, 3)
			return e
		}, Verdict{Events: 20, Strange: 1}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := plant(t, server.Options(), i)
			p.gone = row.gone
			var events []*publish.Event
			for n := 1; n <= p.post.each(); n++ {
				events = append(events, p.event(n))
			}
			claim, err := p.conn.Log().Claim(t.Context(), p.key())
			if err != nil {
				t.Fatal(err)
			}
			for i, ev := range row.plant(events) {
				ev := *ev
				ev.ID += strings.Repeat("x", i) // a double is another write
				if err := claim.Append(t.Context(), &ev, publish.Ref(ev.ID)); err != nil {
					t.Fatal(err)
				}
			}
			v, err := p.judge(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			fine := row.want == Verdict{Events: row.want.Events, Aside: row.want.Aside}
			if v.good() != fine {
				t.Errorf("good is %v", v.good())
			}
			if v.Blobs = 0; *v != row.want {
				t.Errorf("%+v, want %+v", *v, row.want)
			}
		})
	}
}

func plant(t *testing.T, o natsjs.Options, i int) *planted {
	t.Helper()
	conn, err := natsjs.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	name := string(rune('A' + i))
	if err := conn.EnsureStream(t.Context(), natsjs.StreamConfig{Name: name, Prefix: "mail." + name, Manage: true}); err != nil {
		t.Fatal(err)
	}
	post := Post{Options{Seed: uint64(i), Rounds: 1, Messages: 20, Boxes: 1, Workers: 1}}
	s := &Storm{State: &State{Options: post.Options}, out: t.Output(), post: post, conn: conn}
	return &planted{Storm: s, t: t, blobs: conn.Blobs(config.DefaultTenant, natsjs.BlobOptions{})}
}

func TestOneCountDoesNotMakeUpForAnother(t *testing.T) {
	for _, v := range []Verdict{{Lost: 1, Strange: -1}, {Doubled: 2, Lost: -2}, {Lost: -1}} {
		if v.good() {
			t.Errorf("%+v is good", v)
		}
	}
}
