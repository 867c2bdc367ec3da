package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
	"freehold.dev/freehold/stacks"
)

// objectsOf reaches the objects of the cluster of a kubeconfig.
func objectsOf(kubeconfig []byte) (dynamic.Interface, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	return dynamic.NewForConfig(config)
}

// projectsIn are the Projects of a cluster.
func projectsIn(cluster dynamic.Interface) dynamic.ResourceInterface {
	return cluster.Resource(v1alpha1.GroupVersion.WithResource("projects"))
}

// projectsAs reaches the Projects of the org's cluster as one of its roles.
func (s *Service) projectsAs(ctx context.Context, d dataplane.DataPlane, role func(stacks.BoundaryOut) string) (dynamic.ResourceInterface, error) {
	cluster, err := s.objectsAs(ctx, d, role)
	if err != nil {
		return nil, err
	}
	return projectsIn(cluster), nil
}

// objectsAs reaches the objects of the org's cluster as one of its roles.
func (s *Service) objectsAs(ctx context.Context, d dataplane.DataPlane, role func(stacks.BoundaryOut) string) (dynamic.Interface, error) {
	kubeconfig, err := s.kubeconfig(ctx, d, role)
	if err != nil {
		return nil, err
	}
	return objectsOf(kubeconfig)
}

// listProjects reads the Projects of a cluster.
func listProjects(ctx context.Context, from dynamic.ResourceInterface) ([]v1alpha1.Project, error) {
	list, err := from.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the cluster's projects: %w", err)
	}
	all := make([]v1alpha1.Project, len(list.Items))
	for i := range list.Items {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &all[i]); err != nil {
			return nil, fmt.Errorf("read project %s: %w", list.Items[i].GetName(), err)
		}
	}
	return all, nil
}

