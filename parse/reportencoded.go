package parse

import "strings"

// unencoded returns the octets of a report without the encoding that a filter gave them that took the
// report for an entity: Proofpoint Essentials writes its own Content-Transfer-Encoding at the end of the
// first group of fields, and all others encoded below.
func (c *fieldCollector) unencoded() []byte {
	b := c.buf
	for len(b) > 0 && !c.header {
		line, rest := cutLine(b)
		if len(strings.TrimSpace(string(line))) == 0 {
			return c.buf
		}
		b = rest
		name, value, _ := strings.Cut(string(line), ":")
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Transfer-Encoding") {
			continue
		}
		dec, known := transferFor(lowerToken(value))
		if !known || dec == (identity{}) {
			return c.buf
		}
		group := b
		for len(group) > 0 {
			if line, group = cutLine(group); len(line) == 0 {
				break
			}
		}
		c.issues.issue(IssueReportEncoded, lowerToken(value), false)
		head := c.buf[:len(c.buf)-len(group)]
		b = append(append([]byte(nil), head...), dec.decode(group, true)...)
		dec.flaws(c.issues)
		return b
	}
	return c.buf
}
