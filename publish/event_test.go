package publish_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mailflume/publish"
	"mailflume/publish/schema"
)

// These ids are in consumers' databases: a change of one digit is a flood of duplicates.
func TestIDsNeverChange(t *testing.T) {
	box := publish.Key{Tenant: "contoso", Mailbox: "support"}
	for _, c := range []struct{ got, want, encoding string }{
		{publish.NewID(), "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq", ""},
		{publish.NewID(""), "xj3iwmy73bwozab34bhfnkzlhvga5ghpj3spzvhhfll4zzq2dupq", "0:"},
		{publish.NewID("a", "bc"), "kmiklb4ipanlexk227b7qubvqjfu5n557i4u4cwcdbrhcrzlksja", "1:a2:bc"},
		{publish.MessageID(box, "INBOX", 1, 2), "uymcsbga2etgd3b42rkh44tsxln3gwpge5u6oktseoqtm7dbm7jq", "7:contoso7:support5:INBOX1:11:2"},
		{publish.MessageID(box, "Entwürfe", 1<<32-1, 0), "h3qbwihz4xdfcrkpkmu5mdxthxkcuh66gwvntpj64wmu57judcca", "7:contoso7:support9:Entwürfe10:42949672951:0"},
		{publish.MaildropID(box, "0001"), "tr6l7ovw7htu4prwcraez57oi6guruy22xobogcbn3xgkw6l3enq", "7:contoso7:support4:0001"},
	} {
		sum := sha256.Sum256([]byte(c.encoding)) // the definition, computed another way
		defined := strings.ToLower(strings.TrimRight(base32.StdEncoding.EncodeToString(sum[:]), "="))
		if c.got != c.want || c.got != defined {
			t.Errorf("id of %q = %s, want %s; by definition %s", c.encoding, c.got, c.want, defined)
		}
	}
}

func TestAMailboxAndAMaildropNeverShareAnID(t *testing.T) {
	box := publish.Key{Tenant: "t", Mailbox: "m"}
	ids := []string{
		publish.MessageID(box, "INBOX", 1, 23), publish.MessageID(box, "INBOX", 12, 3), publish.MessageID(box, "INBOX1", 2, 3),
		publish.MaildropID(box, "INBOX123"), publish.MaildropID(publish.Key{Tenant: "tm", Mailbox: ""}, "INBOX123"),
		publish.MaildropID(publish.Key{Tenant: "", Mailbox: "tm"}, "INBOX123"), publish.NewID("t", "m", "INBOX", "1", "2", "3"),
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(sorted) != len(ids) {
		t.Errorf("%d ids of %d messages", len(sorted), len(ids))
	}
}

// FuzzNoTwoTuplesShareAnID cuts one text into tuples in two ways: however the parts are cut, digits
// and colons among them included, different tuples have different ids.
func FuzzNoTwoTuplesShareAnID(f *testing.F) {
	f.Add("ab", uint8(1), uint8(2))
	f.Add("1:a1:b", uint8(1), uint8(3))
	f.Add("11:1:1", uint8(2), uint8(2))
	f.Add("", uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, s string, i, j uint8) {
		a := []string{s[:min(int(i), len(s))], s[min(int(i), len(s)):]}
		b := []string{s[:min(int(j), len(s))], s[min(int(j), len(s)):]}
		for _, pair := range [][2][]string{{a, b}, {a, {s}}, {a, {s, ""}}, {a, append(slices.Clone(b), "")}, {{s}, {"", s}}, {{s}, nil}} {
			same := slices.Equal(pair[0], pair[1])
			if (publish.NewID(pair[0]...) == publish.NewID(pair[1]...)) != same {
				t.Errorf("%q and %q: equal ids must mean equal tuples", pair[0], pair[1])
			}
		}
	})
}

func TestEncodeIsTheSameEveryTimeAndEscapesNoMarkup(t *testing.T) {
	box := publish.Key{Tenant: "contoso", Mailbox: "support"}
	data := &publish.Data{Mailbox: publish.MailboxInfo{ID: "support"}, Subject: "a < b && c > d", Text: &publish.Body{Content: "<p>\u2028\x00\xff é</p>"}}
	ev := publish.NewEvent(box, publish.Received, "id", time.Unix(0, 0), data)
	first, err := ev.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a < b && c > d", "<p>", "é</p>", `"time":"1970-01-01T00:00:00Z"`, `"source":"/mailflume/contoso/support"`,
		`"type":"mailflume.message.received.v1"`, `"specversion":"1.0"`} {
		if !bytes.Contains(first, []byte(want)) {
			t.Errorf("%q is missing in %s", want, first)
		}
	}
	if bytes.HasSuffix(first, []byte("\n")) || !json.Valid(first) {
		t.Errorf("not compact JSON: %q", first)
	}
	data.Subject = "changed afterwards"
	if second, err := ev.Encode(); err != nil || !bytes.Equal(first, second) {
		t.Errorf("the second encoding differs: %s, %v", second, err)
	}
}

