package rig

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// FillOptions say how a mailbox is filled. Fields that are zero take the values in brackets: those
// of ordinary business mail, of which 5,000 are about 580 MB.
type FillOptions struct {
	User        string
	Folder      string    // [INBOX]
	N           int       // messages
	Seed        uint64    // same seed, same octets
	MedianBytes int       // of the log-normal distribution of sizes [30 KiB]
	Sigma       float64   // its width [1.2]
	LargeShare  float64   // of messages with 1 to 10 MiB; below 0: none [0.012]
	First       time.Time // when the first message came [2026-01-05 08:00 UTC]; the others follow each 97 s
}

func (o FillOptions) withDefaults() FillOptions {
	if o.MedianBytes == 0 {
		o.MedianBytes = 30 << 10
	}
	if o.Sigma == 0 {
		o.Sigma = 1.2
	}
	if o.LargeShare == 0 {
		o.LargeShare = 0.012
	}
	if o.First.IsZero() {
		o.First = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	}
	return o
}

// Filled is what a mailbox was filled with.
type Filled struct {
	N       int
	Bytes   int64
	Digests []string // lower-case hex SHA-256 of each message's octets, oldest first
}

const (
	smallest = 1500    // a header alone is nearly that
	ordinary = 1 << 20 // where the log-normal part is cut off
	spacing  = 97 * time.Second
)

// Fill delivers N messages. They do not depend on the user's name: two mailboxes filled with one
// seed hold the same octets.
func (d *Dovecot) Fill(o FillOptions) (Filled, error) {
	o = o.withDefaults()
	c := newComposer(o.Seed)
	out := Filled{Digests: make([]string, 0, o.N)}
	for i := range o.N {
		when := o.First.Add(time.Duration(i) * spacing)
		msg := c.message(i, c.size(o), when)
		if _, err := d.Deliver(o.User, o.Folder, msg, when); err != nil {
			return out, fmt.Errorf("fill the mailbox of %s: %w", o.User, err)
		}
		sum := sha256.Sum256(msg)
		out.N++
		out.Bytes += int64(len(msg))
		out.Digests = append(out.Digests, hex.EncodeToString(sum[:]))
	}
	return out, nil
}

// size draws a message's size: log-normal around the median, or now and then a large one, whose
// logarithm is spread evenly from 1 to 10 MiB.
func (c *composer) size(o FillOptions) int {
	n := math.Exp(math.Log(float64(o.MedianBytes)) + o.Sigma*c.r.NormFloat64())
	if c.r.Float64() < o.LargeShare {
		return int(ordinary * math.Pow(10, c.r.Float64()))
	}
	return min(max(int(n), smallest), ordinary)
}

func newComposer(seed uint64) *composer {
	return &composer{r: rand.New(rand.NewPCG(seed, 0x6d61696c666c756d))} // the same seed must give the same mail
}
