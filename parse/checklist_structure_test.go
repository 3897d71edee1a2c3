package parse

import "strings"

const (
	top   = "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
	inner = "Content-Type: multipart/alternative; boundary="
)

// boundaryItems are 67 to 77.
func boundaryItems() []item {
	return append(oddBoundaryItems(), []item{
		{67, "missing end", asIs, shape, []probe{
			{"after a part", top + "--b\n" + partText + "--b\n" + partPDF, twoParts, "multipart-not-closed"},
			{"after a delimiter", top + "--b\n" + partText + "--b\n", "1 text text/plain \"hi\"\n2 text text/plain \"\"\n", "multipart-not-closed"},
			{"after half a delimiter", top + "--b\n" + partText + "--b\n" + partPDF + "--b-", twoParts, "base64-trailing multipart-not-closed"},
			{"in the middle of a line", top + "--b\n\nhi", "1 text text/plain \"hi\"\n", "multipart-not-closed"},
			{"in a header", top + "--b\nContent-Type: text/html\n", "1 html text/html \"\"\n", "header-without-end multipart-not-closed"},
			{"text for an end", top + "--b\n\nhi\n--\n", "1 text text/plain \"hi\\r\\n--\\r\\n\"\n", "multipart-not-closed"},
			{"nothing but a preamble is text", top + "hello\n", "1 text text/plain \"hello\\r\\n\"\n", "boundary-not-found multipart-not-closed"},
			{"two levels", top + "--b\n" + inner + "c\n\n--c\n" + partText, "1.1 text text/plain \"hi\\r\\n\"\n", "multipart-not-closed"},
		}, Limits{}, false},
		{68, "outer delimiter ends inner multiparts", asIs, shape, []probe{
			{"inner not closed", top + "--b\n" + inner + "c\n\n--c\n" + partText + "--b\n" + partPDF + "--b--\n", "1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", "multipart-not-closed"},
			{"outer end", top + "--b\n" + inner + "c\n\n--c\n" + partText + "--b--\n", "1.1 text text/plain \"hi\"\n", "multipart-not-closed"},
			{"inner without any part", top + "--b\n" + inner + "c\n\n--b\n" + partPDF + "--b--\n", "2 attachment application/pdf \"%PDF-\"\n", "multipart-empty multipart-not-closed"},
			{"in the inner epilogue", top + "--b\n" + inner + "c\n\n--c\n" + partText + "--c--\n\n--b\n" + partPDF + "--b--\n", "1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", ""},
			{"two levels at once", top + "--b\n" + inner + "c\n\n--c\n" + inner + "d\n\n--d\n" + partText + "--b\n" + partPDF + "--b--\n", "1.1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", "multipart-not-closed"},
			{"in an inner header", top + "--b\n" + inner + "c\n\n--c\nContent-Type: text/plain\n--b\n" + partPDF + "--b--\n", "1.1 text text/plain \"\"\n2 attachment application/pdf \"%PDF-\"\n", "header-ended-by-boundary multipart-not-closed"},
			{"inner ends after the outer", top + "--b\n" + inner + "c\n\n--c\n" + partText + "--b--\n--c--\n", "1.1 text text/plain \"hi\"\n", "epilogue multipart-not-closed"},
		}, Limits{}, false},
		{69, "boundaries that begin alike", asIs, shape, []probe{
			{"inner is longer", top + "--b\n" + inner + "b2\n\n--b2\n" + partText + "--b2--\n--b\n" + partPDF + "--b--\n", "1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", ""},
			{"inner is shorter", strings.Replace(top, "=b", "=b2", 1) + "--b2\n" + inner + "b\n\n--b\n" + partText + "--b--\n--b2\n" + partPDF + "--b2--\n", "1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", ""},
			{"inner is longer and not closed", top + "--b\n" + inner + "bb\n\n--bb\n" + partText + "--b\n" + partPDF + "--b--\n", "1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", "multipart-not-closed"},
			{"a longer line is text", top + "--b\n\nhi\n--bb\nho\n--b--\n", "1 text text/plain \"hi\\r\\n--bb\\r\\nho\"\n", ""},
			{"a longer closing line is text", top + "--b\n\nhi\n--bb--\n--b---\n--b--x\n--b--\n", "1 text text/plain \"hi\\r\\n--bb--\\r\\n--b---\\r\\n--b--x\"\n", ""},
			{"inner is the outer with dashes", top + "--b\n" + inner + "b-\n\n--b-\n" + partText + "--b---\n--b\n" + partPDF + "--b--\n", "1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", ""},
			{"other letters", top + "--b\n\nhi\n--B\n--b--\n", "1 text text/plain \"hi\\r\\n--B\"\n", ""},
			{"dashes alone", strings.Replace(top, "=b", "=--", 1) + "----\n\nhi\n------\n", "1 text text/plain \"hi\"\n", ""},
			{"ends with dashes", strings.Replace(top, "=b", "=b--", 1) + "--b--\n\nhi\n--b--\n\nho\n--b----\n", "1 text text/plain \"hi\"\n2 text text/plain \"ho\"\n", ""},
			{"begins with dashes", strings.Replace(top, "=b", "=----b", 1) + "------b\n\nhi\n------b--\n", "1 text text/plain \"hi\"\n", ""},
		}, Limits{}, false},
		{70, "the same boundary inside", asIs, shape, []probe{
			{"both closed", top + "--b\n" + inner + "b\n\n--b\n" + partText + "--b--\n--b\n" + partPDF + "--b--\n", "1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", "boundary-repeated"},
			{"inner not closed", top + "--b\n" + inner + "b\n\n--b\n" + partText + "--b--\n", "1.1 text text/plain \"hi\"\n", "boundary-repeated multipart-not-closed"},
			{"three levels", top + "--b\n" + inner + "b\n\n--b\n" + inner + "b\n\n--b\n" + partText + "--b--\n--b--\n--b--\n", "1.1.1 text text/plain \"hi\"\n", "boundary-repeated"},
			{"in another one", top + "--b\n" + inner + "c\n\n--c\n" + inner + "b\n\n--b\n" + partText + "--b--\n--c--\n--b\n" + partPDF + "--b--\n", "1.1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", "boundary-repeated"},
			{"beside one another it is no repetition", top + "--b\n" + inner + "c\n\n--c\n" + partText + "--c--\n--b\n" + inner + "c\n\n--c\n" + partPDF + "--c--\n--b--\n", "1.1 text text/plain \"hi\"\n2.1 attachment application/pdf \"%PDF-\"\n", ""},
		}, Limits{}, false},
		{71, "white space after delimiters", asIs, shape, []probe{
			{"spaces", top + "--b  \n" + partText + "--b \n" + partPDF + "--b--  \n", twoParts, ""},
			{"tabs", top + "--b\t\n" + partText + "--b \t\n" + partPDF + "--b--\t\n", twoParts, ""},
			{"a thousand", top + "--b" + repeat(" ", 1000) + "\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, ""},
			{"at the very end", top + "--b\n" + partText + "--b\n" + partPDF + "--b-- ", twoParts, ""},
			{"CR CR LF", strings.ReplaceAll(top+"--b\n"+partPDF+"--b--\n", "\n", "\r\r\n"), "1 attachment application/pdf \"%PDF-\"\n", ""},
			{"in front it is text", top + "--b\n\nhi\n --b\n--b--\n", "1 text text/plain \"hi\\r\\n --b\"\n", ""},
			{"between the dashes it is text", top + "--b\n\nhi\n- -b\n-- b\n--b --\n--b--\n", "1 text text/plain \"hi\\r\\n- -b\\r\\n-- b\\r\\n--b --\"\n", ""},
		}, Limits{}, false},
		{72, "no empty line before the first delimiter", asIs, shape, []probe{
			{"none", strings.TrimSuffix(top, "\n") + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, "header-ended-by-boundary"},
			{"white space", strings.TrimSuffix(top, "\n") + " \n--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, "header-ended-by-boundary"},
			{"in a part", top + "--b\n" + inner + "c\n--c\n" + partText + "--c--\n--b--\n", "1.1 text text/plain \"hi\"\n", "header-ended-by-boundary"},
			{"a field after the type", strings.TrimSuffix(top, "\n") + "X-A: b\n--b\n" + partText + "--b--\n", "1 text text/plain \"hi\"\n", "header-ended-by-boundary"},
			{"white space after the delimiter", strings.TrimSuffix(top, "\n") + "--b \t\n" + partText + "--b--\n", "1 text text/plain \"hi\"\n", "header-ended-by-boundary"},
			{"the closing one", strings.TrimSuffix(top, "\n") + "--b--\n", "", "header-ended-by-boundary multipart-empty"},
		}, Limits{}, false},
		{73, "no boundary", before("Subject: x\nContent-Type: multipart/mixed"), shape, []probe{
			{"no parameter", "\n\nhello\n", "1 text text/plain \"hello\\r\\n\"\n", "boundary-missing"},
			{"empty", "; boundary=\n\nhello\n", "1 text text/plain \"hello\\r\\n\"\n", "boundary-missing parameter-invalid"},
			{"empty quotes", "; boundary=\"\"\n\nhello\n", "1 text text/plain \"hello\\r\\n\"\n", "boundary-missing"},
			{"spaces", "; boundary=\"  \"\n\nhello\n", "1 text text/plain \"hello\\r\\n\"\n", "boundary-missing"},
			{"delimiters all the same", "\n\n--b\n\nhi\n--b--\n", "1 text text/plain \"--b\\r\\n\\r\\nhi\\r\\n--b--\\r\\n\"\n", "boundary-missing"},
			{"one in the wrong quotes", "; boundary='b'\n\n--b\n\nhi\n--b--\n", "1 text text/plain \"hi\"\n", "parameter-invalid"},
			{"one with quotes in it", "; boundary='b'\n\n--'b'\n\nhi\n--'b'--\n", "1 text text/plain \"hi\"\n", ""},
			{"another one", "; boundary=a\n\n--b\n\nhi\n--b--\n", "1 text text/plain \"--b\\r\\n\\r\\nhi\\r\\n--b--\\r\\n\"\n", "boundary-not-found multipart-not-closed"},
			{"a boundary that a semicolon cuts", "; boundary=b;c\n\n--b;c\n\nhi\n--b;c--", "1 text text/plain \"--b;c\\r\\n\\r\\nhi\\r\\n--b;c--\"\n", "boundary-not-found multipart-not-closed parameter-invalid"},
			{"a longer one", "; boundary=b\n\n--bb\n\nhi\n--bb--", "1 text text/plain \"--bb\\r\\n\\r\\nhi\\r\\n--bb--\"\n", "boundary-not-found multipart-not-closed"},
			{"only a closing delimiter", "; boundary=b\n\nhi\n--b--", "1 text text/plain \"hi\"\n", "boundary-not-found"},
			{"only a closing delimiter, far away", "; boundary=b\n\n" + repeat("hi\n", 50_000) + "--b--", "1 text text/plain \"" + repeat(`hi\r\n`, 49_999) + "hi\"\n", "boundary-not-found"},
			{"the closing delimiter first", "; boundary=b\n\nhi\n--b--\n--b\n\nho\n--b--", "1 text text/plain \"hi\"\n", "boundary-not-found epilogue part-after-close"},
			{"a preamble without end", "; boundary=b\n\n" + repeat("hi\n", 20_000) + "--b\n\nho\n--b--", "1 text text/plain \"" + repeat(`hi\r\n`, 19_999) + "hi\"\n2 text text/plain \"ho\"\n", "boundary-not-found"},
			{"text without delimiter", "; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\nhi\n--b\n\nho\n--b--", "1.1 text text/plain \"hi\"\n2 text text/plain \"ho\"\n", "boundary-not-found multipart-not-closed"},
			{"another parameter", "; limit=b\n\nhello\n", "1 text text/plain \"hello\\r\\n\"\n", "boundary-missing"},
		}, Limits{}, false},
		{76, "parts without header or body", asIs, shape, []probe{
			{"no header", top + "--b\n\nhi\n--b--\n", "1 text text/plain \"hi\"\n", ""},
			{"neither", top + "--b\n\n--b\n\n\n--b--\n", "1 text text/plain \"\"\n2 text text/plain \"\"\n", ""},
			{"not even an empty line", top + "--b\n--b\n" + partPDF + "--b--\n", "1 text text/plain \"\"\n2 attachment application/pdf \"%PDF-\"\n", "header-ended-by-boundary"},
			{"no body", top + "--b\nContent-Type: text/html\n\n--b--\n", "1 html text/html \"\"\n", ""},
			{"text at once", top + "--b\nhi\n--b--\n", "1 text text/plain \"hi\"\n", "header-without-end"},
			{"text with a colon at once", top + "--b\nsee you: there\n--b--\n", "1 text text/plain \"see you: there\"\n", "header-without-end"},
			{"no parts at all", top + "--b--\n", "", "multipart-empty"},
			{"an empty line more", top + "--b\n\n\n\nhi\n--b--\n", "1 text text/plain \"\\r\\n\\r\\nhi\"\n", ""},
		}, Limits{}, false},
		{77, "preamble and epilogue", asIs, shape, []probe{
			{"preamble", top + "This is MIME.\n\n--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, ""},
			{"epilogue", top + "--b\n" + partText + "--b\n" + partPDF + "--b--\nbye\n", twoParts, "epilogue"},
			{"blank epilogue", top + "--b\n" + partText + "--b\n" + partPDF + "--b--\n\n \n", twoParts, ""},
			{"parts after the close", top + "--b\n" + partText + "--b--\n--b\n" + partPDF + "--b--\n", "1 text text/plain \"hi\"\n", "epilogue part-after-close"},
			{"inner preamble and epilogue", top + "--b\n" + inner + "c\n\npre\n--c\n" + partText + "--c--\npost\n--b\n" + partPDF + "--b--\n", "1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", "epilogue"},
			{"preamble that looks like a header", top + "Content-Type: text/html\n\n<p>\n--b\n" + partText + "--b--\n", "1 text text/plain \"hi\"\n", ""},
			{"closed twice", top + "--b\n" + partText + "--b--\n--b--\n", "1 text text/plain \"hi\"\n", ""},
			{"inner delimiter in the epilogue", top + "--b\n" + inner + "c\n\n--c\n" + partText + "--c--\n--b--\n--c\n" + partPDF, "1.1 text text/plain \"hi\"\n", "epilogue"},
		}, Limits{}, false},
	}...)
}

// with makes a multipart of one text whose boundary is spelled in the two ways given.
func with(param, boundary string) string {
	return "Content-Type: multipart/mixed; boundary=" + param + "\n\n--" + boundary + "\n\nhi\n--" + boundary + "--\n"
}

// oddBoundaryItems are 74 and 75.
func oddBoundaryItems() []item {
	edge := func(size int) string {
		return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + repeat("x", size) + "\r\n--b\r\n\r\nhi\r\n--b--"
	}
	var edges []probe
	for _, around := range []int{4 << 10, 8 << 10, 64 << 10} {
		for d := -64; d <= 8; d += underRace {
			edges = append(edges, probe{"line end or delimiter at an edge", edge(around + d), repeat("x", around+d) + "|hi", ""})
		}
	}
	return []item{
		{74, "unusual boundaries", asIs, bodies, []probe{
			{"71 characters", with(repeat("b", 71), repeat("b", 71)), "hi", ""},
			{"256 characters", with(repeat("b", 256), repeat("b", 256)), "hi", ""},
			{"257 characters", with(repeat("b", 257), repeat("b", 257)), "--" + repeat("b", 257) + "\r\n\r\nhi\r\n--" + repeat("b", 257) + "--\r\n", "boundary-missing"},
			{"100 kB", "Content-Type: multipart/mixed; boundary=" + repeat("b", 100_000) + "\n\nhi\n", "hi\r\n", "boundary-missing"},
			{"all characters", with(`"'()+_,-./:=? 9aZ"`, "'()+_,-./:=? 9aZ"), "hi", ""},
			{"of patterns", with(`"[a]*\\.$"`, `[a]*\.$`), "hi", ""},
			{"unquoted specials", with("=_(a+b)?:/", "=_(a+b)?:/"), "hi", "parameter-invalid"},
			{"unquoted with a space", with("a b", "a b"), "hi", "parameter-invalid"},
			{"comment", with("b (really)", "b"), "hi", ""},
			{"quoted and comment", with(`"b" (really)`, "b"), "hi", ""},
			{"space at the end", with(`"b "`, "b"), "hi", ""},
			{"single quotes belong to it", with("'b'", "'b'"), "hi", ""},
			{"no closing quote", with(`"b`, "b"), "hi", "parameter-invalid"},
			{"no opening quote", with(`b"`, "b"), "hi", "parameter-invalid"},
			{"junk behind the quotes", with(`"b" junk`, "b"), "hi", "parameter-invalid"},
			{"a parameter behind without semicolon", with(`"b" charset=utf-8`, "b"), "hi", "parameter-invalid"},
			{"raw octets", with("\"b\xff\"", "b\xff"), "hi", ""},
			{"UTF-8", with(`"bé"`, "bé"), "hi", ""},
			{"RFC 2231", "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\nhi\n--ab--\n", "hi", ""},
			{"RFC 2231, encoded", "Content-Type: multipart/mixed; boundary*=us-ascii''a%20b\n\n--a b\n\nhi\n--a b--\n", "hi", ""},
			{"folded", "Content-Type: multipart/mixed;\n\tboundary\n =\n b\n\n--b\n\nhi\n--b--\n", "hi", ""},
			{"spaces around the equals sign", "Content-Type: multipart/mixed; boundary = \"b\"\n\n--b\n\nhi\n--b--\n", "hi", ""},
			{"one character", with("-", "-"), "hi", ""},
			{"digits", with("0", "0"), "hi", ""},
		}, Limits{}, false},
		{75, "delimiters at the edges of the window", asIs, bodies, append(edges, []probe{
			{"last line without end", edge(1), "x|hi", ""},
			{"dashes", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + repeat("--b-\n", 20_000) + "--b--", strings.TrimSuffix(repeat("--b-\r\n", 20_000), "\r\n"), ""},
			{"line of dashes", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + repeat("-", 200_000) + "\n--b--", repeat("-", 200_000), ""},
			{"delimiter line longer than the window", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b" + repeat(" ", 200_000) + "x\n--b--", "hi\r\n--b" + repeat(" ", 200_000) + "x", ""},
			{"CR LF at an edge", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + repeat("\n", 65_536) + "--b--", repeat("\r\n", 65_535), ""},
			{"bare CR at the end", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r", "hi\r", "multipart-not-closed"},
		}...), Limits{}, false},
	}
}
