package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// meters are the controller's metrics, beside those of controller-runtime.
type meters struct {
	reconcile    *prometheus.HistogramVec
	writes       *prometheus.CounterVec
	undone       *prometheus.CounterVec
	ready        prometheus.Histogram
	lastFullPass prometheus.Gauge
	fleet        *fleet
}

func newMeters(c client.Reader) *meters {
	return &meters{
		reconcile: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "freehold_reconcile_duration_seconds", Help: "How long one look at a project took, by its result.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 12),
		}, []string{"result"}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "freehold_writes_total", Help: "Writes to the API server, by the object's kind and the verb.",
		}, []string{"kind", "verb"}),
		undone: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "freehold_restored_total", Help: "Objects whose change or deletion by somebody else was undone.",
		}, []string{"kind"}),
		ready: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "freehold_project_ready_seconds", Help: "How long after its creation a project was ready first.",
			Buckets: prometheus.ExponentialBuckets(0.5, 2, 12),
		}),
		lastFullPass: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "freehold_last_full_pass_timestamp_seconds", Help: "When every project had been looked at again; the leader sets it.",
		}),
		fleet: &fleet{
			client: c,
			projects: prometheus.NewDesc("freehold_projects", "Projects by condition and its status; a condition that a project lacks is Unknown.",
				[]string{"condition", "status"}, nil),
			phases: prometheus.NewDesc("freehold_projects_phase", "Projects by phase.", []string{"phase"}, nil),
			lag: prometheus.NewDesc("freehold_observed_generation_lag",
				"By how many generations the projects' statuses are behind their specs, the most of any project.", nil, nil),
			behind: prometheus.NewDesc("freehold_projects_behind", "Projects whose status is about an earlier generation than their spec.", nil, nil),
		},
	}
}

func (m *meters) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.reconcile, m.writes, m.undone, m.ready, m.lastFullPass, m.fleet}
}

func (m *meters) register(r prometheus.Registerer) error {
	var failures []error
	for _, c := range m.collectors() {
		failures = append(failures, r.Register(c))
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

func (m *meters) unregister(r prometheus.Registerer) {
	for _, c := range m.collectors() {
		r.Unregister(c)
	}
}

func (m *meters) wrote(kind, verb string) { m.writes.WithLabelValues(kind, verb).Inc() }

func (m *meters) reconciled(took time.Duration, err error) {
	result := "done"
	if err != nil {
		result = "failed"
	}
	m.reconcile.WithLabelValues(result).Observe(took.Seconds())
}

func (m *meters) becameReady(took time.Duration) { m.ready.Observe(took.Seconds()) }

// fleet counts projects when it is asked, from the cache.
type fleet struct {
	client                        client.Reader
	projects, phases, lag, behind *prometheus.Desc
}

// Describe makes fleet a prometheus.Collector.
func (f *fleet) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.projects, f.phases, f.lag, f.behind} {
		to <- d
	}
}

// Collect makes fleet a prometheus.Collector. Without a cache there are no
// projects to count, and no numbers: zero would be one.
func (f *fleet) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var all v1alpha1.ProjectList
	if err := f.client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	conditions := []string{v1alpha1.ConditionReady, v1alpha1.ConditionDegraded}
	for _, s := range steps {
		conditions = append(conditions, s.condition)
	}
	statuses := []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown}
	counts := map[string]map[metav1.ConditionStatus]float64{}
	phases := map[v1alpha1.Phase]float64{
		v1alpha1.PhasePending: 0, v1alpha1.PhaseReady: 0, v1alpha1.PhaseHibernating: 0, v1alpha1.PhaseHibernated: 0, v1alpha1.PhaseFailed: 0, v1alpha1.PhaseTerminating: 0,
	}
	var lag, behind float64
	for _, c := range conditions {
		counts[c] = map[metav1.ConditionStatus]float64{}
	}
	for i := range all.Items {
		p := &all.Items[i]
		has := map[string]metav1.ConditionStatus{}
		for _, c := range p.Status.Conditions {
			has[c.Type] = c.Status
		}
		for _, c := range conditions {
			if has[c] == "" {
				has[c] = metav1.ConditionUnknown
			}
			counts[c][has[c]]++
		}
		phase := p.Status.Phase
		if phase == "" {
			phase = v1alpha1.PhasePending
		}
		phases[phase]++
		if d := float64(p.Generation - p.Status.ObservedGeneration); d > 0 {
			lag, behind = max(lag, d), behind+1
		}
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, c := range conditions {
		for _, s := range statuses {
			gauge(f.projects, counts[c][s], c, string(s))
		}
	}
	for phase, n := range phases {
		gauge(f.phases, n, string(phase))
	}
	gauge(f.lag, lag)
	gauge(f.behind, behind)
}
