// Package schema holds the JSON Schemas (draft 2020-12) of the events, and gives them to programs.
//
// There is one for messages that were received, one for messages in quarantine, and one for all
// events about a mailbox; an event names its own in the dataschema attribute. They are generated
// from the Go types of package publish, so they say what the code says.
//
// What they promise: fields that are required now stay required, fields keep their meaning and
// type, lists are never null. New optional fields may appear in any release: the schemas accept
// unknown ones, and consumers must ignore them. Where a string has one of a closed set of values, they
// are enumerated; an open set has those that are known as examples, and others may come. Whatever breaks a consumer gets a new version
// number in its type and in its file name.
//
// The package starts no goroutines and needs no files at run time.
//
//	text, ok := schema.For(ev.DataSchema)
package schema
