package crash

// Env is the variable that names the point, with a colon and the number of the passing.
const Env = "MAILFLUME_CRASH_AT"

// The points.
const (
	ClaimBefore   = "claim.before"
	ClaimAfter    = "claim.after" // fenced the others, read nothing yet
	Opened        = "session.opened"
	Synced        = "session.synced" // base or new folders known, not saved
	Fetched       = "message.fetched"
	BodyMiddle    = "message.middle" // some of its octets were read
	BlobBefore    = "blob.before"
	BlobMiddle    = "blob.middle" // some of its octets were given to the store
	BlobAfter     = "blob.after"
	AppendBefore  = "append.before"
	AppendAfter   = "append.after" // acknowledged, and nobody here knows
	SaveBefore    = "save.before"
	SaveAfter     = "save.after"
	SettleBefore  = "settle.before"
	SettleAfter   = "settle.after" // changed on the mail server, not noted
	ReleaseBefore = "release.before"
	NATSWrite     = "nats.write"
	NATSHalf      = "nats.half"
)

// Points lists them all.
func Points() []string {
	return []string{
		ClaimBefore, ClaimAfter, Opened, Synced, Fetched, BodyMiddle, BlobBefore, BlobMiddle, BlobAfter, AppendBefore, AppendAfter,
		SaveBefore, SaveAfter, SettleBefore, SettleAfter, ReleaseBefore, NATSWrite, NATSHalf,
	}
}
