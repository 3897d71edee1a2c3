//go:build !crashpoints

package crash

import (
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// Plan is where the process shall end: never.
type Plan struct{}

// FromEnv returns the plan.
func FromEnv() Plan { return Plan{} }

// Log returns l.
func (Plan) Log(l publish.Log) publish.Log { return l }

// Blobs returns b.
func (Plan) Blobs(b publish.BlobStore) publish.BlobStore { return b }

// Source returns s.
func (Plan) Source(s ingest.Source) ingest.Source { return s }

// NATS returns o.
func (Plan) NATS(o natsjs.Options) natsjs.Options { return o }
