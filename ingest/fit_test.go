package ingest

import (
	"context"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mailflume/publish"
)

// full fills v with texts of n octets, lists of three.
func full(v reflect.Value, n int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat("é", n/2))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		full(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			full(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"a": strings.Repeat("b", n)}))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			full(v.Field(i), n)
		}
	}
}

// lastBlob keeps what was stored last.
type lastBlob struct{ octets []byte }

// Put implements publish.BlobStore.
func (s *lastBlob) Put(_ context.Context, _ string, r io.Reader) (b publish.Blob, err error) {
	s.octets, err = io.ReadAll(r)
	return publish.Blob{Ref: "mem:x", Size: int64(len(s.octets))}, err
}

func TestAnEventCanTravelWithoutAnythingThatAMessageSays(t *testing.T) {
	const limit = 16 << 10
	for field, cut := range map[string]string{
		"Flags": "flags", "MessageID": "message_id", "InReplyTo": "in_reply_to", "References": "references", "DateRaw": "date_raw", "Subject": "subject",
		"From": "from", "Sender": "sender", "ReplyTo": "reply_to", "To": "to", "CC": "cc", "BCC": "bcc", "DeliveredTo": "delivered_to",
		"ReturnPath": "return_path", "Headers": "headers", "Text": "text.content", "HTML": "html.content", "Attachments": "attachments", "List": "list",
		"Bounce": "bounce", "Receipt": "receipt", "Complaint": "complaint", "Calendar": "calendar", "Journal": "journal", "AuthResults": "auth_results",
		"Issues": "issues",
	} {
		t.Run(field, func(t *testing.T) {
			data := publish.Data{UID: 7, CC: []publish.Address{{Address: "a@example.org"}}}
			full(reflect.ValueOf(&data).Elem().FieldByName(field), 20_000)
			for _, b := range []*publish.Body{data.Text, data.HTML} {
				if b != nil {
					b.Ref, b.Derived = "mem:b", "html"
				}
			}
			ev := publish.NewEvent(publish.Key{Tenant: "t", Mailbox: "m"}, publish.Received, "id", time.Unix(1e9, 0), &data)
			ev.Subject = data.MessageID
			store := new(lastBlob)
			slim, err := fit(t.Context(), ev, limit, store)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := slim.Encode(); err != nil || len(b) > limit || slim.DataRef != "mem:x" || slim.Data.UID != 7 {
				t.Errorf("%d octets, reference %q, error %v", len(b), slim.DataRef, err)
			}
			got := slim.Data.TruncatedFields
			if i := slices.Index(got, "cc"); i >= 0 && field != "CC" {
				got = slices.Delete(slices.Clone(got), i, i+1) // it comes before some
			}
			if !slices.Equal(got, []string{cut}) {
				t.Errorf("left out %v, want %v", got, cut)
			}
			if want, _ := json.Marshal(&data); !equalJSON(t, store.octets, want) {
				t.Error("the stored data is not whole")
			}
		})
	}
}

// equalJSON tells whether two documents say the same.
func equalJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		t.Fatal("no JSON")
	}
	return reflect.DeepEqual(x, y)
}
