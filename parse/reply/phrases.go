package reply

import "strings"

// A notice is a line that says what the lines below it are.
type notice byte

const (
	noNotice  notice = iota
	original         // the message that is answered
	forwarded        // a message that is passed on
)

// noticeOf reads "-----Original Message-----" and "---------- Forwarded message ---------", and the
// notices that Apple's Mail writes without dashes before what it forwards.
func noticeOf(s string) notice {
	const longest = 160
	if len(s) > longest {
		return noNotice
	}
	inside := strings.TrimFunc(s, isFrame)
	dashes := len(inside) < len(s) && strings.Index(s, inside) >= 2
	if !dashes && !strings.HasSuffix(inside, ":") && !strings.HasSuffix(inside, "：") {
		return noNotice
	}
	phrase := strings.ToLower(trimEnd(strings.TrimRight(inside, ":：")))
	switch {
	case dashes && isOriginal(phrase):
		return original
	case dashes && isAbove(phrase):
		return original
	case dashes && isForward(phrase), isForwardStart(phrase):
		return forwarded
	}
	return noNotice
}

// isOriginal knows the notice over a quoted message, in lower case.
func isOriginal(s string) bool {
	switch s {
	case "original message", "original email", "original e-mail", "original mail", "reply message", "original appointment", "original meeting",
		"ursprüngliche nachricht", "originalnachricht", "original-nachricht", "original nachricht", "originale nachricht",
		"ursprüngliche mail", "ursprüngliche e-mail", "urspruengliche nachricht", "antwortnachricht", "ursprünglicher termin",
		"message d'origine", "message d’origine", "message original", "mail original", "message initial", "courriel original", "e-mail d'origine", "message de réponse",
		"mensaje original", "correo original", "mensagem original", "messaggio originale", "messaggio original", "missatge original",
		"oorspronkelijk bericht", "origineel bericht", "oorspronkelijke bericht", "oorspronkelijk e-mailbericht",
		"ursprungligt meddelande", "originalmeddelande", "original meddelande", "ursprungligt mail",
		"opprinnelig melding", "original melding", "originalmelding", "opprinnelig e-post",
		"oprindelig meddelelse", "original meddelelse", "originalmeddelelse", "oprindelig besked", "original besked", "oprindelig mail",
		"alkuperäinen viesti", "alkuperäinen sähköposti",
		"wiadomość oryginalna", "oryginalna wiadomość", "wiadomość pierwotna", "treść oryginalnej wiadomości",
		"původní zpráva", "původní e-mail", "originální zpráva", "puvodni zprava", "pôvodná správa", "pôvodný e-mail", "originálna správa",
		"eredeti üzenet", "eredeti levél", "mesaj original", "mesajul original", "mesaj inițial", "mesajul inițial":
		return true
	}
	return isOriginalBeyond(s)
}

func isOriginalBeyond(s string) bool {
	switch s {
	case "исходное сообщение", "оригинальное сообщение", "первоначальное сообщение", "исходное письмо", "оригинал сообщения", "конец первоначального сообщения",
		"вихідне повідомлення", "оригінальне повідомлення", "початкове повідомлення", "первинне повідомлення", "оригинално съобщение", "изходно съобщение",
		"orijinal mesaj", "özgün ileti", "orijinal ileti", "orjinal mesaj", "özgün i̇leti", "orijinal i̇leti",
		"αρχικό μήνυμα", "πρωτότυπο μήνυμα", "αυθεντικό μήνυμα", "original-nachricht von",
		"הודעה מקורית", "ההודעה המקורית", "הודעת המקור",
		"الرسالة الأصلية", "رسالة أصلية", "الرسالة الاصلية", "رسالة اصلية", "پیام اصلی",
		"原始邮件", "邮件原件", "原邮件", "原文", "回复的原邮件", "回复的原邮件内容", "原始郵件", "原始訊息", "原始信件", "原郵件",
		"元のメッセージ", "元メッセージ", "オリジナルメッセージ", "元のメール",
		"원본 메시지", "원본 메일", "원본 이메일", "원본메시지", "원본메일", "원문",
		"thư gốc", "tin nhắn gốc", "thư ban đầu", "tin nhắn ban đầu", "email gốc",
		"pesan asli", "pesan asal", "email asli",
		"algsõnum", "algne kiri", "algne sõnum", "originaalkiri", "esialgne kiri", "algkiri",
		"sākotnējais ziņojums", "oriģinālais ziņojums", "oriģinālā vēstule", "sākotnējā ziņa",
		"pradinis laiškas", "originalus laiškas", "pirminis pranešimas", "originalus pranešimas", "pradinis pranešimas",
		"izvorna poruka", "originalna poruka", "izvirno sporočilo", "ข้อความต้นฉบับ", "ข้อความเดิม":
		return true
	}
	return false
}

