package parse_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"mailflume/parse"
)

// A small message: a text and a file.
const order = "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n" +
	"Subject: Order 66\r\n" +
	"Date: Tue, 10 Nov 2026 09:00:00 EST\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n" +
	"\r\n" +
	"--b\r\n" +
	"Content-Type: text/plain; charset=iso-8859-1\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n" +
	"\r\n" +
	"Gr=FC=DFe\r\n" +
	"--b\r\n" +
	"Content-Type: application/pdf; name=\"../order.pdf\"\r\n" +
	"Content-Transfer-Encoding: base64\r\n" +
	"\r\n" +
	"JVBERi0xLjc\r\n"

func Example() {
	r := parse.NewReader(strings.NewReader(order), parse.Limits{})
	h := r.Header()
	fmt.Println("subject:", h.Subject())
	fmt.Println("from:", h.Addresses("From")[0].Name)
	if at, _, ok := h.Date(); ok {
		fmt.Println("date:", at.UTC())
	}
	for {
		p, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err) // the transport failed, not the message
		}
		b, err := io.ReadAll(io.LimitReader(p, 1<<20))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("part %s: %s %q\n", p.Path, p.ContentType, b)
	}
	// Output:
	// subject: Order 66
	// from: Jörg
	// date: 2026-11-10 14:00:00 +0000 UTC
	// part 1: text/plain "Grüße"
	// part 2: application/pdf "%PDF-1.7"
}

// Attachments go to disk as they come, also those inside of messages and winmail.dat files, which are
// kept by a Tee. Names are safe to create, but may be missing, the same, or known at the end only: the part
// number is one of a kind.
func ExamplePart_WriteTo() {
	dir, err := os.MkdirTemp("", "attachments")
	if err != nil {
		log.Fatal(err)
	}
	r := parse.NewReader(strings.NewReader(order), parse.Limits{})
	for {
		p, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		if p.Role != parse.RoleAttachment {
			continue
		}
		f, err := os.Create(filepath.Join(dir, p.Path))
		if err != nil {
			log.Fatal(err)
		}
		if p.Container() {
			p.Tee(f) // whole once the reader has left it; close it then
			continue
		}
		n, err := p.WriteTo(f)
		if err != nil {
			log.Fatal(err)
		}
		if err := f.Close(); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s (sent as %s): %d bytes\n", p.Filename, p.FilenameRaw, n)
	}
	if err := os.RemoveAll(dir); err != nil {
		log.Fatal(err)
	}
	// Output: order.pdf (sent as ../order.pdf): 8 bytes
}

// Every repair is told, and whether anything was lost by it.
func ExampleReader_Issues() {
	r := parse.NewReader(strings.NewReader(order), parse.Limits{})
	for {
		p, err := r.Next()
		if err != nil {
			break
		}
		if _, err := io.Copy(io.Discard, p); err != nil {
			log.Fatal(err)
		}
	}
	for _, is := range r.Issues() {
		fmt.Println(is.Code, is.Part, is.Lossy)
	}
	// Output:
	// filename-unsafe 2 false
	// base64-unpadded 2 false
	// multipart-not-closed  false
}

// A message that was forwarded as an attachment is gone into: what it holds comes after it.
func ExampleReader_Next() {
	const forward = "Subject: for the archive\r\nContent-Type: message/rfc822\r\n\r\n" + order
	r := parse.NewReader(strings.NewReader(forward), parse.Limits{})
	for {
		p, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %s %s %q\n", p.Path, p.Origin, p.ContentType, p.Filename)
	}
	// Output:
	// 1 mime message/rfc822 ""
	// 1.2 rfc822 application/pdf "order.pdf"
}

// Bounces, receipts, complaints, invitations and journal reports are read while they go by.
func ExampleReader_Summary() {
	const bounce = "From: MAILER-DAEMON@example.org\r\nReturn-Path: <>\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\n\r\nSorry.\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\n" +
		"Reporting-MTA: dns; mx.example.org\r\n\r\n" +
		"Final-Recipient: rfc822; jane@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n" +
		"--b--\r\n"
	r := parse.NewReader(strings.NewReader(bounce), parse.Limits{})
	for {
		if _, err := r.Next(); err != nil {
			break // io.EOF: all of it was read
		}
	}
	kind, _ := r.Classify()
	for _, to := range r.Summary().Bounce.Recipients {
		fmt.Println(kind, to.Address, to.Action, to.Status)
	}
	// Output: bounce jane@example.org failed 5.1.1
}
