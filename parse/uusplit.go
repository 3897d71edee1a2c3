package parse

import "strconv"

// uuSplit takes a text apart into the texts and files of it. Each is a part of its own and reads from
// here until it is over: the text up to a file, the file, the text after it.
type uuSplit struct {
	in   octets
	text *Part // the first piece: those after files take over what its header says

	scan   uuScanner
	rest   []byte // of in, not yet scanned
	last   bool   // nothing follows rest
	ahead  uuPiece
	file   *uuFile // begins here
	files  int
	over   bool // nothing follows
	broken int  // files that ended without saying so
}

// next implements octets.
func (u *uuSplit) next() ([]byte, bool, error) {
	p, err := u.piece()
	switch {
	case err != nil:
		return nil, false, err
	case p.kind == uuText, p.kind == uuData:
		return p.octets, false, nil
	case p.kind == uuBegin:
		file := p.file // for what is seldom, p must not be moved to the heap
		u.file = &file
	case p.broken:
		u.broken++
	}
	return nil, true, nil
}

// piece returns the next piece, uuNothing at the end.
func (u *uuSplit) piece() (p uuPiece, err error) {
	if p, u.ahead = u.ahead, p; p.kind != uuNothing {
		return p, nil
	}
	for !u.over {
		if p, u.rest = u.scan.next(u.rest, u.last); p.kind != uuNothing {
			return p, nil
		}
		if u.last {
			u.over = true
			break
		}
		if u.rest, u.last, err = u.in.next(); err != nil {
			return p, err
		}
	}
	return p, nil
}

// skip implements octets: what comes after the piece matters.
func (u *uuSplit) skip() error {
	for {
		if _, last, err := u.next(); last || err != nil {
			return err
		}
	}
}

// flaws implements octets.
func (u *uuSplit) flaws(to reporter) {
	if u.broken > 0 {
		u.broken = 0
		to.issue(IssueUUBad, "a file without end", false)
	}
	if u.over {
		u.in.flaws(to)
	}
}

// part returns the piece after the one that is over, nil if it was the last.
func (u *uuSplit) part() (*Part, error) {
	if u.file == nil {
		var err error
		if u.ahead, err = u.piece(); err != nil || u.over {
			return nil, err
		}
		if u.ahead.kind != uuBegin {
			p := *u.text
			p.body, p.tee, p.done, p.read, p.out = nil, nil, false, false, nil
			p.startText()
			return &p, nil
		}
		file := u.ahead.file
		u.file, u.ahead = &file, uuPiece{}
	}
	if r := u.text.r; *r.parts >= r.lim.Parts {
		u.text.issue(IssuePartLimit, strconv.Itoa(r.lim.Parts), true)
		return nil, u.in.skip()
	}
	u.files++
	p := u.text.child(u.files, OriginUuencode, u)
	p.ContentType = "application/octet-stream"
	p.rename(p.Header.utf8(u.file.name))
	u.file = nil
	return p, nil
}
