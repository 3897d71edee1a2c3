package worker

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"mailflume/ingest"
	"mailflume/publish"
)

// manyMailboxes is above which metrics are not kept for each mailbox: the label is then empty.
const manyMailboxes = 2000

type metrics struct {
	registry *prometheus.Registry
	single   bool // one series for each mailbox

	states           *prometheus.GaugeVec
	published        *prometheus.CounterVec
	quarantined      *prometheus.CounterVec
	settled          *prometheus.CounterVec
	polls            *prometheus.CounterVec
	fetched          *prometheus.CounterVec
	attached         *prometheus.CounterVec
	took             prometheus.Histogram
	tokens           *prometheus.CounterVec
	tokenExpiry      *prometheus.GaugeVec
	tokenIssued      *prometheus.GaugeVec
	credentialExpiry *prometheus.GaugeVec
	reconnects       *prometheus.CounterVec
	fenced           *prometheus.CounterVec
	resets           *prometheus.CounterVec
	judged           *prometheus.CounterVec
	told             *prometheus.CounterVec
	probes           *prometheus.GaugeVec
	probesLost       *prometheus.CounterVec
	snapshots        prometheus.Counter
	natsUp           prometheus.Gauge
	waiting          *prometheus.GaugeVec
	workers          prometheus.Gauge
	owned            prometheus.Gauge
}

func newMetrics(version string, mailboxes int) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), single: mailboxes <= manyMailboxes}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mailflume_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mailflume_" + name, Help: help}, labels)
		m.registry.MustRegister(g)
		return g
	}
	m.states = gauge("mailbox_state", "1 for the state a mailbox is in, 0 for the others.", "mailbox", "state")
	m.published = counter("messages_published_total", "Messages whose event is acknowledged.", "mailbox")
	m.quarantined = counter("messages_quarantined_total", "Messages set aside, by code.", "mailbox", "reason")
	m.settled = counter("messages_settled_total", "Messages whose post-action is done.", "mailbox", "action")
	m.polls = counter("polls_total", "Times a mailbox was read to its end.", "mailbox")
	m.fetched = counter("fetch_bytes_total", "Octets of raw messages published.", "mailbox")
	m.attached = counter("attachment_bytes_total", "Octets of attachments published.", "mailbox")
	m.tokens = counter("token_refresh_total", "Requests at token endpoints.", "credential", "result")
	m.tokenIssued = gauge("token_issued_seconds", "When the cached token was obtained, in seconds since 1970.", "credential")
	m.credentialExpiry = gauge("credential_expiry_seconds", "When the certificate or client secret ends, in seconds since 1970; no series if that is not known.", "credential")
	m.tokenExpiry = gauge("token_expiry_seconds", "When the cached token ends, in seconds since 1970.", "credential")
	m.reconnects = counter("reconnects_total", "Failures that made a mailbox start over, by code.", "cause")
	m.fenced = counter("fenced_total", "Times another worker took a mailbox over.", "mailbox")
	m.resets = counter("mailbox_resets_total", "Times a server made the message ids of a folder or maildrop void.", "mailbox")
	m.judged = counter("messages_judged_total", "Messages that needed no event after that: recognised, or passed over as older than the start.", "mailbox", "verdict")
	m.told = counter("mailbox_events_total", "Events about mailboxes themselves: auth_failed, stalled, recovered.", "mailbox", "type")
	m.probes = gauge("canary_seconds", "From the submission of the last probe that came to the acknowledgement of its event.", "mailbox")
	m.probesLost = counter("canary_failures_total", "Probes that could not be submitted or whose event did not come in time, by code.", "mailbox", "code")
	m.waiting = gauge("publish_waiting", "1 while publishing waits, by code of the reason; no series while it does not.", "code")
	m.natsUp = gauge("nats_up", "1 while NATS is connected.").WithLabelValues()
	m.workers = gauge("workers", "Workers that share the mailboxes, this one included; 0: there is nobody to share with.").WithLabelValues()
	m.owned = gauge("mailboxes_owned", "Mailboxes that this worker has at the moment, if it shares them.").WithLabelValues()
	m.snapshots = prometheus.NewCounter(prometheus.CounterOpts{Name: "mailflume_snapshot_bytes_total", Help: "Octets of positions written."})
	m.took = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "mailflume_publish_seconds", Help: "From the fetch of a message to the acknowledgement of its event.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 9), NativeHistogramBucketFactor: 1.2,
	})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "mailflume_build_info", Help: "1; the labels tell the build.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.snapshots, m.took, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// label is the mailbox's label value.
func (m *metrics) label(box publish.Key) string {
	if !m.single {
		return ""
	}
	if box.Tenant == "default" {
		return box.Mailbox
	}
	return box.String()
}

// state sets one state of a mailbox; above the limit of series it counts nothing.
func (m *metrics) state(box publish.Key, now ingest.State) {
	if !m.single {
		return
	}
	for _, s := range ingest.States() {
		v := 0.0
		if s == now {
			v = 1
		}
		m.states.WithLabelValues(m.label(box), string(s)).Set(v)
	}
}

// forget drops what is kept for one mailbox.
func (m *metrics) forget(box publish.Key) {
	if !m.single {
		return
	}
	of := prometheus.Labels{"mailbox": m.label(box)}
	m.states.DeletePartialMatch(of)
	m.probes.DeletePartialMatch(of)
	for _, c := range []*prometheus.CounterVec{m.published, m.quarantined, m.settled, m.polls, m.fetched, m.attached, m.fenced, m.resets, m.judged, m.told, m.probesLost} {
		c.DeletePartialMatch(of)
	}
}
