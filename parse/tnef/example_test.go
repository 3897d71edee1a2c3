package tnef_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"strings"

	"mailflume/parse/tnef"
)

// A winmail.dat with one attachment, as mail carries it.
const winmail = "eJ8+Ig8BAQaQCAAEAAAAAAABAAEAAgKQBgAOAAAAAAAAAAAAAAAAAAAAAAAAAAIQgAEADAAAAEhFTExPfjEuVFhUAFEDAhOAAwAO" +
	"AAAAAAAAAAAAAAAAAAAAAAAAAAIPgAYABwAAAEhlbGxvIQofAgIRgAYACgAAAGEgbWV0YWZpbGXIAwIFkAYASAAAAAIAAAAfAAc3AQAAACAA" +
	"AABoAGUAbABsAG8AIAB3AG8AcgBsAGQALgB0AHgAdAAAAB4ADjcBAAAACwAAAHRleHQvcGxhaW4AAOEK"

func Example() {
	r := tnef.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(winmail)), tnef.Options{})
	for {
		o, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err) // the transport failed, not the stream
		}
		octets, err := io.ReadAll(o)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %q, %s: %q\n", o.Kind, o.Name, o.ContentType, octets)
	}
	fmt.Println("flaws:", r.Flaws())
	// Output:
	// attachment "hello world.txt", text/plain: "Hello!\n"
	// flaws: []
}