// isAbove knows the line over which ticket systems want the answer.
func isAbove(s string) bool {
	const longest = 120
	if len(s) > longest || !hasAny(s, "repl", "respon", "type", "writ", "answer", "antwort", "répon", "répondre", "resp", "rispo", "antwoord", "reageer", "svar", "vasta",
		"odpow", "odpov", "ответ", "yanıt", "cevap", "返信", "回复", "回覆", "답장") {
		return false
	}
	for _, phrase := range [...]string{
		"above this line", "über dieser zeile", "oberhalb dieser zeile", "über diese zeile", "au-dessus de cette ligne", "encima de esta línea",
		"acima desta linha", "sopra questa riga", "boven deze regel", "boven deze lijn", "ovanför den här raden", "ovanför denna rad", "over denne linje",
		"tämän rivin yläpuolelle", "powyżej tej linii", "nad tento řádek", "выше этой строки", "выше этой линии", "bu satırın üstüne",
		"この行より上", "在此行之上", "在此行上方",
	} {
		if strings.Contains(s, phrase) {
			return true
		}
	}
	return false
}

// isForward knows the notice over a forwarded message, in lower case.
func isForward(s string) bool {
	switch s {
	case "forwarded message", "forwarded mail", "forwarded email", "forwarded e-mail", "forward message", "fwd message", "forwarded conversation", "forwarded",
		"weitergeleitete nachricht", "weitergeleitete mail", "weitergeleitete e-mail", "weitergeleitet", "ende der weitergeleiteten nachricht",
		"message transféré", "message réexpédié", "mail transféré", "courriel transféré",
		"mensaje reenviado", "mensagem encaminhada", "mensagem reencaminhada", "messaggio inoltrato", "missatge reenviat", "correo reenviado",
		"doorgestuurd bericht", "doorgezonden bericht", "vidarebefordrat meddelande", "vidarebefordrat brev", "vidarebefordrat mail",
		"videresendt melding", "videresendt meddelelse", "videresendt besked", "videresendt e-post", "videresendt mail",
		"välitetty viesti", "edelleenlähetetty viesti", "edelleen lähetetty viesti", "przekazana wiadomość", "wiadomość przekazana dalej", "treść przekazanej wiadomości",
		"přeposlaná zpráva", "přeposlaný e-mail", "preposlaná správa", "továbbított üzenet", "továbbított levél",
		"mesaj redirecționat", "mesaj transmis", "mesaj retrimis", "mesaj înaintat",
		"пересылаемое сообщение", "пересланное сообщение", "пересланное письмо", "перенаправленное сообщение", "переслане повідомлення", "перенаправлене повідомлення", "препратено съобщение",
		"iletilen mesaj", "yönlendirilmiş ileti", "yönlendirilen mesaj", "i̇letilen mesaj", "i̇letilen ileti", "yönlendirilen ileti",
		"προωθημένο μήνυμα", "μήνυμα προώθησης", "הודעה מועברת", "הודעה שהועברה",
		"رسالة معاد توجيهها", "الرسالة المعاد توجيهها", "رسالة محولة", "رسالة تمت إعادة توجيهها",
		"转发的邮件", "转发邮件", "转发邮件信息", "已转发邮件", "轉寄郵件", "轉寄的郵件", "轉寄訊息", "已轉寄的郵件", "轉寄的訊息",
		"転送メッセージ", "転送されたメッセージ", "転送メール", "전달된 메시지", "전달된 메일", "전달 메시지", "전달된 이메일",
		"thư chuyển tiếp", "thư đã chuyển tiếp", "tin nhắn đã chuyển tiếp", "tin nhắn chuyển tiếp", "pesan terusan", "pesan yang diteruskan", "pesan diteruskan",
		"edastatud kiri", "edastatud sõnum", "pārsūtīts ziņojums", "pārsūtītā ziņa", "pārsūtīta vēstule", "persiųstas laiškas", "persiųstas pranešimas",
		"proslijeđena poruka", "posredovano sporočilo":
		return true
	}
	return strings.HasPrefix(s, "forwarded by ") || strings.HasPrefix(s, "begin forwarded ") || strings.HasPrefix(s, "forwarded message from ") || strings.HasPrefix(s, "weitergeleitet von ") ||
		strings.HasPrefix(s, "réexpédié par ") || strings.HasPrefix(s, "forwarded message ")
}

