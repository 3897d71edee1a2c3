package htmltext_test

import (
	"io"
	"os"
	"strings"

	"mailflume/parse/htmltext"
)

func ExampleNewReader() {
	html := strings.NewReader(`<p>Hi,<p>see <a href="https://example.com/kb/7">our article</a>.
<blockquote type="cite">The <b>printer</b> is broken:<ol><li>paper jam<li>no toner</ol></blockquote>`)
	io.Copy(os.Stdout, htmltext.NewReader(html))
	// Output:
	// Hi,
	//
	// see our article (https://example.com/kb/7).
	//
	// > The printer is broken:
	// >
	// > 1. paper jam
	// > 2. no toner
}
