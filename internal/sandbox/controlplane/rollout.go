package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/rand"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	"k8s.io/client-go/rest"
)

// The annotations by which a Deployment and its ReplicaSets belong together:
// https://github.com/kubernetes/kubernetes/blob/v1.35.4/pkg/controller/deployment/util/deployment_util.go
const (
	revisionAnnotation = "deployment.kubernetes.io/revision"
	historyAnnotation  = "deployment.kubernetes.io/revision-history"
	desiredAnnotation  = "deployment.kubernetes.io/desired-replicas"
	maximumAnnotation  = "deployment.kubernetes.io/max-replicas"
)

// handedDown reports whether a ReplicaSet gets an annotation of its Deployment.
func handedDown(annotation string) bool {
	return !slices.Contains([]string{
		corev1.LastAppliedConfigAnnotation, revisionAnnotation, historyAnnotation, desiredAnnotation, maximumAnnotation, appsv1.DeprecatedRollbackTo,
	}, annotation)
}

// rollout writes what the Deployment and ReplicaSet controllers write of one
// Deployment: a ReplicaSet for each template that it had, with its revision.
// Whoever waits for a rollout looks for these. The controllers write under
// names of their own, because admission policies and field managers tell them apart.
type rollout struct {
	deployments appsclient.DeploymentInterface // as the Deployment controller
	sets        appsclient.ReplicaSetInterface // as the Deployment controller
	counts      appsclient.ReplicaSetInterface // as the ReplicaSet controller
}

func newRollout(admin *rest.Config, namespace string) (rollout, error) {
	as := func(controller string) (appsclient.AppsV1Interface, error) {
		c := rest.CopyConfig(admin)
		c.Impersonate.UserName = "system:serviceaccount:kube-system:" + controller
		// A field's manager is the first word of who writes it.
		c.UserAgent = "kube-controller-manager/v" + BuiltVersion + " (sandbox)"
		return appsclient.NewForConfig(c)
	}
	deployments, err := as("deployment-controller")
	if err != nil {
		return rollout{}, err
	}
	sets, err := as("replicaset-controller")
	if err != nil {
		return rollout{}, err
	}
	return rollout{deployments.Deployments(namespace), deployments.ReplicaSets(namespace), sets.ReplicaSets(namespace)}, nil
}

// sync makes the ReplicaSets those that the Deployment has by now, with so many
// ready replicas, and returns the one of its template.
func (r rollout) sync(ctx context.Context, d *appsv1.Deployment, want, ready int32) (*appsv1.ReplicaSet, error) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, err
	}
	list, err := r.sets.List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return nil, fmt.Errorf("list the replica sets: %w", err)
	}
	var current *appsv1.ReplicaSet
	var old []*appsv1.ReplicaSet
	for i := range list.Items {
		set := &list.Items[i]
		switch {
		case !metav1.IsControlledBy(set, d):
		case current == nil && sameTemplate(set, d):
			current = set
		default:
			old = append(old, set)
		}
	}
	var newest int64
	for _, set := range old {
		newest = max(newest, revisionOf(set))
	}
	if current, err = r.current(ctx, d, current, newest+1, want); err != nil {
		return nil, err
	}
	if err := r.count(ctx, current, want, ready); err != nil {
		return nil, err
	}
	return current, r.retire(ctx, d, old)
}

// current writes the ReplicaSet of the Deployment's template. A template that
// comes back is a new revision of the ReplicaSet that it had.
func (r rollout) current(ctx context.Context, d *appsv1.Deployment, had *appsv1.ReplicaSet, revision int64, want int32) (*appsv1.ReplicaSet, error) {
	next := newSet(d)
	if had != nil {
		next = had.DeepCopy()
	}
	for k, v := range d.Annotations {
		if handedDown(k) {
			next.Annotations[k] = v
		}
	}
	if was := revisionOf(next); was < revision {
		next.Annotations[revisionAnnotation] = strconv.FormatInt(revision, 10)
		if was > 0 {
			if before := next.Annotations[historyAnnotation]; before != "" {
				next.Annotations[historyAnnotation] = before + "," + strconv.FormatInt(was, 10)
			} else {
				next.Annotations[historyAnnotation] = strconv.FormatInt(was, 10)
			}
		}
	}
	next.Annotations[desiredAnnotation] = strconv.Itoa(int(want))
	next.Annotations[maximumAnnotation] = strconv.Itoa(int(want + surge(d, want)))
	next.Spec.Replicas, next.Spec.MinReadySeconds = &want, d.Spec.MinReadySeconds
	if had == nil {
		made, err := r.sets.Create(ctx, next, metav1.CreateOptions{})
		if err == nil {
			return made, nil
		}
		err = fmt.Errorf("create replica set %s: %w", next.Name, err)
		if apierrors.IsAlreadyExists(err) {
			// It is of an earlier Deployment of this name, or of nobody: the next one has another name.
			err = errors.Join(err, r.collided(ctx, d))
		}
		return nil, err
	}
	return r.write(ctx, had, next)
}

