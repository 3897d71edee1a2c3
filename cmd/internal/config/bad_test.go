package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const samples = "../../../testdata/config"

var update = flag.Bool("update", false, "write the golden files anew")

// badFiles holds, for each file that breaks a rule, where and what the first error must be.
func badFiles() []struct{ file, at, message string } {
	return []struct{ file, at, message string }{
		{"address", "4:14", "\"Support <support@contoso.com>\" is not a mail address"},
		{"after_contradiction", "3:34", "move contradicts the action seen"},
		{"after_no_folder", "3:28", "the action move needs a folder"},
		{"after_unknown", "3:28", "\"archive\" is not an action"},
		{"alias", "3:11", "the alias *nothing refers to nothing"},
		{"alias_cycle", "4:7", "aliases make this file too large"},
		{"auth_password", "4:36", "auth: password does not fit credentials of type entra"},
		{"auth_token", "4:60", "auth: xoauth2 does not fit credentials of type password"},
		{"authority_http", "2:96", "\"http://localhost:8443\" cannot be an authority"},
		{"blobs_url", "1:14", "\"./blobs\" names no place for blobs"},
		{"boolean", "3:18", "\"yes\" is neither true nor false"},
		{"bracket", "4:51", "this is not YAML: ',' or ']' must be specified"},
		{"certificate_password", "2:107", "there is a password and no certificate"},
		{"canary_often", "3:28", "probes more often than once a minute are a load of their own"},
		{"canary_late", "3:28", "every probe could be late by polling alone"},
		{"canary_nowhere", "3:28", "it is not known where probes are submitted"},
		{"cloud", "2:92", "\"us-gov\" is not known here"},
		{"credentials_none", "2:5", "this mailbox has no credentials, and none are defined"},
		{"credentials_unclear", "5:5", "it is not clear which credentials this mailbox uses"},
		{"credentials_unknown", "5:18", "there are no credentials named \"contosso\""},
		{"default_everywhere", "3:24", "poll_every is shorter than a second"},
		{"duplicate_key", "6:5", "the key \"idle\" stands here twice"},
		{"duration_negative", "3:27", "a duration cannot be negative"},
		{"duration_unit", "3:24", "\"60\" has no unit"},
		{"duration_words", "4:15", "\"5 minutes\" is not a duration"},
		{"delegated_account", "5:5", "a person signs in to one account with credentials \"us\", and a@contoso.com uses them too"},
		{"delegated_generic", "2:7", "these credentials have no auth_url"},
		{"delegated_gmail", "4:38", "Gmail accepts no tokens of Entra"},
		{"delegated_key", "2:7", "these credentials have no token_key: the sign-in is stored, and must not be in clear"},
		{"delegated_param", "2:96", "state is set by mailflume itself"},
		{"delegated_tenant", "2:51", "tenant belongs to provider microsoft365"},
		{"empty", "0:0", "the file is empty"},
		{"enum", "3:22", "\"imap4\" is not known here"},
		{"exchange_password", "4:5", "Exchange Online accepts no passwords"},
		{"flag", "3:26", "\"my flag\" cannot be set as a flag"},
		{"flag_deleted", "3:26", "\"\\\\Deleted\" cannot be set as a flag"},
		{"folder_twice", "3:29", "\"Inbox\" stands here twice"},
		{"foreign_key", "2:95", "password does not belong to credentials of type entra"},
		{"from_bad_csv", "1:9", "unknown key \"polling\""},
		{"from_bad_yaml", "2:3", "unknown key \"foldrs\""},
		{"from_ending", "3:18", "it is not clear how to read \"../../../testdata/config/mailboxes.d/fleet.txt\""},
		{"from_itself", "3:18", "this matches the configuration file itself"},
		{"from_missing", "3:18", "there is no such file"},
		{"gmail_entra", "4:40", "Gmail accepts no tokens of Entra"},
		{"google_exchange", "4:46", "Exchange Online accepts no tokens of Google"},
		{"google_key", "2:14", "these credentials have no service_account"},
		{"host_url", "4:36", "\"imaps://mail.example.com/\" is not a host name"},
		{"host_with_port", "4:36", "\"mail.example.com:993\" is not a host name"},
		{"id", "4:10", "\"Support Desk\" cannot be an id"},
		{"id_derived_twice", "5:14", "the id \"a-b-contoso.com\" is taken in the tenant \"default\""},
		{"id_twice", "6:10", "the id \"support\" is taken in the tenant \"default\""},
		{"limits_connections", "5:60", "one mailbox may not have more connections than its host"},
		{"worker_id", "5:14", `"mail 1" cannot name a worker`},
		{"worker_weight", "5:18", "0 is out of range"},
		{"limits_memory", "5:18", "memory is too little to work with"},
		{"list", "3:21", "a list is wanted here"},
		{"listen", "5:16", "\"localhost\" is not an address with a port"},
		{"literal_secret", "2:78", "a secret does not belong in the configuration"},
		{"literal_secret_block", "6:18", "a secret does not belong in the configuration"},
		{"log_level", "5:14", "\"verbose\" is not known here"},
		{"managed_identity", "2:58", "tenant does not belong to a managed identity: the platform decides"},
		{"many", "4:14", "\"box0\" is not a mail address"},
		{"mapping_wanted", "3:11", "keys with values are wanted here"},
		{"missing_space", "2:5", "keys with values are wanted here"},
		{"missing_value", "5:17", "the value is missing"},
		{"misspelt_secret", "2:63", "unknown key \"client_secrt\""},
		{"move_into_watched", "6:19", "messages would be moved into the watched folder \"Done/2026\" and read again"},
		{"nats_embedded_user", "1:26", "the embedded NATS server needs no sign-in"},
		{"nats_half_certificate", "1:38", "a client certificate needs both cert_file and key_file"},
		{"nats_no_password", "1:39", "the NATS user has no password"},
		{"nats_two_ways", "1:76", "there are two ways to sign in to NATS"},
		{"nats_url", "1:13", "this is not the URL of a NATS server"},
		{"nested", "1:68", "this is nested too deeply"},
		{"no_address", "4:5", "this mailbox has no address"},
		{"no_client_id", "2:12", "these credentials have no client_id"},
		{"no_folders", "3:21", "no folder would be watched"},
		{"no_host", "3:22", "this mailbox has no host"},
		{"no_mailboxes", "1:1", "there is no mailbox to watch"},
		{"no_password", "2:12", "these credentials have no password"},
		{"no_secret", "2:12", "these credentials have neither client_secret nor certificate"},
		{"not_a_mapping", "1:1", "keys with values are wanted here"},
		{"number", "4:60", "\"993\" is not a whole number"},
		{"number_range", "4:60", "99999 is out of range"},
		{"poll_too_short", "3:24", "poll_every is shorter than a second"},
		{"oauth2_none", "2:8", "these credentials have no token_url"},
		{"oauth2_param", "2:121", "scope is set by mailflume itself"},
		{"oauth2_proof", "2:8", "these credentials have neither client_secret nor refresh_token"},
		{"oauth2_token", "2:53", "token does not go with client_id"},
		{"oauth2_url", "2:34", "\"http://idp.example.com/token\" cannot be a token endpoint"},
		{"pop3_after", "4:62", "POP3 cannot do \"seen\""},
		{"pop3_exclude", "4:55", "POP3 knows only INBOX: there is nothing to exclude"},
		{"pop3_twice", "6:26", "the maildrop of \"A@Contoso.com\" on outlook.office365.com is read by another mailbox already"},
		{"pop3_folders", "4:55", "POP3 knows only INBOX"},
		{"renamed_from", "4:61", "renamed_from names the tenant that the mailbox has now"},
		{"scope", "2:92", "\"https://graph.microsoft.com/Mail.Read\" cannot be asked for by an app"},
		{"secret_in_blobs_url", "1:14", "a secret does not belong in the configuration"},
		{"secret_in_broken_yaml", "2:57", "this is not YAML: could not find flow map content"},
		{"secret_in_nats_url", "1:13", "a secret does not belong in the configuration"},
		{"secret_expires", "2:108", "\"in May\" is not a day"},
		{"seed_in_config", "1:49", "a secret does not belong in the configuration"},
		{"s3_bucket", "1:14", "\"My_Bucket\" cannot name a bucket"},
		{"s3_endpoint", "1:14", "the endpoint is not a host with an optional port"},
		{"s3_file_elsewhere", "1:27", "only a blob store on S3 has this key"},
		{"s3_key", "1:14", "unknown key \"regoin\""},
		{"s3_path_style", "1:14", "\"yes\" is neither true nor false"},
		{"s3_prefix", "1:14", "\"a//b\" cannot begin the keys of a bucket"},
		{"s3_region", "1:14", "the region of the bucket is missing"},
		{"several", "1:8", "unknown key \"urls\""},
		{"size", "5:18", "\"256 megabytes\" is not a size"},
		{"start", "3:19", "\"yesterday\" does not say where to start"},
		{"stream_max_age", "1:26", "max_age is shorter than an hour: events would be gone before they are read"},
		{"stream_name", "1:23", "\"mail.v1\" cannot name a stream"},
		{"stream_prefix", "1:25", "\"mail.>\" cannot begin a subject"},
		{"stream_replicas", "1:27", "the embedded NATS server is only one server"},
		{"sync", "1:14", "\"never\" is no interval between two fsyncs"},
		{"syntax", "4:14", "this is not YAML: could not find end character of double-quoted text"},
		{"tab", "4:1", "a tab stands in the indentation"},
		{"tenant", "4:38", "\"mail.>\" cannot name a tenant"},
		{"tenant_common", "2:34", "\"common\" names no organisation: an app signs in to one"},
		{"tenant_word", "2:34", "this is not a tenant"},
		{"three_proofs", "2:102", "these credentials have both client_secret and federated_token"},
		{"two_documents", "6:1", "a second document begins here"},
		{"two_secrets", "2:98", "these credentials have both client_secret and certificate"},
		{"type_missing", "2:12", "these credentials have no type"},
		{"type_unknown", "2:19", "\"entraid\" is not known here"},
		{"unknown_after", "5:27", "unknown key \"grce\""},
		{"unknown_key", "5:5", "unknown key \"pol_every\""},
		{"unknown_top", "5:1", "unknown key \"mailbox\""},
		{"workload", "2:45", "the environment variable AZURE_TENANT_ID is not set"},
		{"wrong_section", "5:1", "unknown key \"poll_every\""},
	}
}

