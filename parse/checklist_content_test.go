package parse

import "strings"

// encodingItems are 86 to 90.
func encodingItems() []item {
	enc := func(name string) func(string) string {
		return before("Content-Type: application/x-y\r\nContent-Transfer-Encoding: " + name + "\r\n\r\n")
	}
	return []item{
		{86, "base64", enc("base64"), bodies, []probe{
			{"garbage", "JV*BE\x80Ri!0=", "%PDF-", "base64-garbage"},
			{"spaces and tabs", "JV BE\tRi0=", "%PDF-", ""},
			{"NUL", "JVBE\x00Ri0=", "%PDF-", "base64-garbage"},
			{"padding between quanta", "JVBE=Ri0=", "%PDF-", "base64-garbage"},
			{"padding first", "=JVBERi0=", "%PDF-", "base64-garbage"},
			{"two characters left", "JVBERg\r\n", "%PDF", "base64-unpadded"},
			{"three characters left", "JVBERi0\r\n", "%PDF-", "base64-unpadded"},
			{"one character left", "JVBEJ\r\n", "%PD", "base64-truncated"},
			{"one of two padding characters", "JVBERg=\r\n", "%PDF", "base64-unpadded"},
			{"excess padding", "JVBERi0====\r\n", "%PDF-", "base64-garbage"},
			{"padding on a line of its own", "JVBERi0\r\n=\r\n", "%PDF-", ""},
			{"text after the padding", "JVBERi0=\r\n\r\n--\r\nfooter of a list\r\n", "%PDF-", "base64-trailing"},
			{"words of the alphabet after the padding", "JVBERi0=\r\nVisit our site\r\n", "%PDF-", "base64-trailing"},
			{"text after the padding in its line", "JVBERi0= bye\r\n", "%PDF-", "base64-trailing"},
			{"two encodings", "JVBERi0=\r\nJVBERi0xJVBERi0=\r\n", "%PDF-%PDF-1%PDF-", "base64-continued"},
			{"two short encodings", "YQ==\r\nYg==\r\n", "ab", "base64-continued"},
			{"two encodings in a line", "YQ==YmM=ZGVm", "abcdef", "base64-continued"},
			{"every line padded", repeat("YWI=\r\n", 100), repeat("ab", 100), "base64-continued"},
			{"one character a line", "J\r\nV\r\nB\r\nE\r\nR\r\ni\r\n0\r\n=\r\n", "%PDF-", ""},
			{"bare CR", "JVBE\rRi0=\r", "%PDF-", ""},
			{"empty lines", "\r\n\r\nJVBE\r\n\r\nRi0=\r\n\r\n", "%PDF-", ""},
			{"nothing", "", "", ""},
			{"only padding", "====\r\n", "", "base64-garbage"},
			{"20 MB in a line", repeat("AAAA", 5<<20), repeat("\x00", 15<<20), ""},
			{"bits after the end", "JVBERh==", "%PDF", ""},
		}, Limits{}, false},
		{87, "quoted-printable", enc("quoted-printable"), bodies, []probe{
			{"lower case", "=c3=a9", "é", ""},
			{"no digits", "a=ZZb=G1", "a=ZZb=G1", "quoted-printable-invalid"},
			{"one digit", "a=4\r\nb", "a=4\r\nb", "quoted-printable-invalid"},
			{"one digit at the end", "a=4", "a=4", "quoted-printable-invalid"},
			{"soft break", "a=\r\nb", "ab", ""},
			{"soft break and blanks", "a= \t\r\nb", "ab", ""},
			{"soft break with LF", "a=\nb", "ab", ""},
			{"soft break with CR", "a=\rb", "ab", ""},
			{"soft break at the end", "a=", "a", ""},
			{"soft break and a CR that was doubled", "a=\r\r\nb=41=\r\r\nc\r\r\n", "abAc\r\r\n", ""},
			{"soft break and a CR that was doubled at the end", "a=\r\r\n", "a", ""},
			{"CR at the end", "a\r\r", "a\r\r", ""},
			{"soft break and CR at the end", "a=\r", "a", ""},
			{"soft break and line end at the end", "a=\r\n", "a", ""},
			{"soft break after 76 characters", repeat("a", 76) + "=\r\nb", repeat("a", 76) + "b", ""},
			{"equals sign encoded", "a=3D\r\n", "a=\r\n", ""},
			{"double equals", "a==\r\nb", "a=b", "quoted-printable-invalid"},
			{"blanks at the end of a line", "a \t \r\nb  \r\n", "a\r\nb\r\n", ""},
			{"blanks at the very end", "a  ", "a", ""},
			{"encoded blank at the end", "a=20\r\nb", "a \r\nb", ""},
			{"encoded line end", "a=0D=0Ab", "a\r\nb", ""},
			{"raw octets", "a\xc3\xa9\x00\xff", "a\xc3\xa9\x00\xff", ""},
			{"lines without limit", repeat("a", 100_000) + "=41", repeat("a", 100_000) + "A", ""},
			{"escape split by a soft break", "a=4=\r\n1", "a=41", "quoted-printable-invalid"},
			{"only soft breaks", repeat("=\r\n", 10_000), "", ""},
			{"blanks without end", "a" + repeat(" ", 100_000) + "b", "a" + repeat(" ", 100_000) + "b", ""},
		}, Limits{}, false},
		{88, "uuencode", enc("x-uuencode"), bodies, []probe{
			{"well-formed", "begin 644 a\r\n%)5!$1BT \r\n`\r\nend\r\n", "%PDF-", ""},
			{"LF", "begin 644 a\n%)5!$1BT \n`\nend\n", "%PDF-", ""},
			{"space for the empty line", "begin 644 a\r\n%)5!$1BT \r\n \r\nend\r\n", "%PDF-", ""},
			{"cut", "begin 644 a\r\n%)5!$1BT \r\n", "%PDF-", ""},
			{"trailing space stripped", "begin 644 a\r\n%)5!$1BT\r\n`\r\nend\r\n", "%PDF-", ""},
			{"a checksum behind", "begin 644 a\r\n%)5!$1BT x\r\n`\r\nend\r\n", "%PDF-", ""},
			{"text before", "hello\r\n\r\nbegin 644 a\r\n%)5!$1BT \r\n`\r\nend\r\n", "%PDF-", "uuencode-invalid"},
			{"text behind", "begin 644 a\r\n%)5!$1BT \r\n`\r\nend\r\nbye\r\n", "%PDF-", "uuencode-invalid"},
			{"empty lines around", "\r\n\r\nbegin 644 a\r\n%)5!$1BT \r\n`\r\nend\r\n\r\n", "%PDF-", ""},
			{"a line that is too short", "begin 644 a\r\nM)5!\r\n%)5!$1BT \r\n`\r\nend\r\n", "%PDF-", "uuencode-invalid"},
			{"no begin", "hello\r\n", "hello\r\n", "uuencode-invalid"},
			{"nothing", "", "", ""},
			{"no begin for long", repeat("hello\r\n", 20_000) + "begin 644 a\r\n", repeat("hello\r\n", 20_000) + "begin 644 a\r\n", "uuencode-invalid"},
			{"name with spaces", "begin 644 a b.pdf\r\n%)5!$1BT \r\n`\r\nend\r\n", "%PDF-", ""},
			{"text is left to who wants it", "begin 644 a\r\n`\r\nend\r\n", "", ""},
		}, Limits{}, false},
		{89, "yEnc", enc("x-yencode"), bodies, []probe{
			{"kept", "=ybegin line=128 size=3 name=a\r\n\x8b\x8c\x8d\r\n=yend size=3\r\n", "=ybegin line=128 size=3 name=a\r\n\x8b\x8c\x8d\r\n=yend size=3\r\n", "encoding-unknown"},
			{"NUL and bare CR kept", "=ybegin\r\n\x00\r\xff\r\n=yend\r\n", "=ybegin\r\n\x00\r\xff\r\n=yend\r\n", "encoding-unknown"},
			{"escapes kept", "=ybegin\r\n=}=M=J\r\n=yend\r\n", "=ybegin\r\n=}=M=J\r\n=yend\r\n", "encoding-unknown"},
		}, Limits{}, false},
		{90, "format=flowed", before("Content-Type: text/plain; format=flowed"), bodies, []probe{
			{"soft break", "\n\na \nb\n", "a b\r\n", ""},
			{"hard break", "\n\na\nb\n", "a\r\nb\r\n", ""},
			{"delsp", "; delsp=yes\n\na \nb\n", "ab\r\n", ""},
			{"delsp in quotes and capitals", "; DelSp=\"YES\"\n\na \nb\n", "ab\r\n", ""},
			{"another parameter behind", "; charset=utf-8\n\na \nb\n", "a b\r\n", ""},
			{"space-stuffed", "\n\n From\n >a\n", "From\r\n>a\r\n", ""},
			{"signature", "\n\na\n-- \nb\n", "a\r\n-- \r\nb\r\n", ""},
			{"signature after a soft break", "\n\na \n-- \nb\n", "a \r\n-- \r\nb\r\n", ""},
			{"quotes", "\n\n> a \n> b\nc\n", "> a b\r\nc\r\n", ""},
			{"quotes of another depth", "\n\n> a \n>> b\n", "> a \r\n>> b\r\n", ""},
			{"quoted-printable", "\nContent-Transfer-Encoding: quoted-printable\n\na=20\nb\n", "a b\r\n", ""},
			{"soft break at the end", "\n\na ", "a ", ""},
			{"LF", "\n\na \nb", "a b", ""},
		}, Limits{}, false},
	}
}

