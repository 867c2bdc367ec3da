package controller

import (
	"context"
	"fmt"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func projectKey(name string) objectKey {
	return objectKey{schema.GroupKind{Group: v1alpha1.GroupVersion.Group, Kind: "Project"}, "", name}
}

// report writes what was found into the project's status, if it is not there.
func (l *look) report(ctx context.Context, gone bool) error {
	if gone {
		return nil
	}
	was, next := &l.p.Status, l.status()
	quota, err := l.usage(ctx)
	if err != nil {
		return err
	}
	next.Quota = was.Quota
	if equality.Semantic.DeepEqual(was, next) && was.LastSync != nil {
		if left := was.LastSync.Add(l.options.usageEvery).Sub(l.now); left > 0 && !equality.Semantic.DeepEqual(was.Quota, quota) {
			l.soon(left)
			return nil
		}
	}
	next.Quota = quota
	if equality.Semantic.DeepEqual(was, next) {
		return nil
	}
	next.LastSync = new(l.time())
	if err := l.writeStatus(ctx, next); err != nil {
		if apierrors.IsNotFound(err) {
			return nil // it was deleted meanwhile
		}
		return fmt.Errorf("write the status: %w", err)
	}
	l.progress(was, next)
	return nil
}

func (l *look) time() metav1.Time { return metav1.NewTime(l.now.UTC().Truncate(time.Second)) }

// status is what this look found, but for the usage and the time.
func (l *look) status() *v1alpha1.ProjectStatus {
	was := l.p.Status
	next := &v1alpha1.ProjectStatus{ObservedGeneration: l.p.Generation, LastSync: was.LastSync, Counts: l.counts}
	known := map[string]bool{v1alpha1.ConditionReady: true, v1alpha1.ConditionDegraded: true}
	for _, s := range steps {
		known[s.condition] = true
	}
	for _, c := range was.Conditions {
		if known[c.Type] {
			next.Conditions = append(next.Conditions, c)
		}
	}
	set := func(kind string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&next.Conditions, metav1.Condition{
			Type: kind, Status: status, ObservedGeneration: l.p.Generation, LastTransitionTime: l.time(), Reason: reason, Message: brief(message),
		})
	}
	first := answer{} // that does not hold
	for i, a := range l.answers {
		if a.holds() {
			set(a.condition, metav1.ConditionTrue, steps[i].done, "")
			continue
		}
		set(a.condition, metav1.ConditionFalse, a.reason, a.message)
		if first.holds() {
			first = a
		}
	}
	if l.there || first.ours && was.Namespace != "" {
		next.Namespace = l.p.Name
	}
	ready, bad := first, answer{}
	if !first.expected {
		bad = first
	}
	if a := l.contested(v1alpha1.ConditionDegraded); bad.holds() {
		bad = a
	}
	if !l.waits.holds() {
		ready = l.waits
		if !l.waits.expected {
			bad = l.waits
		}
	}
	switch {
	case !l.p.DeletionTimestamp.IsZero():
		next.Phase = v1alpha1.PhaseTerminating
	case ready.holds() && l.sleeps && l.ending != "":
		next.Phase = v1alpha1.PhaseHibernating
	case ready.holds() && l.sleeps:
		next.Phase = v1alpha1.PhaseHibernated
	case ready.holds():
		next.Phase = v1alpha1.PhaseReady
	case ready.ours:
		next.Phase = v1alpha1.PhasePending
	default:
		next.Phase = v1alpha1.PhaseFailed
	}
	switch {
	case !ready.holds():
		set(v1alpha1.ConditionReady, metav1.ConditionFalse, ready.reason, ready.message)
	case l.sleeps && l.ending != "":
		// It is fenced as ever; only its pods are not gone.
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, "Hibernating", l.ending+"; "+l.why)
	case l.sleeps:
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, "Hibernated", l.why)
	default:
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, "Fenced", "the namespace is there with every fence")
	}
	if bad.holds() {
		set(v1alpha1.ConditionDegraded, metav1.ConditionFalse, "AsExpected", "")
	} else {
		set(v1alpha1.ConditionDegraded, metav1.ConditionTrue, bad.reason, bad.message)
	}
	return next
}

// brief keeps a message within what a condition takes.
func brief(message string) string {
	const most = 1024
	message = strings.ToValidUTF8(message, "?")
	if len(message) > most {
		message = strings.ToValidUTF8(message[:most], "") + "…"
	}
	return message
}

// usage is what the quota has counted.
func (l *look) usage(ctx context.Context) (map[string]v1alpha1.Usage, error) {
	quota, err := l.cachedQuota(ctx)
	switch {
	case err != nil, !l.there:
		return nil, err
	case quota == nil: // it is on its way
		return l.p.Status.Quota, nil
	}
	var usage map[string]v1alpha1.Usage
	for name, most := range quota.Status.Hard {
		if usage == nil {
			usage = map[string]v1alpha1.Usage{}
		}
		usage[string(name)] = v1alpha1.Usage{Hard: most, Used: quota.Status.Used[name]}
	}
	return usage, nil
}

// writeStatus applies a status, and replaces what others put into it.
func (l *look) writeStatus(ctx context.Context, next *v1alpha1.ProjectStatus) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(next)
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{Object: map[string]any{"status": fields}}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Project"))
	u.SetName(l.p.Name)
	u.SetUID(l.p.UID) // a project of this name that was made anew is another
	l.meters.wrote("Project", "apply-status")
	if err := l.client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return err
	}
	got := &v1alpha1.Project{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, got); err != nil {
		return fmt.Errorf("read what was written: %w", err)
	}
	if !equality.Semantic.DeepEqual(&got.Status, next) {
		next.DeepCopyInto(&got.Status)
		l.meters.wrote("Project", "update-status")
		if err := l.client.Status().Update(ctx, got, client.FieldOwner(fieldManager)); err != nil {
			return err
		}
	}
	l.memory.wrote(projectKey(l.p.Name), 0, got, l.now)
	return nil
}

// progress logs what a person would want to know, and measures how long it took
// a new project to be ready.
func (l *look) progress(was, next *v1alpha1.ProjectStatus) {
	if was.Phase == next.Phase && was.ObservedGeneration == next.ObservedGeneration {
		return
	}
	c := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionReady)
	l.log.Info("project", "phase", next.Phase, "generation", next.ObservedGeneration, "reason", c.Reason, "message", c.Message)
	if c.Status == metav1.ConditionTrue && was.Phase == "" {
		l.meters.becameReady(l.now.Sub(l.p.CreationTimestamp.Time))
	}
}
