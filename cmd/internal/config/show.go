package config

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Show writes the configuration as it takes effect, as YAML, with *** for each secret.
func (c *Config) Show(w io.Writer) error {
	b, err := yaml.MarshalWithOptions(c, yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("showing the configuration: %w", err)
	}
	_, err = w.Write(b)
	return err
}

// Addr is the mail server's host and port.
func (m *Mailbox) Addr() string { return net.JoinHostPort(m.Host, strconv.Itoa(m.Port)) }

// Find returns the mailbox that people mean by name: its id, tenant/id, or its address. The error
// suggests another name.
func (c *Config) Find(name string) (*Mailbox, error) {
	var found []*Mailbox
	var names []string
	for _, m := range c.Mailboxes {
		if m.Name() == name || m.Key().String() == name {
			return m, nil
		}
		if m.ID == name || strings.EqualFold(m.Address, name) {
			found = append(found, m)
		}
		names = append(names, m.Name())
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("there is no mailbox %s: %s", quote(name), suggest(name, names, "mailflume config show lists them"))
	}
	return nil, fmt.Errorf("%s names %d mailboxes: write one of %s, %s", quote(name), len(found), found[0].Name(), found[1].Name())
}
