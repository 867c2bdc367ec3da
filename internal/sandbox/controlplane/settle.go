package controlplane

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	rbacclient "k8s.io/client-go/kubernetes/typed/rbac/v1"
	"k8s.io/client-go/rest"
)

// settled waits until the controllers have done what every cluster begins with:
// the built-in roles are put together and the first service account is there.
// Until then, a reader would be refused, and a pod too.
func (s *supervisor) settled(ctx context.Context, admin *rest.Config, fatal <-chan error) error {
	roles, err := rbacclient.NewForConfig(admin)
	if err != nil {
		return err
	}
	core, err := coreclient.NewForConfig(admin)
	if err != nil {
		return err
	}
	return s.until(ctx, fatal, func(ctx context.Context) error {
		view, err := roles.ClusterRoles().Get(ctx, "view", metav1.GetOptions{})
		if err == nil && len(view.Rules) == 0 {
			err = errors.New("role view is still empty")
		}
		if err == nil {
			_, err = core.ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		}
		if err != nil {
			return fmt.Errorf("kube-controller-manager is not at work: %w; %s", err, lastLine(s.files.logOf("kube-controller-manager")))
		}
		return nil
	})
}
