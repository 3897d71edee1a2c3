package natsjs_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"mailflume/publish"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// A consumer reads every received event of one tenant.
func ExampleConn_Events() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, end := exampleStream(ctx) // in life: natsjs.Connect(ctx, natsjs.Options{URL: …})
	defer end()

	filter := natsjs.Filter{Tenant: "acme", Types: []publish.EventType{publish.Received}}
	for d, err := range conn.Events(ctx, filter) {
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println(d.Event.Data.Mailbox.ID, d.Event.Data.Subject, d.Ref)
	}
	// Output:
	// jane Lunch? INBOX;1;7
	// jane Re: Lunch? INBOX;1;8
}

// exampleStream starts a server and publishes two events.
func exampleStream(ctx context.Context) (conn *natsjs.Conn, end func()) {
	conn, end = exampleServer(ctx)
	box := publish.Key{Tenant: "acme", Mailbox: "jane"}
	claim, err := conn.Log().Claim(ctx, box)
	check(err)
	for i, subject := range []string{"Lunch?", "Re: Lunch?"} {
		data := &publish.Data{Mailbox: publish.MailboxInfo{ID: box.Mailbox}, Subject: subject}
		id := publish.MessageID(box, "INBOX", 1, uint32(7+i))
		check(claim.Append(ctx, publish.NewEvent(box, publish.Received, id, time.Now(), data), publish.Ref(fmt.Sprintf("INBOX;1;%d", 7+i))))
	}
	return conn, end
}

// exampleServer starts a server.
func exampleServer(ctx context.Context) (conn *natsjs.Conn, end func()) {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	srv, err := embed.Start(ctx, embed.Options{DataDir: dir})
	check(err)
	conn, err = natsjs.Connect(ctx, srv.Options())
	check(err)
	check(conn.EnsureStream(ctx, natsjs.StreamConfig{Manage: true}))
	return conn, func() {
		check(conn.Close())
		srv.Shutdown()
		check(os.RemoveAll(dir))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
