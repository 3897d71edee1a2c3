package sniff

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"strings"
)

// container recognises the formats that are zip files whose first entry, stored as it is, says which:
// OpenDocument (part 2, section 3.3), EPUB, and ASiC, the signed container of European authorities
// (ETSI EN 319 162-1, annex A).
func container(head []byte) string {
	const fixed = 30 // of a local file header: APPNOTE section 4.3.7
	const name = "mimetype"
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) || len(head) < fixed+len(name) || string(head[fixed:fixed+len(name)]) != name {
		return ""
	}
	if method, extra := binary.LittleEndian.Uint16(head[8:]), binary.LittleEndian.Uint16(head[28:]); method != 0 || extra != 0 {
		return ""
	}
	t := head[fixed+len(name):]
	if size := binary.LittleEndian.Uint32(head[18:]); uint64(size) < uint64(len(t)) {
		t = t[:size]
	}
	t = bytes.ToLower(bytes.TrimRight(t, "\r\n"))
	sub, ok := bytes.CutPrefix(t, []byte("application/"))
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("+-.", r)
	}
	if !ok || len(sub) == 0 || len(sub) > 80 || len(bytes.TrimFunc(sub, plain)) > 0 {
		return ""
	}
	return string(t)
}

// office tells the documents of Office Open XML apart (ECMA-376 part 2, section 10.1.2): the list of
// content types names the main part of the package. Office writes it first, which no other zip file
// does, so that the type is known although the parts themselves lie behind the head.
func office(head []byte) string {
	const name, fixed = "[Content_Types].xml", 30 // of a local file header: APPNOTE section 4.3.7
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) || len(head) < fixed+len(name) || string(head[fixed:fixed+len(name)]) != name {
		return ""
	}
	method := binary.LittleEndian.Uint16(head[8:])
	start := fixed + int(binary.LittleEndian.Uint16(head[26:])) + int(binary.LittleEndian.Uint16(head[28:]))
	list := head[min(start, len(head)):]
	if method == 8 {
		list = inflate(list)
	}
	return mainPart(list)
}

// maxList bounds the list of content types. A real one has 1 to 4 KiB.
const maxList = 32 << 10

// inflate decompresses as much as there is: the list may be cut, and what follows it is no error.
func inflate(b []byte) []byte {
	list, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), maxList))
	return list
}

// mainPart finds the media type of a document in its list of content types.
func mainPart(list []byte) string {
	const xml, ms = "application/vnd.openxmlformats-officedocument.", "application/vnd.ms-"
	for _, t := range [...]struct{ part, is string }{
		{xml + "wordprocessingml.document.main", xml + "wordprocessingml.document"},
		{xml + "wordprocessingml.template.main", xml + "wordprocessingml.template"},
		{xml + "spreadsheetml.sheet.main", xml + "spreadsheetml.sheet"},
		{xml + "spreadsheetml.template.main", xml + "spreadsheetml.template"},
		{xml + "presentationml.presentation.main", xml + "presentationml.presentation"},
		{xml + "presentationml.slideshow.main", xml + "presentationml.slideshow"},
		{xml + "presentationml.template.main", xml + "presentationml.template"},
		{ms + "word.document.macroEnabled.main", ms + "word.document.macroenabled.12"},
		{ms + "word.template.macroEnabledTemplate.main", ms + "word.template.macroenabled.12"},
		{ms + "excel.sheet.macroEnabled.main", ms + "excel.sheet.macroenabled.12"},
		{ms + "excel.template.macroEnabled.main", ms + "excel.template.macroenabled.12"},
		{ms + "excel.sheet.binary.macroEnabled.main", ms + "excel.sheet.binary.macroenabled.12"},
		{ms + "excel.addin.macroEnabled.main", ms + "excel.addin.macroenabled.12"},
		{ms + "powerpoint.presentation.macroEnabled.main", ms + "powerpoint.presentation.macroenabled.12"},
		{ms + "powerpoint.slideshow.macroEnabled.main", ms + "powerpoint.slideshow.macroenabled.12"},
	} {
		if bytes.Contains(list, []byte(t.part)) {
			return t.is
		}
	}
	return ""
}

// ole looks into a compound file whose directory lies behind the head, where the library finds
// nothing: the stream of the main document usually comes first, in the sector after the header
// ([MS-CFB] section 2.2), and Word begins it with its own number ([MS-DOC] section 2.5.1).
func ole(head []byte) string {
	const sector = 512
	if len(head) >= sector+2 && binary.LittleEndian.Uint16(head[sector:]) == 0xa5ec {
		return "application/msword"
	}
	return "application/x-ole-storage"
}
