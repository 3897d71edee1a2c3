package htmltext_test

import "testing"

// The mails are written after what the programs named send.
func TestMailReadsAsItsSenderMeantIt(t *testing.T) {
	t.Run("Outlook desktop", func(t *testing.T) {
		check(t, `<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head><meta http-equiv=Content-Type content="text/html; charset=utf-8"><meta name=Generator content="Microsoft Word 15">
<!--[if !mso]><style>v\:* {behavior:url(#default#VML);}</style><![endif]--><style><!--
p.MsoNormal {margin:0cm;font-size:11.0pt}
--></style><!--[if gte mso 9]><xml><o:shapedefaults v:ext="edit" spidmax="1026" /></xml><![endif]--></head>
<body lang=DE link="#0563C1" style='word-wrap:break-word'><div class=WordSection1>
<p class=MsoNormal><span lang=EN-US>Hello support,<o:p></o:p></span></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p>
<p class=MsoNormal>the printer on floor&nbsp;3 is
broken.&nbsp; Two things:<o:p></o:p></p>
<p class=MsoListParagraph style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='font-family:Symbol'><span style='mso-list:Ignore'>·<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>paper jam<o:p></o:p></p>
<p class=MsoListParagraph style='margin-left:72.0pt;mso-list:l0 level2 lfo1'><![if !supportLists]><span
style='mso-list:Ignore'>o<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp; </span></span><![endif]>tray 2<o:p></o:p></p>
<p class=MsoListParagraph style='mso-list:l1 level1 lfo2'><![if !supportLists]><span style='mso-list:Ignore'>2.<span
style='font:7.0pt "Times New Roman"'>&nbsp; </span></span><![endif]>no toner<o:p></o:p></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p>
<p class=MsoNormal>Max Muster<br>ACME GmbH<o:p></o:p></p>
<p class=MsoNormal><!--[if gte vml 1]><v:shape>logo</v:shape><![endif]--><![if !vml]><img width=120 height=40 src="cid:image001.png" alt="ACME logo"><![endif]></p>
<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>
<p class=MsoNormal><b>Von:</b> Support &lt;<a href="mailto:support@example.com">support@example.com</a>&gt;<br><b>Betreff:</b> AW: Drucker<o:p></o:p></p></div></div>
<p class=MsoNormal>Which floor?<o:p></o:p></p></div></body></html>`,
			`Hello support,

the printer on floor 3 is broken. Two things:
- paper jam
  - tray 2
2. no toner

Max Muster
ACME GmbH
[ACME logo]
---
Von: Support <support@example.com>
Betreff: AW: Drucker
Which floor?
`)
	})
	t.Run("Outlook on the web", func(t *testing.T) {
		check(t, `<div class="elementToProof" style="font-family:Aptos">Thanks!</div><div class="elementToProof"><br></div>
<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1">
<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>From:</b> Ann &lt;ann@example.com&gt;<br><b>Sent:</b> Monday</font><div>&nbsp;</div></div>
<div class="BodyFragment"><font size="2"><span style="font-size:11pt;"><div class="PlainText">One<br>Two</div></span></font></div>
<p style="margin:0">a</p><p style="margin: 0px;">b</p><p style="margin-top:0; margin-bottom:12pt">c</p><p style="margin:0">d</p>`,
			"Thanks!\n\n---\nFrom: Ann <ann@example.com>\nSent: Monday\n\nOne\nTwo\na\nb\nc\n\nd\n")
	})
	t.Run("Gmail reply", func(t *testing.T) {
		check(t, `<div dir="ltr"><div>Works now, thank you!</div><div><br></div><div>See <a href="https://example.com/kb/12?x=1&amp;copy=2">the article</a>.</div>
<div><br clear="all"></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature">Ann</div></div><br>
<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Mon, Jan 5, 2026 at 9:00 Support &lt;<a href="mailto:support@example.com">support@example.com</a>&gt; wrote:<br></div>
<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"><div>Does it work?<br></div><div><br></div>
<blockquote class="gmail_quote">It does not.</blockquote></div></blockquote></div>
<blockquote style="margin:0 0 0 40px;border:none;padding:0px">indented</blockquote>`,
			`Works now, thank you!

See the article (https://example.com/kb/12?x=1&copy=2).

`+"-- "+`
Ann

On Mon, Jan 5, 2026 at 9:00 Support <support@example.com> wrote:
> Does it work?
>
>> It does not.

  indented
`)
	})
	t.Run("Apple Mail", func(t *testing.T) {
		check(t, `<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="overflow-wrap: break-word;">Hi,<div><br></div><div>call <a href="tel:+4930123456">030 / 123456</a> <a href="x-apple-data-detectors://0">tomorrow</a>.<br id="lineBreakAtBeginningOfMessage"><div><span class="Apple-tab-span" style="white-space:pre">	</span>tab</div>
<div><br><blockquote type="cite"><div>On 5. Jan 2026, at 10:00, Bob &lt;bob@example.com&gt; wrote:</div><br class="Apple-interchange-newline"><div><div>First<blockquote type="cite">Older</blockquote>Last</div></div></blockquote></div><br></div></body></html>`,
			"Hi,\n\ncall 030 / 123456 (tel:+4930123456) tomorrow.\n\ttab\n\n> On 5. Jan 2026, at 10:00, Bob <bob@example.com> wrote:\n>\n> First\n>> Older\n>\n> Last\n")
	})
	t.Run("Thunderbird", func(t *testing.T) {
		check(t, `<html><body><p>Yes, please.<br></p><div class="moz-cite-prefix">Am 05.01.26 um 10:00 schrieb Bob:<br></div>
<blockquote type="cite" cite="mid:1@example.com"><meta http-equiv="content-type" content="text/html"><pre class="moz-quote-pre" wrap="">
Shall I?

  if (x)  {
	y();
  }
</pre></blockquote><pre class="moz-signature" cols="72">-- 
Ann</pre></body></html>`,
			"Yes, please.\n\nAm 05.01.26 um 10:00 schrieb Bob:\n> Shall I?\n>\n>   if (x)  {\n> \ty();\n>   }\n\n-- \nAnn\n")
	})
	t.Run("newsletter", func(t *testing.T) {
		check(t, newsletter, `[ACME] (https://acme.example/) | View in browser (https://acme.example/v)

Spring is here

Our new chairs are comfortable.

Buy now (https://acme.example/buy)

Chair
89 €

Table
199 €

Imprint (https://acme.example/i) | Unsubscribe (https://acme.example/u)
`)
	})
	t.Run("invoice", func(t *testing.T) {
		check(t, `<h1>Invoice 4711</h1><table border=1><thead><tr><th></th><th>Item</th><th>Qty</th><th>Price</th></tr></thead><tbody>
<tr><td>1</td><td><p>Chair<br>black</p></td><td>2</td><td align=right>178,00&nbsp;€</td></tr>
<tr><td>2</td><td>Delivery</td><td></td><td>0,00&nbsp;€</td></tr>
<tr><td colspan=3><b>Total</b></td><td><b>178,00&nbsp;€</b></td></tr></tbody></table>
<table><tr><td>IBAN:</td><td>DE02 1203 0000 0000 2020 51</td></tr><tr><td>Due:</td><td>1&nbsp;May</td></tr></table>`,
			`Invoice 4711

| Item | Qty | Price
1 | Chair black | 2 | 178,00 €
2 | Delivery |  | 0,00 €
Total | 178,00 €

IBAN: | DE02 1203 0000 0000 2020 51
Due: | 1 May
`)
	})
	t.Run("Teams meeting", func(t *testing.T) {
		check(t, `<div>Agenda:<ul><li>Status</li><li>Next<ol start=3><li>a<li>b</ol></ul></div><br>
<div style="width:100%"><span style="white-space:nowrap; color:#5F5F5F">________________________________________</span></div>
<div class="me-email-text" lang="en-US"><div style="margin-bottom:24px"><span style="font-size:24px">Microsoft Teams</span> <a href="https://aka.ms/JoinTeamsMeeting?omkt=en-US">Need help?</a></div>
<div style="margin-bottom:6px"><a href="https://teams.example/l/meetup-join/19%3ameeting" id="meet_invite_block.action.join_link"><strong>Join the meeting now</strong></a></div>
<div><span>Meeting ID:&nbsp;</span><span>311 222 333</span></div></div>`,
			`Agenda:

- Status
- Next
  3. a
  4. b

________________________________________
Microsoft Teams Need help? (https://aka.ms/JoinTeamsMeeting?omkt=en-US)

Join the meeting now (https://teams.example/l/meetup-join/19%3ameeting)

Meeting ID: 311 222 333
`)
	})
}

