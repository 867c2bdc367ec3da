package controller

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// projects reconciles Projects.
type projects struct {
	client client.Client
	log    *slog.Logger
	now    func() time.Time
}

func (r *projects) setUp(m ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(m).Named("project").For(&v1alpha1.Project{}).Complete(r)
}

// Reconcile tells in a project's status that it was read. A second look at the
// same project writes nothing.
func (r *projects) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var p v1alpha1.Project
	if err := r.client.Get(ctx, req.NamespacedName, &p); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !p.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	was := p.Status.DeepCopy()
	accept(&p, r.now())
	if equality.Semantic.DeepEqual(was, &p.Status) {
		return ctrl.Result{}, nil
	}
	if err := r.client.Status().Update(ctx, &p); err != nil {
		return ctrl.Result{}, fmt.Errorf("write the status of project %s: %w", p.Name, err)
	}
	r.log.Info("project accepted", "project", p.Name, "generation", p.Generation)
	return ctrl.Result{}, nil
}

// accept sets the status of a project that was read: accepted, and pending,
// since nothing fences it yet.
func accept(p *v1alpha1.Project, now time.Time) {
	p.Status.Phase = v1alpha1.PhasePending
	p.Status.ObservedGeneration = p.Generation
	meta.SetStatusCondition(&p.Status.Conditions, metav1.Condition{
		Type:               "Accepted",
		Status:             metav1.ConditionTrue,
		ObservedGeneration: p.Generation,
		LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
		Reason:             "Observed",
		Message:            "the namespace controller has read this project; it does not make namespaces yet",
	})
}
