package controller

import (
	"context"

	"freehold.dev/freehold/internal/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// +kubebuilder:rbac:groups="",resources=serviceaccounts,verbs=list;watch;create;patch;update;delete

// accounts makes the project's service accounts. None of them puts its token
// into a pod, the default one above all: a pod that needs the cluster's API says
// so itself. Pod Identity brings its own token.
func (l *look) accounts(ctx context.Context) error {
	want := []client.Object{l.account(v1alpha1.ServiceAccount{Name: "default"})}
	for _, a := range l.p.Spec.ServiceAccounts {
		want = append(want, l.account(a))
	}
	l.counts.ServiceAccounts = int32(len(want))
	return l.keep(ctx, &corev1.ServiceAccountList{}, want...)
}

func (l *look) account(a v1alpha1.ServiceAccount) *corev1.ServiceAccount {
	o := &corev1.ServiceAccount{ObjectMeta: l.named(a.Name), AutomountServiceAccountToken: new(false)}
	if a.PodIdentityRole != "" {
		o.Annotations = map[string]string{v1alpha1.AnnotationPodIdentityRole: a.PodIdentityRole}
	}
	return o
}
