package parse

import (
	"bytes"
	"slices"
	"strings"
)

// returnPath takes the envelope's sender (RFC 5321 section 4.4): <> where no answer is wanted, which
// some servers write as MAILER-DAEMON.
func (s *signals) returnPath(raw string) {
	v := cleanAddress(strings.Trim(compact(stripComments(raw)), "<>"))
	local, _, _ := strings.Cut(strings.ToLower(v), "@")
	switch {
	case v == "":
		s.add("return-path:null")
		s.marks |= markNullPath
	case isDaemon(local):
		s.add("return-path:mailer-daemon")
		s.marks |= markNullPath
	}
}

// deliveredTo finds qmail's autoresponder, and a message that came to one address twice.
func (s *signals) deliveredTo(v string) {
	switch {
	case v == "autoresponder":
		s.add("delivered-to:autoresponder")
		s.marks |= markAutoReply
	case v == "":
	case slices.Contains(s.delivered, v):
		s.add("delivered-to:repeated")
	case len(s.delivered) < maxDelivered:
		s.delivered = append(s.delivered, v)
	}
}

// mailer takes the programs that name themselves only here.
func (s *signals) mailer(v string) {
	v = v[:min(len(v), maxSignalValue)]
	switch {
	case strings.Contains(v, "vacation"), strings.Contains(v, "autorespon"), strings.Contains(v, "autoreply"), strings.Contains(v, "auto-reply"):
		s.add("x-mailer:vacation")
		s.marks |= markAutoReply
	case strings.HasPrefix(v, "mailchimp"):
		s.add("system:mailchimp")
	case strings.HasPrefix(v, "zendesk"):
		s.add("system:zendesk")
	case strings.HasPrefix(v, "otrs"), strings.HasPrefix(v, "open-ticket-request-system"), strings.HasPrefix(v, "znuny"):
		s.add("system:otrs")
	}
}

// people looks at who it is from and at the subject, once all fields are known.
func (s *signals) people() {
	var address string
	p := addressParser{h: s.h, s: s.h.utf8(s.from), max: 1}
	if from := p.parse(); len(from) > 0 {
		address = strings.ToLower(from[0].Address)
		s.author(address, strings.ToLower(from[0].Name))
	}
	subject := strings.TrimSpace(s.subject)
	switch {
	case hasPrefixOf(subject, bounceSubjects):
		s.add("subject:undeliverable")
		s.marks |= markUndeliverable
	case hasPrefixOf(subject, autoReplySubjects):
		s.add("subject:out-of-office")
		s.marks |= markAutoSubject
		// Exchange keeps the subject it answers as topic. Who writes such a subject by hand has all of
		// it there.
		topic := strings.TrimSpace(s.topic)
		if topic != "" && len(topic) < len(subject) && strings.HasSuffix(subject, topic) {
			s.add("thread-topic:answered")
			s.marks |= markAutoTopic
		}
	case strings.HasPrefix(subject, "complaint about message from "):
		s.add("subject:complaint")
		s.markIf(address == "staff@hotmail.com", markComplaint) // Outlook.com's reports to senders are no RFC 5965
	case hasPrefixOf(subject, "|report domain:|[preview] report domain:"): // RFC 7489 section 7.2.1.1, RFC 8460 section 5.3
		s.add("subject:report-domain")
	}
}

// author takes the first author.
func (s *signals) author(address, name string) {
	local, _, _ := strings.Cut(address, "@")
	switch {
	case isDaemon(local), address == "" && isDaemon(strings.ReplaceAll(name, " ", "-")):
		s.add("from:mailer-daemon")
		s.marks |= markDaemon
	case local == "postmaster":
		s.add("from:postmaster")
		s.marks |= markPostmaster
	case isNoReply(local):
		s.add("from:no-reply")
	}
}

// isDaemon knows the local parts that mail systems write from.
func isDaemon(local string) bool {
	switch local {
	case "mailer-daemon", "mailerdaemon", "mailer_daemon", "mail-daemon", "mail.delivery.system":
		return true
	}
	// Exchange: microsoftexchange329e71ec88ae4615bbc36ab6ce41109e
	return strings.HasPrefix(local, "microsoftexchange") && len(local) == len("microsoftexchange")+32
}

// isNoReply knows the local parts that say that nobody reads answers.
func isNoReply(local string) bool {
	if len(local) > maxSignalValue {
		return false
	}
	local = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, local)
	return strings.Contains(local, "noreply") || strings.Contains(local, "donotreply")
}