// text makes a message of a text in the charset that the probe begins with.
func text(in string) string {
	label, body, _ := strings.Cut(in, "|")
	return "Content-Type: text/plain; charset=" + label + "\r\n\r\n" + body
}

// charsetItems are 91 to 95 and 98.
func charsetItems() []item {
	html := before("Content-Type: text/html")
	return append(labelItems(), []item{
		{92, "stateful and wide charsets", text, bodies, []probe{
			{"UTF-7", "utf-7|a+AOk-+- +2D3eAA-", "aé+ 😀", ""},
			{"UTF-7 not shifted back", "utf-7|+AOk", "é", ""},
			{"UTF-7 with half a pair", "utf-7|+2D0-a", "\uFFFDa", "charset-invalid"},
			{"UTF-16 with mark", "utf-16|\xfe\xff\x00a\x00\xe9", "aé", ""},
			{"UTF-16 with the other mark", "utf-16|\xff\xfea\x00\xe9\x00", "aé", ""},
			{"UTF-16 without mark", "utf-16|\x00a\x00\xe9", "aé", ""},
			{"UTF-16 without mark, little-endian", "utf-16|a\x00\xe9\x00", "aé", ""},
			{"UTF-16LE with a mark", "utf-16le|\xff\xfea\x00", "a", ""},
			{"UTF-16 with half a pair", "utf-16be|\xd8\x3d\x00a", "\uFFFDa", "charset-invalid"},
			{"UTF-16 with an odd octet", "utf-16be|\x00a\x00", "a\uFFFD", "charset-invalid"},
			{"GB18030 of four octets", "gb18030|\x81\x39\xee\x39", "㐀", ""},
			{"ISO-2022-JP", "iso-2022-jp|\x1b$B$3\x1b(B", "こ", ""},
			{"ISO-2022-JP, the old set", "iso-2022-jp|\x1b$@$3\x1b(J", "こ", ""},
			{"ISO-2022-JP, half-width kana", "iso-2022-jp|\x1b(I1\x1b(B", "ｱ", ""},
			{"ISO-2022-JP ends with a line", "iso-2022-jp|\x1b$B$3\x1b(B\r\n\x1b$B$3\x1b(B\r\n", "こ\r\nこ\r\n", ""},
			{"ISO-2022-KR", "iso-2022-kr|\x1b$)Ca\x0eGQ1[\x0fb", "a한글b", ""},
			{"HZ", "hz-gb-2312|~{VP~}~~", "中~", ""},
			{"Shift_JIS cut", "shift_jis|a\x82", "a\uFFFD", "charset-invalid"},
			{"UTF-8 declared as ISO-2022-JP", "iso-2022-jp|ドカ", "ドカ", "charset-guessed"},
			{"UTF-8 declared as GB2312", "gb2312|中文字", "中文字", "charset-guessed"},
			{"UTF-8 declared as GB2312, long", "gb2312|a" + repeat("中文字", 5000), "a" + repeat("中文字", 5000), "charset-guessed"},
			{"UTF-8 declared as Big5, cut where the samples end", "big5|" + repeat("中文字ü", 5000), repeat("中文字ü", 5000), "charset-guessed"},
			{"UTF-8 declared as Shift_JIS", "shift_jis|Grüße und こんにちは世界", "Grüße und こんにちは世界", "charset-guessed"},
			{"UTF-8 declared as GB2312, valid in both", "gb2312|这是一个中文句子", "这是一个中文句子", "charset-guessed"},
			{"GB2312 that could be UTF-8", "gb2312|\xc1\xaa\xcd\xa8", "联通", ""},
			{"GB2312, long", "gb2312|" + repeat("\xd6\xd0a", 5000), repeat("中a", 5000), ""},
			{"GB2312, ASCII only", "gb2312|a", "a", ""},
			{"GB2312 with one error", "gb2312|" + repeat("\xd6\xd0", 5000) + "\xff", repeat("中", 5000) + "\uFFFD", "charset-invalid"},
			{"ISO-2022-JP, long", "iso-2022-jp|" + repeat("abc\r\n", 3000) + "\x1b$B" + repeat("$3", 6000) + "\x1b(B", repeat("abc\r\n", 3000) + repeat("こ", 6000), ""},
		}, Limits{}, false},
		{93, "Latin is windows-1252", text, bodies, []probe{
			{"iso-8859-1", "iso-8859-1|\x93a\x94\x96\xe9\x80", "“a”–é€", ""},
			{"latin1", "latin1|\x96", "–", ""},
			{"us-ascii", "us-ascii|\x96\xe9", "–é", "charset-guessed"},
			{"none", "|\x96\xe9", "–é", "charset-guessed parameter-invalid"},
			{"iso-8859-15 is not", "iso-8859-15|\xa4", "€", ""},
			{"iso-8859-9 is windows-1254", "iso-8859-9|\xfd\x96", "ı–", ""},
			{"a hole", "windows-1252|\x81", "\uFFFD", "charset-invalid"},
		}, Limits{}, false},
		{94, "charset of HTML", html, textAndCharset, []probe{
			{"meta", "\n\n<meta charset=koi8-r>\xf0", "<meta charset=koi8-r>П koi8-r", ""},
			{"meta in quotes", "\n\n<meta charset=\"koi8-r\">\xf0", "<meta charset=\"koi8-r\">П koi8-r", ""},
			{"http-equiv", "\n\n<meta http-equiv=Content-Type content='text/html; charset=windows-1251'>\xcf", "<meta http-equiv=Content-Type content='text/html; charset=windows-1251'>П windows-1251", ""},
			{"the header wins", "; charset=utf-8\n\n<meta charset=koi8-r>é", "<meta charset=koi8-r>é utf-8", ""},
			{"the header says nothing true", "; charset=us-ascii\n\n<meta charset=koi8-r>\xf0", "<meta charset=koi8-r>П koi8-r", "charset-guessed"},
			{"unknown", "\n\n<meta charset=x-foo>\xe9", "<meta charset=x-foo>é windows-1252", "charset-guessed"},
			{"in a comment", "\n\n<!-- <meta charset=koi8-r> -->é", "<!-- <meta charset=koi8-r> -->é utf-8", "charset-guessed"},
			{"UTF-8 that is none", "\n\n<meta charset=utf-8>\xe9", "<meta charset=utf-8>é windows-1252", "charset-guessed"},
			{"UTF-8 that is", "\n\n<meta charset=utf-8>é", "<meta charset=utf-8>é utf-8", "charset-guessed"},
			{"none", "\n\n<p>a\xe9", "<p>aé windows-1252", "charset-guessed"},
			{"far behind", "\n\n" + repeat(" ", 2000) + "<meta charset=koi8-r>\xf0\xd2\xc9", repeat(" ", 2000) + "<meta charset=koi8-r>ðÒÉ windows-1252", "charset-guessed"},
			{"ASCII", "\n\n<p>a", "<p>a us-ascii", ""},
		}, Limits{}, false},
		{95, "invalid octets", text, bodies, []probe{
			{"UTF-8", "utf-8|a\xffb", "a\uFFFDb", "charset-invalid"},
			{"UTF-8 cut", "utf-8|aé\xc3", "aé\uFFFD", "charset-invalid"},
			{"surrogates", "utf-8|\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD", "charset-invalid"},
			{"overlong", "utf-8|\xc0\xaf", "\uFFFD\uFFFD", "charset-invalid"},
			{"over U+10FFFF", "utf-8|\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", "charset-invalid"},
			{"Latin declared as UTF-8", "utf-8|Gr\xfc\xdfe", "Gr\uFFFD\uFFFDe", "charset-invalid"},
			{"EUC-KR", "euc-kr|a\xc7", "a\uFFFD", "charset-invalid"},
			{"U+FFFD itself is good", "utf-8|\uFFFD", "\uFFFD", ""},
			{"noncharacters are good", "utf-8|\uFFFE\U0001FFFF", "\uFFFE\U0001FFFF", ""},
			{"NUL is good", "utf-8|a\x00b", "a\x00b", ""},
		}, Limits{}, false},
	}...)
}

// textAndCharset shows a text and what it was read as.
func textAndCharset(m message) string { return bodies(m) + " " + m.parts[0].UsedCharset }
