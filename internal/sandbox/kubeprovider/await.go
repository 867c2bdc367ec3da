package kubeprovider

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"freehold.dev/freehold/internal/wait"
)

// progress is how far an object is: there, failed for good, or what it waits for.
type progress struct {
	done   bool
	failed bool
	waits  string
}

// progressOf are the kinds that are waited for, and how far an object is.
var progressOf = map[schema.GroupKind]func(*unstructured.Unstructured) progress{
	deploymentKind: deployment,
	definitionKind: definition,
	namespaceKind:  namespace,
}

// await waits until an object can be used, and returns it as it is then; also
// when it cannot.
func (c *cluster) await(ctx context.Context, r dynamic.ResourceInterface, live *unstructured.Unstructured, said func(string)) (*unstructured.Unstructured, error) {
	look := progressOf[live.GroupVersionKind().GroupKind()]
	if look == nil {
		return live, nil
	}
	var reported string
	err := wait.Until(ctx, c.within(ctx, "it to be ready"), func(ctx context.Context) (bool, error) {
		if reported != "" { // the first look is at what was written
			next, err := r.Get(ctx, live.GetName(), metav1.GetOptions{})
			switch {
			case apierrors.IsNotFound(err):
				return false, fmt.Errorf("it was deleted while waiting for %s", reported)
			case err != nil:
				return false, fmt.Errorf("waiting for %s: %w", reported, err)
			}
			live = next
		}
		p := look(live)
		if p.failed {
			return false, fmt.Errorf("it failed: %s", p.waits)
		}
		if !p.done && p.waits != reported {
			reported = p.waits
			said("waiting for " + reported)
		}
		return p.done, nil
	})
	return live, late(ctx, reported, err)
}

// within is a wait that lasts as long as the operation that it is part of.
func (c *cluster) within(ctx context.Context, what string) wait.For {
	left := awaitTimeout
	if deadline, set := ctx.Deadline(); set {
		left = max(deadline.Sub(c.now()), awaitPause)
	}
	return wait.For{What: what, Every: awaitPause, Within: left, Now: c.now}
}

// late returns the error of a wait; if its time was up or it was interrupted,
// with what was waited for last.
func late(ctx context.Context, reported string, err error) error {
	switch {
	case err == nil || reported == "":
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("still waiting for %s: %w", reported, ctx.Err())
	case errors.Is(err, wait.ErrDeadline):
		return fmt.Errorf("still waiting for %s: %w", reported, context.DeadlineExceeded)
	default:
		return err
	}
}

// deployment follows a rollout as kubectl rollout status does.
func deployment(live *unstructured.Unstructured) progress {
	number := func(path ...string) int64 {
		n, _, _ := unstructured.NestedInt64(live.Object, path...)
		return n
	}
	observed := number("status", "observedGeneration") >= live.GetGeneration()
	want := int64(1)
	if n, set, _ := unstructured.NestedInt64(live.Object, "spec", "replicas"); set {
		want = n
	}
	why := ""
	for _, c := range conditions(live) {
		if c.kind == "Progressing" && c.reason == "ProgressDeadlineExceeded" && observed {
			return progress{failed: true, waits: "the rollout exceeded its progress deadline: " + c.message}
		}
		if c.kind == "Available" && c.status != "True" && c.message != "" {
			why = ": " + c.message
		}
	}
	switch {
	case !observed:
		return progress{waits: "the rollout to be observed"}
	case number("status", "updatedReplicas") < want:
		return progress{waits: fmt.Sprintf("the rollout: %d of %d replicas are updated%s", number("status", "updatedReplicas"), want, why)}
	case number("status", "replicas") > number("status", "updatedReplicas"):
		return progress{waits: "the rollout: old replicas are ending" + why}
	case number("status", "availableReplicas") < want:
		return progress{waits: fmt.Sprintf("the rollout: %d of %d replicas are available%s", number("status", "availableReplicas"), want, why)}
	}
	return progress{done: true}
}

// definition is there when its kind is served; names that clash never are.
func definition(live *unstructured.Unstructured) progress {
	waits := "the definition to be established"
	for _, c := range conditions(live) {
		if c.kind == "Established" && c.status == "True" {
			return progress{done: true}
		}
		if c.kind == "NamesAccepted" && c.status == "False" {
			return progress{failed: true, waits: c.message}
		}
	}
	return progress{waits: waits}
}

func namespace(live *unstructured.Unstructured) progress {
	phase, _, _ := unstructured.NestedString(live.Object, "status", "phase")
	if phase == "Active" {
		return progress{done: true}
	}
	return progress{waits: "the namespace to be active; it is " + phase}
}

// timeLimit is how long a resource may take to be ready, or gone
// (provider/pkg/metadata/overrides.go, TimeoutDuration).
func timeLimit(seconds float64, inputs map[string]any) time.Duration {
	if seconds != 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	if n, err := strconv.Atoi(annotation(inputs, timeoutSeconds)); err == nil {
		return time.Duration(n) * time.Second
	}
	return awaitTimeout
}

// condition is one of an object's status.conditions.
type condition struct{ kind, status, reason, message string }

func conditions(live *unstructured.Unstructured) []condition {
	list, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	var cs []condition
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			cs = append(cs, condition{stringOf(m["type"]), stringOf(m["status"]), stringOf(m["reason"]), stringOf(m["message"])})
		}
	}
	return cs
}