// The subjects, in lower case and by their beginnings. They only count together with something in
// the header, since anybody can write them.
const (
	bounceSubjects = "|undeliver|mail delivery failed|mail delivery failure|mail delivery system|delivery status notification|" +
		"delivery notification: |delivery failure|delivery failed|delivery has failed|delivery unsuccessful|failure notice|returned mail|returned to sender|" +
		"mail system error|mail could not be delivered|message could not be delivered|message delivery has failed|message undeliverable|message you sent blocked|" +
		"non-delivery|nondeliverable|non delivery|warning: could not send message|warning: message |mail failure|email delivery error|" +
		"unzustellbar|nicht zustellbar|zustellung fehlgeschlagen|non remis|échec de la remise|non recapitabile|mancato recapito|no se puede entregar|" +
		"no entregado|não é possível entregar|não entregue|onbestelbaar|kan inte leverera|kan ikke leveres|не доставлено|недоставлено|" +
		"ваше сообщение не доставлено|niedostarczone|nie można dostarczyć|nedoručitelné|配信不能|配信できませんでした|メッセージを配信できません|メールエラー|" +
		"无法投递|系统退信|無法傳遞|배달되지 않음|배달할 수 없음"

	autoReplySubjects = "|automatic reply|auto: |auto reply|auto-reply|autoreply|automated reply|auto response|auto-response|autoresponse|automatic response|" +
		"out of office|out of the office|out-of-office|ooo:|vacation reply|vacation response|" +
		"automatische antwort|automatische rückantwort|abwesenheitsnotiz|abwesenheitsbenachrichtigung|abwesenheitsmeldung|abwesenheitsassistent|abwesend:|" +
		"réponse automatique|absence du bureau|message d'absence|respuesta automática|fuera de la oficina|fuera de oficina|" +
		"risposta automatica|fuori sede|fuori ufficio|resposta automática|ausência temporária|fora do escritório|" +
		"automatisch antwoord|automatische beantwoording|afwezigheidsbericht|afwezig:|automatiskt svar|autosvar|frånvaro:|frånvaromeddelande|" +
		"automatisk svar|fraværsmelding|automaattinen vastaus|poissa toimistosta|automatyczna odpowiedź|odpowiedź automatyczna|poza biurem|" +
		"automatická odpověď|automatikus válasz|răspuns automat|automatski odgovor|samodejni odgovor|αυτόματη απάντηση|автоматический ответ|автоответ|" +
		"автоматична відповідь|автоматичен отговор|otomatik yanıt|ofis dışında|自動応答|自動返信|不在通知|自动答复|自动回复|自動回覆|자동 회신|부재중|" +
		"תשובה אוטומטית|رد تلقائي|trả lời tự động|balasan otomatis"
)

// hasPrefixOf tells whether s begins with one of the prefixes in list. Each has a bar before it and at
// least four octets, so that one search tells of most subjects that they are none of them.
func hasPrefixOf(s, list string) bool {
	if len(s) < 4 {
		return false
	}
	for begin := "|" + s[:4]; ; {
		i := strings.Index(list, begin)
		if i < 0 {
			return false
		}
		list = list[i+1:]
		if prefix, _, _ := strings.Cut(list, "|"); strings.HasPrefix(s, prefix) {
			return true
		}
	}
}

// systemOf returns the product that a field belongs to: ticket systems, trackers and forges, whose
// notices must not be answered by another machine; list managers; and senders of bulk mail.
func systemOf(name []byte) string {
	switch string(name) {
	case "x-rt-loop-prevention", "rt-ticket", "x-rt-ticket":
		return "request-tracker"
	case "x-mailman-version", "x-beenthere":
		return "mailman"
	case "x-google-group-id":
		return "google-groups"
	case "x-ses-outgoing":
		return "amazon-ses"
	case "x-sg-eid", "x-sg-id":
		return "sendgrid"
	case "x-mc-user":
		return "mailchimp"
	case "x-mailgun-sid", "x-mailgun-tag", "x-mailgun-variables":
		return "mailgun" // it also marks what it receives
	case "x-pm-message-id":
		return "postmark"
	case "x-msfbl":
		return "sparkpost"
	}
	rest, ok := bytes.CutPrefix(name, []byte("x-"))
	product, _, more := bytes.Cut(rest, []byte("-"))
	if !ok || !more {
		return ""
	}
	switch string(product) {
	case "bugzilla", "discourse", "gerrit", "github", "gitlab", "groupsio", "jira", "launchpad", "linkedin", "mailjet", "mandrill", "otrs", "phabricator",
		"redmine", "servicenow", "trac", "zendesk":
		return string(product)
	case "mj":
		return "mailjet"
	case "sfdc":
		return "salesforce"
	case "sfmc":
		return "salesforce-marketing"
	}
	return ""
}
