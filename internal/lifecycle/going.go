package lifecycle

import (
	"context"
	"fmt"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
)

// tellingWhatGoes does something that removes projects, and meanwhile says what
// they wait for, whenever that changes: the engine knows only that they are not
// gone. An error names the last of it.
func (r *run) tellingWhatGoes(ctx context.Context, d dataplane.DataPlane, do func() error) error {
	from, err := r.projectsAs(ctx, d, reader)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	last := make(chan string, 1)
	go func() {
		last <- r.tellGoing(watching, r.waiting(plan.LayerBootstrap), func(ctx context.Context) ([]v1alpha1.Project, error) { return listProjects(ctx, from) })
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
func (s *Service) tellGoing(ctx context.Context, say func(string, time.Duration), list func(context.Context) ([]v1alpha1.Project, error)) string {
	began, last := s.Now(), ""
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
		text := going(all)
		if text != "" && text != last {
			say(text, s.Now().Sub(began))
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
