package imapsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
	"mailflume/publish/redact"
)

// stage is what was being done when an error came: the same refusal means different things.
type stage int

const (
	atConnect stage = iota
	atToken         // signing in with a bearer token
	atPassword
	atSelect
	atInbox   // as atSelect, of the one folder that every mailbox has
	atKnown   // as atInbox, of a mailbox that was open within a day
	atMessage // fetching one message
	atAction
	atOther
)

func (s stage) opening() bool { return s == atSelect || s == atInbox || s == atKnown }

// trouble is all that classify looks at.
type trouble struct {
	at     stage
	err    error          // what go-imap or the dialler returned
	end    error          // how the connection ended, if it did: the guard's sticky error
	said   status         // the server's last refusal
	secret int            // length of the sign-in message on the wire
	worked int            // that of the longest one that worked before
	sent   *redact.Memory // what the server was given to sign in: it may repeat it at any time
}

const (
	longToken  = 4000           // servers with small buffers hang up on such a line
	maxBackoff = 24 * time.Hour // longest wait that a server is believed
	quotaWait  = time.Hour      // Gmail lifts OVERQUOTA after 1 to 24 hours
)

// classify turns everything that can go wrong with a server into an ingest.Error. It decides by
// response codes (RFC 5530), the stage and Go error values; the one thing it reads in a text is the
// number that Exchange asks to wait.
func classify(op string, t trouble) error {
	if t.err == nil {
		return nil
	}
	if e, ok := errors.AsType[*ingest.Error](t.err); ok {
		return t.sent.Masker().Error(e)
	}
	if refusal, ok := errors.AsType[*imap.Error](t.err); ok {
		st := status{kind: string(refusal.Type), code: strings.ToUpper(string(refusal.Code)), text: printable(refusal.Text)}
		f := t.refused(st)
		return t.fault(f, op, st.asError())
	}
	cause := t.err
	if t.end != nil && !errors.Is(t.end, net.ErrClosed) { // go-imap closes the connection on what it cannot read
		cause = t.end
	}
	f := t.lost(cause)
	if _, told := backoff(t.said.text); (told || t.said.kind == "BYE") && lostConnection(cause) {
		cause = fmt.Errorf("%w: %w", t.said.asError(), cause)
	}
	if f.Code == ingest.CodeTokenTooLong {
		cause = fmt.Errorf("%w, in answer to a sign-in of %d octets", cause, t.secret)
	}
	return t.fault(f, op, cause)
}

// fault is the error, without what the server repeats of secrets.
func (t trouble) fault(f ingest.Fault, op string, cause error) error {
	m := t.sent.Masker()
	return &ingest.Error{Fault: f, Op: m.Text(op), Err: m.Error(cause)}
}

// serverError is a refusal in the server's words.
type serverError string

// Error implements error.
func (e serverError) Error() string { return string(e) }

// asError keeps the server's own words: they are what a search engine knows.
func (st status) asError() error {
	s := st.kind
	if st.code != "" && !strings.HasPrefix(st.text, "[") {
		s += " [" + st.code + "]"
	}
	return serverError("server says " + s + " " + st.text)
}

// refused classifies a tagged NO or BAD.
func (t trouble) refused(st status) ingest.Fault {
	if wait, ok := backoff(st.text); ok {
		return ingest.Fault{Class: ingest.Throttled, Wait: wait, Code: ingest.CodeThrottled}
	}
	if f, ok := t.byCode(st.code); ok {
		return f
	}
	switch t.at {
	case atConnect:
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeBye}
	case atToken:
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}
	case atPassword:
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodePasswordRefused}
	case atInbox, atKnown:
		// Everybody has one: Exchange says BAD where the right is missing, and NO where it is busy. It also says
		// BAD where it is busy, of a mailbox that it opened before.
		if st.kind == "NO" || t.at == atKnown {
			return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}
		}
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeNotConnected}
	case atSelect:
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeNotConnected}
	case atMessage:
		return ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageRefused}
	case atAction:
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeActionRefused}
	default:
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}
	}
}

