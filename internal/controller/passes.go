package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// firstPass fills the caches; until then nothing reconciles: a reconciler that
// waits for its kind could not be stopped for minutes.
type firstPass struct {
	cache  cache.Cache
	log    *slog.Logger
	passes *passes
	then   func(context.Context) error
}

var _ manager.LeaderElectionRunnable = (*firstPass)(nil)

// NeedLeaderElection is false: every replica must be ready to take over.
func (f *firstPass) NeedLeaderElection() bool { return false }

// Start waits until the caches hold the cluster. A cluster that does not know
// the Project kind yet is waited for: its definition may be on the way.
func (f *firstPass) Start(ctx context.Context) error {
	for {
		err := f.cache.IndexField(ctx, &v1alpha1.Project{}, calledBy, callers)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		if !meta.IsNoMatchError(err) {
			// The API server cannot be asked, or does not answer yet.
			f.log.Warn("the cluster does not say whether it knows projects", "error", err)
		} else {
			f.log.Warn("the cluster does not know projects yet", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
	kinds := append(owned(), &v1alpha1.Project{}, &corev1.Namespace{}, &corev1.Service{}, &discoveryv1.EndpointSlice{})
	for _, w := range workloads {
		kinds = append(kinds, w.object)
	}
	for _, k := range strayKinds {
		kinds = append(kinds, k.object)
	}
	kinds = append(kinds, &networkingv1.IngressClass{})
	for _, o := range kinds {
		// It waits for the first sync.
		if _, err := f.cache.GetInformer(ctx, o); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("watch %T: %w", o, err)
		}
	}
	f.log.Info("the caches hold the cluster")
	if err := f.then(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // it is being stopped
		}
		return err
	}
	f.passes.filled.Store(true)
	return nil
}

// passes knows when every project was looked at.
type passes struct {
	client  client.Reader
	now     func() time.Time
	meters  *meters
	log     *slog.Logger
	elected <-chan struct{}

	filled atomic.Bool // the caches hold the cluster
	first  atomic.Bool // every project was looked at once

	mu      sync.Mutex
	visited map[string]bool // since the last full pass
}

var _ manager.LeaderElectionRunnable = (*passes)(nil)

// NeedLeaderElection is true: only the leader looks at projects.
func (p *passes) NeedLeaderElection() bool { return true }

// visit notes that a project was looked at, whatever came of it.
func (p *passes) visit(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.visited == nil {
		p.visited = map[string]bool{}
	}
	p.visited[name] = true
}

// Start notes each full pass, until ctx ends.
func (p *passes) Start(ctx context.Context) error {
	for {
		pause := 5 * time.Second
		if !p.first.Load() {
			pause = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		if !p.filled.Load() {
			continue
		}
		var all v1alpha1.ProjectList
		if err := p.client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
			if ctx.Err() == nil {
				p.log.Error("list projects", "error", err)
			}
			continue
		}
		if !p.complete(all.Items) {
			continue
		}
		p.meters.lastFullPass.Set(float64(p.now().Unix()))
		if !p.first.Swap(true) {
			p.log.Info("first pass done", "projects", len(all.Items))
		}
	}
}

// complete reports whether every one of some projects was looked at, and if so
// begins the next pass.
func (p *passes) complete(all []v1alpha1.Project) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range all {
		if !p.visited[all[i].Name] {
			return false
		}
	}
	p.visited = nil
	return true
}

// check is ready when this replica could do its work, and has, if it is its own.
func (p *passes) check(*http.Request) error {
	if !p.filled.Load() {
		return errors.New("the caches do not hold the cluster yet")
	}
	select {
	case <-p.elected:
		if !p.first.Load() {
			return errors.New("the first pass over the projects is not done")
		}
	default: // it stands by
	}
	return nil
}
