package parse

import (
	"bytes"
	"math/bits"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// guessLegacy chooses a charset for octets that are no UTF-8 and that nobody named one for. What is not
// plainly of the East or Cyrillic is windows-1252. Unless whole is set the last character may be cut.
func guessLegacy(b []byte, whole bool) string {
	b, whole = telltale(b, whole)
	for _, guess := range [...]func(b []byte, whole bool) string{cyrillic, doubleOctet, shiftJIS, big5} {
		if name := guess(b, whole); name != "" {
			return name
		}
	}
	return "windows-1252"
}

// telltale returns as much of b as decides: a file name may be of a hundred thousand octets, and a message
// have many of them.
func telltale(b []byte, whole bool) ([]byte, bool) {
	if len(b) > sniffSize+1 {
		b = b[max(telling(b)-1, 0):]
	}
	n := min(len(b), sniffSize+1)
	return b[:n], whole && n == len(b)
}

// wide tells whether an octet of b is over 127.
func wide(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return true
		}
	}
	return false
}

// cyrillic tells KOI8-R from windows-1251: nearly all octets over 127 are letters, in words that have no
// others and no capitals within, and the nine most frequent of Russian are half of them, which Greek or
// Hebrew read so does not show.
func cyrillic(b []byte, _ bool) (name string) {
	const least = 6 // letters
	if letters, mixed := latinNeighbours(b); letters < least || mixed*10 > letters {
		return ""
	}
	best := 0
	for _, c := range [...]struct {
		name string
		m    *charmap.Charmap
	}{{"koi8-r", charmap.KOI8R}, {"windows-1251", charmap.Windows1251}} {
		high, letters, common, odd := 0, 0, 0, 0
		small := false // the letter before
		for _, o := range b {
			r := c.m.DecodeByte(o)
			l := unicode.ToLower(r)
			if o >= 0x80 {
				high++
			}
			if l >= 'а' && l <= 'я' || l == 'ё' {
				letters++
			}
			if strings.ContainsRune("оеаинтсрв", l) {
				common++
			}
			if small && r != l {
				odd++
			}
			small = o >= 0x80 && r == l && unicode.IsLetter(r)
		}
		if letters*10 >= high*9 && common*2 >= letters && odd*20 <= letters && common > best {
			best, name = common, c.name
		}
	}
	return name
}

// latinNeighbours counts the octets that may be letters of an alphabet of eight bits, and those of them
// that stand beside an ASCII letter, as those of Europe's languages do.
func latinNeighbours(b []byte) (letters, mixed int) {
	ascii := func(i int) bool { return i >= 0 && i < len(b) && (b[i]|0x20 >= 'a' && b[i]|0x20 <= 'z') }
	for i, c := range b {
		if c < 0x80 {
			continue
		}
		letters++
		if ascii(i-1) || ascii(i+1) {
			mixed++
		}
	}
	return letters, mixed
}

// doubleOctet recognises the charsets that write a character in two octets over 160: a text of those has
// nearly nothing but such pairs, which no European text has.
func doubleOctet(b []byte, whole bool) string {
	high, runs, odd := 0, 0, 0
	for i := 0; i < len(b); {
		if b[i] < 0x80 {
			i++
			continue
		}
		j := i
		for j < len(b) && b[j] >= 0xa1 && b[j] < 0xff {
			j++
		}
		if j == i {
			return ""
		}
		high += j - i
		runs++
		odd += (j - i) & 1
		i = j
	}
	if runs == 0 || odd > 0 && whole || odd > 1 || high < 4*runs {
		return ""
	}
	return eastAsian(b)
}

// eastAsian tells EUC-KR from EUC-JP from GBK by the rows of the 94x94 sets that common text uses:
// hangul lies in rows 16-40, kana in rows 4 and 5, hanzi of level one in 16-55.
func eastAsian(b []byte) string {
	pairs, kana, hangul, hanzi := 0, 0, 0, 0
	for i := 0; i+1 < len(b); {
		if b[i] < 0x80 {
			i++
			continue
		}
		pairs++
		row := int(b[i]) - 0xa0
		if row == 4 || row == 5 {
			kana++
		}
		if row >= 16 && row <= 40 {
			hangul++
		}
		if row <= 3 || row >= 16 && row <= 55 {
			hanzi++
		}
		i += 2
	}
	switch {
	case kana*4 >= pairs:
		return "euc-jp"
	case hangul*20 >= pairs*19:
		return "euc-kr"
	case hanzi*5 >= pairs*4:
		return "gb18030"
	}
	return ""
}

