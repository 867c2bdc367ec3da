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
	"k8s.io/client-go/dynamic"

	"freehold.dev/freehold/internal/wait"
)

// awaited is an object that is waited for.
type awaited struct {
	client dynamic.ResourceInterface // where it is
	inputs map[string]any
	live   *unstructured.Unstructured // as it was written
	before *unstructured.Unstructured // as it was until then; nil: it was not there
	said   func(string)               // shows how far it is
}

// progress is how far an object is.
type progress struct {
	ready  bool
	failed bool     // for good
	waits  string   // for whoever watches
	why    []string // what is still missing, for whoever waited in vain
}

// judge says how far an object is.
type judge func(ctx context.Context, c *cluster, a awaited) (progress, error)

// await waits until an object is ready, and returns it as it is then; also when
// it does not become ready. Kinds without a judge are ready at once: definitions
// and namespaces are among them.
func (c *cluster) await(ctx context.Context, a awaited, limit time.Duration) (*unstructured.Unstructured, error) {
	if isTrue(a.inputs, skipAwait) {
		a.said("Skipping await logic")
		return a.live, nil
	}
	w := awaiters[a.live.GroupVersionKind().GroupKind()]
	if expressions := annotation(a.live.Object, waitFor); expressions != "" {
		look, err := conditionsOf(expressions)
		if err != nil {
			return a.live, err
		}
		w = awaiter{judge: look, plain: true}
	}
	if w.judge == nil {
		return a.live, nil
	}
	if w.within != 0 {
		limit = w.within
	}
	if limit <= 0 {
		return a.live, w.late(a.live.GetName(), progress{})
	}
	name, last, first := a.live.GetName(), progress{}, true
	shown := ""
	err := wait.Until(ctx, wait.For{What: name + " to be ready", Every: awaitPause, Within: limit, Now: c.now}, func(ctx context.Context) (bool, error) {
		if !first { // the first look is at what was written
			next, err := a.client.Get(ctx, name, metav1.GetOptions{})
			switch {
			case apierrors.IsNotFound(err):
				return false, nil // it may come back
			case err != nil:
				return false, fmt.Errorf("look at %s: %w", name, err)
			}
			if next.GetGeneration() >= a.live.GetGeneration() {
				a.live = next
			}
		}
		first = false
		p, err := w.judge(ctx, c, a)
		if err != nil {
			return false, err
		}
		last = p
		if p.failed {
			return false, notInitialized(name, p.why)
		}
		if !p.ready && p.waits != "" && p.waits != shown {
			shown = p.waits
			a.said(shown)
		}
		return p.ready, nil
	})
	switch {
	case err == nil:
		return a.live, nil
	case errors.Is(err, wait.ErrDeadline), errors.Is(err, context.DeadlineExceeded):
		return a.live, w.late(name, last)
	case ctx.Err() != nil:
		return a.live, &notReady{fmt.Sprintf("Resource operation was cancelled for %q", name), last.why}
	}
	return a.live, err
}

// look judges an object once, as a refresh does: only some kinds are judged then.
func (c *cluster) look(ctx context.Context, a awaited) error {
	w := awaiters[a.live.GroupVersionKind().GroupKind()]
	if w.judge == nil || !w.read || isTrue(a.inputs, skipAwait) {
		return nil
	}
	p, err := w.judge(ctx, c, a)
	if err != nil || p.ready {
		return err
	}
	return notInitialized(a.live.GetName(), p.why)
}

// notReady is the error of an object that is there and does not work, and why.
type notReady struct {
	text string
	why  []string
}

func (e *notReady) Error() string { return e.text }

func notInitialized(name string, why []string) error {
	return &notReady{fmt.Sprintf("Resource '%s' was created but failed to initialize", name), why}
}

// late is the error when the time is up.
func (w awaiter) late(name string, p progress) error {
	switch {
	case w.plain:
		return &notReady{"timed out waiting for the condition", p.why}
	case w.within != 0:
		return &notReady{fmt.Sprintf("Timeout occurred polling for '%s'", name), p.why}
	}
	return &notReady{fmt.Sprintf("'%s' timed out waiting to be Ready", name), p.why}
}

// reasons are the lines that an error has below its first.
func reasons(err error) []string {
	if e, is := errors.AsType[*notReady](err); is {
		return e.why
	}
	return nil
}

const (
	// awaitTimeout is what a resource gets when the program says nothing else.
	awaitTimeout = 10 * time.Minute
	// awaitPause is between two looks.
	awaitPause = 150 * time.Millisecond
)

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

// count reads a number of an object's; 0 when it is not there.
func count(live *unstructured.Unstructured, path ...string) int64 {
	n, _, _ := unstructured.NestedInt64(live.Object, path...)
	return n
}
