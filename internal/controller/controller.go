package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// leaseName names the lease by which replicas choose a leader.
const leaseName = "namespace-controller"

// Options are what the controller runs with.
type Options struct {
	// Config reaches the cluster; required.
	Config *rest.Config
	// HealthAddress serves /healthz and /readyz; "0": nothing does.
	HealthAddress string
	// MetricsAddress serves /metrics; "0", or empty: nothing does.
	MetricsAddress string
	// LeaderElection lets one replica of several write; Namespace holds the lease.
	LeaderElection bool
	Namespace      string
	// Log gets what the controller does; required.
	Log *slog.Logger
	// Now is the clock; required.
	Now func() time.Time
}

// Run runs the controller until ctx ends, and then stops it in order.
func Run(ctx context.Context, o Options) error {
	if o.MetricsAddress == "" {
		o.MetricsAddress = "0"
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return fmt.Errorf("know the API: %w", err)
	}
	grace := 4 * time.Second // below a supervisor's, and far below a pod's
	m, err := ctrl.NewManager(o.Config, ctrl.Options{
		Scheme:                        scheme,
		Logger:                        logr.FromSlogHandler(o.Log.Handler()),
		Metrics:                       server.Options{BindAddress: o.MetricsAddress},
		HealthProbeBindAddress:        o.HealthAddress,
		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true, // the process ends right after
		GracefulShutdownTimeout:       &grace,
		// One process may run the controller again, as tests do.
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	first := &firstPass{
		cache: m.GetCache(),
		log:   o.Log,
		then:  func() error { return (&projects{client: m.GetClient(), log: o.Log, now: o.Now}).setUp(m) },
	}
	if err := errors.Join(
		m.AddHealthzCheck("ping", healthz.Ping),
		m.AddReadyzCheck("first-pass", first.check),
		m.Add(first),
	); err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	if err := m.Start(ctx); err != nil {
		return fmt.Errorf("run the controller: %w", err)
	}
	return nil
}

// firstPass lists every project once; until then the controller is not ready,
// and nothing reconciles: a reconciler that waits for its kind could not be
// stopped for minutes.
type firstPass struct {
	cache cache.Cache
	log   *slog.Logger
	then  func() error
	done  atomic.Bool
}

var _ manager.LeaderElectionRunnable = (*firstPass)(nil)

// NeedLeaderElection is false: every replica must be ready to take over.
func (f *firstPass) NeedLeaderElection() bool { return false }

// Start lists the projects when the cache holds them. A cluster that does not
// know the kind yet is waited for: its definition may be on the way.
func (f *firstPass) Start(ctx context.Context) error {
	var all v1alpha1.ProjectList
	for {
		// The cache's List waits for its first sync.
		err := f.cache.List(ctx, &all, client.UnsafeDisableDeepCopy)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		if !meta.IsNoMatchError(err) {
			return fmt.Errorf("list projects: %w", err)
		}
		f.log.Warn("the cluster does not know projects yet", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
	for _, p := range all.Items {
		f.log.Info("project", "project", p.Name, "generation", p.Generation, "phase", p.Status.Phase)
	}
	f.log.Info("first pass done", "projects", len(all.Items))
	if err := f.then(); err != nil {
		return err
	}
	f.done.Store(true)
	return nil
}

func (f *firstPass) check(*http.Request) error {
	if !f.done.Load() {
		return errors.New("the first pass over the projects is not done")
	}
	return nil
}