// isForwardStart knows the notices that stand without dashes.
func isForwardStart(s string) bool {
	switch s {
	case "begin forwarded message", "anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail",
		"début du message réexpédié", "début du message transféré", "inicio del mensaje reenviado", "início da mensagem encaminhada", "início da mensagem reencaminhada",
		"inizio messaggio inoltrato", "inizio del messaggio inoltrato", "begin doorgestuurd bericht", "vidarebefordrat brev", "vidarebefordrat mejl", "vidarebefordrat meddelande",
		"videresendt melding", "start på videresendt melding", "videresendt besked", "start på videresendt besked", "start på videresendt meddelelse",
		"välitetty viesti alkaa", "välitetty viesti", "początek przekazywanej wiadomości", "začátek přeposílané zprávy", "začátek přeposlané zprávy", "začiatok preposlanej správy",
		"továbbított levél kezdete", "továbbított üzenet kezdete", "începutul mesajului redirecționat", "mesaj redirecționat",
		"начало переадресованного сообщения", "начало пересылаемого сообщения", "начало перенаправляемого сообщения", "початок листа, що пересилається", "початок переспрямованого повідомлення",
		"iletilen ileti başlangıcı", "i̇letilen ileti başlangıcı", "αρχή προωθημένου μηνύματος", "תחילת ההודעה שהועברה", "بدء الرسالة المعاد توجيهها",
		"下面是被转发的邮件", "以下是转发的邮件", "开始转发的邮件", "開始轉寄郵件", "以下為轉寄的郵件", "転送されたメッセージ", "전달된 메시지 시작", "전달된 메시지",
		"bắt đầu thư chuyển tiếp", "bắt đầu thư đã chuyển tiếp", "mulai pesan terusan", "inici del missatge reenviat":
		return true
	}
	return false
}

// isMobile recognises the line that telephones and web mailers sign with.
func isMobile(s string) bool {
	const shortest, longest = 12, 100
	s = strings.TrimLeft(s, "*_[(")
	return len(s) >= shortest && len(s) <= longest && !strings.ContainsAny(s, ",?!") && sentFrom(s) && namesDevice(strings.ToLower(s))
}

// namesDevice tells a telephone's line from a sentence that begins like it.
func namesDevice(s string) bool {
	return hasAny(s, "phone", "ipad", "android", "outlook", "samsung", "galaxy", "blackberry", "mail", "mobil", "mobiel", "móvil", "móbil", "handy", "ios", "huawei", "xiaomi",
		"telef", "téléph", "cellulare", "celular", "puhel", "tablet", "device", "gerät", "dispositiv", "windows", "nokia", "pixel", "motorola", "typeapp", "app",
		"телефон", "мобил", "смартфон", "κινητό", "נייד", "手机", "手機", "携帯", "スマ", "휴대", "điện thoại", "ponsel", "proton", "yahoo", "verizon", "t-mobile", "wiko", "sparrow", "spark")
}

