package tnef

// word obeys a control word.
func (p *rtfReader) word(word string, n int, has bool) {
	star := p.star
	p.star = false
	switch {
	case word == "bin":
		p.in = p.in[min(max(n, 0), len(p.in)):]
	case p.group.dest == destOther:
	case p.skip > 0 && word != "u" && word != "uc":
		p.skip--
	case p.group.dest == destFonts:
		p.font(word, n, star)
	case p.setting(word, n, has):
	case p.destination(word):
	case star:
		p.group.dest = destOther
	default:
		p.character(word)
	}
}

// setting obeys what changes the meaning of the text that follows.
func (p *rtfReader) setting(word string, n int, has bool) bool {
	switch word {
	case "fromhtml", "fromtext":
		p.encapsulates(word == "fromhtml")
	case "htmlrtf":
		p.group.rtfOnly = n != 0 || !has
	case "ansicpg":
		if p.codepage = n; n <= 0 || n > 65535 {
			p.codepage = codepageWestern
		}
	case "mac":
		p.codepage = 10000
	case "pc":
		p.codepage = 437
	case "pca":
		p.codepage = 850
	case "deff":
		p.deff, p.group.font = n, n
	case "plain":
		p.group.font = p.deff
	case "f":
		p.group.font = n
	case "u":
		p.unicode(n)
	case "uc":
		p.group.uc = max(n, 0)
	default:
		return false
	}
	return true
}

// encapsulates notes what the RTF was made from, if that is said before any text.
func (p *rtfReader) encapsulates(html bool) {
	if len(p.out)+len(p.run) > 0 || len(p.outer) != 1 || p.kind != KindRTF {
		return
	}
	if p.kind = KindText; html {
		p.kind = KindHTML
	}
}

// font obeys what is said in the font table.
func (p *rtfReader) font(word string, n int, star bool) {
	cp := 0
	switch {
	case star:
		p.group.dest = destOther
	case word == "f":
		p.group.font = n
	case word == "fcharset":
		cp = fontCodepage(n)
	case word == "cpg":
		cp = n
	}
	if cp > 0 && cp < 65536 && len(p.fonts) < maxFonts {
		p.fonts[p.group.font] = cp
	}
}

// destination obeys a word that says what its group is for.
func (p *rtfReader) destination(word string) bool {
	switch word {
	case "fonttbl":
		p.group.dest = destFonts
	case "htmltag":
		if p.group.dest = destHTMLTag; p.kind != KindHTML {
			p.group.dest = destOther
		}
	case "pntext", "listtext": // the mark of a list's item
		if p.kind == KindHTML {
			p.group.dest = destOther
		}
	case "mhtmltag", "colortbl", "stylesheet", "info", "pict", "object", "objdata", "fldinst", "template",
		"header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "nonesttables",
		"xe", "tc", "private", "themedata", "colorschememapping", "datastore", "filetbl", "revtbl", "listtable":
		p.group.dest = destOther
	default:
		return false
	}
	return true
}

// character shows a word that stands for text ([MS-OXRTFEX] 2.1.3.1.4.2).
func (p *rtfReader) character(word string) {
	switch word {
	case "par", "line", "sect", "page", "row":
		p.show("\r\n")
	case "tab", "cell", "nestcell":
		p.show("\t")
	case "lquote":
		p.show("\u2018")
	case "rquote":
		p.show("\u2019")
	case "ldblquote":
		p.show("\u201c")
	case "rdblquote":
		p.show("\u201d")
	case "bullet":
		p.show("\u2022")
	case "endash":
		p.show("\u2013")
	case "emdash":
		p.show("\u2014")
	case "enspace":
		p.show("\u2002")
	case "emspace":
		p.show("\u2003")
	case "qmspace":
		p.show("\u2005")
	case "zwj":
		p.show("\u200d")
	case "zwnj":
		p.show("\u200c")
	case "ltrmark":
		p.show("\u200e")
	case "rtlmark":
		p.show("\u200f")
	}
}
