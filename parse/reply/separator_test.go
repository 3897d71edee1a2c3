package reply

import (
	"strings"
	"testing"
)

// headerBlocks are what Outlook and its kin write over the message they quote; "|" ends a line.
func headerBlocks() []struct{ name, text string } {
	return []struct{ name, text string }{
		{"en", "From: Bob Bee <bob@example.org>|Sent: Tuesday, November 10, 2026 9:00 AM|To: Anna Ann <anna@example.org>|Cc: Carl|Subject: Monday"},
		{"en, no address", "From: Bob Bee|Sent: Tuesday, November 10, 2026 9:00 AM|To: Anna Ann|Subject: Monday"},
		{"en, bold", "*From:* Bob Bee <bob@example.org>|*Sent:* Tuesday, November 10, 2026 9:00 AM|*To:* Anna|*Subject:* Monday"},
		{"en, bold name", "*From*: Bob Bee|*Date*: Tuesday, November 10, 2026|*To*: Anna|*Subject*: Monday"},
		{"en, tabs", "From:\tBob Bee|Sent:\tTuesday, November 10, 2026 9:00 AM|To:\tAnna Ann|Subject:\tMonday"},
		{"en, no-break spaces", "From:\u00a0Bob Bee|Sent:\u00a0Tuesday, November 10, 2026|To:\u00a0Anna Ann|Subject:\u00a0Monday"},
		{"en, Outlook for Mac", "From: Bob Bee <bob@example.org>|Date: Tuesday, November 10, 2026 at 9:00 AM|To: Anna Ann <anna@example.org>|Subject: Monday"},
		{"en, importance", "From: Bob Bee|Sent: 10 November 2026 09:00|To: Anna Ann|Subject: Monday|Importance: High"},
		{"en, folded recipients", "From: Bob Bee|Sent: 10 November 2026 09:00|To: Anna Ann; Carl; Dora; Emil;|Frida; Gustav|Subject: Monday"},
		{"en, empty lines between", "From: Bob Bee||Sent: 10 November 2026 09:00||To: Anna Ann||Subject: Monday"},
		{"en, empty line after the sender", "From: Bob Bee||Date: 10 November 2026 09:00|Subject: Monday"},
		{"de", "Von: Bob Bee <bob@example.org>|Gesendet: Dienstag, 10. November 2026 09:00|An: Anna Ann|Cc: Carl|Betreff: Montag"},
		{"de, subject first", "Betreff: Montag|Datum: 10.11.2026 09:00|Von: Bob Bee <bob@example.org>|An: Anna Ann"},
		{"de, Notes", "Von:\tBob Bee/Dept/Org|An:\tAnna Ann/Dept/Org@Org|Datum:\t10.11.2026 09:00|Betreff:\tMontag"},
		{"fr", "De : Bob Bee <bob@example.org>|Envoyé : mardi 10 novembre 2026 09:00|À : Anna Ann|Objet : lundi"},
		{"fr, no-break spaces", "De\u00a0: Bob Bee <bob@example.org>|Envoyé\u00a0: mardi 10 novembre 2026 09:00|À\u00a0: Anna Ann|Objet\u00a0: lundi"},
		{"fr, date", "De: Bob Bee|Date: mardi 10 novembre 2026 à 09:00|À: Anna Ann|Objet: lundi"},
		{"fr, Orange", "Message du : 10/11/2026 09:00|De : Bob Bee <bob@example.org>|A : Anna Ann|Copie à : |Sujet : lundi"},
		{"es", "De: Bob Bee <bob@example.org>|Enviado el: martes, 10 de noviembre de 2026 9:00|Para: Anna Ann|Asunto: lunes"},
		{"es, web", "De: Bob Bee|Enviado: martes, 10 de noviembre de 2026 9:00|Para: Anna Ann|Asunto: lunes"},
		{"pt-BR", "De: Bob Bee <bob@example.org>|Enviada em: terça-feira, 10 de novembro de 2026 09:00|Para: Anna Ann|Assunto: segunda"},
		{"pt-PT", "De: Bob Bee|Enviado: 10 de novembro de 2026 09:00|Para: Anna Ann|Assunto: segunda"},
		{"it", "Da: Bob Bee <bob@example.org>|Inviato: martedì 10 novembre 2026 09:00|A: Anna Ann|Oggetto: lunedì"},
		{"nl", "Van: Bob Bee <bob@example.org>|Verzonden: dinsdag 10 november 2026 09:00|Aan: Anna Ann|Onderwerp: maandag"},
		{"sv", "Från: Bob Bee <bob@example.org>|Skickat: den 10 november 2026 09:00|Till: Anna Ann|Ämne: måndag"},
		{"no", "Fra: Bob Bee <bob@example.org>|Sendt: tirsdag 10. november 2026 09:00|Til: Anna Ann|Emne: mandag"},
		{"da", "Fra: Bob Bee <bob@example.org>|Sendt: 10. november 2026 09:00|Til: Anna Ann|Emne: mandag"},
		{"fi", "Lähettäjä: Bob Bee <bob@example.org>|Lähetetty: tiistai 10. marraskuuta 2026 9.00|Vastaanottaja: Anna Ann|Aihe: maanantai"},
		{"pl", "Od: Bob Bee <bob@example.org>|Wysłano: wtorek, 10 listopada 2026 09:00|Do: Anna Ann|Temat: poniedziałek"},
		{"cs", "Od: Bob Bee <bob@example.org>|Odesláno: úterý 10. listopadu 2026 9:00|Komu: Anna Ann|Předmět: pondělí"},
		{"sk", "Od: Bob Bee <bob@example.org>|Odoslané: utorok 10. novembra 2026 9:00|Komu: Anna Ann|Predmet: pondelok"},
		{"hu", "Feladó: Bob Bee <bob@example.org>|Elküldve: 2026. november 10., kedd 9:00|Címzett: Anna Ann|Tárgy: hétfő"},
		{"ro", "De la: Bob Bee <bob@example.org>|Trimis: marți, 10 noiembrie 2026 09:00|Către: Anna Ann|Subiect: luni"},
		{"ru", "От: Bob Bee <bob@example.org>|Отправлено: 10 ноября 2026 г. 9:00|Кому: Anna Ann|Тема: понедельник"},
		{"uk", "Від: Bob Bee <bob@example.org>|Надіслано: 10 листопада 2026 р. 9:00|Кому: Anna Ann|Тема: понеділок"},
		{"tr", "Kimden: Bob Bee <bob@example.org>|Gönderildi: 10 Kasım 2026 Salı 09:00|Kime: Anna Ann|Konu: pazartesi"},
		{"el", "Από: Bob Bee <bob@example.org>|Στάλθηκε: Τρίτη, 10 Νοεμβρίου 2026 9:00|Προς: Anna Ann|Θέμα: Δευτέρα"},
		{"he", "\u200fמאת: Bob Bee <bob@example.org>|\u200fנשלח: יום שלישי 10 נובמבר 2026 09:00|\u200fאל: Anna Ann|\u200fנושא: יום שני"},
		{"ar", "من: Bob Bee <bob@example.org>|تم الإرسال: ١٠ نوفمبر ٢٠٢٦|إلى: Anna Ann|الموضوع: الاثنين"},
		{"zh-CN", "发件人: Bob Bee <bob@example.org>|发送时间: 2026年11月10日 9:00|收件人: Anna Ann|主题: 星期一"},
		{"zh-CN, wide colons", "发件人：Bob Bee <bob@example.org>|日期：2026年11月10日|收件人：Anna Ann|主题：星期一"},
		{"zh-TW", "寄件者: Bob Bee <bob@example.org>|寄件日期: 2026年11月10日 上午 9:00|收件者: Anna Ann|主旨: 星期一"},
		{"ja", "差出人: Bob Bee <bob@example.org>|送信日時: 2026年11月10日 9:00|宛先: Anna Ann|件名: 月曜日"},
		{"ja, English names", "From: Bob Bee <bob@example.org>|Sent: Tuesday, November 10, 2026 9:00 AM|To: Anna Ann|件名: 月曜日"},
		{"ko", "보낸 사람: Bob Bee <bob@example.org>|보낸 날짜: 2026년 11월 10일 화요일 오전 9:00|받는 사람: Anna Ann|제목: 월요일"},
		{"vi", "Từ: Bob Bee <bob@example.org>|Đã gửi: 10 Tháng Mười Một 2026 9:00|Đến: Anna Ann|Chủ đề: thứ hai"},
		{"id", "Dari: Bob Bee <bob@example.org>|Dikirim: 10 November 2026 9:00|Kepada: Anna Ann|Subjek: Senin"},
		{"ca", "De: Bob Bee <bob@example.org>|Enviat el: dimarts, 10 de novembre de 2026 9:00|Per a: Anna Ann|Tema: dilluns"},
		{"et", "Saatja: Bob Bee <bob@example.org>|Saadetud: 10. november 2026 9:00|Adressaat: Anna Ann|Teema: esmaspäev"},
		{"lv", "No: Bob Bee <bob@example.org>|Nosūtīts: 2026. gada 10. novembris 9:00|Kam: Anna Ann|Tēma: pirmdiena"},
		{"lt", "Nuo: Bob Bee <bob@example.org>|Išsiųsta: 2026 m. lapkričio 10 d. 9:00|Kam: Anna Ann|Tema: pirmadienis"},
		{"hr", "Od: Bob Bee <bob@example.org>|Poslano: 10. studenog 2026. 9:00|Prima: Anna Ann|Predmet: ponedjeljak"},
	}
}

