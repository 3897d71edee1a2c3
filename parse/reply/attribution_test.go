package reply

import (
	"strings"
	"testing"
)

// The layouts in which every attribution, header block and separator of the tables is tried.
const (
	own    = "Thank you, that suits me.\n\nKind regards\nAnna\n\n"
	answer = "\nTuesday suits me better.\n"
	old    = "Shall we meet on Monday?\nBob\n"
	quoted = "> Shall we meet on Monday?\n>\n> Bob\n"
)

// want is the offset that a test expects; none stands for no quote.
func want(t *testing.T, text string, at int) {
	t.Helper()
	for _, ends := range []string{"\n", "\r\n"} {
		body := strings.ReplaceAll(text, "\n", ends)
		at := at
		if at > 0 {
			at += strings.Count(text[:at], "\n") * (len(ends) - 1)
		}
		got, ok := Offset(body)
		if !ok {
			got = none
		}
		if got != at {
			t.Errorf("%q: offset %d, want %d, in\n%s", ends, got, at, text)
		}
	}
}

// attributions are written by the mail programs of the world. What the second table holds is taken
// for one only if marked lines follow.
func attributions() []struct{ name, text string } {
	return []struct{ name, text string }{
		{"Gmail en", "On Tue, Nov 10, 2026 at 9:00 AM Bob Bee <bob@example.org> wrote:"},
		{"Gmail en, folded at the address", "On Tue, Nov 10, 2026 at 9:00 AM Bob Bee <\nbob@example.org> wrote:"},
		{"Gmail en, folded before the address", "On Tue, Nov 10, 2026 at 9:00 AM Bob Bee\n<bob@example.org> wrote:"},
		{"Gmail en, folded behind a full stop", "On Tue, Nov 10, 2026 at 9:00 AM Bob Bee Jr.\n<bob@example.org> wrote:"},
		{"Gmail en, folded twice", "On Tue, Nov 10, 2026 at 9:00 AM Bob Bee via Something Long\nof the Organisation of Organisations <\nbob@example.org> wrote:"},
		{"Gmail en, folded over four lines", "On Tue, Nov 10, 2026 at 9:00 AM\nBob Bee via Something Long of the Organisation\nof Organisations\n<bob@example.org> wrote:"},
		{"Gmail en, 24 hours", "On Tue, 10 Nov 2026 at 09:00, Bob Bee <bob@example.org> wrote:"},
		{"Gmail en, no name", "On Tue, 10 Nov 2026 at 09:00, <bob@example.org> wrote:"},
		{"Apple en", "On Nov 10, 2026, at 9:00 AM, Bob Bee <bob@example.org> wrote:"},
		{"Apple en, British", "On 10 Nov 2026, at 09:00, Bob Bee <bob@example.org> wrote:"},
		{"Thunderbird en", "On 11/10/26 9:00 AM, Bob Bee wrote:"},
		{"Thunderbird en, ISO", "On 2026-11-10 09:00, Bob Bee wrote:"},
		{"Yahoo en", "    On Tuesday, November 10, 2026 at 09:00:00 AM GMT+1, Bob Bee <bob@example.org> wrote:  "},
		{"Yahoo en, old", "--- On Tue, 11/10/26, Bob Bee <bob@example.org> wrote:"},
		{"Proton en", "On Tuesday, November 10th, 2026 at 9:00 AM, Bob Bee <bob@example.org> wrote:"},
		{"mutt", "On Tue, Nov 10, 2026 at 09:00:00AM +0100, Bob Bee wrote:"},
		{"Zoho", "---- On Tue, 10 Nov 2026 09:00:00 +0100 Bob Bee <bob@example.org> wrote ----"},
		{"Notes en", "Bob Bee/Dept/Org wrote on 10.11.2026 09:00:12:"},
		{"Notes en, no colon", "Bob Bee/Dept/Org wrote on 11/10/2026 09:00:12 AM"},
		{"NetEase en", "At 2026-11-10 09:00:00, \"Bob Bee\" <bob@example.org> wrote:"},
		{"Zoho, without dashes", "On Tue, 10 Nov 2026 09:00:00 +0100 Bob Bee <bob@example.org> wrote"},
		{"folded within the address", "tir. 10. nov. 2026 kl. 09:00 skrev Bob Bee <bob@example.org\n>:"},
		{"bold", "*On Tue, Nov 10, 2026 at 9:00 AM Bob Bee <bob@example.org> wrote:*"},
		{"name first en", "Bob Bee <bob@example.org> wrote on Tue, Nov 10, 2026 at 9:00 AM:"},
		{"Gmail de", "Am Di., 10. Nov. 2026 um 09:00 Uhr schrieb Bob Bee <bob@example.org>:"},
		{"Gmail de, folded", "Am Di., 10. Nov. 2026 um 09:00 Uhr schrieb Bob Bee <\nbob@example.org>:"},
		{"Thunderbird de", "Am 10.11.26 um 09:00 schrieb Bob Bee:"},
		{"Apple de", "Am 10.11.2026 um 09:00 schrieb Bob Bee <bob@example.org>:"},
		{"name first de", "Bob Bee <bob@example.org> schrieb am Di., 10. Nov. 2026, 09:00:"},
		{"name first de, folded", "Bob Bee <bob@example.org> schrieb am Di., 10. Nov. 2026,\n09:00:"},
		{"name on a line of its own de", "Bob Bee Freiherr von und zu\n<bob@example.org> schrieb am Di., 10. Nov. 2026, 09:00:"},
		{"Gmail fr", "Le mar. 10 nov. 2026 à 09:00, Bob Bee <bob@example.org> a écrit :"},
		{"Gmail fr, no-break space", "Le mar. 10 nov. 2026 à 09:00, Bob Bee <bob@example.org> a écrit\u00a0:"},
		{"Thunderbird fr", "Le 10/11/2026 à 09:00, Bob Bee a écrit :"},
		{"Gmail es", "El mar, 10 nov 2026 a las 9:00, Bob Bee (<bob@example.org>) escribió:"},
		{"Thunderbird es", "El 10/11/26 a las 9:00, Bob Bee escribió:"},
		{"Gmail pt-BR", "Em ter., 10 de nov. de 2026 às 09:00, Bob Bee <bob@example.org> escreveu:"},
		{"Gmail pt-PT", "Bob Bee <bob@example.org> escreveu no dia terça, 10/11/2026 à(s) 09:00:"},
		{"Gmail it", "Il giorno mar 10 nov 2026 alle ore 09:00 Bob Bee <bob@example.org> ha scritto:"},
		{"Thunderbird it", "Il 10/11/2026 09:00, Bob Bee ha scritto:"},
		{"Gmail nl", "Op di 10 nov 2026 om 09:00 schreef Bob Bee <bob@example.org>:"},
		{"Thunderbird nl", "Op 10-11-2026 om 09:00 schreef Bob Bee:"},
		{"Gmail sv", "Den tis 10 nov. 2026 kl 09:00 skrev Bob Bee <bob@example.org>:"},
		{"Apple sv", "10 nov. 2026 kl. 09:00 skrev Bob Bee <bob@example.org>:"},
		{"Gmail no", "tir. 10. nov. 2026 kl. 09:00 skrev Bob Bee <bob@example.org>:"},
		{"Gmail da", "Den tirs. 10. nov. 2026 kl. 09.00 skrev Bob Bee <bob@example.org>:"},
		{"Gmail fi", "ti 10. marrask. 2026 klo 9.00 Bob Bee (bob@example.org) kirjoitti:"},
		{"Apple fi", "Bob Bee <bob@example.org> kirjoitti 10.11.2026 kello 9.00:"},
		{"Gmail pl", "wt., 10 lis 2026 o 09:00 Bob Bee <bob@example.org> napisał(a):"},
		{"Gmail pl, folded", "wt., 10 lis 2026 o 09:00 Bob Bee Długie Nazwisko\n<bob@example.org> napisał(a):"},
		{"Thunderbird pl", "W dniu 10.11.2026 o 09:00, Bob Bee pisze:"},
		{"Gmail cs", "út 10. 11. 2026 v 9:00 odesílatel Bob Bee <bob@example.org> napsal:"},
		{"Thunderbird cs", "Dne 10. 11. 2026 v 09:00 Bob Bee napsal(a):"},
		{"Gmail sk", "ut 10. 11. 2026 o 9:00 Bob Bee <bob@example.org> napísal(a):"},
		{"Thunderbird sk", "Dňa 10. 11. 2026 o 9:00 Bob Bee napísal(a):"},
		{"Gmail hu", "Bob Bee <bob@example.org> ezt írta (időpont: 2026. nov. 10., K, 9:00):"},
		{"Thunderbird hu", "2026. 11. 10. 9:00 keltezéssel, Bob Bee írta:"},
		{"Gmail ro", "mar., 10 nov. 2026 la 09:00, Bob Bee <bob@example.org> a scris:"},
		{"Gmail ro, old", "Pe mar., 10 nov. 2026 la 09:00, Bob Bee <bob@example.org> a scris:"},
		{"Gmail ru", "вт, 10 нояб. 2026 г. в 09:00, Bob Bee <bob@example.org>:"},
		{"Gmail ru, folded", "вт, 10 нояб. 2026 г. в 09:00, Bob Bee\n<bob@example.org>:"},
		{"Thunderbird ru", "10.11.2026 9:00, Bob Bee пишет:"},
		{"Apple ru", "10 нояб. 2026 г., в 09:00, Bob Bee <bob@example.org> написал(а):"},
		{"Gmail uk", "вт, 10 лист. 2026 р. о 09:00 Bob Bee <bob@example.org> пише:"},
		{"Gmail tr", "Bob Bee <bob@example.org>, 10 Kas 2026 Sal, 09:00 tarihinde şunu yazdı:"},
		{"Thunderbird tr", "10.11.2026 09:00 tarihinde Bob Bee yazdı:"},
		{"Gmail el", "Στις Τρί 10 Νοε 2026 στις 9:00 π.μ., ο χρήστης Bob Bee <bob@example.org> έγραψε:"},
		{"Thunderbird el", "Στις 10/11/2026 09:00, Bob Bee έγραψε:"},
		{"Gmail he", "\u202bבתאריך יום ג׳, 10 בנוב׳ 2026 ב-9:00 מאת \u202aBob Bee\u202c\u200f <\u202abob@example.org\u202c\u200f>:\u202c"},
		{"Thunderbird he", "בתאריך 10/11/2026 09:00, Bob Bee כתב:"},
		{"Gmail ar", "في الثلاثاء، 10 نوفمبر 2026 في 9:00 ص تمت كتابة ما يلي بواسطة Bob Bee <bob@example.org>:"},
		{"Apple ar", "\u200fفي 10\u200f/11\u200f/2026، الساعة 9:00 ص، كتب Bob Bee <bob@example.org>:"},
		{"Gmail zh-CN", "Bob Bee <bob@example.org> 于2026年11月10日周二 09:00写道："},
		{"NetEase zh-CN", "在 2026-11-10 09:00:00，\"Bob Bee\" <bob@example.org> 写道："},
		{"Gmail zh-TW", "Bob Bee <bob@example.org> 於 2026年11月10日 週二 上午9:00寫道："},
		{"Thunderbird zh-TW", "在 2026/11/10 09:00, Bob Bee 寫道："},
		{"Gmail ja", "2026年11月10日(火) 9:00 Bob Bee <bob@example.org>:"},
		{"Apple ja", "2026/11/10 9:00、Bob Bee <bob@example.org>のメール:"},
		{"Gmail ko", "2026년 11월 10일 (화) 오전 9:00, Bob Bee <bob@example.org>님이 작성:"},
		{"Gmail vi", "Vào Th 3, 10 thg 11, 2026 vào lúc 09:00 Bob Bee <bob@example.org> đã viết:"},
		{"Gmail id", "Pada tanggal Sel, 10 Nov 2026 pukul 09.00 Bob Bee <bob@example.org> menulis:"},
		{"Gmail ca", "Missatge de Bob Bee <bob@example.org> del dia dt., 10 de nov. 2026 a les 9:00:"},
		{"Thunderbird ca", "El 10/11/26 a les 9:00, Bob Bee ha escrit:"},
		{"Gmail et", "Bob Bee <bob@example.org> kirjutas kuupäeval T, 10. november 2026 kell 09:00:"},
		{"Gmail lv", "otrd., 2026. g. 10. nov., plkst. 09:00 — lietotājs Bob Bee (<bob@example.org>) rakstīja:"},
		{"Gmail lt", "2026-11-10, an, 09:00 Bob Bee <bob@example.org> rašė:"},
		{"Gmail hr", "uto, 10. stu 2026. u 09:00 Bob Bee <bob@example.org> napisao je:"},
		{"Gmail th", "ในวันที่ อ. 10 พ.ย. 2026 เวลา 09:00 Bob Bee <bob@example.org> เขียนว่า:"},
		{"Gmail bg", "На вт, 10.11.2026 г. в 9:00 Bob Bee <bob@example.org> написа:"},
	}
}

