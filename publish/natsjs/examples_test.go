package natsjs_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// A ticket system makes a ticket of every letter, adds answers to the tickets that they belong to, and
// leaves what machines write alone. It keeps the sequence of the last event beside its tickets, in one
// transaction: after a restart it goes on from there, and no ticket is made twice.
func ExampleConn_Events_tickets() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, end := exampleMail(ctx) // in life: natsjs.Connect(ctx, natsjs.Options{URL: …})
	defer end()

	var last uint64                                                                                                        // in life: out of the database
	tickets := map[string]int{}                                                                                            // message id to ticket
	filter := natsjs.Filter{Tenant: "acme", Mailbox: "support", Types: []publish.EventType{publish.Received}, After: last} // in life: Follow too
	for d, err := range conn.Events(ctx, filter) {
		if err != nil {
			log.Print(err)
			return
		}
		mail := d.Event.Data
		if mail.Kind != "message" { // bounces, receipts, out of office
			continue
		}
		ticket := 0
		for _, id := range append(mail.References, mail.InReplyTo...) {
			ticket = max(ticket, tickets[id])
		}
		if ticket == 0 {
			ticket = len(tickets) + 1
		}
		tickets[mail.MessageID], last = ticket, d.Sequence
		text := mail.Text.Content
		if mail.Reply != nil {
			text = text[:mail.Reply.Offset] // without what it quotes
		}
		fmt.Printf("ticket %d, %s: %q\n", ticket, mail.From[0].Address, strings.TrimSpace(text))
	}
	fmt.Println("to be kept:", last)
	// Output:
	// ticket 1, ann@example.org: "My printer is on fire."
	// ticket 1, ann@example.org: "Now it is out."
	// to be kept: 4
}

// An invoice reader opens the PDF files of what it gets, whatever their senders call them. The octets
// come as a stream; their digest is verified on the way and a wrong one is an error at the end.
func ExampleConn_Blobs_invoices() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, end := exampleMail(ctx)
	defer end()

	blobs := conn.Blobs("acme", natsjs.BlobOptions{})
	for d, err := range conn.Events(ctx, natsjs.Filter{Mailbox: "invoices", Types: []publish.EventType{publish.Received}}) {
		if err != nil {
			log.Print(err)
			return
		}
		for _, a := range d.Event.Data.Attachments {
			if a.DetectedType != "application/pdf" || a.Ref == "" {
				continue
			}
			r, err := blobs.Open(ctx, a.SHA256)
			if err != nil {
				log.Print(err)
				return
			}
			n, err := io.Copy(io.Discard, r) // in life: to what reads invoices
			fmt.Println(a.Filename, n, err, r.Close())
		}
	}
	// Output:
	// 4711.pdf 21 <nil> <nil>
}

// A compliance archive keeps every original, exactly as the mail server sent it, under its digest. What
// was set aside is kept too.
func ExampleConn_Blobs_archive() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, end := exampleMail(ctx)
	defer end()
	folder, err := os.MkdirTemp("", "archive")
	check(err)
	defer os.RemoveAll(folder)

	blobs := conn.Blobs("acme", natsjs.BlobOptions{})
	for d, err := range conn.Events(ctx, natsjs.Filter{Tenant: "acme", Types: []publish.EventType{publish.Received, publish.Quarantined}}) {
		if err != nil {
			log.Print(err)
			return
		}
		raw := d.Event.Data.Raw
		if raw == nil || raw.Ref == "" {
			continue // an original that nobody could fetch: the reason is in data.quarantine
		}
		if err := keep(ctx, blobs, raw.SHA256, filepath.Join(folder, raw.SHA256+".eml")); err != nil {
			log.Print(err)
			return
		}
		fmt.Println(d.Event.Data.Mailbox.ID, d.Ref, raw.Size)
	}
	// Output:
	// support INBOX;1;1 39
	// support INBOX;1;2 39
	// support INBOX;1;3 39
	// invoices INBOX;1;1 39
}

// keep writes a blob to a file that is there as a whole or not at all.
func keep(ctx context.Context, blobs *natsjs.Blobs, sha256hex, path string) error {
	r, err := blobs.Open(ctx, sha256hex)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.CreateTemp(filepath.Dir(path), "*")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// exampleMail publishes what the examples read.
func exampleMail(ctx context.Context) (conn *natsjs.Conn, end func()) {
	conn, end = exampleServer(ctx)
	ann := []publish.Address{{Address: "ann@example.org"}}
	pdf := exampleBlob(ctx, conn, "application/pdf", "%PDF-1.7 an invoice\r\n")
	publishMail(ctx, conn, "support",
		publish.Data{Kind: "message", MessageID: "1@example.org", From: ann, Text: &publish.Body{Content: "My printer is on fire.\n"}},
		publish.Data{Kind: "auto_reply", MessageID: "2@example.org", From: ann, Text: &publish.Body{Content: "I am away.\n"}},
		publish.Data{Kind: "message", MessageID: "3@example.org", InReplyTo: []string{"1@example.org"}, From: ann,
			Text: &publish.Body{Content: "Now it is out.\n\n> My printer is on fire.\n"}, Reply: &publish.Reply{Offset: 16}},
	)
	publishMail(ctx, conn, "invoices", publish.Data{Kind: "message", MessageID: "4@example.org", Attachments: []publish.Attachment{
		{Filename: "4711.pdf", ContentType: "application/octet-stream", DetectedType: "application/pdf", SHA256: pdf.SHA256, Size: pdf.Size, Ref: pdf.Ref},
	}})
	return conn, end
}

func exampleBlob(ctx context.Context, conn *natsjs.Conn, mediaType, content string) publish.Blob {
	blob, err := conn.Blobs("acme", natsjs.BlobOptions{}).Put(ctx, mediaType, strings.NewReader(content))
	check(err)
	return blob
}

func publishMail(ctx context.Context, conn *natsjs.Conn, mailbox string, mail ...publish.Data) {
	box := publish.Key{Tenant: "acme", Mailbox: mailbox}
	claim, err := conn.Log().Claim(ctx, box)
	check(err)
	for i, data := range mail {
		raw := exampleBlob(ctx, conn, "message/rfc822", fmt.Sprintf("Subject: %s\r\n\r\noriginal %2d\r\n", data.MessageID, i))
		data.Raw = &publish.Stored{SHA256: raw.SHA256, Size: raw.Size, Ref: raw.Ref}
		data.Mailbox = publish.MailboxInfo{ID: mailbox}
		id := publish.MessageID(box, "INBOX", 1, uint32(i+1))
		check(claim.Append(ctx, publish.NewEvent(box, publish.Received, id, time.Now(), &data), publish.Ref(fmt.Sprintf("INBOX;1;%d", i+1))))
	}
}
