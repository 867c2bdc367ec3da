package kubelive

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Availability is how much of a Deployment runs.
type Availability struct {
	There             bool
	Wanted, Available int64
	// Why is what Kubernetes says of it while not all of it is there.
	Why string
}

// Text says it in a few words.
func (a Availability) Text() string {
	switch {
	case !a.There:
		return "its Deployment is gone"
	case a.Wanted == 0:
		return "its Deployment is scaled to 0 replicas"
	case a.Why != "":
		return fmt.Sprintf("%d of %d replicas are available: %s", a.Available, a.Wanted, a.Why)
	default:
		return fmt.Sprintf("%d of %d replicas are available", a.Available, a.Wanted)
	}
}

// Available reads how much of a Deployment runs.
func (c *Client) Available(ctx context.Context, o Object) (Availability, error) {
	kind, err := o.kind()
	if err != nil {
		return Availability{}, err
	}
	namespace, name := o.place()
	live, err := c.in(shelf{resourceOf(kind), namespace}).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Availability{}, nil
	}
	if err != nil {
		return Availability{}, fmt.Errorf("read %s %s: %w", kind.Kind, o.ID, err)
	}
	out := Availability{There: true, Wanted: 1}
	if n, set, _ := unstructured.NestedInt64(live.Object, "spec", "replicas"); set {
		out.Wanted = n
	}
	// A status that is older than the spec says nothing about it.
	observed, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	if observed < live.GetGeneration() {
		out.Why = "the change to it has not been taken up yet"
		return out, nil
	}
	out.Available, _, _ = unstructured.NestedInt64(live.Object, "status", "availableReplicas")
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "Available" && c["status"] != "True" {
			out.Why, _ = c["message"].(string)
		}
	}
	return out, nil
}
