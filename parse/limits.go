package parse

// Limits bound what one message may cost. A zero field means its default. What goes over a limit is
// reported as an Issue; the input is read to its end all the same.
type Limits struct {
	Depth        int   // nested multiparts; 100
	Parts        int   // entities, multiparts included; 10,000
	HeaderFields int   // fields per header; 10,000
	Params       int   // parameters per field, RFC 2231 sections counted singly; 128
	Addresses    int   // addresses per Addresses call; 10,000
	EncodedWords int   // encoded words per field; 5,000
	Boundary     int   // bytes of a boundary; 256
	Nesting      int   // messages, TNEF streams and signed objects inside each other; 5
	HeaderBytes  int64 // bytes of one header; 1 MiB
	FieldBytes   int64 // bytes of one field; 256 KiB
}

// withDefaults returns l with every zero field set to its default.
func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Depth, 100)
	set(&l.Parts, 10_000)
	set(&l.HeaderFields, 10_000)
	set(&l.Params, 128)
	set(&l.Addresses, 10_000)
	set(&l.EncodedWords, 5_000)
	set(&l.Boundary, 256)
	set(&l.Nesting, 5)
	if l.HeaderBytes <= 0 {
		l.HeaderBytes = 1 << 20
	}
	if l.FieldBytes <= 0 {
		l.FieldBytes = 256 << 10
	}
	// A delimiter line must be recognised inside the window.
	l.Boundary = min(l.Boundary, maxDelimiter/2)
	return l
}
