package reply

import "strings"

// isVerb knows the words with which an attribution says that somebody wrote something.
func isVerb(s string) bool {
	switch s {
	case "wrote", "writes",
		"schrieb", "schreibt", "geschrieben",
		"écrit", "ecrit", "écrivait",
		"escribió", "escribio", "escribe", "escrito",
		"escreveu", "escreve", "scritto", "scrive", "schreef", "geschreven", "schrijft",
		"skrev", "skriver", "skrifaði", "kirjoitti", "kirjoittaa",
		"napisał", "napisała", "pisze", "napisał(a)", "napisal", "napsal", "napsala", "píše", "napísal", "napísala",
		"írta", "irta", "scris", "escrit", "escriure", "escriví", "Missatge",
		"написал", "написала", "пишет", "писал", "писала", "пише", "написав", "написала(в)", "писав", "написа",
		"yazdı", "yazdi", "yazmış", "έγραψε", "γράφει", "έγραψες",
		"כתב", "כתבה", "מאת", "كتب", "كتبت", "كتابة", "نوشت",
		"viết", "menulis", "kirjutas", "kirjutab", "rakstīja", "raksta", "rašė", "parašė", "rašo",
		"napisao", "napisala", "napisao je", "piše", "je napisal":
		return true
	}
	return false
}

// wroteInside finds the verbs of the languages that do not put blanks around their words.
func wroteInside(s string) bool {
	for i := range len(s) {
		if s[i] >= 0xE0 {
			return hasAny(s[i:], "写道", "寫道", "写到", "书写", "のメール", "書きました", "書いた", "wrote", "작성", "썼습니다", "쓴 글", "보낸 메시지", "เขียน")
		}
	}
	return false
}

func hasAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// isPronoun knows who writes in prose: no attribution is about "I".
func isPronoun(s string) bool {
	switch s {
	case "I", "he", "He", "she", "She", "we", "We", "they", "They", "you", "You", "who",
		"ich", "Ich", "er", "sie", "wir", "j", "ai", "nous", "ils", "elle", "jag", "jeg", "ik", "wij", "yo", "io", "eu", "ja", "я", "он", "она", "мы":
		return true
	}
	return false
}

// opens tells whether a line begins as attributions do: with the word of a language for "on", or
// with a date, and has a number in it.
func opens(s string) bool {
	n := 0
	for n < len(s) && s[n] != ' ' && s[n] != ',' && n < 24 {
		n++
	}
	if n == 0 || !strings.ContainsAny(s, "0123456789") {
		return false
	}
	if s[0] >= '0' && s[0] <= '9' || isOn(s[:n]) {
		return true
	}
	const abbreviation = 16 // "wt., 10 lis 2026", "tir. 10. nov. 2026", "вт, 10 нояб.", "ti 10. marraskuuta"
	if n > abbreviation || isOpeningProse(s[:n]) {
		return false
	}
	after := strings.TrimLeft(s[n:], ", ")
	return after != "" && after[0] >= '0' && after[0] <= '9'
}

// isOn knows the words that attributions begin with.
func isOn(s string) bool {
	switch s {
	case "On", "At", "In", "Am", "Den", "Le", "El", "Em", "No", "Na", "Il", "Op", "Dne", "Dňa", "Dnia", "W", "Pe", "På", "Pada", "La", "Data", "Missatge", "Vào", "Lúc",
		"Στις", "Την", "Στα", "В", "На", "Від", "У", "בתאריך", "ב", "ביום", "في", "بتاريخ", "در", "在", "於", "于", "Dana", "Dne.", "Dia", "ในวันที่", "เมื่อ":
		return true
	}
	return false
}

// isOpeningProse knows words that stand before a number in prose rather than in an attribution.
func isOpeningProse(s string) bool {
	switch s {
	case "the", "The", "of", "at", "to", "in", "for", "and", "from", "by", "since", "about", "with", "until", "page", "Page", "see", "See", "version", "Version":
		return true
	}
	return false
}