// liveProjects reads the projects that the org's cluster has, as the read role.
func (s *Service) liveProjects(ctx context.Context, d dataplane.DataPlane) ([]event.Project, error) {
	from, err := s.projectsAs(ctx, d, reader)
	if err != nil {
		return nil, err
	}
	all, err := listProjects(ctx, from)
	if err != nil {
		return nil, err
	}
	out := make([]event.Project, len(all))
	for i := range all {
		if out[i], err = projectReport(d.Plan.Org, &all[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func projectReport(org string, p *v1alpha1.Project) (event.Project, error) {
	out := event.Project{
		Org: org, Name: p.Name, DisplayName: p.Spec.DisplayName, Phase: string(p.Status.Phase), Namespace: p.Status.Namespace,
		Ready: ready(p), Message: why(p), Created: p.CreationTimestamp.Time, Usage: map[string]event.ProjectUsage{},
	}
	if pulled(p) {
		out.Source = event.SourceAPI
	}
	for name, u := range p.Status.Quota {
		out.Usage[name] = event.ProjectUsage{Used: u.Used.String(), Hard: u.Hard.String()}
	}
	for _, m := range p.Spec.Members {
		out.Members = append(out.Members, event.ProjectMember{Group: m.Group, User: m.User, Role: string(m.Role)})
	}
	for _, c := range p.Status.Conditions {
		out.Conditions = append(out.Conditions, event.ProjectCondition{Type: c.Type, Status: string(c.Status), Reason: c.Reason, Message: c.Message})
	}
	text, err := json.Marshal(p.Spec)
	if err == nil {
		err = json.Unmarshal(text, &out.Spec)
	}
	if err != nil {
		return out, fmt.Errorf("read project %s: %w", p.Name, err)
	}
	return out, nil
}

// ready reports whether the controller made all of a project's current generation.
func ready(p *v1alpha1.Project) bool {
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
	return p.DeletionTimestamp.IsZero() && p.Status.ObservedGeneration == p.Generation &&
		c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == p.Generation
}

// why says in the controller's words what a project waits for.
func why(p *v1alpha1.Project) string {
	if ready(p) {
		return ""
	}
	if p.Status.ObservedGeneration != p.Generation {
		return "the namespace controller has not looked at it yet"
	}
	if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady); c != nil && c.Message != "" {
		return c.Reason + ": " + c.Message
	}
	return "it is " + string(p.Status.Phase)
}

// failedFor is how long a project must have been failed before nothing more is
// expected of it: what is in the way may be on its way out.
const failedFor = 15 * time.Second

// awaitProjects waits until the controller has fenced every project of the
// plan, or one cannot be.
func (r *run) awaitProjects(ctx context.Context, d dataplane.DataPlane) error {
	if len(d.Plan.Bootstrap.Projects) == 0 {
		return nil
	}
	from, err := r.projectsAs(ctx, d, reader)
	if err != nil {
		return err
	}
	return r.awaitReady(ctx, d.Plan, func(ctx context.Context) ([]v1alpha1.Project, error) { return listProjects(ctx, from) })
}

// awaitReady waits until every project of the plan is ready in what list
// returns.
func (s *Service) awaitReady(ctx context.Context, p plan.Plan, list func(context.Context) ([]v1alpha1.Project, error)) error {
	failed := map[string]time.Time{}
	err := wait.Until(ctx, wait.For{
		What: "the projects of " + p.Org + " to be ready", Every: s.projectsEvery(), Within: s.pullsWithin(p), Now: s.Now,
	}, func(ctx context.Context) (bool, error) {
		all, err := list(ctx)
		if err != nil && !passing(err) {
			return false, err
		}
		var late []string
		if err != nil {
			late = append(late, err.Error())
		} else if late, err = s.unready(p, all, failed); err != nil {
			return false, err
		}
		if len(late) == 0 {
			return true, nil
		}
		reason := errors.New(strings.Join(late, "; "))
		if unpulled(p, all) {
			reason = &because{text: reason.Error(), err: errNotPulled}
		}
		return false, wait.NotYet(reason)
	})
	if errors.Is(err, wait.ErrDeadline) {
		next := "look at it with freehold projects show " + p.Org + " NAME, then run the same command again"
		if errors.Is(err, errNotPulled) {
			next = nextOfPull(p)
		}
		return &Error{Org: p.Org, Layer: string(plan.LayerBootstrap), Err: err, Next: next}
	}
	return waited(ctx, err)
}

// unready says which projects of the plan are not ready, and why. One that has
// been failed for a while is an error; failed keeps since when.
func (s *Service) unready(p plan.Plan, all []v1alpha1.Project, failed map[string]time.Time) ([]string, error) {
	now := s.Now()
	var late []string
	for _, want := range p.Bootstrap.Projects {
		i := slices.IndexFunc(all, func(l v1alpha1.Project) bool { return l.Name == want.Name })
		problem, hopeless := missing(p, want), false
		if i >= 0 {
			problem, hopeless = pullProblem(p, want, &all[i])
			if problem == "" && ready(&all[i]) {
				delete(failed, want.Name)
				continue
			}
			if problem == "" {
				problem = why(&all[i])
				hopeless = all[i].Status.Phase == v1alpha1.PhaseFailed && all[i].Status.ObservedGeneration == all[i].Generation
			}
		}
		late = append(late, "project "+want.Name+" is not ready: "+problem)
		if !hopeless {
			delete(failed, want.Name)
			continue
		}
		if failed[want.Name].IsZero() {
			failed[want.Name] = now
		}
		if now.Sub(failed[want.Name]) >= failedFor {
			return late, &Error{
				Org: p.Org, Layer: string(plan.LayerBootstrap), Resource: "project " + want.Name, Err: errors.New(problem),
				Next: nextOfProject(p, &all[i]),
			}
		}
	}
	return late, nil
}

// nextOfProject is what helps a project that cannot become ready.
func nextOfProject(p plan.Plan, live *v1alpha1.Project) string {
	if c := meta.FindStatusCondition(live.Status.Conditions, v1alpha1.ConditionReady); c != nil && c.Reason == v1alpha1.ReasonStrays {
		return "do what it says, or let freehold onboard --prune remove what freehold drift " + p.Org + " lists; then run the same command again"
	}
	return "do what it says, then run the same command again"
}

func (s *Service) projectsEvery() time.Duration {
	const every = 500 * time.Millisecond
	if s.ProbeEvery != 0 && s.ProbeEvery < every {
		return s.ProbeEvery
	}
	return every
}

// passing reports whether the same request may be answered in a moment.
func passing(err error) bool {
	return !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err) && !apierrors.IsNotFound(err)
}

// confirmDeletion lets the namespaces of these projects go with them, where
// that is their policy in the plan was. The controller would wait for it for ever.
func (s *Service) confirmDeletion(ctx context.Context, d dataplane.DataPlane, was plan.Plan, names ...string) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.ContainsFunc(was.Bootstrap.Projects, func(p plan.ProjectPlan) bool {
			return p.Name == name && p.DeletionPolicy == v1alpha1.DeletionDelete
		})
	})
	if len(names) == 0 {
		return nil
	}
	in, err := s.projectsAs(ctx, d, writer)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := confirm(ctx, in, name); err != nil {
			return err
		}
	}
	return nil
}

