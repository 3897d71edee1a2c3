package parse

// IssueCode is one row of the table of issues, in the words of `mailflume explain`: fields are called
// as in the event that is made of a message, limits are the defaults.
type IssueCode struct {
	Code    string // one of the Issue constants
	Meaning string // what was wrong with the message
	Done    string // what was done about it; "lost": the issue is lossy, and only the raw message has what is missing
	Next    string // what a consumer may do
}

// IssueCodes returns the table of all issues, in the order of their codes.
func IssueCodes() []IssueCode {
	const (
		nothing = "nothing"
		inRaw   = "if it matters, read the raw message"
		hostile = "no honest program sends this: treat the message as hostile"
		partial = "treat the file as incomplete; ask for it again if it does not open"
		garbled = "if the text looks wrong, convert the octets of the raw message yourself"
		inFile  = "read the calendar file, which is among attachments"
	)
	return []IssueCode{
		{IssueAddressLimit, "fields of one kind hold more than 10,000 addresses", "the first 10,000 are given, the others are lost", "their fields stand in headers"},
		{IssueAddressRepaired, "brackets, commas or quotes of an address list are missing or wrong", "the addresses were taken from what is there", "before you decide by such an address, look at the field in headers"},
		{IssueBase64Continued, "encoded data goes on after its padding: several encodings were joined", "all of them were decoded, one after the other", nothing},
		{IssueBase64Garbage, "characters that base64 does not have stand in the encoded data", "they were skipped", "if the file does not open, it was damaged on its way: ask for it again"},
		{IssueBase64None, "a text is declared as base64 and is none", "its octets are given as they were sent", nothing},
		{IssueBase64Trailing, "text stands after the encoded data, often the footer of a list or a virus scanner", "the data ends before it; the text is lost", nothing},
		{IssueBase64Truncated, "the encoded data ends in the midst of an octet", "the octets before it were decoded, the begun one is lost", partial},
		{IssueBase64Unpadded, "the encoded data ends without its padding", "it was decoded to its end", "nothing, unless multipart-not-closed stands beside it: then the file may be incomplete"},
		{IssueBoundaryMissing, "a multipart does not say what parts its parts", "it was read as one text", "its parts, files too, stand encoded in text"},
		{IssueBoundaryNotFound, "no boundary stands at the beginning of a multipart", "what stands there was read as a text", "if there are parts, they stand encoded in text"},
		{IssueBoundaryRepeated, "a multipart has the same boundary as one around it", "the boundary was taken for that of the inner one until that ended", "do not rely on which of the two is the parent of a part"},
		{IssueBOM, "a byte order mark stands before a header", "it was skipped", nothing},
		{IssueCalendarMany, "a calendar says more than is kept: 100 events, 1,000 attendees of one, 64 KiB in a line, 1 MiB in all", "the rest is lost to calendar", inFile},
		{IssueCalendarLine, "a line of a calendar cannot be read", "it was skipped", "if something is missing in calendar, " + inFile},
		{IssueCalendarTime, "a time or duration in a calendar cannot be read", "it was left out and is lost to calendar", inFile},
		{IssueCalendarZone, "a calendar names a time zone that nobody knows and that it does not describe", "the time is given without an offset", "read it as the local time of the organizer"},
		{IssueCharsetGuessed, "no charset is declared, or one that cannot be true", "the octets decided which one was used", garbled},
		{IssueCharsetInvalid, "a text has octets that its charset does not have", "each became U+FFFD; they are lost", "show the text as it is; the raw message has the octets"},
		{IssueCharsetUnknown, "the declared charset is known to nobody", "the octets decided which one was used", garbled},
		{IssueContentTypeBad, "the media type of a part cannot be read as it stands", "it was repaired, or is application/octet-stream", "go by detected_type"},
		{IssueDateInvalid, "the Date field holds no date, or one that could be two", "date is left out; date_raw has the field as sent", "use received_at"},
		{IssueDateRepaired, "the Date field is not written as RFC 5322 asks", "it was read all the same; without a zone as UTC", "if hours matter, compare date with received_at"},
		{IssueDepthLimit, "multiparts are nested more than 100 deep", "what is deeper is one attachment, octet for octet", hostile},
		{IssueDispositionBad, "the disposition of a part is neither inline nor attachment", "an unknown word means attachment (RFC 2183); what is no word means nothing", nothing},
		{IssueEncodedMultipart, "a multipart declares a transfer encoding, which only its parts may have", "that was ignored (RFC 2045)", nothing},
		{IssueEncodedWordBad, "an encoded word (=?utf-8?q?...?=) in a field is damaged", "it was repaired, or left as it was sent", "show it as it is"},
		{IssueEncodedWordLimit, "a field holds more than 5,000 encoded words", "the rest of them is left encoded", hostile},
		{IssueEncodingUnknown, "the transfer encoding of a part is known to nobody", "its octets are given as they were sent", "decode them yourself if you know how"},
		{IssueEpilogue, "text stands after the last part, often the footer of a list or a gateway", "it belongs to no part and is lost", nothing},
		{IssueFieldDuplicate, "a field that may stand once stands more than once", "the first one counts; headers has them all", "beware if the sender matters: other programs may show another one"},
		{IssueFieldLimit, "a header has more than 10,000 fields", "the rest is lost", hostile},
		{IssueFieldNameBad, "the name of a field has characters that it must not have", "it is kept as it is written", nothing},
		{IssueFieldUndeclared8, "a field holds octets over 127 that are not UTF-8 and have no charset", "they were read in the charset of the text, or in one that fits; detail names it", garbled},
		{IssueFieldTooLarge, "a field is longer than 256 KiB", "its rest is lost", inRaw},
		{IssueFilenameUnsafe, "the name of a file is a path, a device, too long, or has characters that cannot be seen", "filename is a safe one; filename_raw is the one sent", "create files under filename only"},
		{IssueHeaderByBoundary, "no empty line stands between a header and the boundary after it", "the header ends there", nothing},
		{IssueHeaderLine, "a line in a header is no field", "it was skipped and is lost", inRaw},
		{IssueHeaderTooLarge, "a header is longer than 1 MiB", "its rest is lost", hostile},
		{IssueHeaderNoEnd, "no empty line stands after a header, or nothing at all", "the first line that cannot be of a header begins the body", "without a body the message may have been cut off"},
		{IssueLimit, "more than 100 things were wrong", "all were repaired, but the others are not listed", "count on repairs that are not in issues"},
		{IssueLeadingBlank, "empty lines or spaces stand before a header", "they were skipped", nothing},
		{IssueLineEnds, "lines end in CR alone", "it was taken for a line end", nothing},
		{IssueMboxLine, "a line \"From ...\" of a mail file stands in the header", "it was skipped", nothing},
		{IssueMultipartEmpty, "a multipart has no parts", "nothing of it is given; a text in it, if there is one, is lost", inRaw},
		{IssueMultipartOpen, "the end of a multipart is missing", "it ends where that around it ends, and all its parts are given", "the message may have been cut off: the last file may be incomplete"},
		{IssueNestingLimit, "messages, winmail.dat files and signed objects are nested more than 5 deep", "the innermost is an attachment and was not opened", "open it yourself, but no honest program nests so deep"},
		{IssueParamDuplicate, "a parameter of a field (name, charset, boundary) stands more than once", "the first one counts", "other programs may show another file name"},
		{IssueParamBad, "quotes, spaces, separators or the encoding of a parameter are wrong", "it was read as it must have been meant", nothing},
		{IssueParamLimit, "a field has more than 128 parameters", "the rest is lost", hostile},
		{IssuePartAfterClose, "parts stand after the end of their multipart", "they are not given and are lost", "beware: other programs may show them"},
		{IssuePartLimit, "the message has more than 10,000 parts", "the rest is lost", hostile},
		{IssueQuotedPrintableBad, "a = of quoted-printable has no two digits after it", "it is kept as it is", nothing},
		{IssueReportEncoded, "the fields of a report were encoded as if they were a body", "they were decoded", nothing},
		{IssueReportBad, "a bounce, receipt, complaint or journal report does not say what it is about", "bounce, receipt, complaint or journal says what is known, or is left out", "read text and the report, which is among attachments"},
		{IssueReportLimit, "a report, an envelope or what there is to say of attachments is larger than what is kept", "the rest is lost to the event", inRaw},
		{IssueSignedBad, "a signed object (smime.p7m) is damaged", "what could be read was; the object is among attachments as sent", "treat what came out of it as incomplete"},
		{IssueTNEFBad, "a winmail.dat is damaged", "what could be read was, the rest is lost; the file is among attachments as sent", "treat what came out of it as incomplete"},
		{IssueUUBad, "a uuencoded file has lines of something else, or no begin or end", "such lines were skipped and are lost; without a begin the octets are given as sent", partial},
	}
}
