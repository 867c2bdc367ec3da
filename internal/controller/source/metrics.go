package source

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Meters are a Syncer's metrics, for a registry.
type Meters struct {
	pulls    *prometheus.CounterVec
	last     prometheus.Gauge
	projects *prometheus.GaugeVec
	writes   *prometheus.CounterVec
}

// NewMeters makes the metrics of a Syncer that has not begun.
func NewMeters() *Meters {
	m := &Meters{
		pulls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "freehold_projects_pulls_total", Help: "Answers and failures of the API that lists projects.",
		}, []string{"result"}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "freehold_projects_last_pull_timestamp_seconds", Help: "When the API that lists projects answered last.",
		}),
		projects: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "freehold_projects_pulled",
			Help: "Projects that the API lists: all, those whose name is somebody else's, and those that could not be written.",
		}, []string{"state"}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "freehold_projects_pull_writes_total", Help: "Projects that were changed to be as the API says, by verb.",
		}, []string{"verb"}),
	}
	m.pulls.WithLabelValues("done")
	m.pulls.WithLabelValues("failed")
	return m
}

func (m *Meters) pulled(err error, now time.Time) {
	if err != nil {
		m.pulls.WithLabelValues("failed").Inc()
		return
	}
	m.pulls.WithLabelValues("done").Inc()
	m.last.Set(float64(now.Unix()))
}

func (m *Meters) counted(listed, foreign, refused int) {
	m.projects.WithLabelValues("listed").Set(float64(listed))
	m.projects.WithLabelValues("foreign").Set(float64(foreign))
	m.projects.WithLabelValues("refused").Set(float64(refused))
}

func (m *Meters) wrote(verb string) { m.writes.WithLabelValues(verb).Inc() }

func (m *Meters) all() []prometheus.Collector {
	return []prometheus.Collector{m.pulls, m.last, m.projects, m.writes}
}

// Describe makes Meters a prometheus.Collector.
func (m *Meters) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(to)
	}
}

// Collect makes Meters a prometheus.Collector.
func (m *Meters) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(to)
	}
}
