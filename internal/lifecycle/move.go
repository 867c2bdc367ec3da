package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
)

// nodeGroupLabel names a node's group; EKS sets it.
// https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
const nodeGroupLabel = "eks.amazonaws.com/nodegroup"

// drainedBy marks nodes that Freehold has closed to new pods, so that it opens
// no node that somebody else has closed.
const drainedBy = "freehold.dev/moving"

// moveIn says which node groups lose their pods, and to which.
type moveIn struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	From      []string            `json:"from"`
	To        []string            `json:"to"`
}

// movePods takes the pods off the nodes of some groups by evicting them, which
// respects every PodDisruptionBudget. EKS would wait a quarter of an hour for a
// node's pods when it deletes the group, and then end them whatever their budgets
// say. Pods of DaemonSets stay: they belong to the node.
//
// A project's budget is respected for ten minutes, and then its pod is deleted: a
// budget may be such that it never lets a pod go, and one project's members must
// not keep the nodes of all from being replaced. What runs outside of projects is
// the platform's own, and waits for its operator.
//
// It may be begun again at any moment: what has moved is not there any more.
// https://docs.aws.amazon.com/eks/latest/userguide/delete-managed-node-group.html
func (r *run) movePods(ctx context.Context, in moveIn) (none, error) {
	client, err := r.clients(ctx, in.DataPlane)
	if err != nil {
		return none{}, err
	}
	empty, err := r.toNone(ctx, in)
	if err != nil {
		return none{}, err
	}
	m := mover{
		client: client, in: in, empty: empty, now: r.Now, every: or(r.ProbeEvery, 5*time.Second), within: or(r.MoveWithin, 15*time.Minute),
	}
	m.patience = m.within * 2 / 3
	return none{}, waited(ctx, m.move(ctx))
}

// toNone reports whether the groups that pods move to are to have no nodes. A
// cluster autoscaler makes the first when a pod finds no place, and so only after
// that has left the old group.
func (r *run) toNone(ctx context.Context, in moveIn) (bool, error) {
	at, err := in.DataPlane.Provision()
	if err != nil {
		return false, err
	}
	for _, name := range in.To {
		g, err := r.Cloud.NodeGroup(ctx, at, in.DataPlane.Plan.Cluster.Name, name)
		if err != nil {
			return false, err
		}
		if g.Size > 0 {
			return false, nil
		}
	}
	return true, nil
}

// clients reach the cluster's own API as the bootstrap role.
func (r *run) clients(ctx context.Context, d dataplane.DataPlane) (kubernetes.Interface, error) {
	kubeconfig, err := r.kubeconfig(ctx, d, writer)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	return kubernetes.NewForConfig(config)
}

// mover moves the pods of one step.
type mover struct {
	client kubernetes.Interface
	in     moveIn
	// empty is true where no node is to be expected before pods have left.
	empty bool
	now   func() time.Time
	every time.Duration
	// within is how long the state may stay as it is before the mover gives up.
	within time.Duration
	// patience is how long budgets may keep a pod of a project; it is less, so that a
	// pod that nothing but its budgets keep never makes the mover give up.
	patience time.Duration
	// kept is since when budgets have kept each pod.
	kept map[types.UID]time.Time
}

func (m *mover) move(ctx context.Context) error {
	if err := m.open(ctx); err != nil {
		return err
	}
	nodes, err := m.nodes(ctx, m.in.From)
	if err != nil || len(nodes) == 0 {
		return err
	}
	leaving, err := m.leaving(ctx, nodes)
	if err != nil {
		return err
	}
	if len(leaving) > 0 && !m.empty {
		if err := m.awaitNodes(ctx); err != nil {
			return err
		}
	}
	return m.until(ctx, fmt.Sprintf("the pods on the nodes of %s to move", strings.Join(m.in.From, ", ")), m.drain)
}

// until probes until nothing is left to wait for. It gives up when the same is
// left for too long; progress makes it wait anew.
func (m *mover) until(ctx context.Context, what string, probe func(context.Context) (left []string, ids []types.UID, err error)) error {
	since := m.now()
	var seen []types.UID
	return wait.Until(ctx, wait.For{What: what, Every: m.every, Within: 24 * time.Hour, Now: m.now}, func(ctx context.Context) (bool, error) {
		left, ids, err := probe(ctx)
		if err != nil && !passing(err) {
			return false, err
		}
		if err != nil {
			left = []string{err.Error()}
		}
		if len(left) == 0 {
			return true, nil
		}
		text := few(left)
		if err == nil && !slices.Equal(ids, seen) {
			seen, since = ids, m.now()
		}
		if m.now().Sub(since) < m.within {
			return false, wait.NotYet(errors.New(text))
		}
		return false, m.stuck(what, text)
	})
}

// few joins texts, of many the first ones.
func few(texts []string) string {
	const most = 5
	if n := len(texts) - most; n > 0 {
		return strings.Join(texts[:most], "; ") + fmt.Sprintf("; and %d more", n)
	}
	return strings.Join(texts, "; ")
}

// stuck says what is in the way, and what to do about it.
func (m *mover) stuck(what, text string) error {
	return &Error{
		Org: m.in.DataPlane.Plan.Org, Layer: string(plan.LayerCluster),
		Err:  fmt.Errorf("%w for %s: nothing has changed for %s: %s", wait.ErrDeadline, what, m.within, text),
		Next: makeRoom + ": both node groups stay until then",
	}
}

func (m *mover) nodes(ctx context.Context, groups []string) ([]corev1.Node, error) {
	var out []corev1.Node
	for _, g := range groups {
		list, err := m.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: labels.Set{nodeGroupLabel: g}.String()})
		if err != nil {
			return nil, fmt.Errorf("list the nodes of node group %s: %w", g, err)
		}
		out = append(out, list.Items...)
	}
	return out, nil
}