func TestHeaderBlockBeginsHistory(t *testing.T) {
	for _, h := range headerBlocks() {
		block := strings.ReplaceAll(h.text, "|", "\n") + "\n"
		t.Run(h.name, func(t *testing.T) {
			want(t, own+block+"\n"+old, len(own))
			want(t, own+block, len(own))
			want(t, own+"________________________________\n"+block+"\n"+old, len(own))
			want(t, own+"-----\n\n"+block+"\n"+old, len(own))
			want(t, own+"-----Original Message-----\n"+block+"\n"+old, len(own))
			want(t, own+block+"\n"+quoted, len(own))
			want(t, own+block+"\n"+quoted+answer, none)
			want(t, block+"\n"+old+answer, none)
			want(t, "Sent from my iPhone\n\n"+block+"\n"+old, none)
			want(t, own+block+"Message-ID: <4711@example.org>\n\nThis header is what you asked for.\n", none)
		})
	}
}

func notices() []string {
	return []string{
		"-----Original Message-----", "-----Original message-----", "----- Original Message -----", "-------- Original Message --------", "----Original Message----",
		"‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐", "------- Original Message -------", "--- Original Message ---", "----- Reply message -----", "_____Original Message_____",
		"-----Ursprüngliche Nachricht-----", "-------- Originalnachricht --------", "-------- Original-Nachricht --------", "-----Message d'origine-----", "----- Mail original -----",
		"-----Mensaje original-----", "-----Mensagem original-----", "-----Messaggio originale-----", "-----Oorspronkelijk bericht-----", "-----Ursprungligt meddelande-----",
		"-----Opprinnelig melding-----", "-----Oprindelig meddelelse-----", "-----Alkuperäinen viesti-----", "-----Wiadomość oryginalna-----", "-----Původní zpráva-----",
		"-----Pôvodná správa-----", "-----Eredeti üzenet-----", "-----Mesaj original-----", "-----Исходное сообщение-----", "-----Вихідне повідомлення-----", "-----Özgün İleti-----",
		"-----Orijinal Mesaj-----", "-----Αρχικό μήνυμα-----", "\u200f-----הודעה מקורית-----", "-----الرسالة الأصلية-----", "------------------ 原始邮件 ------------------", "-----邮件原件-----",
		"-----原始郵件-----", "-----元のメッセージ-----", "-----원본 메시지-----", "-----Thư gốc-----", "-----Pesan Asli-----", "-----Missatge original-----", "-----Algne kiri-----",
		"-----Sākotnējais ziņojums-----", "-----Pradinis laiškas-----",
		"##- Please type your reply above this line -##", "=-=-= Please reply above this line =-=-=", "-- Reply above this line --", "##- Bitte geben Sie Ihre Antwort oberhalb dieser Zeile ein -##",
		"###### Please write your answer above this line ######",
		">>> Bob Bee 10.11.26 09:00 >>>", ">>> Bob Bee <bob@example.org> 10.11.2026 09:00 >>>", ">>> On 11/10/2026 at 9:00 AM, in message <4711@example.org>, Bob Bee <bob@example.org> wrote:",
	}
}

