package kubelive

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Remove asks for the end of a stray and of what Kubernetes made of it, and of
// nothing that has taken its name since; of what was added to an object of the
// cluster itself, it takes back the addition. It does not wait.
func (c *Client) Remove(ctx context.Context, s Stray) error {
	if s.back != nil {
		return c.takeBack(ctx, s)
	}
	// The maker goes before what it made, which it would make again.
	for _, h := range append([]head{s.head}, s.made...) {
		background := metav1.DeletePropagationBackground
		err := c.in(shelf{h.resource, h.Namespace}).Delete(ctx, h.Name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &h.UID}, PropagationPolicy: &background,
		})
		// A conflict is another object of the name.
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("remove %s %s: %w", h.kind.Kind, h.id(), err)
		}
	}
	return nil
}

// takeBack makes an object of the cluster what it was, unless somebody has
// written to it since it was read.
func (c *Client) takeBack(ctx context.Context, s Stray) error {
	patch := map[string]any{"metadata": map[string]any{"resourceVersion": s.head.ResourceVersion}}
	maps.Copy(patch, s.back)
	body, err := json.Marshal(patch)
	if err == nil {
		_, err = c.in(shelf{s.head.resource, s.head.Namespace}).Patch(ctx, s.Name, types.MergePatchType, body, metav1.PatchOptions{FieldManager: "freehold"})
	}
	if err != nil {
		return fmt.Errorf("take back what was added to %s %s: %w", s.head.kind.Kind, s.ID, err)
	}
	return nil
}
