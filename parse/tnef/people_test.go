package tnef

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
	"time"
)

// from writes attFrom.
func from(name, address string) []byte {
	b := append(le16(4), le16(uint16(16+len(name)+len(address)+2))...)
	b = append(append(b, le16(uint16(len(name)+1))...), le16(uint16(len(address)+1))...)
	return append(append(append(b, str8(name)...), str8(address)...), make([]byte, 8)...)
}

// table writes attRecipTable.
func table(rows ...*props) []byte {
	b := le32(uint32(len(rows)))
	for _, r := range rows {
		b = append(b, r.bytes()...)
	}
	return b
}

// recipient writes a row of it.
func recipient(how uint32, name, addrtype, address, smtp string) *props {
	p := new(props).fixed(3, prRecipientType, le32(how)).every()
	p.variable(typeUnicode, prDisplayName, wide(name)).variable(typeString8, prAddrtype, str8(addrtype)).variable(typeUnicode, prEmailAddress, wide(address))
	return p.variable(typeUnicode, prSMTPAddress, wide(smtp))
}

// filetime writes a time.
func filetime(at time.Time) []byte {
	return binary.LittleEndian.AppendUint64(nil, uint64(at.Unix()+11_644_473_600)*10_000_000+uint64(at.Nanosecond()/100))
}

// letter is a message with everybody in it, as Exchange embeds it.
func letter() []byte {
	p := new(props).every().fixed(typeTime, prClientSubmitTime, filetime(time.Date(2026, 11, 10, 8, 0, 0, 500, time.UTC)))
	p.variable(typeUnicode, prRepresentingName, wide("Jürgen")).variable(typeString8, prRepresentingAddrtype, str8("EX"))
	p.variable(typeString8, prRepresentingAddress, str8("/o=Ex/cn=jürgen@x")).variable(typeUnicode, prRepresentingSMTP, wide("j@example.org"))
	p.variable(typeString8, prSenderName, str8("Delegate")).variable(typeString8, prSenderAddress, str8("d@example.org")).every()
	s := newStream().attr(levelMessage, 0x00008000, from("Delegate", "EX:/o=Ex/cn=delegate")).message(1252, p)
	return s.attr(levelMessage, 0x00069004, table(
		recipient(1, "Anna", "SMTP", "anna@example.com", ""),
		recipient(2|0x80000000, "Bob", "EX", "/o=Ex/cn=bob@x", "bob@example.com"),
		recipient(3, "Carl", "EX", "/o=Ex/cn=carl@x", ""),
		recipient(0, "Nobody", "SMTP", "nobody@example.com", ""),
		new(props).fixed(3, prRecipientType, le32(1)),
		recipient(1, "", "", "dora@example.com", ""),
	)).attachment("after.txt", []byte("after"), nil).Bytes()
}

func TestAMessageSaysWhoItIsFromAndTo(t *testing.T) {
	all, r := mustRead(t, letter(), Options{})
	want := Message{
		Class: "IPM.Note", Sent: time.Date(2026, 11, 10, 8, 0, 0, 500, time.UTC), From: Person{"Jürgen", "j@example.org"},
		To: []Person{{"Anna", "anna@example.com"}, {"", "dora@example.com"}}, Cc: []Person{{"Bob", "bob@example.com"}}, Bcc: []Person{{Name: "Carl"}},
	}
	if got := r.Message(); !reflect.DeepEqual(got, want) || len(r.Flaws()) > 0 || len(all) != 1 || all[0].Name != "after.txt" {
		t.Errorf("got %+v\nwant %+v\n%v %d objects", got, want, r.Flaws(), len(all))
	}
	check(t, letter(), dump(all, r))
}

