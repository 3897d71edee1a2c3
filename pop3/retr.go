package pop3

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Window bounds the commands that are on their way at once, where the server has PIPELINING
// (RFC 2449 section 6.8). Elsewhere it is one.
type Window struct {
	Count int   // 0: 16; at most 256, so that the commands fit into any socket's buffer
	Bytes int64 // announced octets of the answers on their way; one message may be larger, alone. 0: 4 MiB
}

// Retr asks for one message. The Body is valid until the next command, which reads what is left of
// it; ctx watches the connection until then.
func (c *Client) Retr(ctx context.Context, number int) (*Body, error) {
	return c.one(ctx, "RETR", number, "")
}

// Top asks for the header of a message and the first lines of its body (RFC 1939 section 7).
func (c *Client) Top(ctx context.Context, number, lines int) (*Body, error) {
	return c.one(ctx, "TOP", number, fmt.Sprintf(" %d", max(lines, 0)))
}

// one asks for a single multi-line answer and leaves its context watching until the Body ends.
func (c *Client) one(ctx context.Context, verb string, number int, args string) (*Body, error) {
	if err := checkNumber(number); err != nil {
		return nil, fmt.Errorf("pop3 %s: %w", verb, err)
	}
	if err := c.begin(ctx, transaction); err != nil {
		return nil, err
	}
	if err := c.send(fmt.Sprintf("%s %d%s", verb, number, args)); err != nil {
		return nil, err
	}
	if _, err := c.status(verb); err != nil {
		c.end()
		return nil, err
	}
	c.body = &Body{Number: number, c: c}
	return c.body, nil
}

// RetrEach asks for the messages ahead of the loop and yields them in order. (b, nil) is a message;
// (b, *Error) one that the server refuses (only b.Number is of use), and the loop goes on;
// (nil, err) ends it, as the connection has ended. A Body dies when the loop advances. No other
// method may be called inside the loop. Leaving it while answers are on their way closes the
// connection: reading them only to be polite may cost hundreds of megabytes.
func (c *Client) RetrEach(ctx context.Context, want []Listing, win Window) iter.Seq2[*Body, error] {
	return c.each(ctx, pipeline{verb: "RETR", want: want, win: win})
}

// TopEach is RetrEach with TOP.
func (c *Client) TopEach(ctx context.Context, want []Listing, lines int, win Window) iter.Seq2[*Body, error] {
	return c.each(ctx, pipeline{verb: "TOP", args: fmt.Sprintf(" %d", max(lines, 0)), want: want, win: win})
}

// DeleEach marks messages for deletion and yields each number with nil or its *Error; (0, err) ends
// the loop, as the connection has ended. Nothing is deleted before Quit.
func (c *Client) DeleEach(ctx context.Context, numbers []int) iter.Seq2[int, error] {
	want := make([]Listing, len(numbers))
	for i, n := range numbers {
		want[i] = Listing{Number: n}
	}
	return func(yield func(int, error) bool) {
		for b, err := range c.each(ctx, pipeline{verb: "DELE", want: want, win: Window{Count: 64}, single: true}) {
			number := 0
			if b != nil {
				number = b.Number
			}
			if !yield(number, err) {
				return
			}
		}
	}
}

// pipeline is a run of like commands. want[:sent] were written, want[:at] are answered.
type pipeline struct {
	verb, args string
	want       []Listing
	win        Window
	single     bool // answers of one line
	sent, at   int
	bytes      int64 // announced for want[at:sent]
}

// each is the loop behind RetrEach, TopEach and DeleEach: commands run ahead, answers come in their
// order (RFC 2449 section 6.8).
func (c *Client) each(ctx context.Context, p pipeline) iter.Seq2[*Body, error] {
	return func(yield func(*Body, error) bool) {
		if err := c.enter(ctx, &p); err != nil {
			yield(nil, err)
			return
		}
		defer c.leave(&p)
		for ; p.at < len(p.want); p.advance() {
			b := &Body{Number: p.want[p.at].Number, c: c}
			err := c.turn(&p)
			if err != nil && c.err != nil {
				yield(nil, err)
				return
			}
			b.done = err != nil || p.single // only a +OK has lines behind it, and DELE has none at all
			if !yield(b, err) {
				if b.done {
					p.advance()
				}
				return
			}
			if err := b.drain(); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// turn sends what the window has room for and reads the next status. What is read already would be
// given out without waiting for anything, so the context is asked here too.
func (c *Client) turn(p *pipeline) error {
	if err := c.ctx(); err != nil {
		return c.fail(p.verb, err)
	}
	if err := c.write(p); err != nil {
		return err
	}
	_, err := c.status(p.verb)
	return err
}

// enter checks the run before anything of it is sent.
func (c *Client) enter(ctx context.Context, p *pipeline) error {
	for _, m := range p.want {
		if err := checkNumber(m.Number); err != nil {
			return fmt.Errorf("pop3 %s: %w", p.verb, err)
		}
	}
	if c.state != transaction && c.err == nil {
		return fmt.Errorf("pop3 %s: %w", p.verb, ErrState)
	}
	caps, err := c.Capa(ctx)
	if _, refused := errors.AsType[*Error](err); err != nil && !refused {
		return err
	}
	p.normalize(caps.Pipelining)
	if err := c.begin(ctx, transaction); err != nil {
		return err
	}
	c.busy = true
	return nil
}

// normalize fills the window's defaults in. A server that does not list PIPELINING may throw away
// what it finds behind a command, so there each command waits for its answer.
func (p *pipeline) normalize(pipelining bool) {
	if p.win.Count <= 0 {
		p.win.Count = 16
	}
	if p.win.Bytes <= 0 {
		p.win.Bytes = 4 << 20
	}
	p.win.Count = min(p.win.Count, 256)
	if !pipelining {
		p.win.Count = 1
	}
}

// leave ends a run: an answer that is still on its way makes the connection useless.
func (c *Client) leave(p *pipeline) {
	c.busy = false
	if p.at < p.sent && c.err == nil {
		_ = c.fail(p.verb, ErrAbandoned)
	}
	c.end()
}

// advance takes an answered command out of the window.
func (p *pipeline) advance() {
	p.bytes -= max(p.want[p.at].Size, 0)
	p.at++
}

// write sends the commands that the window has room for, in one write. It is refilled when half of
// it is used up, to save packets. A message larger than Bytes goes alone.
func (c *Client) write(p *pipeline) error {
	if p.sent-p.at > p.win.Count/2 {
		return nil
	}
	var out []byte
	for p.sent < len(p.want) && p.sent-p.at < p.win.Count {
		m := p.want[p.sent]
		n := max(m.Size, 0)
		if p.sent > p.at && p.bytes+n > p.win.Bytes {
			break
		}
		out = fmt.Appendf(out, "%s %d%s\r\n", p.verb, m.Number, p.args)
		p.bytes += n
		p.sent++
	}
	if len(out) == 0 {
		return nil
	}
	if err := c.wire.write(out); err != nil {
		return c.fail(p.verb, err)
	}
	return nil
}
