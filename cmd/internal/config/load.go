package config

import "errors"

// file is a configuration as it is written.
type file struct {
	NATS          NATS                   `yaml:"nats,omitempty" jsonschema_description:"Where events go. Left out: JetStream runs inside mailflume."`
	Blobs         Blobs                  `yaml:"blobs,omitempty" jsonschema_description:"Where originals and attachments go."`
	Credentials   map[string]*Credential `yaml:"credentials,omitempty" jsonschema_description:"Ways to sign in, by name."`
	Defaults      Settings               `yaml:"defaults,omitempty" jsonschema_description:"What holds for every mailbox that does not say otherwise."`
	Mailboxes     []Mailbox              `yaml:"mailboxes,omitempty" jsonschema_description:"The mailboxes to watch."`
	MailboxesFrom []string               `yaml:"mailboxes_from,omitempty" jsonschema_description:"More mailboxes: YAML files (a list, or mailboxes: with a list) or CSV files with a header row. Globs are allowed; paths are relative to this file."`
	Limits        Limits                 `yaml:"limits,omitempty" jsonschema_description:"Bounds on what the process uses."`
	HTTP          HTTP                   `yaml:"http,omitempty" jsonschema_description:"Status page, API, metrics and health checks."`
	Log           Log                    `yaml:"log,omitempty" jsonschema_description:"What is logged."`
}

// Load reads the configuration in path.
func Load(path string) (*Config, error) { return nil, errors.New("not yet") }

// Parse reads a configuration from src; name is its file name, which relative paths start from.
func Parse(name string, src []byte) (*Config, error) { return nil, errors.New("not yet") }
