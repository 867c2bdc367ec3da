package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
)

// projectToken is how Pulumi writes the type of a Project.
const projectToken = "kubernetes:freehold.dev/v1alpha1:Project"

// ProjectSet is what the controller of the org's cluster pulls: exactly the
// projects that are recorded as pulled, in the order of their names. Equal sets
// have the same revision.
func (r Records) ProjectSet(ctx context.Context, org string) (v1alpha1.ProjectSet, error) {
	o, err := r.of(org).Org(ctx)
	if err != nil {
		return v1alpha1.ProjectSet{}, fail(org, "", err)
	}
	if o.State == dataplane.OrgOffboarded {
		// A set without projects would be an order to remove them.
		return v1alpha1.ProjectSet{}, &Error{
			Org: org, Err: fmt.Errorf("%w: the org is offboarded, and has no set of projects", ErrInvalid), Next: "onboard it again first",
		}
	}
	p, err := dataplane.Recorded(o)
	if err != nil {
		return v1alpha1.ProjectSet{}, fail(org, "", err)
	}
	out := v1alpha1.ProjectSet{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindProjectSet},
		Org:      org, Projects: []v1alpha1.NamedProject{},
	}
	for _, one := range p.Bootstrap.Pulled() {
		out.Projects = append(out.Projects, one.Object(org, nil))
	}
	slices.SortFunc(out.Projects, func(a, b v1alpha1.NamedProject) int { return strings.Compare(a.Name, b.Name) })
	text, err := json.Marshal(out)
	if err != nil {
		return v1alpha1.ProjectSet{}, fail(org, "", fmt.Errorf("write the set of projects: %w", err))
	}
	sum := sha256.Sum256(text)
	out.Revision = hex.EncodeToString(sum[:])
	return out, nil
}

// errNotPulled is wrapped where a controller has not pulled what is recorded.
var errNotPulled = errors.New("the namespace controller has not pulled it yet")

// foreign is a Project that has the name of a pulled one.
const foreign = "the cluster has another Project of that name, which was not pulled, and the namespace controller leaves it alone"

// pulled reports whether the controller made a Project of the org's set.
func pulled(p *v1alpha1.Project) bool { return p.Labels[v1alpha1.LabelSource] == v1alpha1.SourceAPI }

// asks says when a controller hears of a change.
func asks(p plan.Plan) string {
	source := p.Bootstrap.ProjectSource
	if source == nil {
		return "it asks nobody, because the spec has no projectSource"
	}
	return "it asks " + source.URL + " every " + source.Interval
}

// missing says why a cluster may lack a project of the plan.
func missing(p plan.Plan, want plan.ProjectPlan) string {
	if want.Pulled {
		return errNotPulled.Error() + ": " + asks(p)
	}
	return "the cluster has no such Project"
}

// pullProblem says in which way a Project is not what its controller was to pull;
// empty: in none. A problem that lasts does not pass by itself.
func pullProblem(p plan.Plan, want plan.ProjectPlan, is *v1alpha1.Project) (problem string, lasts bool) {
	switch {
	case !want.Pulled:
		return "", false
	case !pulled(is):
		return foreign, true
	case is.DeletionTimestamp.IsZero() && len(outdated(p.Org, want, is)) > 0:
		return "the namespace controller has not pulled its last change yet: " + asks(p), false
	default:
		return "", false
	}
}

// outdated are the fields in which a Project is not what the plan asks for. A plan
// is complete, so the API server adds nothing to it.
func outdated(org string, want plan.ProjectPlan, is *v1alpha1.Project) []finding.Difference {
	fields := func(s v1alpha1.ProjectSpec) (out map[string]any) {
		text, err := json.Marshal(s)
		if err == nil {
			err = json.Unmarshal(text, &out)
		}
		if err != nil {
			panic(fmt.Sprintf("write a project's spec: %v", err)) // plain text, numbers and lists only
		}
		return out
	}
	return drift.Compare(fields(want.Object(org, nil).Spec), fields(is.Spec))
}

// unpulled reports whether any pulled project of a plan is not in its cluster as
// it is recorded.
func unpulled(p plan.Plan, all []v1alpha1.Project) bool {
	return slices.ContainsFunc(p.Bootstrap.Pulled(), func(want plan.ProjectPlan) bool {
		i := slices.IndexFunc(all, func(l v1alpha1.Project) bool { return l.Name == want.Name })
		if i < 0 {
			return true
		}
		problem, _ := pullProblem(p, want, &all[i])
		return problem != ""
	})
}