// open lets pods onto nodes that an earlier move had closed, and which now stay.
func (m *mover) open(ctx context.Context) error {
	nodes, err := m.nodes(ctx, m.in.To)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if _, ours := n.Annotations[drainedBy]; ours {
			if err := m.close(ctx, n.Name, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *mover) close(ctx context.Context, node string, closed bool) error {
	mark := "null"
	if closed {
		mark = `"true"`
	}
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%s}},"spec":{"unschedulable":%t}}`, drainedBy, mark, closed)
	if _, err := m.client.CoreV1().Nodes().Patch(ctx, node, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("set node %s unschedulable to %t: %w", node, closed, err)
	}
	return nil
}

// awaitNodes waits until the nodes that pods are to go to take them.
func (m *mover) awaitNodes(ctx context.Context) error {
	return m.until(ctx, "the nodes of "+strings.Join(m.in.To, ", ")+" to be ready", func(ctx context.Context) ([]string, []types.UID, error) {
		nodes, err := m.nodes(ctx, m.in.To)
		if err != nil {
			return nil, nil, err
		}
		var late []string
		open := 0
		for _, n := range nodes {
			switch {
			case n.Spec.Unschedulable: // somebody keeps it for something else
			case nodeReady(n):
				open++
			default:
				late = append(late, "node "+n.Name+" is not ready")
			}
		}
		if open == 0 && len(late) == 0 {
			late = append(late, "there is no node that takes pods")
		}
		return late, nil, nil
	})
}

func nodeReady(n corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// drain closes the nodes and asks each pod to go. It returns what is still there.
func (m *mover) drain(ctx context.Context) (left []string, ids []types.UID, err error) {
	nodes, err := m.nodes(ctx, m.in.From)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range nodes {
		// A group may have got a node since the last look.
		if !n.Spec.Unschedulable {
			if err := m.close(ctx, n.Name, true); err != nil {
				return nil, nil, err
			}
		}
	}
	pods, err := m.leaving(ctx, nodes)
	if err != nil {
		return nil, nil, err
	}
	for i := range pods {
		p := &pods[i]
		why, err := m.evict(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		left = append(left, fmt.Sprintf("pod %s/%s on node %s %s", p.Namespace, p.Name, p.Spec.NodeName, why))
		ids = append(ids, p.UID)
	}
	slices.Sort(ids)
	return left, ids, nil
}

// leaving are the pods that have to leave nodes.
func (m *mover) leaving(ctx context.Context, nodes []corev1.Node) ([]corev1.Pod, error) {
	var out []corev1.Pod
	for _, n := range nodes {
		pods, err := m.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + n.Name})
		if err != nil {
			return nil, fmt.Errorf("list the pods on node %s: %w", n.Name, err)
		}
		for _, p := range pods.Items {
			if moves(&p) {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// moves reports whether a pod has to leave a node before it goes. The pods of
// DaemonSets and of the kubelet itself are the node's own.
func moves(p *corev1.Pod) bool {
	if _, mirror := p.Annotations[corev1.MirrorPodAnnotationKey]; mirror || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return false
	}
	by := metav1.GetControllerOf(p)
	return by == nil || by.Kind != "DaemonSet"
}

// evict asks for the end of a pod, and says what that waits for.
func (m *mover) evict(ctx context.Context, p *corev1.Pod) (string, error) {
	if p.DeletionTimestamp != nil {
		return "is shutting down", nil
	}
	err := m.client.PolicyV1().Evictions(p.Namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(p.UID))},
	})
	switch {
	case err == nil, apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return "was asked to go", nil
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return "", fmt.Errorf("evict pod %s/%s: %w", p.Namespace, p.Name, err)
	}
	// A budget without room is "too many requests", and two budgets for one pod are
	// an "internal error": both are the budgets' to say.
	budgets, listed := m.budgets(ctx, p)
	if listed != nil {
		return "", listed
	}
	if len(budgets) == 0 {
		return "cannot be evicted: " + err.Error(), nil
	}
	keeps := strings.Join(budgets, " and ")
	if m.kept == nil {
		m.kept = map[types.UID]time.Time{}
	}
	since, known := m.kept[p.UID]
	if !known {
		m.kept[p.UID] = m.now()
	}
	if !known || m.now().Sub(since) < m.patience {
		return "is kept by " + keeps, nil
	}
	if project, err := m.ofProject(ctx, p); err != nil || !project {
		return "is kept by " + keeps, err
	}
	err = m.client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(p.UID))})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return "", fmt.Errorf("delete pod %s/%s, which %s kept for %s: %w", p.Namespace, p.Name, keeps, m.patience, err)
	}
	return fmt.Sprintf("was deleted, after %s had kept it for %s", keeps, m.patience), nil
}

// ofProject reports whether a pod is in the namespace of a project.
func (m *mover) ofProject(ctx context.Context, p *corev1.Pod) (bool, error) {
	ns, err := m.client.CoreV1().Namespaces().Get(ctx, p.Namespace, metav1.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("read namespace %s: %w", p.Namespace, err)
	}
	return ns.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy, nil
}

// budgets are the PodDisruptionBudgets that a pod is under, in words.
func (m *mover) budgets(ctx context.Context, p *corev1.Pod) ([]string, error) {
	list, err := m.client.PolicyV1().PodDisruptionBudgets(p.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the disruption budgets of namespace %s: %w", p.Namespace, err)
	}
	out := map[string]string{}
	for _, b := range list.Items {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err != nil || !selector.Matches(labels.Set(p.Labels)) {
			continue
		}
		out[b.Name] = budgetText(b)
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(out)) {
		texts = append(texts, out[name])
	}
	return texts, nil
}
