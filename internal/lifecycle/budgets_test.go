package lifecycle

import (
	"errors"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

func TestAnUpdateOfNodesThatBudgetsBlockNamesThem(t *testing.T) {
	start := onboarded(t, oneGateway, smallNodes)
	const eks = "NodeGroup (freehold-acme-default) version update: PodEvictionFailure: Reached max retries while trying to evict pods from nodes"
	failed := func(typ string) error {
		return &engine.Error{Kind: engine.ErrFailed, Failures: []engine.Failure{{Type: typ, Name: "cluster-pool-default", Op: "update", Message: eks}}}
	}
	for reason, tc := range map[string]struct {
		tight []string
		err   error
		says  string
		next  string
	}{
		"two budgets": {
			[]string{"shop/web", "lab/db"}, failed("aws:eks/nodeGroup:NodeGroup"),
			"no pod may go by PodDisruptionBudget lab/db (2 healthy, at least 2 needed, 0 may go); PodDisruptionBudget shop/web",
			"give what is named room to move",
		},
		"none any more":               {nil, failed("aws:eks/nodeGroup:NodeGroup"), "no disruption budget keeps them now", "run the same command again"},
		"a failure of something else": {[]string{"shop/web"}, failed("aws:eks/addon:Addon"), "", ""},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			for _, b := range tc.tight {
				p.world.Tighten(b)
			}
			p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: tc.err})
			_, err := p.here().onboard(document(t, oneGateway, smallNodes))
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Layer != "cluster" || !strings.Contains(err.Error(), eks) || !strings.Contains(e.Next, tc.next) {
				t.Fatalf("got %v", err)
			}
			if named := strings.Contains(err.Error(), "no pod may go by") || strings.Contains(err.Error(), "no disruption budget"); named != (tc.says != "") || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}