// sentFrom recognises the beginnings, and where the verb comes last the ends, of such a line.
func sentFrom(s string) bool {
	for _, start := range [...]string{
		"Sent from my ", "Sent from Yahoo", "Sent from Outlook", "Sent from Mail", "Sent from Samsung", "Sent from Proton", "Sent from AOL", "Sent from the all",
		"Sent from an ", "Sent via ", "Sent with ", "Sent by my ", "Get Outlook for ", "Get BlueMail",
		"Von meinem ", "Von Samsung", "Gesendet von ", "Gesendet mit ", "Gesendet aus ", "Diese Nachricht wurde von meinem ", "Outlook für ",
		"Envoyé de ", "Envoyé depuis ", "Envoyé à partir ", "Obtenez Outlook", "Télécharger Outlook", "Enviado desde ", "Enviado con ", "Obtener Outlook",
		"Enviado do ", "Enviado de ", "Enviado a partir ", "Enviado via ", "Obter o Outlook", "Obtenha o Outlook", "Inviato da", "Scarica Outlook", "Ottieni Outlook",
		"Verstuurd vanaf ", "Verzonden vanaf ", "Verzonden met ", "Verstuurd met ", "Outlook voor ", "Skickat från ", "Hämta Outlook", "Skaffa Outlook",
		"Sendt fra ", "Sendt med ", "Hent Outlook", "Få Outlook", "Lähetetty ", "Hanki Outlook", "Wysłane z ", "Wysłano z ", "Pobierz ",
		"Odesláno z ", "Odesláno ze ", "Získejte ", "Odoslané z ", "Odoslané zo ", "Küldve ", "Elküldve ", "Trimis de pe ", "Trimis din ",
		"Отправлено с ", "Отправлено из ", "Скачать Outlook", "Надіслано з ", "Надіслано від ", "Изпратено от ", "Στάλθηκε από ", "Αποστολή από ",
		"נשלח מ", "أرسلت من ", "أُرسلت من ", "تم الإرسال من ", "从我的", "发自我的", "來自我的", "来自我的", "從我的", "傳送自我的", "寄自我的", "Đã gửi từ ", "Được gửi từ ", "Gửi từ ", "Dikirim dari ", "Enviat des ", "Saadetud minu ", "Nosūtīts no ", "Išsiųsta iš ", "Poslano s ", "Poslano z ",
	} {
		if strings.HasPrefix(s, start) {
			return true
		}
	}
	for _, end := range [...]string{"から送信", "에서 보냄", "에서 보냈습니다", " gönderildi", "发送", "傳送"} {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}

// pointsBelow tells whether an author announces that there is something to be read below: answers
// between the lines of an old message without marks, where nothing else tells them from it.
func pointsBelow(s string) bool {
	return hasAny(strings.ToLower(s), "inline", "in-line", "in line with your", "see below", "see my answers", "see my comments", "answers below", "comments below", "replies below",
		"response below", "responses below", "answered below", "in red", "in blue", "in green", "in bold", "siehe unten", "s. u.", "s.u.", "antworten unten", "weiter unten",
		"im text", "in rot", "in blau", "in grün", "ci-dessous", "en rouge", "en bleu", "en rojo", "en azul", "más abajo", "ver abajo", "abaixo", "em vermelho", "em azul",
		"qui sotto", "vedi sotto", "in rosso", "in blu", "zie onder", "hieronder", "in het rood", "in het blauw", "se nedan", "nedanför", "i rött", "se nedenfor", "med rødt",
		"poniżej", "na czerwono", "níže", "nižšie", "červeně", "lásd alább", "alább", "mai jos", "ниже", "красным", "нижче", "aşağıda", "kırmızı", "παρακάτω", "להלן", "באדום", "أدناه",
		"见下", "見下", "如下", "以下に", "下記", "아래", "bên dưới", "di bawah", "més avall")
}

// isListLink recognises the link to its page that a mailing list puts below a message.
func isListLink(s string) bool {
	return strings.HasPrefix(s, "http") && strings.Contains(s, "/listinfo/") && strings.IndexByte(s, ' ') < 0
}

// footerProof finds what only the footers of mailing lists and scanners have both of: a word of
// their trade, and a link.
func footerProof(s string) (proof tail) {
	s = strings.ToLower(s)
	if strings.Contains(s, "://") || strings.Contains(s, "mailto:") || strings.Contains(s, "www.") {
		proof = footerLink
	}
	for _, word := range [...]string{
		"unsubscribe", "mailing list", "mailing-list", "mailingliste", "mailinglist", "/listinfo", "sponsored by", "désabonner", "désinscri",
		"abbestell", "groups.google", "yahoo! groups", "avast.", "avg.com", "list archives",
	} {
		if strings.Contains(s, word) {
			return proof | footerWord
		}
	}
	return proof
}