const newsletter = `<!DOCTYPE html><html><head><title>Spring</title><style>@media{.m{display:none}}</style></head><body style="margin:0">
<div style="display:none;font-size:1px;color:#fff;line-height:1px;max-height:0px;opacity:0;overflow:hidden;mso-hide:all">Chairs for everybody&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;</div>
<div style="max-height:0;overflow:hidden">&nbsp;&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;</div>
<!--[if mso | IE]><table width="600"><tr><td><![endif]-->
<table role="presentation" width="100%" border="0"><tr><td align="center" style="font-size:0px;padding:10px">
 <table role="presentation"><tr>
  <td><a href="https://acme.example/"><img src="l.png" width="80" alt="ACME"></a></td>
  <td style="font-size:12px"><a href="https://acme.example/v">View in browser</a></td></tr></table>
</td></tr><tr><td style="font-size:0;word-break:break-word">dropped
 <div style="font-size:20px"><h1>Spring is here</h1><p>Our new chairs are
 comfortable.</p></div></td></tr>
<tr><td><!--[if mso]><v:roundrect href="https://acme.example/buy">Buy now</v:roundrect><![endif]--><!--[if !mso]><!-->
 <table><tr><td><a href="https://acme.example/buy" style="background:#333;mso-hide:all">Buy&nbsp;now</a></td></tr></table><!--<![endif]--></td></tr>
<tr><td><table><tr><td><p>Chair<br>89 &euro;</p></td><td><p>Table<br>199&nbsp;&euro;</p></td></tr></table></td></tr>
<tr><td>&nbsp;</td></tr>
<tr><td style="line-height:1px;font-size:1px">&nbsp;</td></tr></table>
<table><tr><td><a href="https://acme.example/i">Imprint</a></td><td width=10></td><td><a href="https://acme.example/u">Unsubscribe</a></td></tr></table>
<img src="https://t.example/o.gif" width="1" height="1" alt="open"><img src=x style="display:none" alt="hidden">
</body></html>`
