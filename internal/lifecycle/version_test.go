package lifecycle

import (
	"errors"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

const eksCluster = "aws:eks/cluster:Cluster"

func version(v string) string { return `cluster: {version: "` + v + `"}` }

// upgraded lets AWS upgrade the control plane of acme by itself.
func (p *place) upgraded(to string) {
	p.world.Edit(eksCluster, "freehold-acme", func(t *lifecycletest.Thing) { t.Inputs["version"], t.Outputs["version"] = to, to })
}

func TestAVersionThatEKSRefusesIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	made := onboarded(t, version("1.33"))
	for reason, tc := range map[string]struct {
		change func(*place)
		asked  string
		want   string // empty: it is admitted
		next   string
	}{
		"a skip":      {nil, "1.35", "EKS upgrades one minor version at a time", `set cluster.version: "1.34"`},
		"one step":    {nil, "1.34", "", ""},
		"a downgrade": {func(p *place) { must[event.Onboarding](t)(p.here().onboard(document(t, version("1.34")))) }, "1.33", "EKS never downgrades", `"1.34"`},
		"a document that AWS has left behind": {
			func(p *place) { p.upgraded("1.34") }, "1.33", "AWS or somebody else has upgraded the cluster since", `set cluster.version: "1.34"`,
		},
		"a document that follows AWS": {func(p *place) { p.upgraded("1.34") }, "1.34", "", ""},
		"a cluster that was lost":     {func(p *place) { p.world.Take(eksCluster, "freehold-acme") }, "1.35", "", ""},
	} {
		t.Run(reason, func(t *testing.T) {
			p := made.copied(t)
			if tc.change != nil {
				tc.change(p)
			}
			before := p.world.Things("")
			_, err := p.here().Plan(t.Context(), document(t, version(tc.asked)), PlanOptions{}, nil)
			if tc.want == "" {
				if errors.Is(err, ErrInvalid) {
					t.Errorf("refused: %v", err)
				}
				return
			}
			e := refused(t, err, ErrInvalid, tc.want)
			if e.Refusals[0].Field != "cluster.version" || !strings.Contains(e.Next, tc.next) {
				t.Errorf("field %q, next %q; want %q", e.Refusals[0].Field, e.Next, tc.next)
			}
			_, err = p.here().onboard(document(t, version(tc.asked)))
			refused(t, err, ErrInvalid, tc.want)
			if after := p.world.Things(""); len(before) != len(after) {
				t.Errorf("%d things before, %d after", len(before), len(after))
			}
			if got := p.states("acme"); got != "done done done done" {
				t.Errorf("layers: %s", got)
			}
		})
	}
}

func TestAClusterThatCannotBeAskedWhatItRunsIsNotTakenForNone(t *testing.T) {
	p := onboarded(t, version("1.33"))
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Running, Err: errors.New("no answer")})
	_, err := p.here().Plan(t.Context(), document(t, version("1.33")), PlanOptions{}, nil)
	if err == nil || errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("got %v", err)
	}
}

func TestAProjectsRoleDoesNotTakeTheClusterBack(t *testing.T) {
	p := onboarded(t, version("1.33"), "projects: [{name: shop}]")
	p.upgraded("1.34")
	role := document(t, `projects: [{name: lab, serviceAccounts: [{name: uploader, podIdentity: {policies: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']}}]}]`)
	_, err := p.here().ChangeProjects(t.Context(), "acme", ProjectChange{Add: &role.Projects[0]}, Call{}, nil)
	refused(t, err, ErrInvalid, "EKS never downgrades a control plane")
	plain := document(t, `projects: [{name: lab}]`)
	must[event.Onboarding](t)(p.here().ChangeProjects(t.Context(), "acme", ProjectChange{Add: &plain.Projects[0]}, Call{}, nil))
}
