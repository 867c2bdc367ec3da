package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/plan"
)

// evictionFailed is what EKS calls an update of a node group that gave up
// because pods did not leave their nodes in time.
// https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html
const evictionFailed = "PodEvictionFailure"

// namingBudgets adds to the failure of a node group's update which disruption
// budgets let no pod go. EKS bounds the wait, and names none of them.
func (r *run) namingBudgets(ctx context.Context, d dataplane.DataPlane, err error) error {
	run, ok := errors.AsType[*engine.Error](err)
	if !ok || !slices.ContainsFunc(run.Failures, func(f engine.Failure) bool {
		return f.Type == awstype.EKSNodeGroup && strings.Contains(f.Message, evictionFailed)
	}) {
		return err
	}
	out, ok := errors.AsType[*Error](fail(d.Plan.Org, string(plan.LayerCluster), err))
	if !ok {
		return err
	}
	var budgets []string
	client, failed := r.clients(ctx, d)
	if failed == nil {
		budgets, failed = tightBudgets(ctx, client)
	}
	switch {
	case failed != nil:
		out.Err = fmt.Errorf("%w; which disruption budgets keep them could not be read: %w", out.Err, failed)
	case len(budgets) == 0:
		out.Err = fmt.Errorf("%w; no disruption budget keeps them now", out.Err)
		out.Next = "run the same command again: it goes on where it stopped"
	default:
		out.Err = fmt.Errorf("%w; no pod may go by %s", out.Err, few(budgets))
		out.Next = makeRoom + ": nodes that were not replaced stay until then"
	}
	return out
}

// makeRoom is what to do about a budget in the way.
const makeRoom = "give what is named room to move (more replicas, or a PodDisruptionBudget that allows one pod to go), or delete the pod, " +
	"then run the same command again"

// tightBudgets are the disruption budgets of a cluster that have pods and let none of them go.
func tightBudgets(ctx context.Context, client kubernetes.Interface) ([]string, error) {
	list, err := client.PolicyV1().PodDisruptionBudgets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the disruption budgets: %w", err)
	}
	var out []string
	for _, b := range list.Items {
		if b.Status.DisruptionsAllowed == 0 && b.Status.ExpectedPods > 0 {
			out = append(out, budgetText(b))
		}
	}
	slices.Sort(out)
	return out, nil
}

func budgetText(b policyv1.PodDisruptionBudget) string {
	s := b.Status
	return fmt.Sprintf("PodDisruptionBudget %s/%s (%d healthy, at least %d needed, %d may go)",
		b.Namespace, b.Name, s.CurrentHealthy, s.DesiredHealthy, s.DisruptionsAllowed)
}
