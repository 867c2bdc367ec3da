package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/controller/source"
	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// leaseName names the lease by which replicas choose a leader.
const leaseName = "namespace-controller"

// Options are what the controller runs with.
type Options struct {
	// Config reaches the cluster; required.
	Config *rest.Config
	// Org owns the cluster: projects of another are refused; empty: any.
	Org string
	// Registry is the prefix of the org's own images; empty: none.
	Registry string
	// HealthAddress serves /healthz and /readyz; "0": nothing does.
	HealthAddress string
	// MetricsAddress serves /metrics; "0", or empty: nothing does.
	MetricsAddress string
	// PprofAddress serves /debug/pprof; "0", or empty: nothing does.
	PprofAddress string
	// LeaderElection lets one replica of several write; Namespace holds the lease.
	LeaderElection bool
	Namespace      string
	// Source lists projects that the org made outside of the cluster; nil: nobody does.
	Source source.Source
	// SourceInterval is how often it is asked; zero: source.DefaultInterval.
	SourceInterval time.Duration
	// Workers is how many projects are looked at at once; zero: 8.
	Workers int
	// QPS bounds the requests per second to the API server, with bursts of
	// twice that; zero: 200.
	QPS float32
	// Resync is how long after its last look a project is looked at again though
	// nothing happened; zero: 10 minutes.
	Resync time.Duration
	// Log gets what the controller does; required.
	Log *slog.Logger
	// Now is the clock; required.
	Now func() time.Time

	// usageEvery is how often a status that differs in nothing but what is used
	// is written at most: a busy project's usage changes with every pod. Zero: 5 s.
	usageEvery time.Duration
	// contestQuiet is for how long nobody may have changed an object until it is no
	// longer contested. Zero: 30 s.
	contestQuiet time.Duration
	// podsWithin is how long pods get to end once their project's namespace is to be
	// deleted, whatever they ask for. Zero: 5 minutes.
	podsWithin time.Duration
}

func (o Options) withDefaults() Options {
	if o.MetricsAddress == "" {
		o.MetricsAddress = "0"
	}
	if o.PprofAddress == "0" {
		o.PprofAddress = ""
	}
	if o.Workers == 0 {
		o.Workers = 8
	}
	if o.QPS == 0 {
		o.QPS = 200
	}
	if o.Resync == 0 {
		o.Resync = 10 * time.Minute
	}
	if o.usageEvery == 0 {
		o.usageEvery = 5 * time.Second
	}
	if o.contestQuiet == 0 {
		o.contestQuiet = 30 * time.Second
	}
	if o.podsWithin == 0 {
		o.podsWithin = 5 * time.Minute
	}
	o.Config = rest.CopyConfig(o.Config)
	o.Config.QPS, o.Config.Burst = o.QPS, int(2*o.QPS)
	return o
}

// Run runs the controller until ctx ends, and then stops it in order.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	grace := 4 * time.Second // below a supervisor's, and far below a pod's
	m, err := ctrl.NewManager(o.Config, ctrl.Options{
		Scheme:                        scheme,
		Logger:                        logr.FromSlogHandler(o.Log.Handler()),
		Metrics:                       server.Options{BindAddress: o.MetricsAddress},
		PprofBindAddress:              o.PprofAddress,
		HealthProbeBindAddress:        o.HealthAddress,
		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true, // the process ends right after
		GracefulShutdownTimeout:       &grace,
		Cache:                         cacheOptions(),
		// One process may run the controller again, as tests do.
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	meters := newMeters(m.GetClient())
	if err := meters.register(metrics.Registry); err != nil {
		return err
	}
	defer meters.unregister(metrics.Registry)
	pulls := source.NewMeters()
	if o.Source != nil {
		if err := metrics.Registry.Register(pulls); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
		defer metrics.Registry.Unregister(pulls)
	}
	passes := &passes{client: m.GetClient(), now: o.Now, meters: meters, log: o.Log, elected: m.Elected()}
	r := newProjects(m, o, meters, passes)
	if r.installed, err = newInstalled(m, o.Log, r.everyProject); err != nil {
		return err
	}
	first := &firstPass{cache: m.GetCache(), log: o.Log, passes: passes, then: func(ctx context.Context) error {
		if err := r.installed.setUp(ctx, m); err != nil {
			return err
		}
		if o.Source == nil {
			return r.setUp(m)
		}
		return errors.Join(r.setUp(m), m.Add(source.New(source.Options{
			Source: o.Source, Client: m.GetClient(), Log: o.Log, Now: o.Now, Interval: o.SourceInterval, Meters: pulls,
		})))
	}}
	if err := errors.Join(
		m.AddHealthzCheck("ping", healthz.Ping),
		m.AddReadyzCheck("first-pass", passes.check),
		m.Add(first),
		m.Add(passes),
	); err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	if err := m.Start(ctx); err != nil {
		return fmt.Errorf("run the controller: %w", err)
	}
	return nil
}

// newScheme knows the kinds that the controller reads and writes.
func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		v1alpha1.AddToScheme, corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, networkingv1.AddToScheme, rbacv1.AddToScheme, discoveryv1.AddToScheme,
		metav1.AddMetaToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("know the API: %w", err)
		}
	}
	return scheme, nil
}

// owned are the kinds of the objects in a project's namespace.
func owned() []client.Object {
	return []client.Object{
		&corev1.ResourceQuota{}, &corev1.LimitRange{}, &networkingv1.NetworkPolicy{}, &corev1.ServiceAccount{}, &rbacv1.RoleBinding{},
	}
}

// cacheOptions keep in memory what belongs to projects, and not the cluster.
//
// Of namespaces all are kept: one that is in a project's way must be seen, and
// seen to go.
func cacheOptions() cache.Options {
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})}
	inDefault := map[string]cache.Config{metav1.NamespaceDefault: {}}
	by := map[client.Object]cache.ByObject{
		&corev1.Namespace{}:     {},
		&corev1.Service{}:       {Transform: forgetService},
		&corev1.Pod{}:           {Transform: forgetPod},
		&networkingv1.Ingress{}: {Transform: forgetIngress},
		// Where the cluster's API is: see network.go.
		&discoveryv1.EndpointSlice{}: {
			Namespaces: inDefault,
			Label:      labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: apiService}),
		},
	}
	// Of what undoes a fence all is kept: see strays.go. No selector can ask for
	// namespaces by their labels.
	by[&corev1.ServiceAccount{}] = ours
	// Whether a namespace is a project's no selector can ask.
	for _, w := range workloads {
		by[w.object] = cache.ByObject{Transform: forgetWorkload}
	}
	return cache.Options{
		ByObject: by,
		// A kind that is read by mistake would fill the memory, and need a
		// permission that nobody knows of.
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            forgetFields,
	}
}

// forgetFields leaves of an object's managed fields who wrote and when: which
// fields is most of a small object's size, and nobody here asks.
func forgetFields(in any) (any, error) {
	switch o := in.(type) {
	case *metav1.PartialObjectMetadata: // a definition, whose annotations may be all of it once more
		o.Annotations, o.ManagedFields = nil, nil
	case *unstructured.Unstructured:
		forgetRules(o)
	}
	if o, ok := in.(client.Object); ok {
		entries := o.GetManagedFields()
		for i := range entries {
			entries[i].FieldsV1 = nil
		}
	}
	return in, nil
}
