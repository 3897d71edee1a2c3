package pop3source

import (
	"context"
	"errors"
	"io"
	"net/mail"
	"strings"
	"time"

	"mailflume/pop3"
)

const (
	maxHeader    = 256 << 10 // of one header that is looked into
	headerWindow = 16 << 10  // octets to reckon for one header on its way
	// maxTops bounds how many headers a base looks into, the newest numbers first; without
	// pipelining each costs a round trip.
	maxTops          = 200_000
	maxTopsOneByOne  = 20_000
	receivedFieldKey = "received:"
)

// before returns the messages that were received before since. What cannot be told, because the
// server has no TOP or the header no readable date, is wanted: nothing is skipped by mistake.
func (s *session) before(ctx context.Context, box []item, since time.Time) ([]item, error) {
	if !s.caps.TOP {
		return nil, nil
	}
	most := maxTopsOneByOne
	if s.caps.Pipelining {
		most = maxTops
	}
	box = box[max(0, len(box)-most):]
	list := make([]pop3.Listing, len(box))
	for i, it := range box {
		list[i] = pop3.Listing{Number: it.number, Size: headerWindow}
	}
	var old []item
	i := -1
	for b, err := range s.c.TopEach(ctx, list, 0, pop3.Window{Count: s.src.opt.MaxInFlight}) {
		i++
		if err != nil {
			if _, refused := errors.AsType[*pop3.Error](err); refused {
				continue
			}
			return nil, classify(err, s.situation("pop3 TOP"))
		}
		head, err := io.ReadAll(io.LimitReader(b, maxHeader))
		if err != nil {
			return nil, classify(err, s.situation("pop3 TOP"))
		}
		if at, ok := received(string(head)); ok && at.Before(since) {
			old = append(old, box[i])
		}
	}
	return old, nil
}

// received returns the date of the newest Received field: the first one from the top that has a
// readable date (RFC 5321 section 4.4: each server puts its own above the others).
func received(head string) (time.Time, bool) {
	for head != "" {
		var field string
		field, head = cutField(head)
		if field == "" {
			break
		}
		if len(field) < len(receivedFieldKey) || !strings.EqualFold(field[:len(receivedFieldKey)], receivedFieldKey) {
			continue
		}
		i := strings.LastIndexByte(field, ';')
		if i < 0 {
			continue
		}
		if at, err := mail.ParseDate(strings.TrimSpace(field[i+1:])); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// cutField takes one unfolded field off the front of a header; "" at its end.
func cutField(head string) (field, rest string) {
	var b strings.Builder
	for {
		line, after, _ := strings.Cut(head, "\n")
		b.WriteString(strings.TrimSuffix(line, "\r"))
		head = after
		if b.Len() == 0 || head == "" || head[0] != ' ' && head[0] != '\t' {
			return b.String(), head
		}
	}
}
