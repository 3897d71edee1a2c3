package natsjs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// Defaults of StreamConfig.
const (
	DefaultStream = "MAIL"
	DefaultMaxAge = 30 * 24 * time.Hour
)

// StreamConfig names the stream that holds the logs, and says what it is created with.
type StreamConfig struct {
	Name     string        // default MAIL
	Prefix   string        // of its subjects; default mail.v1
	Replicas int           // default: 3 in a cluster, else 1
	MaxAge   time.Duration // how long events are kept; default 30 days, negative: for ever
	MaxBytes int64         // 0: no cap. A full stream refuses events, which then wait in the mailbox
	Manage   bool          // create the stream if it is missing, switch on what the log needs
	// AllowDiscardOld accepts a stream that drops its oldest messages when it is full: events that
	// nobody has read, and positions with them. Such a stream is never made.
	AllowDiscardOld bool
}

func (s *StreamConfig) fill() {
	if s.Name == "" {
		s.Name = DefaultStream
	}
	if s.Prefix == "" {
		s.Prefix = DefaultPrefix
	}
	if s.MaxAge == 0 {
		s.MaxAge = DefaultMaxAge
	}
	s.MaxAge = max(s.MaxAge, 0)
}

// ErrNoStream: the stream does not exist and creating it was not asked for.
var ErrNoStream = errors.New("the stream does not exist")

// Least server version: before it, the header that names the fence's subject is ignored in silence.
const (
	leastMajor = 2
	leastMinor = 11
)

// EnsureStream makes the stream exist, or verifies that a stream made by somebody else loses nothing:
// settings that would are refused with ErrUnsafe, naming the setting and the cure. It waits for a
// server that does not answer until ctx ends. The connection's logs use the stream from then on.
func (c *Conn) EnsureStream(ctx context.Context, sc StreamConfig) error {
	sc.fill()
	if err := checkPrefix(sc.Prefix); err != nil {
		return err
	}
	w := wait{c: c}
	defer w.done()
	began := time.Now()
	for {
		woken, visit, started := c.woken(), c.visit(), time.Now()
		cfg, err := c.ensureOnce(ctx, sc)
		if err == nil {
			cfg, err = c.grow(ctx, cfg, sc)
		}
		if err == nil {
			c.adopt(sc, cfg)
			c.watched(sc, visit, nil, c.opt.LookEvery)
			return nil
		}
		if denied := c.deniedSince(started); denied != nil {
			return fmt.Errorf("stream %s: %w: %w", sc.Name, publish.ErrDenied, denied)
		}
		tired := c.opt.Patience > 0 && time.Since(began) > c.opt.Patience && lacksJetStream(err)
		if tired || !passes(err) {
			return fmt.Errorf("stream %s: %w", sc.Name, classify(err))
		}
		if !w.pause(ctx, woken, classify(err)) {
			return fmt.Errorf("stream %s: %w", sc.Name, ended(ctx, err))
		}
	}
}

// passes reports whether waiting may cure err. What the server answers in words will not change by
// itself, except that it is short of something or has no leader yet.
func passes(err error) bool {
	if known(err) || errors.Is(err, ErrNoStream) {
		return false
	}
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500 && api.ErrorCode != jetstream.JSErrCodeJetStreamNotEnabledForAccount
	}
	return true
}

// ensureOnce creates, updates or reads the stream and returns its configuration.
func (c *Conn) ensureOnce(ctx context.Context, sc StreamConfig) (jetstream.StreamConfig, error) {
	if err := checkVersion(c.nc.ConnectedServerVersion()); err != nil {
		return jetstream.StreamConfig{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*c.opt.PublishTimeout)
	defer cancel()
	var create func(context.Context) error
	if sc.Manage {
		create = func(ctx context.Context) error { return c.createStream(ctx, sc) }
	}
	s, err := c.find(ctx, sc.Name, create)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = fmt.Errorf("%w: create it, or let mailflume do so with nats.stream.manage: true", ErrNoStream)
	}
	if lacksJetStream(err) {
		err = inWords{"the NATS server has no JetStream (nats-server -js), or that has not started yet", err}
	}
	if err != nil {
		return jetstream.StreamConfig{}, err
	}
	cfg := s.CachedInfo().Config
	if err := c.roomy(); err != nil {
		return cfg, err
	}
	if err := vet(&cfg, sc); err != nil {
		return cfg, err
	}
	if lacks := missing(&cfg); len(lacks) > 0 {
		if !sc.Manage {
			return cfg, unsafeSetting(strings.Join(lacks, ", "), "switch on with: nats stream edit "+sc.Name+" "+flags(lacks))
		}
		cfg.AllowRollup, cfg.AllowMsgTTL, cfg.AllowDirect = true, true, true
		if s, err = c.js.UpdateStream(ctx, cfg); err != nil {
			return cfg, fmt.Errorf("switch on %s: %w", strings.Join(lacks, ", "), err)
		}
		cfg = s.CachedInfo().Config
	}
	return cfg, nil
}

