package pop3

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Capabilities are what a server says it can do (RFC 2449). The zero value is a server that says
// nothing, as many without CAPA do.
type Capabilities struct {
	Pipelining   bool
	UIDL         bool
	TOP          bool
	User         bool // USER and PASS
	STLS         bool
	RespCodes    bool
	AuthRespCode bool     // RFC 3206 section 6
	SASL         []string // mechanisms in upper case
	Expire       Expire
	LoginDelay   time.Duration // least time between two sign-ins; 0: none announced
	Lines        []string      // all of them as sent
}

// Expire is how long a server keeps messages (RFC 2449 section 6.7).
type Expire struct {
	Known bool
	Never bool
	Days  int // 0 with Known and not Never: what was read is removed at QUIT
}

// AtQuit tells that the server removes at QUIT what was read.
func (e Expire) AtQuit() bool { return e.Known && !e.Never && e.Days == 0 }

// Has tells whether the server listed a SASL mechanism.
func (c Capabilities) Has(mechanism string) bool {
	return slices.Contains(c.SASL, strings.ToUpper(mechanism))
}

// maxCapabilities bounds the lines of a CAPA answer.
const maxCapabilities = 1000

// Capa returns the server's capabilities. They are asked for once, and again after StartTLS and
// after a sign-in because servers change them there. A server without CAPA gives an *Error; calls
// after it return the zero value without asking.
func (c *Client) Capa(ctx context.Context) (Capabilities, error) {
	if c.caps != nil {
		return *c.caps, nil
	}
	var caps Capabilities
	err := c.multiline(ctx, c.anyState(), "CAPA", maxCapabilities, func(line []byte) error {
		caps.add(string(line))
		return nil
	})
	if _, refused := errors.AsType[*Error](err); err != nil && !refused {
		return Capabilities{}, err
	}
	c.caps = &caps
	return caps, err
}

// anyState allows a command in both of the protocol's states.
func (c *Client) anyState() state {
	if c.state == transaction {
		return transaction
	}
	return authorization
}

// add reads one line (RFC 2449 section 5): a tag and its arguments, in any case. Unknown tags are kept
// in Lines only.
func (caps *Capabilities) add(line string) {
	caps.Lines = append(caps.Lines, clip(line))
	f := strings.Fields(strings.ToUpper(line))
	if len(f) == 0 {
		return
	}
	switch f[0] {
	case "PIPELINING":
		caps.Pipelining = true
	case "UIDL":
		caps.UIDL = true
	case "TOP":
		caps.TOP = true
	case "USER":
		caps.User = true
	case "STLS":
		caps.STLS = true
	case "RESP-CODES":
		caps.RespCodes = true
	case "AUTH-RESP-CODE":
		caps.AuthRespCode = true
	case "SASL":
		caps.SASL = append(caps.SASL, f[1:]...)
	case "EXPIRE":
		caps.Expire = parseExpire(f[1:])
	case "LOGIN-DELAY":
		caps.LoginDelay = parseDelay(f[1:])
	}
}

// parseExpire reads "NEVER" or days. The argument USER, which says that users differ, is settled by
// asking again after the sign-in.
func parseExpire(f []string) Expire {
	if len(f) == 0 {
		return Expire{}
	}
	if f[0] == "NEVER" {
		return Expire{Known: true, Never: true}
	}
	days, err := strconv.Atoi(f[0])
	if err != nil || days < 0 {
		return Expire{}
	}
	return Expire{Known: true, Days: days}
}

// parseDelay reads seconds; more than a day is not a delay that anybody means.
func parseDelay(f []string) time.Duration {
	if len(f) == 0 {
		return 0
	}
	n, err := strconv.Atoi(f[0])
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 86400)) * time.Second
}
