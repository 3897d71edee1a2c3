package reply

import (
	"strings"
	"testing"
)

// In the cases below the quote begins behind "§", which is taken out; without one there is none.
func checkAll(t *testing.T, cases []struct{ name, text string }) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want(t, strings.Replace(c.text, "§", "", 1), strings.Index(c.text, "§"))
		})
	}
}

const wrote = "On Tue, Nov 10, 2026 at 9:00 AM Bob Bee <bob@example.org> wrote:\n"

func TestMarkedQuotes(t *testing.T) {
	checkAll(t, []struct{ name, text string }{
		{"angles without attribution", own + "§" + quoted},
		{"angles without blanks", own + "§>Shall we?\n>Bob\n"},
		{"one line behind an empty line", "Yes.\n\n§> Shall we?\n"},
		{"indented", own + "§  > Shall we?\n  > Bob\n"},
		{"deep", own + "§> > > Really?\n> > Yes.\n> Well.\n"},
		{"deep without blanks", own + "§>>> Really?\n>> Yes.\n> Well.\n"},
		{"bars", own + "§| Shall we?\n| On Monday?\n| Bob\n"},
		{"bars with attribution", own + "§" + wrote + "| Shall we?\n"},
		{"initials", own + "§BB> Shall we?\nBB> Bob\n"},
		{"initials with attribution", own + "§" + wrote + " BB> Shall we?\n"},
		{"names", own + "§Bob> Shall we?\nBob>\nBob> Bob\n"},
		{"wide angles", own + "§＞ Shall we?\n＞ Bob\n"},
		{"right-to-left marks", own + "§\u200f\u202b> Shall we?\n\u200f> Bob\n"},
		{"paragraphs of quotes", own + "§> Shall we?\n\n> On Monday?\n\n\n> Bob\n"},
		{"an attribution between quotes", own + "§" + quoted + "\n" + wrote + quoted},
		{"signature behind", own + "§" + quoted + "\n-- \nAnna Ann\nExample Ltd\n"},
		{"signature before", own + "-- \nAnna Ann\nExample Ltd\n\n§" + wrote + quoted},
		{"signature between", own + "§" + quoted + "-- \nAnna Ann\n\n" + wrote + quoted},
		{"telephone behind", own + "§" + wrote + quoted + "\nSent from my iPhone\n"},
		{"telephone before", own + "Von meinem iPhone gesendet\n\n§" + wrote + quoted},
		{"telephone close before", own + "Gesendet von meinem Telefon\n§" + wrote + "\n" + old},
		{"telephone ja", own + "§" + quoted + "\niPhoneから送信\n"},
		{"list footer", own + "§" + wrote + quoted + "\n_______________________________________________\nDiscuss mailing list\nDiscuss@lists.example.org\nhttps://lists.example.org/listinfo/discuss\n"},
		{"list footer behind a short rule", own + "§" + wrote + quoted + "\n__\nDiscuss mailing list\nhttps://lists.example.org/listinfo/discuss\n"},
		{"list link", own + "§" + wrote + quoted + "\nhttp://lists.example.org/listinfo/discuss\n"},
		{"signature and list footer", own + "§" + wrote + quoted + "\n-- \nAnna\n_______________________________________________\nDiscuss mailing list\nhttps://lists.example.org/listinfo/discuss\n"},
		{"scanner's footer", own + "§" + quoted + "\n-----\nNo virus.\nhttps://www.avast.com/\n"},
		{"groups' footer", own + "§" + wrote + quoted + "\n-- \nYou received this message because you are subscribed.\nTo unsubscribe, see https://groups.google.com/\n"},
		{"PGP signature", own + "§" + wrote + quoted + "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n"},
		{"mbox escape inside of a quote", own + "§> Shall we?\n>From here it is far.\n"},
		{"original message inside of a quote", own + "§> -----Original Message-----\n> From: Bob\n> Sent: 2026\n"},
		{"long example after a colon", "See below:\n\n§" + strings.Repeat("> old\n", 11)},
		{"no end of line", own + "§> Shall we?\n> Bob"},
		{"answers first, quote of the rest last", wrote + "> One?\nYes.\n> Two?\nNo.\n\n§> Three?\n> Bob\n"},
		{"attribution without quote", own + "§" + wrote},
		{"a second separator", own + "§" + wrote + old + "\n-----Original Message-----\n" + old},
		{"nested attribution in history", own + "§" + wrote + old + "\n" + wrote + quoted},
		{"rule over an attribution", own + "----------\n§" + wrote + quoted},
		{"prose close above an attribution", "That suits me.\n§" + wrote + quoted},
		{"prose close above a folded attribution", "That suits me.\n§On Tue, Nov 10, 2026 at 9:00 AM Bob Bee\n<bob@example.org> wrote:\n" + quoted},
		{"prose close above an unmarked history", "That suits me.\n§" + wrote + old},
		{"prose close above half an attribution", "I am there 2026-11-10 9:00\n§Bob Bee <bob@example.org> wrote:\n" + quoted},
		{"prose that opens like one", "On 10 Nov 2026 I am not there.\n§Bob Bee <bob@example.org> wrote:\n" + quoted},
		{"greeting above a name", "Dear Bob,\n§Bob Bee schrieb am 10.11.2026 um 09:00:\n" + quoted},
		{"prose before a bare verb", "Thank you for what you\n§wrote:\n" + quoted},
		{"a sentence about what somebody wrote", "Hello,\n\nthis is about what you wrote:\n\n§" + quoted},
		{"a sentence that names an address", "Hello,\n\nplease send it to Bob <bob@example.org>:\n" + strings.Repeat("§> it\n", 1) + strings.Repeat("> it\n", 10)},
		{"header block behind a rule of HTML", "That suits me.\n§---\nFrom: Bob\nSent: Tuesday, November 10, 2026\nTo: Anna\nSubject: Monday\n\n" + old},
		{"header block in telephone's manner", own + "Get Outlook for iOS\n§________________________________\nFrom: Bob\nSent: Tuesday, November 10, 2026\nTo: Anna\nSubject: Monday\n\n" + old},
	})
}