// byCode classifies what a response code says by itself.
func (t trouble) byCode(code string) (ingest.Fault, bool) {
	signingIn := t.at == atToken || t.at == atPassword
	switch imap.ResponseCode(code) {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeServerBug:
		if signingIn {
			return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeAuthTemporary}, true
		}
		if t.at == atMessage && imap.ResponseCode(code) == imap.ResponseCodeServerBug {
			return ingest.Fault{}, false // "the server crashed on it": that message
		}
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}, true
	case imap.ResponseCodeLimit, imap.ResponseCodeInUse:
		if signingIn || t.at == atConnect || t.at.opening() {
			return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTooManySessions}, true
		}
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}, true
	case imap.ResponseCodeOverQuota:
		if t.at == atAction {
			return ingest.Fault{}, false // the target's quota
		}
		return ingest.Fault{Class: ingest.Throttled, Wait: quotaWait, Code: ingest.CodeQuota}, true
	case imap.ResponseCodeNonExistent:
		if t.at.opening() {
			return ingest.Fault{Class: ingest.Config, Code: ingest.CodeFolderMissing}, true
		}
	case imap.ResponseCodeAlert, "WEBALERT": // RFC 3501 section 7.1: for people to read; Gmail says everything so
		if signingIn {
			return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAlert, Lasting: code == "WEBALERT"}, true
		}
	case "THROTTLED":
		return ingest.Fault{Class: ingest.Throttled, Wait: time.Minute, Code: ingest.CodeThrottled}, true
	}
	return ingest.Fault{}, false
}

// errAbandoned ends a connection whose consumer left in the middle of an answer.
var errAbandoned = errors.New("imap connection closed in the middle of an answer")

// lost classifies the end of a connection, or an answer that is not IMAP.
func (t trouble) lost(cause error) ingest.Fault {
	switch {
	case errors.Is(cause, context.Canceled):
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeUnknown}
	case errors.Is(cause, errAbandoned):
		return ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeConnLost}
	case errors.Is(cause, errLimit):
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeProtocolLimit}
	case lostConnection(cause) && t.said.kind == "BYE":
		return t.bye()
	case lostConnection(cause) && t.said.kind != "":
		if wait, ok := backoff(t.said.text); ok {
			return ingest.Fault{Class: ingest.Throttled, Wait: wait, Code: ingest.CodeThrottled}
		}
	}
	if t.at == atToken && lostConnection(cause) && t.secret > max(longToken, t.worked) {
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenTooLong, Lasting: true}
	}
	if f, ok := ingest.NetFault(cause); ok {
		return f
	}
	return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeProtocol}
}

// bye classifies an untagged BYE (RFC 9051 section 7.1.5).
func (t trouble) bye() ingest.Fault {
	if wait, ok := backoff(t.said.text); ok {
		return ingest.Fault{Class: ingest.Throttled, Wait: wait, Code: ingest.CodeThrottled}
	}
	if f, ok := t.byCode(t.said.code); ok {
		return f
	}
	if t.at == atConnect || t.at == atToken || t.at == atPassword {
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeBye}
	}
	return ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeBye}
}

// lostConnection says whether the connection itself ended, so that a BYE before it is the reason.
func lostConnection(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	f, ok := ingest.NetFault(err)
	return ok && f.Code == ingest.CodeConnLost
}

// backoff reads how long Exchange asks to wait: "Request is throttled. Suggested Backoff Time: N
// milliseconds" stands in a NO, BAD or BYE without a response code, so the number is protocol data
// that exists nowhere else.
func backoff(text string) (time.Duration, bool) {
	const label = "suggested backoff time:"
	i := strings.Index(strings.ToLower(text), label)
	if i < 0 || i+len(label) > len(text) {
		return 0, false
	}
	f := strings.Fields(text[i+len(label):])
	if len(f) == 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimRight(f[0], ".,"), 10, 63)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	unit := time.Millisecond
	if len(f) > 1 && strings.HasPrefix(strings.ToLower(f[1]), "second") {
		unit = time.Second
	}
	return time.Duration(min(n, uint64(maxBackoff/unit))) * unit, true
}
