package parse

// IssueCode is one row of the table of issues.
type IssueCode struct {
	Code    string // one of the Issue constants
	Meaning string // what was wrong and what was done; "lossy": something could not be represented, only the raw message has it
}

// IssueCodes returns the table of all issues, in the order of their codes.
func IssueCodes() []IssueCode {
	return []IssueCode{
		{IssueAddressLimit, "more addresses than Limits.Addresses; lossy"},
		{IssueAddressRepaired, "an address list needed guessing: brackets, commas, quotes"},
		{IssueBase64Continued, "encoded data went on after its padding"},
		{IssueBase64Garbage, "characters outside the alphabet were skipped"},
		{IssueBase64Trailing, "text after the encoded data was dropped; lossy"},
		{IssueBase64Truncated, "the data ends inside a character; lossy"},
		{IssueBase64Unpadded, "the data ends without its padding"},
		{IssueBoundaryMissing, "a multipart without usable boundary was read as one text"},
		{IssueBoundaryNotFound, "no delimiter line in a whole multipart: read as one text"},
		{IssueBoundaryRepeated, "a multipart has the boundary of one around it"},
		{IssueBOM, "the message began with a byte order mark"},
		{IssueCalendarMany, "more events, attendees or text than is kept; lossy"},
		{IssueCalendarLine, "a line that is no property was skipped"},
		{IssueCalendarTime, "a time or duration that cannot be read was left out; lossy"},
		{IssueCalendarZone, "a zone that nobody knows: the time floats"},
		{IssueCharsetGuessed, "no or no true charset was declared; the octets decided"},
		{IssueCharsetInvalid, "octets that the charset does not have became U+FFFD; lossy"},
		{IssueCharsetUnknown, "the declared charset is not known; the octets decided"},
		{IssueContentTypeBad, "the media type was repaired or replaced"},
		{IssueDateInvalid, "the Date field cannot be read"},
		{IssueDateRepaired, "the Date field is not RFC 5322 but can be read"},
		{IssueDepthLimit, "multiparts nested deeper than Limits.Depth: one attachment"},
		{IssueDispositionBad, "unknown Content-Disposition: attachment (RFC 2183 section 2.8) if it is a token"},
		{IssueEncodedMultipart, "a transfer encoding on a multipart was ignored (RFC 2045 section 6.4)"},
		{IssueEncodedWordBad, "an RFC 2047 word was repaired or left as it was"},
		{IssueEncodedWordLimit, "more words than Limits.EncodedWords: the rest is left encoded"},
		{IssueEncodingUnknown, "unknown transfer encoding: octets as sent"},
		{IssueEpilogue, "text after the last part was dropped; lossy"},
		{IssueFieldDuplicate, "a field that may stand once stands twice; the first counts"},
		{IssueFieldLimit, "more fields than Limits.HeaderFields; lossy"},
		{IssueFieldNameBad, "a field name with characters it must not have"},
		{IssueFieldUndeclared8, "octets over 127 that are not UTF-8 stood in a field"},
		{IssueFieldTooLarge, "a field over Limits.FieldBytes was cut; lossy"},
		{IssueFilenameUnsafe, "Filename differs from FilenameRaw to be safe"},
		{IssueHeaderByBoundary, "a delimiter line ended a header"},
		{IssueHeaderLine, "a line in the header that is no field was skipped; lossy"},
		{IssueHeaderTooLarge, "a header over Limits.HeaderBytes was cut; lossy"},
		{IssueHeaderNoEnd, "no empty line after the header"},
		{IssueLimit, "more issues than are kept"},
		{IssueLeadingBlank, "empty lines before the header were skipped"},
		{IssueLineEnds, "lines end in a bare CR"},
		{IssueMboxLine, "an mbox \"From \" line was skipped"},
		{IssueMultipartEmpty, "a multipart without a part"},
		{IssueMultipartOpen, "a multipart without closing delimiter"},
		{IssueNestingLimit, "containers nested deeper than Limits.Nesting: octets kept, not opened"},
		{IssueParamDuplicate, "a parameter stands twice; the first counts"},
		{IssueParamBad, "a parameter was repaired: quotes, spaces, separators"},
		{IssueParamLimit, "more parameters than Limits.Params; lossy"},
		{IssuePartAfterClose, "parts after the closing delimiter were dropped; lossy"},
		{IssuePartLimit, "more parts than Limits.Parts; lossy"},
		{IssueQuotedPrintableBad, "= that encodes nothing was kept as it is"},
		{IssueReportBad, "a report part says nothing that can be read"},
		{IssueReportLimit, "a report, an envelope or the sum of what parts say is larger than what is kept; lossy"},
		{IssueSignedBad, "a signed object that is damaged: what could be read was, octets kept"},
		{IssueTNEFBad, "a TNEF stream that is damaged: what could be read was, octets kept"},
		{IssueUUBad, "lines outside the encoding were skipped; lossy. Without a begin line: octets as sent"},
	}
}
