package tnef

import (
	"encoding/binary"
	"hash/crc32"
)

// Compressed RTF ([MS-OXRTFCP]): a header of the size of what follows its first field, the size of
// the RTF, the kind of compression and a checksum; then LZ77 with a dictionary of 4 KiB that begins
// with what RTF is full of (2.1.2.1).
const (
	lzfuHeader = 16
	lzfuSize   = 4096
	lzfuBegin  = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript ` +
		`\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` + "\r\n" +
		`\par \pard\plain\f0\fs20\b\i\u\tab\tx`
	lzfuCompressed   = "LZFu"
	lzfuUncompressed = "MELA"
)

// decompress unpacks a compressed RTF body as far as it goes, at most Options.Body octets.
func (r *Reader) decompress(packed []byte) []byte {
	if len(packed) < lzfuHeader {
		r.flaw(FlawTruncated, "the RTF body ends inside of its header")
		return nil
	}
	size := int64(binary.LittleEndian.Uint32(packed)) - (lzfuHeader - 4)
	rawSize := int64(binary.LittleEndian.Uint32(packed[4:]))
	kind, sum := string(packed[8:12]), binary.LittleEndian.Uint32(packed[12:])
	packed = packed[lzfuHeader:]
	cut := size > int64(len(packed))
	if !cut && size > 0 {
		packed = packed[:size]
	}
	var out []byte
	switch kind {
	case lzfuCompressed:
		// The checksum is CRC-32 without the inversions (2.1.3.2), which Update undoes.
		if !cut && ^crc32.Update(^uint32(0), crc32.IEEETable, packed) != sum {
			r.flaw(FlawChecksum, "checksum of the RTF body")
		}
		out = inflate(packed, r.opt.Body+1)
	case lzfuUncompressed:
		out = packed[:min(rawSize, int64(len(packed)))]
	default:
		r.flaw(FlawInvalid, "an RTF body of unknown compression")
	}
	switch {
	case int64(len(out)) > r.opt.Body:
		r.flaw(FlawLimit, "an RTF body longer than allowed was cut")
		out = out[:r.opt.Body]
	case int64(len(out)) < rawSize && len(out) > 0:
		r.flaw(FlawTruncated, "the RTF body ends too early")
	}
	return out
}

// inflate decompresses until the end marker, a reference to the place that is written next (2.2.3),
// or the end, or until there are limit octets or a few more.
func inflate(in []byte, limit int64) (out []byte) {
	var dict [lzfuSize]byte
	at := copy(dict[:], lzfuBegin)
	put := func(c byte) {
		out = append(out, c)
		dict[at] = c
		at = (at + 1) % lzfuSize
	}
	for len(in) > 0 && int64(len(out)) < limit {
		control := in[0]
		in = in[1:]
		for bit := range 8 {
			if control&(1<<bit) == 0 {
				if len(in) < 1 {
					return out
				}
				put(in[0])
				in = in[1:]
				continue
			}
			if len(in) < 2 {
				return out
			}
			ref := int(in[0])<<8 | int(in[1])
			in = in[2:]
			from := ref >> 4
			if from == at {
				return out
			}
			for range ref&0xf + 2 {
				put(dict[from])
				from = (from + 1) % lzfuSize
			}
		}
	}
	return out
}
