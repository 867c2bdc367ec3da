package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
)

// dropped are the projects that the bootstrap layer has and is no longer to have.
func (r *run) dropped(ctx context.Context, d dataplane.DataPlane) ([]string, error) {
	objects, err := r.applied(ctx, d.Plan.Org)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, o := range objects {
		kept := slices.ContainsFunc(d.Plan.Bootstrap.Declared().Projects, func(p plan.ProjectPlan) bool { return p.Name == o.ID })
		if strings.HasSuffix(o.Type, ":Project") && !kept {
			out = append(out, o.ID)
		}
	}
	return out, nil
}

// upObjects is up for the bootstrap layer: it says what the projects wait for
// that go with it.
func (r *run) upObjects(ctx context.Context, in layerIn) (made layerOut, err error) {
	var drops []string
	if in.DataPlane.Made(in.Layer) {
		if drops, err = r.dropped(ctx, in.DataPlane); err != nil {
			return layerOut{DataPlane: in.DataPlane}, err
		}
	}
	if len(drops) == 0 {
		return r.remaking(ctx, in)
	}
	err = r.tellingWhatGoes(ctx, in.DataPlane, func() error {
		made, err = r.remaking(ctx, in)
		return err
	})
	return made, err
}

// tellingWhatGoes does something that removes projects, and meanwhile says what
// they wait for: the engine knows only that they are not gone. An error names the
// last of it.
func (r *run) tellingWhatGoes(ctx context.Context, d dataplane.DataPlane, do func() error) error {
	from, err := r.projectsAs(ctx, d, reader)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	last := make(chan string, 1)
	go func() {
		last <- r.tellGoing(watching, r.heard(plan.LayerBootstrap), func(ctx context.Context) ([]v1alpha1.Project, error) { return listProjects(ctx, from) })
	}()
	err = do()
	stop()
	if said := <-last; err != nil && said != "" {
		return fmt.Errorf("%w; %s", err, said)
	}
	return err
}

// tellGoing says what the projects that are being removed wait for until ctx
// ends, and returns what it said last; empty: none is being removed.
func (s *Service) tellGoing(ctx context.Context, hear func(wait.Report), list func(context.Context) ([]v1alpha1.Project, error)) string {
	began, last := s.Now(), ""
	said := began
	for {
		select {
		case <-ctx.Done():
			return last
		case <-time.After(s.projectsEvery()):
		}
		all, err := list(ctx)
		if err != nil {
			continue // the removal itself fails when this does not pass
		}
		text, now := going(all), s.Now()
		if text != "" && (text != last || now.Sub(said) >= wait.SaysEvery) {
			said = now
			hear(wait.Report{What: "projects to be removed", Reason: errors.New(text), Waited: now.Sub(began)})
		}
		last = text
	}
}

// going says which projects are being removed, and what each waits for.
func going(all []v1alpha1.Project) string {
	var waits []string
	for i := range all {
		if !all[i].DeletionTimestamp.IsZero() {
			waits = append(waits, "project "+all[i].Name+" is not removed yet: "+why(&all[i]))
		}
	}
	return strings.Join(waits, "; ")
}
