package parse

// Issue is one thing that was wrong with the message and what was done about it.
type Issue struct {
	Code   string // one of the Issue constants
	Part   string // the part it is about; empty for the message itself
	Detail string // what exactly, in words; octets of the message appear quoted
	Lossy  bool   // something could not be represented; only the raw message has it
}

// The issue codes. They are stable: consumers may filter on them.
const (
	IssueAddressLimit       = "address-limit"            // more addresses than Limits.Addresses; lossy
	IssueAddressRepaired    = "address-repaired"         // an address list needed guessing: brackets, commas, quotes
	IssueBase64Continued    = "base64-continued"         // encoded data went on after its padding
	IssueBase64Garbage      = "base64-garbage"           // characters outside the alphabet were skipped
	IssueBase64Trailing     = "base64-trailing"          // text after the encoded data was dropped; lossy
	IssueBase64Truncated    = "base64-truncated"         // the data ends inside a character; lossy
	IssueBase64Unpadded     = "base64-unpadded"          // the data ends without its padding
	IssueBoundaryMissing    = "boundary-missing"         // a multipart without usable boundary was read as one text
	IssueBoundaryNotFound   = "boundary-not-found"       // no delimiter line in a whole multipart: read as one text
	IssueBoundaryRepeated   = "boundary-repeated"        // a multipart has the boundary of one around it
	IssueBOM                = "byte-order-mark"          // the message began with a byte order mark
	IssueCharsetGuessed     = "charset-guessed"          // no or no true charset was declared; the octets decided
	IssueCharsetInvalid     = "charset-invalid"          // octets that the charset does not have became U+FFFD; lossy
	IssueCharsetUnknown     = "charset-unknown"          // the declared charset is not known; the octets decided
	IssueContentTypeBad     = "content-type-invalid"     // the media type was repaired or replaced
	IssueDateInvalid        = "date-invalid"             // the Date field cannot be read
	IssueDateRepaired       = "date-repaired"            // the Date field is not RFC 5322 but can be read
	IssueDepthLimit         = "depth-limit"              // multiparts nested deeper than Limits.Depth: one attachment
	IssueDispositionBad     = "disposition-unknown"      // unknown Content-Disposition: attachment (RFC 2183 section 2.8) if it is a token
	IssueEncodedMultipart   = "encoded-multipart"        // a transfer encoding on a multipart was ignored (RFC 2045 section 6.4)
	IssueEncodedWordBad     = "encoded-word-invalid"     // an RFC 2047 word was repaired or left as it was
	IssueEncodedWordLimit   = "encoded-word-limit"       // more words than Limits.EncodedWords: the rest is left encoded
	IssueEncodingUnknown    = "encoding-unknown"         // unknown transfer encoding: octets as sent
	IssueEpilogue           = "epilogue"                 // text after the last part was dropped; lossy
	IssueFieldDuplicate     = "field-duplicate"          // a field that may stand once stands twice; the first counts
	IssueFieldLimit         = "field-limit"              // more fields than Limits.HeaderFields; lossy
	IssueFieldNameBad       = "field-name-invalid"       // a field name with characters it must not have
	IssueFieldTooLarge      = "field-too-large"          // a field over Limits.FieldBytes was cut; lossy
	IssueFieldUndeclared8   = "field-raw-8bit"           // octets over 127 that are not UTF-8 stood in a field
	IssueFilenameUnsafe     = "filename-unsafe"          // Filename differs from FilenameRaw to be safe
	IssueHeaderByBoundary   = "header-ended-by-boundary" // a delimiter line ended a header
	IssueHeaderLine         = "header-line-invalid"      // a line in the header that is no field was skipped; lossy
	IssueHeaderNoEnd        = "header-without-end"       // no empty line after the header
	IssueHeaderTooLarge     = "header-too-large"         // a header over Limits.HeaderBytes was cut; lossy
	IssueLeadingBlank       = "leading-blank-lines"      // empty lines before the header were skipped
	IssueLimit              = "issue-limit"              // more issues than are kept
	IssueLineEnds           = "line-ends-cr"             // lines end in a bare CR
	IssueMboxLine           = "mbox-from-line"           // an mbox "From " line was skipped
	IssueMultipartEmpty     = "multipart-empty"          // a multipart without a part
	IssueMultipartOpen      = "multipart-not-closed"     // a multipart without closing delimiter
	IssueNestingLimit       = "nesting-limit"            // containers nested deeper than Limits.Nesting: octets kept, not opened
	IssueParamBad           = "parameter-invalid"        // a parameter was repaired: quotes, spaces, separators
	IssueParamDuplicate     = "parameter-duplicate"      // a parameter stands twice; the first counts
	IssueParamLimit         = "parameter-limit"          // more parameters than Limits.Params; lossy
	IssuePartAfterClose     = "part-after-close"         // parts after the closing delimiter were dropped; lossy
	IssuePartLimit          = "part-limit"               // more parts than Limits.Parts; lossy
	IssueQuotedPrintableBad = "quoted-printable-invalid" // = that encodes nothing was kept as it is
	IssueSignedBad          = "smime-invalid"            // a signed object that is damaged: what could be read was, octets kept
	IssueTNEFBad            = "tnef-invalid"             // a TNEF stream that is damaged: what could be read was, octets kept
	IssueUUBad              = "uuencode-invalid"         // lines outside the encoding were skipped; lossy
)

// maxIssues bounds the list: one hostile message must not become a large event.
const maxIssues = 100

// issues is the bounded list that all of one message's readers report to.
type issues struct {
	list []Issue
	over bool
}

// add records an issue once.
func (s *issues) add(is Issue) {
	for i := range s.list {
		if s.list[i] == is {
			return
		}
	}
	if len(s.list) < maxIssues {
		s.list = append(s.list, is)
	} else if !s.over {
		s.over = true
		s.list = append(s.list, Issue{Code: IssueLimit, Detail: "more issues were found than are listed"})
	}
}