func TestTheSenderIsTheAuthorIfNobodyElseIs(t *testing.T) {
	cases := []struct {
		name    string
		attFrom []byte
		props   *props
		want    Person
	}{
		{"the attribute", from("Anna", "SMTP:anna@example.com"), new(props), Person{"Anna", "anna@example.com"}},
		{"the attribute of Exchange", from("Anna", "EX:/o=Ex/cn=anna"), new(props), Person{Name: "Anna"}},
		{"the attribute and a better property", from("Anna ?", "EX:/o=Ex/cn=anna"),
			new(props).variable(typeUnicode, prSenderName, wide("Anna Ω")).variable(typeUnicode, prSenderSMTP, wide("anna@example.com")), Person{"Anna Ω", "anna@example.com"}},
		{"an address without a type", from("Anna", "anna"), new(props), Person{Name: "Anna"}},
		{"the attribute cut off", from("Anna", "SMTP:anna@example.com")[:20], new(props), Person{Name: "Anna"}},
		{"lengths beyond the end", append(make([]byte, 4), "\xff\xff\xff\xffAnna"...), new(props), Person{Name: "Anna"}},
		{"too short", []byte("\x04"), new(props), Person{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, r := mustRead(t, newStream().attr(levelMessage, 0x00008000, c.attFrom).message(1252, c.props).Bytes(), Options{})
			if got := r.Message().From; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestATimeThatIsNoneIsNotInvented(t *testing.T) {
	never := []byte("\x00\x40\xdd\xa3\x57\x45\xb3\x0c") // 4501
	for name, p := range map[string]*props{
		"zero": new(props).fixed(typeTime, prClientSubmitTime, make([]byte, 8)), "never": new(props).fixed(typeTime, prClientSubmitTime, never),
		"the greatest": new(props).fixed(typeTime, prClientSubmitTime, []byte("\xff\xff\xff\xff\xff\xff\xff\xff")),
		"another type": new(props).fixed(0x14, prClientSubmitTime, filetime(time.Now())),
	} {
		if _, r := mustRead(t, newStream().message(1252, p).Bytes(), Options{}); !r.Message().Sent.IsZero() || len(r.Flaws()) > 0 {
			t.Errorf("%s: %v %v", name, r.Message().Sent, r.Flaws())
		}
	}
}

func TestPeopleAreBounded(t *testing.T) {
	rows := make([]*props, 3*maxRecipients)
	for i := range rows {
		rows[i] = recipient(1, "", "", "a@example.com", "")
	}
	_, r := mustRead(t, newStream().message(1252, new(props)).attr(levelMessage, 0x00069004, table(rows...)).Bytes(), Options{})
	if n := len(r.Message().To); n != maxRecipients || len(r.Flaws()) != 1 || r.Flaws()[0].Code != FlawLimit {
		t.Errorf("%d recipients, %v", n, r.Flaws())
	}
	for i := range rows {
		rows[i] = recipient(1, strings.Repeat("x", 1<<10), "", "", "")
	}
	_, r = mustRead(t, newStream().message(1252, new(props)).attr(levelMessage, 0x00069004, table(rows[:maxRecipients]...)).Bytes(), Options{})
	if n := len(r.Message().To); n != maxPeople>>10 || len(r.Flaws()) != 1 || r.Flaws()[0].Code != FlawLimit {
		t.Errorf("%d recipients, %v", n, r.Flaws())
	}
}

func TestATableCutOffGivesTheRowsBefore(t *testing.T) {
	rows := table(recipient(1, "Anna", "", "anna@example.com", ""), recipient(1, "Bob", "", "bob@example.com", ""))
	short := newStream().message(1252, new(props)).attr(levelMessage, 0x00069004, rows[:len(rows)-600]).attachment("a", []byte("b"), nil).Bytes()
	all, r := mustRead(t, short, Options{})
	if m := r.Message(); len(m.To) == 0 || m.To[0].Name != "Anna" || len(all) != 1 || len(r.Flaws()) != 1 || r.Flaws()[0].Code != FlawInvalid {
		t.Errorf("%+v %d %v", m, len(all), r.Flaws())
	}
}
