module mailflume

go 1.26.4

// Each direct dependency and why it is here.
require (
	github.com/AzureAD/microsoft-authentication-library-for-go v1.10.1 // Entra ID tokens; given by the product's design
	github.com/emersion/go-imap/v2 v2.0.0-beta.8 // IMAP client behind our guard, and the tests' server; given by the design
	github.com/emersion/go-message v0.18.2 // composes test mail and is the oracle for well-formed mail; given by the design
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6 // the SASL interface that go-imap asks for
	github.com/emersion/go-smtp v0.25.1 // SMTP submission client: probes of check --send and the canary
	github.com/gabriel-vasile/mimetype v1.4.16 // media types by content: 200 formats in one pass over 4 KiB
	github.com/goccy/go-yaml v1.19.2 // strict YAML whose errors carry line, column and caret
	github.com/invopop/jsonschema v0.14.0 // JSON Schema of the configuration and of the events
	github.com/jedib0t/go-pretty/v6 v6.8.3 // tables on the terminal
	github.com/minio/minio-go/v7 v7.4.1 // blobs on S3; 2 MB of binary, where other clients take 4 times that
	github.com/nats-io/nats-server/v2 v2.15.2 // embedded JetStream, and real servers in tests
	github.com/nats-io/nats.go v1.55.0 // JetStream client; given by the design
	github.com/nats-io/nkeys v0.4.16 // nkey seeds for NATS sign-in
	github.com/prometheus/client_golang v1.25.0 // metrics
	github.com/rs/zerolog v1.35.1 // logs; given by the design
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // tests: validates events and configuration against their schemas
	github.com/segmentio/asm v1.2.1 // base64 five times as fast as the standard library's
	github.com/smallstep/pkcs7 v0.2.3 // tests: builds signed mail and is the oracle of parse/smime
	github.com/spf13/cobra v1.10.2 // commands, completion for four shells, suggestions
	go.uber.org/goleak v1.3.0 // tests: no goroutine is left behind
	golang.org/x/net v0.62.0 // HTML tokenizer and the WHATWG charset labels
	golang.org/x/sync v0.24.0 // errgroup
	golang.org/x/text v0.43.0 // charset decoders
	software.sslmate.com/src/go-pkcs12 v0.7.4 // certificates as PFX with all ciphers in use; needs nothing but x/crypto
)

require (
	github.com/antithesishq/antithesis-sdk-go v0.8.0-default-no-op // indirect
	github.com/bahlo/generic-list-go v0.2.0 // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/buger/jsonparser v1.1.2 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/google/go-tpm v0.9.8 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/klauspost/cpuid/v2 v2.4.0 // indirect
	github.com/klauspost/crc32 v1.3.0 // indirect
	github.com/kylelemons/godebug v1.1.0 // indirect
	github.com/mattn/go-colorable v0.1.15 // indirect
	github.com/mattn/go-isatty v0.0.22 // indirect
	github.com/mattn/go-runewidth v0.0.24 // indirect
	github.com/minio/crc64nvme v1.1.1 // indirect
	github.com/minio/highwayhash v1.0.4 // indirect
	github.com/minio/md5-simd v1.1.2 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/nats-io/jwt/v2 v2.8.2 // indirect
	github.com/nats-io/nuid v1.0.1 // indirect
	github.com/pb33f/ordered-map/v2 v2.3.1 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/rs/xid v1.6.0 // indirect
	github.com/spf13/pflag v1.0.10 // indirect
	github.com/tinylib/msgp v1.6.4 // indirect
	github.com/zeebo/xxh3 v1.1.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	go.yaml.in/yaml/v4 v4.0.0-rc.2 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/time v0.16.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
	gopkg.in/ini.v1 v1.67.3 // indirect
)
