package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/kubelive"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
)

// revival is the wait for a controller that was put back.
const revival = "the namespace controller to run again"

// revivesWithin bounds the wait for a controller that was put back.
const revivesWithin = 2 * time.Minute

// toLetGo is what projects that are removed wait for: each of them stays until the
// controller has let it go, and nothing else would say why.
func toLetGo(projects int) string {
	if projects == 0 {
		return ""
	}
	return fmt.Sprintf("%d projects wait for it to let them go", projects)
}

// reviveController makes sure that the namespace controller runs while something
// waits for it: waits says what, for so many Projects of the cluster, or nothing.
// One that does not run is put back as bootstrap made it.
func (r *run) reviveController(ctx context.Context, d dataplane.DataPlane, waits func(projects int) string) error {
	objects, err := r.applied(ctx, d.Plan.Org)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(objects, func(o kubelive.Object) bool { return strings.HasSuffix(o.Type, ":Deployment") })
	if i < 0 {
		return nil // the layer has never come so far, and so no project has
	}
	controller := objects[i]
	kubeconfig, err := r.kubeconfig(ctx, d, writer)
	if err != nil {
		return err
	}
	cluster, err := objectsOf(kubeconfig)
	if err != nil {
		return err
	}
	projects, err := listProjects(ctx, projectsIn(cluster))
	waiting := waits(len(projects))
	if apierrors.IsNotFound(err) || err == nil && waiting == "" {
		return nil
	}
	if err != nil {
		return err
	}
	is, err := r.Objects.Available(ctx, kubeconfig, controller)
	if err != nil || is.Available > 0 {
		return err
	}
	asleep := func() error {
		return fmt.Errorf("the namespace controller does not run (%s), and %s", is.Text(), waiting)
	}
	r.heard(plan.LayerBootstrap)(wait.Report{What: revival, Reason: asleep()})
	// Its rights and what it needs may be gone as well.
	needs := slices.DeleteFunc(objects, func(o kubelive.Object) bool { return strings.HasSuffix(o.Type, ":Project") })
	err = r.Objects.PutBack(ctx, kubeconfig, needs)
	if err == nil {
		err = wait.Until(ctx, wait.For{
			What: revival, Every: r.projectsEvery(), Within: or(r.ControllerWithin, revivesWithin), Now: r.Now,
		}, func(ctx context.Context) (bool, error) {
			now, err := r.Objects.Available(ctx, kubeconfig, controller)
			if err != nil {
				return false, err
			}
			if is = now; is.Available > 0 {
				return true, nil
			}
			return false, wait.NotYet(asleep())
		})
	}
	if err == nil || ctx.Err() != nil {
		return waited(ctx, err)
	}
	return &Error{
		Org: d.Plan.Org, Layer: string(plan.LayerBootstrap), Resource: "the namespace controller", Doing: "put back", Err: err,
		Next: "look at it with kubectl -n " + d.Plan.Bootstrap.Namespace + " describe deployment " + controller.ID[strings.LastIndex(controller.ID, "/")+1:] +
			" (freehold kubeconfig " + d.Plan.Org + " says how), fix what it says, and run the same command again",
	}
}