// metaKept marks a stream whose max_age was raised with the time since when it holds everything: what
// had expired under the old one by then, the new one would have kept.
const metaKept = "mailflume-kept-since"

// keptSince is from when on nothing has left a stream by its age. The zero time: nothing ever has.
func keptSince(cfg *jetstream.StreamConfig, now time.Time) (since time.Time) {
	if cfg.MaxAge > 0 {
		since = now.Add(-cfg.MaxAge)
	}
	if before, err := time.Parse(time.RFC3339, cfg.Metadata[metaKept]); err == nil && before.After(since) {
		since = before
	}
	return since
}

// grow brings an existing stream's limits to what the configuration says, if that loses nothing: a
// size cap that is named (a full stream refuses, it drops nothing), and a longer life. A shorter
// life or fewer replicas are for an administrator to decide.
func (c *Conn) grow(ctx context.Context, cfg jetstream.StreamConfig, sc StreamConfig) (jetstream.StreamConfig, error) {
	want := cfg
	if sc.MaxBytes > 0 {
		if want.MaxBytes = sc.MaxBytes; !sc.AllowDiscardOld {
			want.Discard = jetstream.DiscardNew
		}
	}
	if cfg.MaxAge > 0 && (sc.MaxAge == 0 || sc.MaxAge > cfg.MaxAge) {
		want.MaxAge = sc.MaxAge
		want.Metadata = maps.Clone(cfg.Metadata)
		if want.Metadata == nil {
			want.Metadata = map[string]string{}
		}
		want.Metadata[metaKept] = keptSince(&cfg, time.Now()).UTC().Format(time.RFC3339Nano)
	}
	if !sc.Manage || (want.MaxBytes == cfg.MaxBytes && want.Discard == cfg.Discard && want.MaxAge == cfg.MaxAge) {
		return cfg, nil
	}
	s, err := c.js.UpdateStream(ctx, want)
	if err != nil {
		return cfg, fmt.Errorf("set max_bytes %d and max_age %s: %w", want.MaxBytes, want.MaxAge, err)
	}
	return s.CachedInfo().Config, nil
}

// replicas is how many a stream gets that has to be created: what is wanted, or 3 in a cluster.
func (c *Conn) replicas(want int) int {
	switch {
	case want > 0:
		return want
	case c.nc.ConnectedClusterName() != "":
		return 3
	}
	return 1
}

// createStream creates the stream. Workers that start together do so together: a stream that is
// there by now is read and verified like any other.
func (c *Conn) createStream(ctx context.Context, sc StreamConfig) error {
	acc, err := c.js.AccountInfo(ctx)
	if err != nil {
		return err
	}
	cfg := jetstream.StreamConfig{
		Name: sc.Name, Description: "mailflume: one log per mailbox", Subjects: []string{sc.Prefix + ".>"},
		Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Replicas: c.replicas(sc.Replicas), MaxAge: sc.MaxAge,
		MaxBytes: -1, MaxMsgs: -1, MaxMsgsPerSubject: -1, MaxMsgSize: -1, Duplicates: 2 * time.Minute,
		AllowDirect: true, AllowRollup: true, AllowMsgTTL: true,
		AllowAtomicPublish: acc.API.Level >= 2, // an older server refuses fields it does not know
		Metadata:           newlyMade(),
	}
	if sc.MaxBytes > 0 {
		cfg.MaxBytes, cfg.Discard = sc.MaxBytes, jetstream.DiscardNew
	}
	if sc.MaxAge > 0 && sc.MaxAge < cfg.Duplicates {
		cfg.Duplicates = sc.MaxAge
	}
	_, err = c.js.CreateStream(ctx, cfg)
	return err
}

// MaxAge is how long the stream keeps events; 0 is for ever. A position has to be saved well before
// what it is made of expires.
func (c *Conn) MaxAge() time.Duration { return c.streamInfo().maxAge }

// Unreplicated reports whether there is one copy of the stream only, though its server is one of several.
func (c *Conn) Unreplicated() bool {
	return c.streamInfo().replicas == 1 && c.nc.ConnectedClusterName() != "" && len(c.nc.Servers()) > 1
}

// streamInfo returns the stream that EnsureStream was given, or the default one.
func (c *Conn) streamInfo() streamInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stream
	if s.name == "" {
		s.name, s.prefix, s.maxAge = DefaultStream, DefaultPrefix, DefaultMaxAge
	}
	return s
}

// checkVersion refuses servers that would ignore the fence.
func checkVersion(version string) error {
	if version == "" {
		return nil // not connected: the request that follows says so
	}
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	if errA == nil && errB == nil && (a < leastMajor || (a == leastMajor && b < leastMinor)) {
		return fmt.Errorf("%w: nats-server %s ignores fenced writes over several subjects: upgrade it to %d.%d or newer",
			publish.ErrUnsafe, version, leastMajor, leastMinor)
	}
	return nil
}
