package pop3

import (
	"bytes"
	"context"
	"fmt"
)

const (
	maxNumber = 10_000_000 // messages in a maildrop
	maxUIDL   = 1024       // RFC 1939 section 7 says 70; Courier and others have sent more
	maxListed = 512 << 20  // octets of one list
)

// Listing is one line of LIST: a message number of this session and the announced size.
type Listing struct {
	Number int
	Size   int64 // a hint: servers estimate it; -1 if the server said no usable number
}

// UniqueID is one line of UIDL.
type UniqueID struct {
	Number int
	ID     string // as sent: 1 to 1024 octets, not necessarily the printable 70 of RFC 1939
}

// Stat returns the number of messages and their announced octets (RFC 1939 section 5).
func (c *Client) Stat(ctx context.Context) (count int, octets int64, err error) {
	text, err := c.command(ctx, transaction, "STAT")
	if err != nil {
		return 0, 0, err
	}
	n, rest, ok := cutNumber([]byte(text), maxNumber)
	if !ok {
		return 0, 0, c.fail("STAT", syntaxError([]byte(text)))
	}
	return int(n), size(rest), nil
}

// List returns the messages that are not deleted, in the server's order (RFC 1939 section 5).
func (c *Client) List(ctx context.Context) ([]Listing, error) {
	var list []Listing
	err := c.multiline(ctx, transaction, "LIST", maxNumber, func(line []byte) error {
		n, rest, ok := cutNumber(line, maxNumber)
		if !ok || n == 0 {
			return syntaxError(line)
		}
		list = append(list, Listing{Number: int(n), Size: size(rest)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// UIDL returns the unique ids of the messages that are not deleted, in the server's order (RFC 1939
// section 7).
func (c *Client) UIDL(ctx context.Context) ([]UniqueID, error) {
	var list []UniqueID
	err := c.multiline(ctx, transaction, "UIDL", maxNumber, func(line []byte) error {
		n, rest, ok := cutNumber(line, maxNumber)
		id := bytes.TrimSpace(rest)
		switch {
		case !ok || n == 0 || len(id) == 0:
			return syntaxError(line)
		case len(id) > maxUIDL:
			return fmt.Errorf("%w: a unique id of %d octets", ErrLimit, len(id))
		}
		list = append(list, UniqueID{Number: int(n), ID: string(id)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// multiline sends a command and gives each line of its answer to each, dots unstuffed. Any error of
// each ends the connection: the list is not what it should be, and the rest of it is on its way.
func (c *Client) multiline(ctx context.Context, in state, command string, maxLines int, each func([]byte) error) error {
	if err := c.begin(ctx, in); err != nil {
		return err
	}
	defer c.end()
	if err := c.send(command); err != nil {
		return err
	}
	if _, err := c.status(command); err != nil {
		return err
	}
	total := 0
	for lines := 0; ; lines++ {
		line, err := c.wire.line()
		if err != nil {
			return c.fail(command, err)
		}
		if len(line) == 1 && line[0] == '.' {
			return nil
		}
		total += len(line)
		if lines >= maxLines || total > maxListed {
			return c.fail(command, fmt.Errorf("%w: a list of more than %d lines or %d octets", ErrLimit, lines, total))
		}
		if err := each(bytes.TrimPrefix(line, []byte("."))); err != nil {
			return c.fail(command, err)
		}
	}
}

// cutNumber takes a decimal number of at most limit off the front of b.
func cutNumber(b []byte, limit int64) (n int64, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		n = n*10 + int64(b[i]-'0')
		if n > limit {
			return 0, nil, false
		}
	}
	if i == 0 || i < len(b) && b[i] != ' ' && b[i] != '\t' {
		return 0, nil, false
	}
	return n, bytes.TrimLeft(b[i:], " \t"), true
}

// size reads an announced size. It is only a hint, so that a wrong one costs nothing but the hint.
func size(b []byte) int64 {
	n, _, ok := cutNumber(b, 1<<53)
	if !ok {
		return -1
	}
	return n
}

// checkNumber refuses what cannot be a message number (RFC 1939 section 5) before it is sent.
func checkNumber(n int) error {
	if n < 1 || n > maxNumber {
		return fmt.Errorf("%w: message number %d", ErrArgument, n)
	}
	return nil
}
