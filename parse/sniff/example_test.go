package sniff_test

import (
	"fmt"
	"io"
	"log"
	"strings"

	"mailflume/parse/sniff"
)

// Four kibibytes are enough: a reader need not be at hand as a whole.
func ExampleDetect() {
	file := strings.NewReader("%PDF-1.7\n…")
	head, err := io.ReadAll(io.LimitReader(file, sniff.Size))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sniff.Detect(head), "declared as application/octet-stream")
	fmt.Println(sniff.Detect([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")))
	fmt.Printf("%q\n", sniff.Detect(nil))
	// Output:
	// application/pdf declared as application/octet-stream
	// text/calendar
	// ""
}
