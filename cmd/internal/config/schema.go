package config

import (
	"encoding/json"
	"fmt"

	"github.com/invopop/jsonschema"
)

// SchemaID names the JSON Schema of the configuration.
const SchemaID = "https://mailflume.example/schema/config.v1.json"

// Schema returns the JSON Schema (2020-12) of the configuration file, for editors. It knows keys,
// types, choices and patterns; rules across keys are known to Load alone.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{
		FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, ExpandedStruct: true,
	}
	s := r.Reflect(&file{})
	s.ID = SchemaID
	s.Title = "mailflume configuration"
	for _, def := range []string{"Settings", "Mailbox"} {
		// Load takes any scalar as a label's text: tier: 1, vip: true.
		if labels, ok := s.Definitions[def].Properties.Get("labels"); ok {
			labels.AdditionalProperties = &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
		}
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the JSON Schema: %w", err)
	}
	return append(b, '\n'), nil
}

// textSchema describes a text with a pattern.
func textSchema(pattern string, examples ...any) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern, Examples: examples}
}

// orInteger also allows a plain number of bytes.
func orInteger(s *jsonschema.Schema) *jsonschema.Schema {
	zero := json.Number("0")
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{s, {Type: "integer", Minimum: zero}}}
}

// JSONSchema describes a duration.
func (Duration) JSONSchema() *jsonschema.Schema {
	zero := &jsonschema.Schema{Type: "integer", Const: 0}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		textSchema(`^(0|([0-9]*\.?[0-9]+(ms|s|m|h|d|w))+)$`, "30s", "5m", "1h30m", "30d"), zero,
	}}
}

// JSONSchema describes an interval between two fsyncs.
func (Sync) JSONSchema() *jsonschema.Schema {
	return textSchema(`^(always|([0-9]*\.?[0-9]+(ms|s|m))+)$`, "1s", "always")
}

// JSONSchema describes a size.
func (Size) JSONSchema() *jsonschema.Schema {
	return orInteger(textSchema(`^[0-9]*\.?[0-9]+ *(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)?$`, "150MiB", "1GiB"))
}

// JSONSchema describes a start.
func (Start) JSONSchema() *jsonschema.Schema {
	return textSchema(`^(now|all|[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt].+)?)$`, "now", "all", "2026-01-01")
}

// JSONSchema describes a reference to a secret.
func (Secret) JSONSchema() *jsonschema.Schema {
	return textSchema(`^(file|env|credential):.+$`, "file:/run/secrets/contoso", "env:CONTOSO_SECRET", "credential:contoso")
}

// JSONSchema describes the path of a file that holds a secret.
func (SecretFile) JSONSchema() *jsonschema.Schema { return textSchema(`^.+$`) }

// JSONSchema describes a post-action in all its forms.
func (After) JSONSchema() *jsonschema.Schema {
	action := textSchema(`^(none|seen|delete|flag|move|flag: *\S.*|move: *\S.*)$`, "none", "seen", "flag: $Ingested", "move: Processed", "delete")
	grace := Duration(0).JSONSchema()
	grace.Description = "How long to wait after the event is stored."
	flag := &jsonschema.Schema{Type: "string", Description: "Set this flag."}
	move := &jsonschema.Schema{Type: "string", Description: "Move to this folder."}
	either := &jsonschema.Schema{
		OneOf:       []*jsonschema.Schema{action, closedObject(property{"flag", flag}, property{"move", move})},
		Description: "none, seen, flag: NAME, move: FOLDER or delete",
	}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		action, closedObject(property{"action", either}, property{"grace", grace}, property{"flag", flag}, property{"move", move}),
	}}
}

// property is one key of a closed object, in order.
type property struct {
	name string
	is   *jsonschema.Schema
}

// closedObject describes a mapping with these keys and no others.
func closedObject(properties ...property) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, p := range properties {
		s.Properties.Set(p.name, p.is)
	}
	return s
}
