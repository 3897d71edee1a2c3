package reply

// A language is a set of languages: many of their words are the same.
type language uint64

const (
	en language = 1 << iota
	de
	fr
	es
	pt
	it
	nl
	sv
	no
	da
	fi
	pl
	cs
	sk
	hu
	ro
	ru
	uk
	tr
	el
	he
	ar
	zh
	ja
	ko
	vi
	id
	ca
	et
	lv
	lt
	hr
	sl
	bg
	fa
	th
	everyLanguage language = 1<<iota - 1
)

// fromWord knows the field of the sender.
func fromWord(s string) language {
	switch s {
	case "From", "FROM":
		return en | ja | ko | zh
	case "Von":
		return de
	case "De":
		return fr | es | pt | ro | ca
	case "Da":
		return it
	case "Van":
		return nl
	case "Från":
		return sv
	case "Fra":
		return no | da
	case "Lähettäjä":
		return fi
	case "Od":
		return pl | cs | sk | hr | sl
	case "Feladó":
		return hu
	case "De la", "Expeditor":
		return ro
	case "От", "От кого", "Отправитель":
		return ru | bg
	case "Від", "Від кого":
		return uk
	case "Kimden", "Gönderen":
		return tr
	case "Από":
		return el
	case "מאת":
		return he
	case "من":
		return ar
	case "发件人", "發件人", "寄件者", "寄件人":
		return zh
	case "差出人", "送信者", "送信元":
		return ja
	case "보낸 사람", "보낸사람", "발신", "발신자", "보낸이":
		return ko
	case "Từ", "Người gửi":
		return vi
	case "Dari":
		return id
	case "Saatja", "Kellelt":
		return et
	case "No", "Sūtītājs":
		return lv
	case "Nuo", "Siuntėjas":
		return lt
	case "از":
		return fa
	case "จาก":
		return th
	}
	return 0
}

// dateWord knows the field of the date.
func dateWord(s string) language {
	switch s {
	case "Sent", "Sent on", "Date Sent":
		return en | ja | ko | zh
	case "Date", "DATE":
		return en | fr | ja | ko | zh
	case "Gesendet", "Gesendet am":
		return de
	case "Datum":
		return de | nl | sv | cs | hr | sl
	case "Envoyé", "Envoyé le", "Message du", "Date d'envoi", "Date d’envoi":
		return fr
	case "Enviado", "Enviado el", "Fecha", "Enviado a las":
		return es | pt
	case "Enviada", "Enviada em", "Enviado em", "Enviada a", "Enviadas":
		return pt
	case "Data":
		return pt | it | pl | ro | ca | lt
	case "Inviato", "Data invio", "Inviato il":
		return it
	case "Verzonden", "Verzonden op":
		return nl
	case "Skickat", "Skickat den":
		return sv
	case "Sendt", "Dato", "Sendt den":
		return no | da
	case "Lähetetty", "Päivämäärä", "Päiväys", "Pvm":
		return fi
	case "Wysłano", "Wysłane", "Data wysłania":
		return pl
	case "Odesláno":
		return cs
	case "Odoslané", "Dátum":
		return sk | hu
	case "Elküldve", "Küldve":
		return hu
	case "Trimis", "Trimis la":
		return ro
	case "Отправлено", "Дата", "Послано", "Дата отправки":
		return ru | uk | bg
	case "Надіслано", "Відправлено":
		return uk
	case "Изпратено":
		return bg
	}
	return dateWordBeyond(s)
}

// dateWordBeyond continues dateWord with the languages further from Europe's middle.
func dateWordBeyond(s string) language {
	switch s {
	case "Gönderildi", "Tarih", "Gönderme Tarihi", "Gönderim Tarihi":
		return tr
	case "Στάλθηκε", "Εστάλη", "Ημερομηνία", "Απεσταλμένο":
		return el
	case "נשלח", "תאריך", "נשלח ב":
		return he
	case "تم الإرسال", "تاريخ الإرسال", "التاريخ", "أرسلت", "تاريخ":
		return ar | fa
	case "发送时间", "发送日期", "日期", "發送時間", "傳送時間", "寄件日期", "已发送", "時間", "时间":
		return zh
	case "送信日時", "日時", "日付", "送信日":
		return ja
	case "보낸 날짜", "보낸날짜", "보낸 시간", "날짜", "일시", "발신일":
		return ko
	case "Đã gửi", "Ngày", "Ngày gửi", "Gửi", "Thời gian":
		return vi
	case "Dikirim", "Terkirim", "Tanggal":
		return id
	case "Enviat", "Enviat el":
		return ca
	case "Saadetud", "Kuupäev", "Saatmisaeg":
		return et
	case "Nosūtīts", "Datums", "Sūtīts":
		return lv
	case "Išsiųsta", "Siųsta", "Išsiuntimo data":
		return lt
	case "Poslano":
		return hr | sl
	case "ارسال شده":
		return fa
	case "ส่ง", "วันที่":
		return th
	}
	return 0
}

