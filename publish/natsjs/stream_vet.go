package natsjs

import (
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// leastMsgSize is the smallest max_msg_size that leaves an event room beside its headers.
const leastMsgSize = 16 << 10

// unsafeSetting refuses a setting and says what to do.
func unsafeSetting(setting, cure string) error {
	return fmt.Errorf("%w: %s: %s", publish.ErrUnsafe, setting, cure)
}

// vet refuses the settings of a stream that would lose mail or keep the log from working.
func vet(cfg *jetstream.StreamConfig, sc StreamConfig) error {
	for _, rule := range []struct {
		broken        bool
		setting, cure string
	}{
		{cfg.Mirror != nil, "the stream is a mirror", "name the stream it mirrors"},
		{len(cfg.Sources) > 0, "the stream has sources", "use a stream that only mailflume writes to"},
		{cfg.Sealed, "sealed", "a sealed stream takes no messages: use another one"},
		{cfg.NoAck, "no_ack", "nothing would be known to be stored: edit the stream to acknowledge"},
		{cfg.Retention != jetstream.LimitsPolicy, "retention: " + cfg.Retention.String(),
			"consumed messages would vanish and the position with them: create the stream with limits retention and let consumers keep their own place"},
		{!sc.AllowDiscardOld && cfg.Discard == jetstream.DiscardOld && (cfg.MaxBytes > 0 || cfg.MaxMsgs > 0), "discard: old with max_bytes or max_msgs",
			"a full stream would drop mail without an error: edit the stream to discard new, or lift the caps and use max_age. nats.stream.allow_discard_old: true accepts the loss"},
		{cfg.MaxMsgsPerSubject > 0, "max_msgs_per_subject",
			"all messages of a mailbox share a subject, so older ones would be dropped: edit it to -1"},
		{cfg.SubjectTransform != nil, "subject_transform", "the log reads the subjects it writes: remove the transform"},
		{cfg.PersistMode == jetstream.AsyncPersistMode, "persist_mode: async", "acknowledged messages could be lost with the process: use the default"},
		{cfg.MaxMsgSize > 0 && cfg.MaxMsgSize < leastMsgSize, "max_msg_size", fmt.Sprintf("an event needs at least %d bytes: raise it", leastMsgSize)},
		{!anyCovers(cfg.Subjects, sc.Prefix+".>"), "subjects " + strings.Join(cfg.Subjects, " "), "add " + sc.Prefix + ".> to the stream's subjects"},
	} {
		if rule.broken {
			return unsafeSetting(rule.setting, rule.cure)
		}
	}
	return nil
}

// missing lists the switches that the log needs and cfg lacks.
func missing(cfg *jetstream.StreamConfig) []string {
	var out []string
	if !cfg.AllowRollup {
		out = append(out, "allow_rollup_hdrs is off")
	}
	if !cfg.AllowMsgTTL {
		out = append(out, "allow_msg_ttl is off")
	}
	if !cfg.AllowDirect {
		out = append(out, "allow_direct is off")
	}
	return out
}

// flags returns the arguments of the nats command that switch on what lacks lists.
func flags(lacks []string) string {
	by := map[string]string{
		"allow_rollup_hdrs is off": "--allow-rollup", "allow_msg_ttl is off": "--allow-msg-ttl", "allow_direct is off": "--allow-direct",
	}
	out := make([]string, len(lacks))
	for i, l := range lacks {
		out[i] = by[l]
	}
	return strings.Join(out, " ")
}

func anyCovers(subjects []string, want string) bool {
	for _, s := range subjects {
		if covers(s, want) {
			return true
		}
	}
	return false
}

// covers reports whether every subject that matches want also matches pattern.
func covers(pattern, want string) bool {
	p, w := strings.Split(pattern, "."), strings.Split(want, ".")
	for i, tok := range p {
		if tok == ">" {
			return len(w) > i
		}
		if i >= len(w) || w[i] == ">" || (tok != "*" && tok != w[i]) {
			return false
		}
	}
	return len(p) == len(w)
}

// checkPrefix refuses a prefix that is no literal subject.
func checkPrefix(prefix string) error {
	for tok := range strings.SplitSeq(prefix, ".") {
		if tok == "" || strings.ContainsAny(tok, "*> \t\r\n") || strings.HasPrefix(prefix, "$") {
			return fmt.Errorf("subject prefix %q: use tokens without wildcards, spaces and a leading $, such as %s", prefix, DefaultPrefix)
		}
	}
	if len(prefix) > maxToken {
		return fmt.Errorf("subject prefix is longer than %d bytes", maxToken)
	}
	return nil
}