func TestEachBadFileIsRefusedAtThePlaceThatIsWrong(t *testing.T) {
	inTable := map[string]bool{}
	for _, tt := range badFiles() {
		inTable[tt.file+".bad.yaml"] = true
		t.Run(tt.file, func(t *testing.T) {
			c, err := Load(filepath.Join(samples, tt.file+".bad.yaml"))
			var all Errors
			if c != nil || !errors.As(err, &all) {
				t.Fatalf("accepted: %v", err)
			}
			first := all[0]
			if at := fmt.Sprintf("%d:%d", first.Line, first.Column); at != tt.at || first.Message != tt.message {
				t.Errorf("got %s %s\nwant %s %s", at, first.Message, tt.at, tt.message)
			}
			for _, e := range all {
				checkHelpful(t, e)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join(samples, "*.bad.yaml"))
	if err != nil || len(files) != len(inTable) {
		t.Errorf("%d files, %d in the table (%v)", len(files), len(inTable), err)
	}
}

// checkHelpful asks of every error what the contract promises.
func checkHelpful(t *testing.T, e *Error) {
	t.Helper()
	text := e.Error()
	if e.File == "" || e.Message == "" || e.Hint == "" {
		t.Errorf("file, message or hint is missing: %+v", e)
	}
	if e.Line > 0 {
		lines := strings.Split(e.Snippet, "\n")
		if len(lines) != 2 || !strings.HasSuffix(lines[1], "^") || len([]rune(lines[1])) > len([]rune(lines[0]))+1 {
			t.Errorf("no caret under the line:\n%s", e.Snippet)
		}
	}
	if strings.Contains(text, "CANARY") || strings.Contains(fmt.Sprintf("%+v %#v", e.Hint, e.Snippet), "CANARY") || strings.Contains(text, "SUACSSL3") {
		t.Errorf("a secret is shown:\n%s", text)
	}
}

func TestSeveralErrorsAreShownTogetherInOrder(t *testing.T) {
	_, err := Load(filepath.Join(samples, "several.bad.yaml"))
	golden(t, "several.golden", []byte(strings.ReplaceAll(err.Error(), samples+"/", "")+"\n"))
}

func TestTwentyErrorsAreShownAndTheOthersCounted(t *testing.T) {
	_, err := Load(filepath.Join(samples, "many.bad.yaml"))
	var all Errors
	if !errors.As(err, &all) || len(all) != 21 || all[20].Message != "and 10 more errors" {
		t.Fatalf("got %d errors: %v", len(all), err)
	}
}

func TestOneWrongDefaultIsOneError(t *testing.T) {
	_, err := Load(filepath.Join(samples, "default_everywhere.bad.yaml"))
	var all Errors
	if !errors.As(err, &all) || len(all) != 1 {
		t.Fatalf("got %v", err)
	}
}

func TestErrorsOfAnotherFileNameThatFileAndTheirLine(t *testing.T) {
	_, err := Load(filepath.Join(samples, "from_bad_csv.bad.yaml"))
	for _, want := range []string{
		"mailboxes.d/broken.csv:1:9: unknown key", "mailboxes.d/broken.csv:3:16: \"99x\" is not a whole number",
		"mailboxes.d/broken.csv:4:17: this row has 4 cells",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

// golden compares with a file in testdata/config, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join(samples, name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (run the test with -update and look at the difference):\n%s", name, got)
	}
}
