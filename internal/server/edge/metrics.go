package edge

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what the edge counts. No metric has an org or an address as a
// label: with thousands of orgs each would be thousands of series, and the
// metrics of a shared Prometheus would list the customers. Which org was limited
// or refused is in the access log, by org and request.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	refused  *prometheus.CounterVec
	limited  *prometheus.CounterVec
}

// NewMetrics makes metrics that have counted nothing.
func NewMetrics() *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "freehold_requests_total", Help: "Requests from outside, by procedure and code. Requests for no procedure have an empty one.",
		}, []string{"procedure", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "freehold_request_duration_seconds", Help: "How long requests took that were passed on to a service, by procedure. A stream takes as long as it is open.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600},
		}, []string{"procedure"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "freehold_requests_in_flight", Help: "Requests that are under way, streams included.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "freehold_requests_refused_total", Help: "Requests that no service saw, by decision and reason.",
		}, []string{"decision", "reason"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "freehold_requests_limited_total", Help: "Requests that had to wait, by the limit that they met. The access log has the org.",
		}, []string{"by"}),
	}
	for _, by := range []string{"peer", "rate", "concurrent", "streams"} {
		m.limited.WithLabelValues(by)
	}
	return m
}

func (m *Metrics) observe(r *Record, took time.Duration) {
	m.requests.WithLabelValues(r.Procedure, r.Code).Inc()
	switch r.Decision {
	case Allowed:
		m.seconds.WithLabelValues(r.Procedure).Observe(took.Seconds())
	case RateLimited:
		m.limited.WithLabelValues(r.Reason).Inc()
	case Misaddressed, Unavailable:
		m.refused.WithLabelValues(string(r.Decision), r.Reason).Inc()
	case Refused:
		// The reason may be another program's text.
		m.refused.WithLabelValues(string(r.Decision), "").Inc()
	case Public:
	}
}

func (m *Metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.seconds, m.inFlight, m.refused, m.limited}
}

// Describe sends the descriptions of all metrics.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(ch)
	}
}

// Collect sends all metrics.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(ch)
	}
}
