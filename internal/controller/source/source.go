package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/cenkalti/backoff/v5"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// What it reads, the controller may read anyway.
// +kubebuilder:rbac:groups=freehold.dev,resources=projects,verbs=create;update;delete

// A Source knows all projects that an org has made outside of its cluster.
type Source interface {
	// Projects returns the whole set, or an error: never a part of it.
	Projects(ctx context.Context) (v1alpha1.ProjectSet, error)
}

// DefaultInterval is the pause between two rounds.
const DefaultInterval = time.Minute

// slowest is the longest pause while the source fails.
const slowest = 5 * time.Minute

// jitter spreads the fleet's controllers, which may have started together.
const jitter = 0.2

// owner is whose the fields are that this package writes.
const owner = client.FieldOwner("freehold-namespace-controller")

// Options are what Projects are kept equal to a source with; all but Interval
// are required.
type Options struct {
	Source Source
	Client client.Client
	Log    *slog.Logger
	Now    func() time.Time
	// Interval is the pause between two rounds, give or take; zero: DefaultInterval.
	Interval time.Duration
	// Meters count each round.
	Meters *Meters
}

// Syncer keeps a cluster's Projects equal to a source's. It is a runnable of
// the leader alone.
type Syncer struct {
	o Options

	last    *v1alpha1.ProjectSet // the last that was right
	written map[string]written   // by name
}

// written is what a Project became when it was written last. The API server
// fills in defaults, so that what was sent and what is there differ; as long
// as the Project is at this generation, nobody has changed it since.
type written struct {
	spec       v1alpha1.ProjectSpec
	uid        types.UID
	generation int64
}

var _ manager.LeaderElectionRunnable = (*Syncer)(nil)

// New makes a Syncer; Start starts it.
func New(o Options) *Syncer {
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	return &Syncer{o: o, written: map[string]written{}}
}

// NeedLeaderElection is true: two that write would only get in each other's way.
func (s *Syncer) NeedLeaderElection() bool { return true }

