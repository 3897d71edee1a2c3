package parse_test

import (
	"fmt"
	"io"
	"log"
	"strings"

	"mailflume/parse"
	"mailflume/parse/htmltext"
	"mailflume/parse/reply"
)

// What somebody answered in a message that is HTML only: the text is derived from the HTML, and the
// quoted message is cut off. A forwarded message is all that its sender wants to be read.
func Example_htmlReply() {
	const answer = "Subject: Re: Ticket 9\r\n" +
		"Content-Type: text/html; charset=windows-1252\r\n\r\n" +
		"<p>Caf\xe9 opens at <b>nine</b>.</p>" +
		"<div>On Mon, 9 Nov 2026 at 17:00, Ann Lee &lt;ann@example.org&gt; wrote:</div>" +
		"<blockquote>When does it open?</blockquote>"
	r := parse.NewReader(strings.NewReader(answer), parse.Limits{})
	var text strings.Builder
	for {
		part, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err) // the transport's
		}
		if part.Role != parse.RoleHTML {
			continue // with a text beside the HTML, take that
		}
		if _, err := io.Copy(&text, io.LimitReader(htmltext.NewReader(part), 1<<20)); err != nil {
			log.Fatal(err)
		}
	}
	own := text.String()
	if at, ok := reply.Offset(own); ok && !reply.Forwarded(r.Header().Subject()) {
		own = own[:at]
	}
	fmt.Println(own)
	// Output: Café opens at nine.
}