// pullsWithin bounds the wait for the projects of a plan: a controller that pulls
// hears of a change only when it next asks, which is within its interval and a
// fifth of that.
func (s *Service) pullsWithin(p plan.Plan) time.Duration {
	within := or(s.ProjectsWithin, 5*time.Minute)
	if source := p.Bootstrap.ProjectSource; source != nil {
		if every, err := time.ParseDuration(source.Interval); err == nil {
			within += every * 6 / 5
		}
	}
	return within
}

// nextOfPull says what to do about a controller that does not pull.
func nextOfPull(p plan.Plan) string {
	return "look at what the controller says with kubectl -n " + p.Bootstrap.Namespace + " logs deploy/namespace-controller (freehold kubeconfig " +
		p.Org + " prints a kubeconfig), fix what it says, and run the same command again"
}

// pullIn is what a controller is to pull.
type pullIn struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	// Gone is the project that is to be gone then, if one is.
	Gone plan.ProjectPlan `json:"gone,omitzero"`
}

// awaitPull waits until the cluster has what is recorded.
func (r *run) awaitPull(ctx context.Context, in pullIn) (none, error) {
	if in.Gone.Name != "" {
		return none{}, r.awaitGone(ctx, in)
	}
	if err := r.reviveController(ctx, in.DataPlane, func(int) string { return "a project waits for it to be pulled" }); err != nil {
		return none{}, err
	}
	return none{}, r.awaitProjects(ctx, in.DataPlane)
}

// awaitGone waits until the cluster has let go of a pulled project.
func (r *run) awaitGone(ctx context.Context, in pullIn) error {
	p, name := in.DataPlane.Plan, in.Gone.Name
	from, err := r.projectsAs(ctx, in.DataPlane, writer)
	if err != nil {
		return err
	}
	err = wait.Until(ctx, wait.For{
		What: "project " + name + " to be removed", Every: r.projectsEvery(), Within: r.pullsWithin(p), Now: r.Now,
	}, func(ctx context.Context) (bool, error) {
		all, err := listProjects(ctx, from)
		if err != nil && !passing(err) {
			return false, err
		}
		if err != nil {
			return false, wait.NotYet(err)
		}
		i := slices.IndexFunc(all, func(l v1alpha1.Project) bool { return l.Name == name && pulled(&l) })
		if i < 0 {
			return true, nil
		}
		is := &all[i]
		if in.Gone.DeletionPolicy == v1alpha1.DeletionDelete && is.Annotations[v1alpha1.AnnotationConfirmDelete] != name {
			// It was pulled only after its end was confirmed.
			if err := r.op.Confirm(ctx); err != nil {
				return false, err
			}
			if err := confirm(ctx, from, name); err != nil {
				return false, err
			}
		}
		if waits := going(all[i : i+1]); waits != "" {
			return false, wait.NotYet(errors.New(waits))
		}
		return false, wait.NotYet(&because{
			text: "project " + name + " is not removed yet: the namespace controller has not pulled its removal: " + asks(p), err: errNotPulled,
		})
	})
	if errors.Is(err, wait.ErrDeadline) {
		next := "look at it with freehold projects show " + p.Org + " " + name + ", then run the same command again"
		if errors.Is(err, errNotPulled) {
			next = nextOfPull(p)
		}
		return &Error{Org: p.Org, Layer: string(plan.LayerBootstrap), Err: err, Next: next}
	}
	return waited(ctx, err)
}

// pullFindings are the pulled projects that the org's cluster does not have as they
// are recorded.
func (s *Service) pullFindings(ctx context.Context, d dataplane.DataPlane) []finding.Finding {
	wanted := d.Plan.Bootstrap.Pulled()
	if len(wanted) == 0 {
		return nil
	}
	from, err := s.projectsAs(ctx, d, reader)
	var all []v1alpha1.Project
	if err == nil {
		all, err = listProjects(ctx, from)
	}
	if err != nil {
		return []finding.Finding{notListed("projects", fail(d.Plan.Org, string(plan.LayerBootstrap), err).Error())}
	}
	var out []finding.Finding
	for _, want := range wanted {
		f := finding.Finding{
			Kind: finding.Missing, Layer: string(plan.LayerBootstrap), Type: projectToken, Name: want.Name, ID: want.Name, Message: missing(d.Plan, want),
		}
		if i := slices.IndexFunc(all, func(l v1alpha1.Project) bool { return l.Name == want.Name }); i >= 0 {
			problem, lasts := pullProblem(d.Plan, want, &all[i])
			if problem == "" {
				continue
			}
			f.Message = problem
			if !lasts {
				f.Kind, f.Differences = finding.Changed, outdated(d.Plan.Org, want, &all[i])
			}
		}
		out = append(out, f)
	}
	return out
}
