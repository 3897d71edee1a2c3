// Package htmltext turns the HTML of a mail into the text that a person would read in it, as a stream.
//
// NewReader takes UTF-8 HTML of any quality and gives UTF-8 text with \n line ends. It never fails
// on what it reads: the only errors are those of the reader it was given. The text depends on the
// octets and never on how they were cut into reads. It is valid UTF-8 without control characters
// other than \n and \t, whatever the input. A Reader needs less than 128 KiB for any input, and time
// linear in its size. It belongs to one goroutine at a time.
//
// # What the text looks like
//
// White space collapses as CSS says; paragraphs, headings, lists and tables stand apart by a blank
// line, and there is never more than one blank line outside of preformatted text. Lines are not
// wrapped. <pre> and white-space:pre are kept exactly.
//
// Lists have "- ", "1. " or "a. " before their items, the paragraphs with which Word makes lists
// too. Quotes have "> ", and ">> " deeper (RFC 3676 section 4.5), if they are a blockquote or what
// Outlook, GMX and Yahoo use in its place; where Outlook only draws a line above the mail that is
// replied to, there is the line "---", as for <hr>. In a text that has more of such marks than words,
// as none has that somebody wrote, they end after 256 KiB.
//
// A link reads "text (https://...)", and only "text" if that is the address itself, or if the
// address is of no use outside of the mail: relative, javascript:, data: and the like; mailto: is
// left out. An image reads "[its alternative text]". Of a list to choose from, the first option and
// the selected ones are shown.
//
// # Tables
//
// Nearly all tables in mail are for layout, and nothing tells them from data. One rule reads both:
// a cell continues the line of the cell before it, after " | ", if all cells of the row so far took
// one line each; else it begins a new line. So the rows of data, and those of a footer, are one line
// each, and columns of paragraphs are read cell by cell. A table inside of a cell always begins a
// new line. A table that has a border, or header cells, holds data: in its cells line breaks become
// spaces within the first 200 octets, and empty cells keep their place.
//
// # What is not visible
//
// Scripts, styles, titles, templates and comments are left out, with them what Outlook alone would
// read (<!--[if mso]>), and images of one pixel. So are elements hidden by an inline style (display,
// visibility, opacity, max-height, height or width 0 with overflow, font-size under 2 pixels) or by
// the hidden attribute, which removes the preheaders of newsletters. mso-hide:all hides nothing by
// itself: it marks what every program but Outlook shows. Style sheets are not read.
//
// To lose visible text is worse than to show what is hidden. A hidden element ends with its end
// tag or with the element around it; <html> and <body> do not count, as half of all mail forgets them.
// If it is still open at the end of the mail, or after 16 KiB of text, it was never meant to be: that
// text is then shown, without its structure, and the rest of the mail as usual. Of elements that
// nest deeper than 256 the inner ones have no effect but their text is there.
//
// # Why a tokenizer of its own
//
// The one of golang.org/x/net/html holds every token whole, and its error for a token longer than
// its buffer is final: an inline image of 10 MB as an attribute would end the mail. Here text,
// attributes and comments of any length flow through a window of 8 KiB. The tests hold the two
// against each other.
package htmltext
