package parse

import (
	"strings"

	"mailflume/parse/ical"
)

// Issue is one thing that was wrong with the message and what was done about it.
type Issue struct {
	Code   string // one of the Issue constants
	Part   string // the part it is about; empty for the message itself
	Detail string // what exactly, in words; octets of the message appear quoted
	Lossy  bool   // something could not be represented; only the raw message has it
}

// The issue codes. They are stable: consumers may filter on them. IssueCodes says what each means.
const (
	IssueAddressLimit       = "address-limit"
	IssueAddressRepaired    = "address-repaired"
	IssueBase64Continued    = "base64-continued"
	IssueBase64Garbage      = "base64-garbage"
	IssueBase64None         = "base64-none"
	IssueBase64Trailing     = "base64-trailing"
	IssueBase64Truncated    = "base64-truncated"
	IssueBase64Unpadded     = "base64-unpadded"
	IssueBoundaryMissing    = "boundary-missing"
	IssueBoundaryNotFound   = "boundary-not-found"
	IssueBoundaryRepeated   = "boundary-repeated"
	IssueBOM                = "byte-order-mark"
	IssueCalendarMany       = ical.FlawLimit
	IssueCalendarLine       = ical.FlawLine
	IssueCalendarTime       = ical.FlawTime
	IssueCalendarZone       = ical.FlawZone
	IssueCharsetGuessed     = "charset-guessed"
	IssueCharsetInvalid     = "charset-invalid"
	IssueCharsetUnknown     = "charset-unknown"
	IssueContentTypeBad     = "content-type-invalid"
	IssueDateInvalid        = "date-invalid"
	IssueDateRepaired       = "date-repaired"
	IssueDepthLimit         = "depth-limit"
	IssueDispositionBad     = "disposition-unknown"
	IssueEncodedMultipart   = "encoded-multipart"
	IssueEncodedWordBad     = "encoded-word-invalid"
	IssueEncodedWordLimit   = "encoded-word-limit"
	IssueEncodingUnknown    = "encoding-unknown"
	IssueEpilogue           = "epilogue"
	IssueFieldDuplicate     = "field-duplicate"
	IssueFieldLimit         = "field-limit"
	IssueFieldNameBad       = "field-name-invalid"
	IssueFieldUndeclared8   = "field-raw-8bit"
	IssueFieldTooLarge      = "field-too-large"
	IssueFilenameUnsafe     = "filename-unsafe"
	IssueHeaderByBoundary   = "header-ended-by-boundary"
	IssueHeaderLine         = "header-line-invalid"
	IssueHeaderTooLarge     = "header-too-large"
	IssueHeaderNoEnd        = "header-without-end"
	IssueLimit              = "issue-limit"
	IssueLeadingBlank       = "leading-blank-lines"
	IssueLineEnds           = "line-ends-cr"
	IssueMboxLine           = "mbox-from-line"
	IssueMultipartEmpty     = "multipart-empty"
	IssueMultipartOpen      = "multipart-not-closed"
	IssueNestingLimit       = "nesting-limit"
	IssueParamDuplicate     = "parameter-duplicate"
	IssueParamBad           = "parameter-invalid"
	IssueParamLimit         = "parameter-limit"
	IssuePartAfterClose     = "part-after-close"
	IssuePartLimit          = "part-limit"
	IssueQuotedPrintableBad = "quoted-printable-invalid"
	IssueReportBad          = "report-invalid"
	IssueReportEncoded      = "report-encoded"
	IssueReportLimit        = "report-limit"
	IssueSignedBad          = "smime-invalid"
	IssueTNEFBad            = "tnef-invalid"
	IssueUUBad              = "uuencode-invalid"
)

// maxIssues bounds the list: one hostile message must not become a large event.
const maxIssues = 100

// issues is the bounded list that all of one message's readers report to. One entry more stands for those
// that are not listed.
type issues struct {
	list []Issue
}

// add records an issue once.
func (s *issues) add(is Issue) {
	for i := range s.list {
		if s.list[i] == is {
			return
		}
	}
	if len(s.list) < maxIssues {
		is.Detail = strings.Clone(is.Detail) // or it would keep the field that it comes from
		s.list = append(s.list, is)
		return
	}
	if len(s.list) == maxIssues {
		s.list = append(s.list, Issue{Code: IssueLimit, Detail: "more issues were found than are listed"})
	}
	rest := &s.list[maxIssues]
	rest.Lossy = rest.Lossy || is.Lossy
}
