package parse

import (
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

func TestUndeclaredTextsAreReadInTheCharsetTheyLookLike(t *testing.T) {
	const russian = "Привет, это тестовое письмо. Счёт на оплату прилагаем."
	cases := []struct {
		name, text string
		in         encoding.Encoding
		read       bool // else as windows-1252
	}{
		{"Russian, KOI8-R", russian, charmap.KOI8R, true},
		{"Russian, windows-1251", russian, charmap.Windows1251, true},
		{"Russian in capitals, KOI8-R", "ПРИВЕТ, СЧЁТ НА ОПЛАТУ ПРИЛАГАЕМ", charmap.KOI8R, true},
		{"Russian in capitals, windows-1251", "ПРИВЕТ, СЧЁТ НА ОПЛАТУ ПРИЛАГАЕМ", charmap.Windows1251, true},
		{"Russian among names", "Re: Счёт на оплату Windows 11", charmap.Windows1251, true},
		{"Bulgarian", "Здравейте, изпращам ви фактурата за миналия месец.", charmap.Windows1251, true},
		{"Ukrainian", "Доброго дня, надсилаю вам рахунок за минулий місяць.", charmap.Windows1251, true},
		{"Japanese, Shift_JIS", "こんにちは、これはテストです。", japanese.ShiftJIS, true},
		{"Japanese, EUC-JP", "こんにちは、これはテストです。", japanese.EUCJP, true},
		{"Chinese, GBK", "你好，这是一封测试邮件", simplifiedchinese.GBK, true},
		{"Chinese, Big5", "你好，這是一封測試郵件，請查收", traditionalchinese.Big5, true},
		{"Korean", "안녕하세요 테스트 메일입니다", korean.EUCKR, true},

		{"Greek", "Καλημέρα σας, σας στέλνω το τιμολόγιο του μήνα.", charmap.ISO8859_7, false},
		{"Hebrew", "שלום, זה מייל בדיקה עם חשבונית מצורפת", charmap.ISO8859_8, false},
		{"Arabic", "السلام عليكم ورحمة الله وبركاته", charmap.Windows1256, false},
		{"Thai", "สวัสดีครับ นี่คืออีเมลทดสอบ", charmap.Windows874, false},
		{"one Russian word", "Счёт", charmap.KOI8R, false},
		{"French", "À été là où l’élève répète : « Noël » à l’hôtel", charmap.Windows1252, true},
		{"German", "Grüße aus Köln – Überweisung über 5 €", charmap.Windows1252, true},
		{"Portuguese", "Não há informação útil à vista", charmap.Windows1252, true},
		{"capitals", "ÄÖÜ ÄÖÜSS ÀÉÈ", charmap.Windows1252, true},
		{"Swedish", "Åäö åäö ÅÄÖ åäö", charmap.Windows1252, true},
		{"quotes", "“a” ‘b’ – “c” … “d”", charmap.Windows1252, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			octets, err := c.in.NewEncoder().String(c.text)
			if err != nil {
				t.Fatal(err)
			}
			want := c.text
			if !c.read {
				want, _ = charmap.Windows1252.NewDecoder().String(octets)
			}
			if got, used := decodeUndeclared([]byte(octets), ""); got != want {
				t.Errorf("read as %s: %q, want %q", used, got, want)
			}
			if got, _ := decodeUndeclared([]byte(octets), "utf-8"); got != want {
				t.Errorf("UTF-8 declared elsewhere: %q, want %q", got, want)
			}
		})
	}
}
