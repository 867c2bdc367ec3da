package source

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// meters are a Syncer's metrics.
type meters struct {
	pulls    *prometheus.CounterVec
	last     prometheus.Gauge
	projects *prometheus.GaugeVec
	writes   *prometheus.CounterVec
}

func newMeters() *meters {
	m := &meters{
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

func (m *meters) pulled(err error, now time.Time) {
	if err != nil {
		m.pulls.WithLabelValues("failed").Inc()
		return
	}
	m.pulls.WithLabelValues("done").Inc()
	m.last.Set(float64(now.Unix()))
}

func (m *meters) counted(listed, foreign, refused int) {
	m.projects.WithLabelValues("listed").Set(float64(listed))
	m.projects.WithLabelValues("foreign").Set(float64(foreign))
	m.projects.WithLabelValues("refused").Set(float64(refused))
}

func (m *meters) wrote(verb string) { m.writes.WithLabelValues(verb).Inc() }

// Collectors are a Syncer's metrics, for a registry.
func (s *Syncer) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.meters.pulls, s.meters.last, s.meters.projects, s.meters.writes}
}