// clusterRoleBindings is the kind of what gives rights in a whole cluster.
var clusterRoleBindings = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"}

// removeUnrecorded removes the Projects that the layer has not made: those that
// the controller pulled, and those that somebody added by hand. The kind waits
// for the last of them, each of them waits for the controller, and the controller
// goes before the kind.
func (r *run) removeUnrecorded(ctx context.Context, d dataplane.DataPlane) error {
	cluster, err := r.objectsAs(ctx, d, writer)
	if err != nil {
		return err
	}
	// What is removed would be pulled again.
	err = cluster.Resource(clusterRoleBindings).Delete(ctx, stacks.ProjectSourceBinding, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("revoke the controller's right to make projects: %w", err)
	}
	from := projectsIn(cluster)
	err = wait.Until(ctx, wait.For{
		What: "the projects that are not in the spec of " + d.Plan.Org + " to be removed", Every: r.projectsEvery(),
		Within: or(r.ProjectsWithin, 5*time.Minute), Now: r.Now,
	}, func(ctx context.Context) (bool, error) {
		all, err := listProjects(ctx, from)
		if apierrors.IsNotFound(err) {
			return true, nil // the kind is not there
		}
		if err != nil {
			return false, err
		}
		all = slices.DeleteFunc(all, func(p v1alpha1.Project) bool {
			return slices.ContainsFunc(d.Plan.Bootstrap.Declared().Projects, func(r plan.ProjectPlan) bool { return r.Name == p.Name })
		})
		if len(all) == 0 {
			return true, nil
		}
		for i := range all {
			if err := removeProject(ctx, from, &all[i]); err != nil {
				return false, err
			}
		}
		text := fmt.Sprintf("%d projects that are not in the spec are being removed", len(all))
		if waits := going(all); waits != "" {
			text += ": " + waits
		}
		return false, wait.NotYet(errors.New(text))
	})
	return waited(ctx, err)
}

// removeProject asks for the end of a project, and of its namespace if that is
// the project's policy: the org's name was said, and everything goes.
func removeProject(ctx context.Context, in dynamic.ResourceInterface, p *v1alpha1.Project) error {
	if p.Spec.DeletionPolicy == v1alpha1.DeletionDelete && p.Annotations[v1alpha1.AnnotationConfirmDelete] != p.Name {
		if err := confirm(ctx, in, p.Name); err != nil {
			return err
		}
	}
	if !p.DeletionTimestamp.IsZero() {
		return nil
	}
	if err := in.Delete(ctx, p.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove project %s: %w", p.Name, err)
	}
	return nil
}

// confirm lets the namespace of a project go with it.
func confirm(ctx context.Context, in dynamic.ResourceInterface, name string) error {
	body := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationConfirmDelete, name)
	if _, err := in.Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("confirm that the namespace of project %s goes: %w", name, err)
	}
	return nil
}