// Start makes rounds until ctx ends. It has no error to return: a controller
// without its API goes on with the projects that it has.
func (s *Syncer) Start(ctx context.Context) error {
	failing := backoff.NewExponentialBackOff()
	failing.InitialInterval, failing.MaxInterval = time.Second, slowest
	for {
		pause := wait.Jitter(s.o.Interval, jitter)
		pulled, err := s.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failing.Reset()
		case pulled:
			// A project that is refused must not hold up the others' changes.
			pause = min(pause, failing.NextBackOff())
		default:
			pause = max(failing.NextBackOff(), pauseOf(err))
		}
		if err != nil {
			s.o.Log.Warn("projects of the API are not all in place", "error", err, "again", pause.Round(time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// round asks and applies once, and reports whether the source answered.
func (s *Syncer) round(ctx context.Context) (pulled bool, err error) {
	set, pullErr := s.o.Source.Projects(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	s.o.Meters.pulled(pullErr, s.o.Now())
	if pullErr == nil {
		if s.last == nil || s.last.Revision != set.Revision {
			s.o.Log.Info("projects read from the API", "org", set.Org, "revision", set.Revision, "projects", len(set.Projects))
		}
		s.last = &set
	}
	if s.last == nil {
		return false, pullErr
	}
	return pullErr == nil, errors.Join(pullErr, s.apply(ctx, *s.last))
}

// apply makes the cluster's Projects equal to a set. One that cannot be made is
// an error in the end, and none for the others.
func (s *Syncer) apply(ctx context.Context, set v1alpha1.ProjectSet) error {
	var all v1alpha1.ProjectList
	if err := s.o.Client.List(ctx, &all); err != nil {
		return fmt.Errorf("list the cluster's projects: %w", err)
	}
	have := make(map[string]*v1alpha1.Project, len(all.Items))
	for i := range all.Items {
		have[all.Items[i].Name] = &all.Items[i]
	}
	var failures []error
	foreign, refused := 0, 0
	wanted := make(map[string]bool, len(set.Projects))
	for _, want := range set.Projects {
		wanted[want.Name] = true
		log := s.o.Log.With("org", set.Org, "project", want.Name)
		is := have[want.Name]
		switch {
		case is != nil && !ours(is):
			foreign++
			log.Warn("the API lists a project that is not its own: it is left as it is; rename one of the two")
			continue
		case is != nil && !is.DeletionTimestamp.IsZero():
			log.Info("a project of the API is still being removed; it is made again once it is gone")
			continue
		}
		if err := s.put(ctx, log, is, want); err != nil {
			refused++
			failures = append(failures, err)
		}
	}
	for name, is := range have {
		if !ours(is) {
			continue
		}
		if wanted[name] || !is.DeletionTimestamp.IsZero() {
			continue
		}
		if err := s.remove(ctx, is); err != nil {
			failures = append(failures, err)
			continue
		}
		s.o.Log.Info("project removed: the API does not list it any more", "org", set.Org, "project", name, "revision", set.Revision)
	}
	for name := range s.written {
		if !wanted[name] {
			delete(s.written, name)
		}
	}
	s.o.Meters.counted(len(set.Projects), foreign, refused)
	return errors.Join(failures...)
}

// ours reports whether a Project was made from a set.
func ours(p *v1alpha1.Project) bool { return p.Labels[v1alpha1.LabelSource] == v1alpha1.SourceAPI }

// put creates a Project, or gives one that is there the set's spec.
//
// It is no server-side apply: the whole spec is the API's, what somebody added
// to it must go, and the version that was looked at must be the one that is
// written, or the label that allows it could be gone.
func (s *Syncer) put(ctx context.Context, log *slog.Logger, is *v1alpha1.Project, want v1alpha1.NamedProject) error {
	if is == nil {
		p := &v1alpha1.Project{
			ObjectMeta: metav1.ObjectMeta{Name: want.Name, Labels: map[string]string{
				v1alpha1.LabelSource: v1alpha1.SourceAPI, v1alpha1.LabelOrg: want.Spec.Org,
			}},
		}
		want.Spec.DeepCopyInto(&p.Spec) // the answer is read into it
		if err := s.o.Client.Create(ctx, p, owner); err != nil {
			return fmt.Errorf("create project %s: %w", want.Name, err)
		}
		s.remember(p, want.Spec)
		s.o.Meters.wrote("create")
		log.Info("project created: the API lists it")
		return nil
	}
	known := s.written[want.Name]
	if known.uid == is.UID && known.generation == is.Generation && reflect.DeepEqual(known.spec, want.Spec) {
		return nil
	}
	p := is.DeepCopy()
	// The cache may have cut them short, and nothing means: leave them.
	p.ManagedFields = nil
	want.Spec.DeepCopyInto(&p.Spec)
	if err := s.o.Client.Update(ctx, p, owner); err != nil {
		return fmt.Errorf("update project %s: %w", want.Name, err)
	}
	s.remember(p, want.Spec)
	if p.Generation != is.Generation {
		s.o.Meters.wrote("update")
		log.Info("project updated to what the API says", "generation", p.Generation)
	}
	return nil
}

func (s *Syncer) remember(p *v1alpha1.Project, spec v1alpha1.ProjectSpec) {
	s.written[p.Name] = written{spec: spec, uid: p.UID, generation: p.Generation}
}

// remove deletes the Project that was looked at, and no later one of its name.
// What becomes of its namespace is its deletion policy's to say.
func (s *Syncer) remove(ctx context.Context, p *v1alpha1.Project) error {
	err := s.o.Client.Delete(ctx, p, client.Preconditions{UID: &p.UID, ResourceVersion: &p.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove project %s: %w", p.Name, err)
	}
	s.o.Meters.wrote("delete")
	return nil
}