// halfAttributions prove too little to fold what is not marked.
func halfAttributions() []struct{ name, text string } {
	return []struct{ name, text string }{
		{"name only", "Bob Bee wrote:"},
		{"name only de", "Bob Bee schrieb:"},
		{"name and address", "Bob Bee <bob@example.org> wrote:"},
		{"address only", "bob@example.org wrote:"},
		{"writes", "Bob Bee <bob@example.org> writes:"},
		{"no verb", "Bob Bee <bob@example.org>:"},
		{"date only", "On November 10, 2026 Bob Bee wrote:"},
		{"pine", "On Tue, 10 Nov 2026, Bob Bee wrote:"},
		{"Gmail once, without a colon", "2026/11/10 Bob Bee <bob@example.org>"},
		{"article", "In article <4711@example.org>,\nBob Bee <bob@example.org> wrote:"},
		{"you", "On Tue, Nov 10, 2026 at 9:00 you wrote:"},
	}
}

func TestAttributionBelongsToTheQuote(t *testing.T) {
	for _, a := range attributions() {
		t.Run(a.name, func(t *testing.T) {
			want(t, own+a.text+"\n"+quoted, len(own))
			want(t, own+a.text+"\n\n"+quoted, len(own))
			want(t, "\u200f"+own+a.text+"\n\n\n"+quoted+"\n-- \nAnna\n", len(own)+len("\u200f"))
			want(t, own+a.text+"\n\n"+old, len(own))
			want(t, own+a.text+"\n"+quoted+answer, none)
			want(t, a.text+"\n"+quoted+answer+"\n> Regards\n", len(a.text)+1+len(quoted)+len(answer)+1)
			want(t, a.text+"\n"+quoted, 0)
			want(t, a.text+"\n"+old+answer, none)
		})
	}
}

func TestHalfAnAttributionNeedsMarkedLines(t *testing.T) {
	for _, a := range halfAttributions() {
		t.Run(a.name, func(t *testing.T) {
			want(t, own+a.text+"\n"+quoted, len(own))
			want(t, own+a.text+"\n\n"+quoted, len(own))
			want(t, own+a.text+"\n\n"+old, none)
			want(t, own+a.text+"\n"+quoted+answer, none)
		})
	}
}
