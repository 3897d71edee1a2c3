package ingest

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
	"sort"
	"strings"

	"mailflume/publish"
)

// Weighted rendezvous hashing (Thaler and Ravishankar 1998): every worker gives every mailbox a score,
// the highest one has it. Who leaves moves its own mailboxes only, who joins takes its share and
// moves nothing else. All is done in integers, so that every machine comes to the same result.

// A list says which mailboxes a worker could serve: for each, in order, 8 bytes of key and 8 bytes
// that its definition hashes to. It travels as it is.
const listRow = 16

// boxKey is a mailbox in lists and scores.
func boxKey(box publish.Key) uint64 {
	sum := sha256.Sum256([]byte(box.Tenant + "\x00" + box.Mailbox))
	return binary.BigEndian.Uint64(sum[:])
}

// definitionKey is a mailbox's definition in lists.
func definitionKey(definition string) uint64 {
	sum := sha256.Sum256([]byte(definition))
	return binary.BigEndian.Uint64(sum[:])
}

// encodeList makes the list of these mailboxes.
func encodeList(boxes map[publish.Key]Mailbox) string {
	rows := make([][listRow]byte, 0, len(boxes))
	for key, b := range boxes {
		var row [listRow]byte
		binary.BigEndian.PutUint64(row[:8], boxKey(key))
		binary.BigEndian.PutUint64(row[8:], definitionKey(b.Definition))
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b [listRow]byte) int { return slices.Compare(a[:], b[:]) })
	var s strings.Builder
	s.Grow(len(rows) * listRow)
	for _, row := range rows {
		s.Write(row[:])
	}
	return s.String()
}

// lookUp finds a mailbox in a list.
func lookUp(list string, key uint64) (definition uint64, ok bool) {
	row := func(i int) string { return list[i*listRow:] }
	n := len(list) / listRow
	i := sort.Search(n, func(i int) bool { return number64(row(i)) >= key })
	if i == n || number64(row(i)) != key {
		return 0, false
	}
	return number64(row(i)[8:]), true
}

func number64(s string) uint64 {
	return uint64(s[0])<<56 | uint64(s[1])<<48 | uint64(s[2])<<40 | uint64(s[3])<<32 |
		uint64(s[4])<<24 | uint64(s[5])<<16 | uint64(s[6])<<8 | uint64(s[7])
}

// seat is what a worker announces.
type seat struct {
	weight int
	list   string
}

// maxWeight keeps scores in 64 bits.
const maxWeight = 1 << 15

// contender is a worker as a mailbox is scored.
type contender struct {
	id     string
	seed   uint64
	weight uint64
	list   int // index of its list
}

// rendezvous places mailboxes on workers. One goroutine uses it.
type rendezvous struct {
	contenders []contender // by weight, then id
	lists      []string    // the different ones
	held       []bool      // by list: whether it has the mailbox that is being placed
}

func newRendezvous(seats map[string]seat) *rendezvous {
	r := &rendezvous{contenders: make([]contender, 0, len(seats))}
	for _, id := range slices.Sorted(maps.Keys(seats)) {
		s := seats[id]
		list := slices.Index(r.lists, s.list)
		if list < 0 {
			list = len(r.lists)
			r.lists = append(r.lists, s.list)
		}
		sum := sha256.Sum256([]byte(id))
		r.contenders = append(r.contenders, contender{
			id: id, seed: binary.BigEndian.Uint64(sum[:]), weight: uint64(min(max(s.weight, 1), maxWeight)), list: list,
		})
	}
	slices.SortStableFunc(r.contenders, func(a, b contender) int { return cmp.Compare(a.weight, b.weight) })
	r.held = make([]bool, len(r.lists))
	return r
}

// owner returns the worker that has the mailbox; empty if no list holds it. Among equal weights the
// largest hash wins, between weights the smallest cost for its weight: that needs a logarithm for
// each weight only, not for each worker.
func (r *rendezvous) owner(key uint64) string {
	for i, list := range r.lists {
		_, r.held[i] = lookUp(list, key)
	}
	best, bestHash := -1, uint64(0) // among all weights before
	peer, peerHash := -1, uint64(0) // among those of this weight
	for i := range r.contenders {
		c := &r.contenders[i]
		if r.held[c.list] {
			if h := mix(c.seed ^ key); peer < 0 || h > peerHash {
				peer, peerHash = i, h
			}
		}
		if i+1 < len(r.contenders) && r.contenders[i+1].weight == c.weight {
			continue
		}
		if peer >= 0 && (best < 0 || cost(peerHash)*r.contenders[best].weight < cost(bestHash)*c.weight) {
			best, bestHash = peer, peerHash
		}
		peer = -1
	}
	if best < 0 {
		return ""
	}
	return r.contenders[best].id
}

// differing returns the workers but self whose definition of the mailbox is another one: what is known of self
// is its last beat, not its configuration.
func (r *rendezvous) differing(key, definition uint64, self string) (ids []string) {
	differs := false
	for i, list := range r.lists {
		d, ok := lookUp(list, key)
		r.held[i] = ok && d != definition
		differs = differs || r.held[i]
	}
	if !differs {
		return nil
	}
	for i := range r.contenders {
		if c := &r.contenders[i]; r.held[c.list] && c.id != self {
			ids = append(ids, c.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// mix spreads a number over 64 bits (the finaliser of SplitMix64: Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// costBits is the fraction of a cost.
const costBits = 40

// cost is -log2(h/2^64) in units of 2^-40, by squaring: at most 2^46.
func cost(h uint64) uint64 {
	h |= 1
	zeros := bits.LeadingZeros64(h)
	m, fraction := h<<zeros, uint64(0) // m is in [1, 2) with 63 bits after the point
	for range costBits {
		hi, lo := bits.Mul64(m, m) // in [1, 4)
		fraction <<= 1
		if hi>>63 == 1 {
			fraction |= 1
			m = hi
		} else {
			m = hi<<1 | lo>>63
		}
	}
	return uint64(zeros+1)<<costBits - fraction
}