func TestEveryTypeHasItsNameAndItsSchema(t *testing.T) {
	for kind, want := range map[publish.EventType][2]string{
		publish.Received:    {"mailflume.message.received.v1", publish.SchemaReceived},
		publish.Quarantined: {"mailflume.message.quarantined.v1", publish.SchemaQuarantined},
		publish.Reset:       {"mailflume.mailbox.reset.v1", publish.SchemaMailbox},
		publish.AuthFailed:  {"mailflume.mailbox.auth_failed.v1", publish.SchemaMailbox},
		publish.Stalled:     {"mailflume.mailbox.stalled.v1", publish.SchemaMailbox},
		publish.Recovered:   {"mailflume.mailbox.recovered.v1", publish.SchemaMailbox},
	} {
		ev := publish.NewEvent(publish.Key{}, kind, "id", time.Now(), &publish.Data{})
		if ev.Type != want[0] || ev.DataSchema != want[1] || ev.Kind != kind {
			t.Errorf("%s: type %s, schema %s", kind, ev.Type, ev.DataSchema)
		}
		if _, ok := schema.For(ev.DataSchema); !ok {
			t.Errorf("%s: there is no schema %s", kind, ev.DataSchema)
		}
	}
}

// Lists that are empty are left out, so none can become null, wherever it is.
func TestListsAreNeverNull(t *testing.T) {
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(path, typ.Elem())
		case reflect.Struct:
			if typ == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range typ.NumField() {
				f := typ.Field(i)
				tag := f.Tag.Get("json")
				if tag == "-" || !f.IsExported() {
					continue
				}
				if tag == "" || strings.ToLower(tag) != tag {
					t.Errorf("%s.%s has no JSON name in snake case", path, f.Name)
				}
				nullable := f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Pointer
				if nullable && !strings.HasSuffix(tag, ",omitempty") && f.Name != "Data" {
					t.Errorf("%s.%s can become null", path, f.Name)
				}
				walk(path+"."+f.Name, f.Type)
			}
		}
	}
	walk("Event", reflect.TypeFor[publish.Event]())

	text, err := publish.NewEvent(publish.Key{}, publish.Received, "id", time.Now(), &publish.Data{
		Flags: []string{}, To: []publish.Address{}, List: &publish.List{}, Attachments: nil, TruncatedFields: []string{},
	}).Encode()
	if err != nil || bytes.Contains(text, []byte("null")) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestAnEventSurvivesItsEncoding(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	ev := publish.NewEvent(publish.Key{Tenant: "t", Mailbox: "m"}, publish.Received, "id", at, &publish.Data{
		UID: 1<<32 - 1, Date: &at, Raw: &publish.Stored{Size: 1 << 50}, Attachments: []publish.Attachment{{Inline: true}},
		Headers: []publish.Field{{Name: "X", Value: "a\r\nb"}, {Name: "x"}},
	})
	text, err := ev.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var back publish.Event
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Data, ev.Data) || !back.Time.Equal(ev.Time) || back.ID != ev.ID {
		t.Errorf("%+v became %+v", ev.Data, back.Data)
	}
}

// A consumer decodes an event, finds out what it is, and reads what it needs. It looks at Raw.Ref
// or an attachment's Ref only if it wants the octets.
func Example() {
	const text = `{
		"specversion": "1.0", "id": "3pinb2txbrmd6zn5zvtkpmcdvlm5ljmbkmo3gvgo5pyl4ns4u2oa", "source": "/mailflume/contoso/support",
		"type": "mailflume.message.received.v1", "time": "2026-02-03T04:05:06Z", "datacontenttype": "application/json",
		"data": {
			"mailbox": {"id": "support", "address": "support@contoso.com", "protocol": "imap"},
			"from": [{"name": "Jane Doe", "address": "jane@example.com"}],
			"subject": "Invoice 4711 <paid>",
			"attachments": [{
				"part": "2", "filename": "invoice.pdf", "content_type": "application/pdf", "size": 52311,
				"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "inline": false, "origin": "mime",
				"ref": "nats-obj://mailflume-contoso/sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
			}],
			"a_field_of_a_later_version": true
		}
	}`
	var ev publish.Event
	if err := json.Unmarshal([]byte(text), &ev); err != nil {
		fmt.Println(err)
		return
	}
	if ev.Type != publish.Received.CloudEvent() {
		return // quarantined messages and mailbox states have types of their own
	}
	fmt.Println(ev.ID[:8], ev.Data.Mailbox.Address, ev.Data.From[0].Address)
	fmt.Println(ev.Data.Subject)
	for _, a := range ev.Data.Attachments {
		fmt.Println(a.Filename, a.ContentType, a.Size, a.Ref)
	}
	// Output:
	// 3pinb2tx support@contoso.com jane@example.com
	// Invoice 4711 <paid>
	// invoice.pdf application/pdf 52311 nats-obj://mailflume-contoso/sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
}