// toWord knows the field of those it went to.
func toWord(s string) language {
	switch s {
	case "To", "TO":
		return en | ja | ko | zh
	case "An":
		return de
	case "À", "Pour", "A":
		return fr | it | ca
	case "Para":
		return es | pt
	case "Per":
		return it | ca
	case "Per a":
		return ca
	case "Aan":
		return nl
	case "Till":
		return sv
	case "Til":
		return no | da
	case "Vastaanottaja":
		return fi
	case "Do":
		return pl | bg
	case "Komu":
		return cs | sk
	case "Pre":
		return sk
	case "Címzett":
		return hu
	case "Către", "Catre", "Destinatar":
		return ro
	case "Кому":
		return ru | uk
	case "До":
		return bg | uk
	case "Kime", "Alıcı":
		return tr
	case "Προς":
		return el
	case "אל", "ל":
		return he
	case "إلى", "الى":
		return ar
	case "收件人", "收件者":
		return zh
	case "宛先":
		return ja
	case "받는 사람", "받는사람", "수신", "수신자", "받는이":
		return ko
	case "Đến", "Tới", "Người nhận":
		return vi
	case "Kepada", "Ke":
		return id
	case "Adressaat", "Saaja", "Kellele":
		return et
	case "Kam":
		return lv | lt
	case "Saņēmējs":
		return lv
	case "Skirta", "Gavėjas":
		return lt
	case "Prima", "Za":
		return hr | sl
	case "به":
		return fa
	case "ถึง":
		return th
	}
	return 0
}

// subjectWord knows the field of the subject.
func subjectWord(s string) language {
	switch s {
	case "Subject", "SUBJECT":
		return en | ja | ko | zh
	case "Betreff", "Betr":
		return de
	case "Objet", "Sujet":
		return fr
	case "Asunto":
		return es
	case "Assunto":
		return pt
	case "Oggetto":
		return it
	case "Onderwerp", "Betreft":
		return nl
	case "Ämne":
		return sv
	case "Emne":
		return no | da
	case "Aihe":
		return fi
	case "Temat":
		return pl
	case "Předmět":
		return cs
	case "Predmet":
		return sk | hr
	case "Tárgy":
		return hu
	case "Subiect", "Subiectul":
		return ro
	case "Тема":
		return ru | uk
	case "Относно":
		return bg
	case "Konu":
		return tr
	case "Θέμα":
		return el
	case "נושא", "הנדון":
		return he
	case "الموضوع", "موضوع":
		return ar | fa
	case "主题", "主題", "主旨":
		return zh
	case "件名":
		return ja
	case "제목":
		return ko
	case "Chủ đề", "Tiêu đề":
		return vi
	case "Subjek", "Perihal":
		return id
	case "Assumpte":
		return ca
	case "Tema":
		return ca | lt | lv
	case "Teema":
		return et
	case "Temats", "Tēma":
		return lv
	case "Zadeva":
		return sl
	case "เรื่อง":
		return th
	}
	return 0
}

// copyWord knows the field of the copies. It alone proves little, so it is read generously.
func copyWord(s string) language {
	switch s {
	case "Cc", "CC", "cc", "Cc:":
		return everyLanguage
	case "Kopie", "Kopie an":
		return de | nl | cs
	case "Copie", "Copie à":
		return fr
	case "Copia":
		return es | it
	case "Cópia":
		return pt
	case "Kopia":
		return sv | pl
	case "Kopi":
		return no | da
	case "Kopio":
		return fi
	case "DW", "UDW":
		return pl
	case "Kópia":
		return sk
	case "Másolatot kap", "Másolat":
		return hu
	case "Копия":
		return ru
	case "Копія":
		return uk
	case "Bilgi":
		return tr
	case "Κοιν.", "Κοινοποίηση":
		return el
	case "עותק", "העתק":
		return he
	case "نسخة":
		return ar
	case "抄送", "副本":
		return zh
	case "참조":
		return ko
	case "Koopia":
		return et
	case "Kopija":
		return lv | lt | hr
	case "สำเนา":
		return th
	}
	return 0
}
