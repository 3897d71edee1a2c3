package tnef

import (
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const (
	codepageWestern = 1252
	codepageUTF8    = 65001
)

// text converts 8-bit text. What names no code page of 8-bit text is Western.
func (r *Reader) text(codepage int, octets []byte) string {
	label := codepageLabel(codepage)
	if label == "" || codepage == 1200 || codepage == 1201 {
		label = codepageLabel(codepageWestern)
	}
	return r.opt.Text(label, octets)
}

// western is the converter of callers that have none.
func western(charset string, octets []byte) string {
	if charset == codepageLabel(codepageUTF8) && utf8.Valid(octets) {
		return string(octets)
	}
	b, err := charmap.Windows1252.NewDecoder().Bytes(octets)
	if err != nil {
		return ""
	}
	return string(b)
}

// codepageLabel names the charset of a Windows code page as mail does; empty if there is none.
func codepageLabel(cp int) string {
	n := strconv.Itoa(cp)
	switch {
	case cp >= 1250 && cp <= 1258, cp == 874:
		return "windows-" + n
	case cp >= 28591 && cp <= 28605:
		return "iso-8859-" + strconv.Itoa(cp-28590)
	case cp == 437, cp >= 850 && cp < 870:
		return "ibm" + n
	}
	switch cp {
	case 932:
		return "shift_jis"
	case 936:
		return "gbk"
	case 949, 51949:
		return "euc-kr"
	case 950:
		return "big5"
	case 1200:
		return "utf-16le"
	case 1201:
		return "utf-16be"
	case 10000:
		return "macintosh"
	case 10007:
		return "x-mac-cyrillic"
	case 20127:
		return "us-ascii"
	case 20866:
		return "koi8-r"
	case 21866:
		return "koi8-u"
	case 20932, 51932:
		return "euc-jp"
	case 50220, 50221, 50222:
		return "iso-2022-jp"
	case 50225:
		return "iso-2022-kr"
	case 51936:
		return "gb2312"
	case 52936:
		return "hz-gb-2312"
	case 54936:
		return "gb18030"
	case 65000:
		return "utf-7"
	case codepageUTF8:
		return "utf-8"
	}
	return ""
}

// fontCodepage is the code page of an RTF font's \fcharset; 0 if it has none of its own.
func fontCodepage(charset int) int {
	switch charset {
	case 0:
		return codepageWestern
	case 77:
		return 10000
	case 128:
		return 932
	case 129:
		return 949
	case 130:
		return 1361
	case 134:
		return 936
	case 136:
		return 950
	case 161:
		return 1253
	case 162:
		return 1254
	case 163:
		return 1258
	case 177:
		return 1255
	case 178:
		return 1256
	case 186:
		return 1257
	case 204:
		return 1251
	case 222:
		return 874
	case 238:
		return 1250
	case 254:
		return 437
	case 255:
		return 850
	}
	return 0
}
