package worker

import (
	"testing"

	"mailflume/ingest"
	"mailflume/publish"
)

func TestOnlySigningInIsTheTroubleOfApplicationsAndOfPeople(t *testing.T) {
	for want, codes := range map[bool][]ingest.Code{
		true:  {ingest.CodeAuthRefused, ingest.CodeLoginNeeded},
		false: {ingest.CodeAuthRefused, ingest.CodeFolderMissing},
	} {
		b := NewBoard()
		for _, c := range codes {
			b.rows[publish.Key{Mailbox: string(c)}] = &Row{Code: string(c)}
		}
		if got := b.OnlyAuth(); got != want {
			t.Errorf("%v: %v", codes, got)
		}
	}
}
