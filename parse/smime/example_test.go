package smime_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"mailflume/parse/smime"
)

// What was signed comes out as it was written; an encrypted object stays what it is.
func ExampleOpen() {
	for _, name := range []string{"signed.p7m", "enveloped.p7m"} {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			log.Fatal(err)
		}
		content, err := smime.Open(f)
		switch {
		case errors.Is(err, smime.ErrNotSigned):
			fmt.Printf("%s: %v\n", name, err)
		case err != nil:
			log.Fatal(err) // cut off or damaged: smime.ErrMalformed
		default:
			entity, err := io.ReadAll(content) // give it to parse.NewReader
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s: %q\n", name, entity)
		}
		_ = f.Close()
	}
	// Output:
	// signed.p7m: "Content-Type: text/plain\r\n\r\nThe valve is closed.\r\n"
	// enveloped.p7m: no signed-data: enveloped-data
}
