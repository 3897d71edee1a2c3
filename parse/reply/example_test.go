package reply_test

import (
	"fmt"

	"mailflume/parse/reply"
)

func ExampleOffset() {
	text := `Tuesday suits me better.

Am Di., 10. Nov. 2026 um 09:00 Uhr schrieb Bob Bee <
bob@example.org>:

> Shall we meet on Monday?
`
	if at, ok := reply.Offset(text); ok {
		fmt.Printf("shown:\n%sfolded:\n%s", text[:at], text[at:])
	}
	// Output:
	// shown:
	// Tuesday suits me better.
	//
	// folded:
	// Am Di., 10. Nov. 2026 um 09:00 Uhr schrieb Bob Bee <
	// bob@example.org>:
	//
	// > Shall we meet on Monday?
}
