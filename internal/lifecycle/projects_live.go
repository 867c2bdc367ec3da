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
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

// projectsOf reaches the Projects of the cluster of a kubeconfig.
func projectsOf(kubeconfig []byte) (dynamic.ResourceInterface, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return client.Resource(v1alpha1.GroupVersion.WithResource("projects")), nil
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

// live tells of the projects that the org's cluster has, read as the read role.
func (s *Service) live(ctx context.Context, d dataPlane) ([]event.Project, error) {
	kubeconfig, err := s.reach(ctx, d, func(b stacks.BoundaryOut) string { return b.ReadRoleARN })
	if err != nil {
		return nil, err
	}
	from, err := projectsOf(kubeconfig)
	if err != nil {
		return nil, err
	}
	all, err := listProjects(ctx, from)
	if err != nil {
		return nil, err
	}
	out := make([]event.Project, len(all))
	for i := range all {
		if out[i], err = projectReport(d.plan.Org, &all[i]); err != nil {
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
func (s *Service) awaitProjects(ctx context.Context, op *operation, d dataPlane) error {
	if len(d.plan.Bootstrap.Projects) == 0 {
		return nil
	}
	kubeconfig, err := s.reach(ctx, d, func(b stacks.BoundaryOut) string { return b.ReadRoleARN })
	if err != nil {
		return err
	}
	from, err := projectsOf(kubeconfig)
	if err != nil {
		return err
	}
	within := s.ProjectsWithin
	if within == 0 {
		within = 5 * time.Minute
	}
	return s.awaitReady(ctx, d.plan, within, func(message string, waited time.Duration) {
		op.emit(event.Event{Type: event.Waiting, Layer: string(plan.LayerBootstrap), Duration: waited, Message: message})
	}, func(ctx context.Context) ([]v1alpha1.Project, error) { return listProjects(ctx, from) })
}

func (s *Service) awaitReady(ctx context.Context, p plan.Plan, within time.Duration, say func(string, time.Duration),
	list func(context.Context) ([]v1alpha1.Project, error),
) error {
	began := s.Now()
	failed := map[string]time.Time{}
	for told := ""; ; {
		all, err := list(ctx)
		now := s.Now()
		var late []string
		for _, want := range p.Bootstrap.Projects {
			problem := ""
			i := slices.IndexFunc(all, func(l v1alpha1.Project) bool { return l.Name == want.Name })
			switch {
			case err != nil:
				continue
			case i < 0:
				problem = "the cluster has no such Project"
			case ready(&all[i]):
				delete(failed, want.Name)
				continue
			default:
				problem = why(&all[i])
			}
			late = append(late, "project "+want.Name+" is not ready: "+problem)
			if i < 0 || all[i].Status.Phase != v1alpha1.PhaseFailed || all[i].Status.ObservedGeneration != all[i].Generation {
				delete(failed, want.Name)
				continue
			}
			if failed[want.Name].IsZero() {
				failed[want.Name] = now
			}
			if now.Sub(failed[want.Name]) >= failedFor {
				return &Error{
					Org: p.Org, Layer: string(plan.LayerBootstrap), Resource: "project " + want.Name, Err: errors.New(problem),
					Next: "do what it says, then run the same command again",
				}
			}
		}
		switch {
		case err != nil && !passing(err):
			return err
		case err != nil:
			late = []string{err.Error()}
		case len(late) == 0:
			return nil
		}
		waited := now.Sub(began)
		if waited > within {
			return &Error{
				Org: p.Org, Layer: string(plan.LayerBootstrap),
				Err:  fmt.Errorf("after %s %s", waited.Round(time.Second), strings.Join(late, "; ")),
				Next: "look at it with freehold projects show " + p.Org + " NAME, then run the same command again",
			}
		}
		if text := strings.Join(late, "; "); text != told {
			told = text
			say(text, waited)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w while waiting for projects: %w", ErrCancelled, context.Cause(ctx))
		case <-time.After(s.projectsEvery()):
		}
	}
}

func (s *Service) projectsEvery() time.Duration {
	if s.ProbeEvery != 0 && s.ProbeEvery < 500*time.Millisecond {
		return s.ProbeEvery
	}
	return 500 * time.Millisecond
}

// passing reports whether the same request may be answered in a moment.
func passing(err error) bool {
	return !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err) && !apierrors.IsNotFound(err)
}

// confirmDeletion lets the namespaces of these projects go with them, where the
// project's policy is that they do. The controller would wait for it for ever.
func (s *Service) confirmDeletion(ctx context.Context, d dataPlane, names ...string) error {
	old, ok, err := s.planned(ctx, d.plan.Org)
	if err != nil || !ok {
		return err
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.ContainsFunc(old.Bootstrap.Projects, func(p plan.ProjectPlan) bool {
			return p.Name == name && p.DeletionPolicy == v1alpha1.DeletionDelete
		})
	})
	if len(names) == 0 {
		return nil
	}
	kubeconfig, err := s.reach(ctx, d, func(b stacks.BoundaryOut) string { return b.BootstrapRoleARN })
	if err != nil {
		return err
	}
	in, err := projectsOf(kubeconfig)
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
func (s *Service) removeUnrecorded(ctx context.Context, op *operation, d dataPlane) error {
	kubeconfig, err := s.reach(ctx, d, func(b stacks.BoundaryOut) string { return b.BootstrapRoleARN })
	if err != nil {
		return err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	// What is removed would be pulled again.
	err = client.Resource(clusterRoleBindings).Delete(ctx, stacks.ProjectSourceBinding, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("take the right to make projects away from the controller: %w", err)
	}
	from := client.Resource(v1alpha1.GroupVersion.WithResource("projects"))
	within := s.ProjectsWithin
	if within == 0 {
		within = 5 * time.Minute
	}
	for began := s.Now(); ; {
		all, err := listProjects(ctx, from)
		if apierrors.IsNotFound(err) {
			return nil // the kind is not there
		}
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(p v1alpha1.Project) bool {
			return slices.ContainsFunc(d.plan.Bootstrap.Projects, func(r plan.ProjectPlan) bool { return r.Name == p.Name })
		})
		if len(all) == 0 {
			return nil
		}
		for i := range all {
			if err := removeProject(ctx, from, &all[i]); err != nil {
				return err
			}
		}
		waited := s.Now().Sub(began)
		if waited > within {
			return fmt.Errorf("project %s is still there after %s: %s", all[0].Name, within, why(&all[0]))
		}
		op.emit(event.Event{
			Type: event.Waiting, Layer: string(plan.LayerBootstrap), Duration: waited,
			Message: fmt.Sprintf("%d projects that are not the spec's are being removed", len(all)),
		})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.projectsEvery()):
		}
	}
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