// collided makes the next ReplicaSet's name another one.
func (r rollout) collided(ctx context.Context, d *appsv1.Deployment) error {
	d = d.DeepCopy()
	if d.Status.CollisionCount == nil {
		d.Status.CollisionCount = new(int32)
	}
	*d.Status.CollisionCount++
	_, err := r.deployments.UpdateStatus(ctx, d, metav1.UpdateOptions{})
	return err
}

// retire takes the replicas from the sets of older templates, and forgets those
// that are beyond the history's limit.
func (r rollout) retire(ctx context.Context, d *appsv1.Deployment, old []*appsv1.ReplicaSet) error {
	slices.SortFunc(old, func(a, b *appsv1.ReplicaSet) int { return int(revisionOf(b) - revisionOf(a)) })
	limit := 10 // the API's own default
	if d.Spec.RevisionHistoryLimit != nil {
		limit = int(*d.Spec.RevisionHistoryLimit)
	}
	for i, set := range old {
		if i >= limit {
			if err := r.sets.Delete(ctx, set.Name, metav1.DeleteOptions{}); err != nil {
				return fmt.Errorf("delete replica set %s: %w", set.Name, err)
			}
			continue
		}
		next := set.DeepCopy()
		next.Spec.Replicas = new(int32)
		set, err := r.write(ctx, set, next)
		if err == nil {
			err = r.count(ctx, set, 0, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// write updates a ReplicaSet that is not as it should be.
func (r rollout) write(ctx context.Context, had, next *appsv1.ReplicaSet) (*appsv1.ReplicaSet, error) {
	if equality.Semantic.DeepEqual(had, next) {
		return had, nil
	}
	next, err := r.sets.Update(ctx, next, metav1.UpdateOptions{})
	if err != nil {
		return nil, fmt.Errorf("update replica set %s: %w", had.Name, err)
	}
	return next, nil
}

// count writes how many replicas of a set there are.
func (r rollout) count(ctx context.Context, set *appsv1.ReplicaSet, there, ready int32) error {
	status := appsv1.ReplicaSetStatus{
		ObservedGeneration: set.Generation, Replicas: there, FullyLabeledReplicas: there, ReadyReplicas: ready, AvailableReplicas: ready,
	}
	if equality.Semantic.DeepEqual(set.Status, status) {
		return nil
	}
	set = set.DeepCopy()
	set.Status = status
	if _, err := r.counts.UpdateStatus(ctx, set, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("update the status of replica set %s: %w", set.Name, err)
	}
	return nil
}

// newSet is the ReplicaSet of a Deployment's template, without its numbers.
func newSet(d *appsv1.Deployment) *appsv1.ReplicaSet {
	hash := templateHash(d)
	template, selector := d.Spec.Template.DeepCopy(), d.Spec.Selector.DeepCopy()
	template.Labels = withHash(template.Labels, hash)
	selector.MatchLabels = withHash(selector.MatchLabels, hash)
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: d.Name + "-" + hash, Namespace: d.Namespace, Labels: template.Labels, Annotations: map[string]string{},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{Selector: selector, Template: *template},
	}
}

func withHash(labels map[string]string, hash string) map[string]string {
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	return labels
}

// templateHash is a name for a template, in the letters that Kubernetes uses.
// Nobody may rely on its value, which changes with Kubernetes' own types.
func templateHash(d *appsv1.Deployment) string {
	text, err := json.Marshal([]any{d.Spec.Template, d.Status.CollisionCount})
	if err != nil {
		panic(err) // the API server sent it as JSON
	}
	h := fnv.New32a()
	h.Write(text)
	return rand.SafeEncodeString(strconv.FormatUint(uint64(h.Sum32()), 10))
}

func sameTemplate(set *appsv1.ReplicaSet, d *appsv1.Deployment) bool {
	template := set.Spec.Template.DeepCopy()
	delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return equality.Semantic.DeepEqual(template, &d.Spec.Template)
}

// revisionOf is 0 where nobody wrote a revision.
func revisionOf(set *appsv1.ReplicaSet) int64 {
	n, err := strconv.ParseInt(set.Annotations[revisionAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// surge is by how much a rolling update may go beyond the replicas.
func surge(d *appsv1.Deployment, want int32) int32 {
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType || d.Spec.Strategy.RollingUpdate == nil {
		return 0
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(d.Spec.Strategy.RollingUpdate.MaxSurge, int(want), true)
	if err != nil {
		return 0
	}
	return int32(n)
}