func TestAnswersAreNotHidden(t *testing.T) {
	checkAll(t, []struct{ name, text string }{
		{"below", wrote + quoted + answer},
		{"below, attribution lost", quoted + answer},
		{"between", wrote + "> One?\n\nYes.\n\n> Two?\n\nNo.\n"},
		{"between, close", wrote + "> One?\nYes.\n> Two?\nNo.\n"},
		{"above and below", own + wrote + quoted + answer},
		{"a single word", own + wrote + quoted + "Ok\n"},
		{"a smile", own + wrote + quoted + ":-)\n"},
		{"below, signed", wrote + quoted + answer + "-- \nAnna\n"},
		{"below, with a footer", wrote + quoted + answer + "_____________\nlist mailing list\nhttps://example.org/listinfo/list\n"},
		{"behind a rule", wrote + quoted + "----------\n" + answer},
		{"behind a rule, with a link", wrote + quoted + "----------\nSee https://example.org/ for it.\n"},
		{"behind a rule, unsubscribing", wrote + quoted + "----------\nPlease unsubscribe me.\n"},
		{"behind a rule, then a quote", wrote + quoted + "----------\n" + answer + "\n§" + quoted},
		{"behind a long signature", wrote + quoted + "-- \n" + strings.Repeat("words\n", holds+1)},
		{"below a quote that was OE's", own + "-----Original Message-----\nFrom: Bob\nSent: 2026\n\n" + quoted + answer},
		{"in history with marked lines", own + wrote + "\nI agree with the first.\n\n> The second?\n\nAnd the second.\n"},
		{"in history with marked lines at its end", own + wrote + "\nI agree with the first.\n\n§> The second?\n> Bob\n"},
		{"like a telephone's line", own + wrote + quoted + "Sent from my desk it is slower.\n"},
		{"like a telephone's line de", own + wrote + quoted + "Von meinem Chef weiß ich nichts.\n"},
		{"in history, announced", "Hello Bob,\n\nmy answers are inline.\n\n" + wrote + "\n" + old + answer},
		{"in history, announced de", "Hallo Bob,\n\nAntworten siehe unten.\n\n-----Ursprüngliche Nachricht-----\nVon: Bob\n\n" + old + answer},
		{"in history, in colour", "Hello Bob,\n\nsee my answers in red.\n\nFrom: Bob\nSent: 2026\nSubject: Monday\n\n" + old + answer},
		{"below initials", wrote + "BB> Shall we?\nYes.\n"},
		{"below half an attribution that is prose", own + quoted + "\nAs Bob wrote:\nyes.\n"},
		{"prose that ends as an attribution", own + quoted + "\nOn 10.11.2026 at 9:00 I wrote:\nyes.\n"},
		{"forward below a quote", own + wrote + quoted + "\n---------- Forwarded message ---------\nFrom: Carl\n\nwords\n"},
		{"at the top of history without own words", "-- \nAnna\n\n-----Original Message-----\n" + old},
	})
}
