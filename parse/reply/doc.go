// Package reply finds where the quoted part of a reply begins, in the languages and manners of the
// mail programs that people use. A reader shows what stands before and folds what stands behind;
// nothing is ever cut here, and when in doubt nothing is folded: an older message shown twice costs
// a scroll, words that their author cannot make anyone see cost more.
//
//	if at, ok := reply.Offset(text); ok {
//		show(text[:at])
//		fold(text[at:])
//	}
//
// # What a quote is
//
// There are two sorts, and they are told apart because they allow different conclusions.
//
// Marked quotes say of each line that it is old: ">", "|" or a name with ">" before it. Whatever is
// not marked is the author's own, so the offset always lies behind the last own words. An answer
// below or between marked lines leaves at most the trailing quote to be folded.
//
//   - The attribution ("On … wrote:", up to four lines) directly before belongs to the quote.
//   - Marked lines without an attribution are a quote only behind own words, and not if they look
//     like something to be read now: announced by a colon and short, a lone line that follows
//     closely, ">>>" of an interpreter, a diff, a table.
//   - What may follow without being own words: a signature after "-- " (up to 20 lines), the line of
//     a telephone ("Sent from my …"), a mailing list's footer behind a rule (it must have a link and
//     a word of that trade), a PGP signature. Anything else is an answer, a bare name too.
//
// History has no marks: a separator says that everything below is old. Below it nobody can tell
// whose words are whose, so a separator must be unmistakable, and own words must stand before it;
// otherwise the message is a bare forward or an answer at its end, and all of it is shown.
//
//   - "-----Original Message-----" between dashes, in any of the languages.
//   - A block of header lines that begins with the sender and has three fields or more of a single
//     language, the date among them (or all four, in any order), after an empty line or a rule. A
//     rule directly above belongs to it. Fields such as Message-ID beside it say that it is a header
//     shown as evidence, or a message sent back.
//   - An attribution with a verb, a date and a time or an address, and a colon at the end. Marked
//     lines below it which have no attribution of their own say that the text between is an answer.
//   - GroupWise's ">>> name date >>>" and a ticket system's "reply above this line".
//
// If what follows a separator is marked after all, it is a marked quote. If the words above announce
// something below ("see inline", "answers in red", "siehe unten"), history is shown as well.
//
// # What is not a quote
//
// A forwarded message is what its sender wants to be read: behind "Forwarded message" nothing is
// looked for. Programs which forward with the separator of a reply (Outlook does) cannot be told
// apart in the text; a caller who knows the subject may ignore the offset when it begins with "Fwd:".
// An answer below history without marks is not visible in plain text, and is folded with it unless
// it is announced. A marked line that a mailer has broken in two leaves half a line without marks,
// which is taken for an answer: the quote is then found late, or not at all.
//
// # Cost
//
// One pass, linear time, no memory that grows with the text; of a line only the first 1,000 octets
// are looked at, and a longer line is never more than a marked or an unmarked one.
package reply
