package natsjs

import (
	"context"
	"encoding/json"
)

// Streams names the streams that mailflume uses beside its own one: the bucket in which workers meet and
// the blobs of tenants.
func Streams(stream string, tenants ...string) []string {
	out := []string{stream, "KV_" + bucketOf(streamInfo{name: stream})}
	for _, t := range tenants {
		out = append(out, "OBJ_"+BucketName(t))
	}
	return out
}

// Describe returns what the server says of the account (stream is empty) or of a stream, in its own JSON,
// refusals included. It is for people who look for a fault; programs have EnsureStream.
func (c *Conn) Describe(ctx context.Context, stream string) (json.RawMessage, error) {
	subject := c.api() + "INFO"
	if stream != "" {
		subject = c.api() + "STREAM.INFO." + stream
	}
	m, err := c.nc.RequestWithContext(ctx, subject, nil)
	if err != nil {
		return nil, classify(err)
	}
	return m.Data, nil
}