// shiftJIS recognises Shift_JIS: every character is one, and a fourth of them are kana, whose first
// octets stand for marks in windows-1252 that no text repeats so.
func shiftJIS(b []byte, whole bool) string {
	pairs, kana, half := 0, 0, 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c < 0x80:
			continue
		case c >= 0xa1 && c <= 0xdf:
			half++
			continue
		case c == 0x80 || c == 0xa0 || c > 0xfc, i+1 == len(b) && whole:
			return ""
		case i+1 == len(b):
			continue
		}
		i++
		if t := b[i]; t < 0x40 || t == 0x7f || t > 0xfc {
			return ""
		}
		pairs++
		if c == 0x82 && b[i] >= 0x9f || c == 0x83 && b[i] <= 0x96 {
			kana++
		}
	}
	if pairs < 3 || kana*4 < pairs || half > pairs {
		return ""
	}
	return "shift_jis"
}

// big5 recognises Big5: every character is one, nearly all of them are of the frequent level, and there is
// more of them than of ASCII letters, which are the most in any text that only looks like it.
func big5(b []byte, whole bool) string {
	pairs, frequent, ascii := 0, 0, 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c < 0x80:
			if c|0x20 >= 'a' && c|0x20 <= 'z' {
				ascii++
			}
			continue
		case c < 0xa1 || c > 0xf9, i+1 == len(b) && whole:
			return ""
		case i+1 == len(b):
			continue
		}
		i++
		if t := b[i]; t < 0x40 || t > 0x7e && t < 0xa1 || t == 0xff {
			return ""
		}
		pairs++
		if c <= 0xc6 {
			frequent++
		}
	}
	if pairs < 4 || frequent*10 < pairs*9 || ascii > 2*pairs {
		return ""
	}
	return "big5"
}

// legacyForUTF8 tells whether octets that are declared as UTF-8 are plainly of an older charset. It has to be
// plain: one that nobody can make out is better shown as U+FFFD than as something else.
func legacyForUTF8(b []byte, whole bool) bool {
	switch {
	case isISO2022JP(b):
		return !wide(b)
	case validUTF8(b, whole), nearlyUTF8(b):
		return false
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}), bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return bytes.IndexByte(b, 0) >= 0 // UTF-16
	}
	b, whole = telltale(b, whole)
	return guessLegacy(b, whole) != "windows-1252" || latin(b)
}

// latin recognises a language of Europe in windows-1252: letters in words of ASCII letters and marks that
// texts have, but nothing that is a character of UTF-8 or was meant as one.
func latin(b []byte) bool {
	ascii := func(i int) bool { return i >= 0 && i < len(b) && (b[i]|0x20 >= 'a' && b[i]|0x20 <= 'z') }
	words, runs, begin := 0, 0, -1 // a run is of letters over 127
	for i := 0; i <= len(b); i++ {
		r := ' '
		if i < len(b) && b[i] >= 0x80 {
			r = charmap.Windows1252.DecodeByte(b[i])
		}
		switch {
		case unicode.IsLetter(r) && r != 'ÿ' && !meansUTF8(b[i:]):
			if begin < 0 {
				begin = i
			}
			continue
		case r > ' ' && !unicode.IsPunct(r) && !strings.ContainsRune("€£©®™°´²³¼½¾\u00a0", r):
			return false
		}
		if begin >= 0 {
			if runs++; ascii(begin-1) || ascii(i) {
				words++
			}
			begin = -1
		}
	}
	return words*4 >= runs*3
}

// meansUTF8 tells whether b begins with as many octets of a character as its first one asks for.
func meansUTF8(b []byte) bool {
	n := bits.LeadingZeros8(^b[0])
	if n < 2 || n > 4 || len(b) < n {
		return false
	}
	for _, c := range b[1:n] {
		if c&0xc0 != 0x80 {
			return false
		}
	}
	return true
}