func TestNoticeBeginsHistory(t *testing.T) {
	for _, n := range notices() {
		t.Run(n, func(t *testing.T) {
			want(t, own+n+"\n"+old, len(own))
			want(t, own+n+"\n\n"+old, len(own))
			want(t, own+n, len(own))
			want(t, strings.TrimSuffix(own, "\n")+n+"\n"+old, len(own)-1)
			want(t, own+n+"\n"+quoted, len(own))
			want(t, own+n+"\n\n"+quoted+answer, none)
			want(t, n+"\n\n"+old+answer, none)
		})
	}
}

func TestForwardedMessageIsToBeRead(t *testing.T) {
	headers := "From: Bob Bee <bob@example.org>\nDate: Tue, Nov 10, 2026 at 9:00 AM\nSubject: Monday\nTo: Anna\n\n"
	for _, n := range []string{
		"---------- Forwarded message ---------", "---------- Forwarded message ----------", "-------- Forwarded Message --------", "Begin forwarded message:",
		"-------- Weitergeleitete Nachricht --------", "Anfang der weitergeleiteten Nachricht:", "Début du message réexpédié :", "-------- Message transféré --------",
		"-------- Mensaje reenviado --------", "Inicio del mensaje reenviado:", "-------- Mensagem encaminhada --------", "-------- Messaggio Inoltrato --------", "Inizio messaggio inoltrato:",
		"-------- Doorgestuurd bericht --------", "Begin doorgestuurd bericht:", "Vidarebefordrat brev:", "-------- Videresendt melding --------", "-------- Välitetty viesti --------",
		"-------- Przekazana wiadomość --------", "-------- Přeposlaná zpráva --------", "-------- Továbbított üzenet --------", "-------- Пересылаемое сообщение --------",
		"Начало переадресованного сообщения:", "-------- Yönlendirilmiş ileti --------", "-------- Προωθημένο μήνυμα --------", "-------- הודעה מועברת --------",
		"---------- 转发的邮件 ----------", "---------- 轉寄的郵件 ----------", "転送されたメッセージ:", "---------- 전달된 메시지 ----------", "----- Forwarded by Bob Bee/Dept/Org on 10.11.2026 09:00 -----", "--- begin forwarded text",
	} {
		t.Run(n, func(t *testing.T) {
			want(t, own+n+"\n"+headers+old, none)
			want(t, n+"\n"+headers+old, none)
			want(t, own+n+"\n\n> "+strings.ReplaceAll(headers, "\n", "\n> ")+"\n"+quoted, none)
			// In history it is old as well.
			want(t, own+attributions()[0].text+"\n\n"+old+n+"\n"+headers+old, len(own))
		})
	}
}
