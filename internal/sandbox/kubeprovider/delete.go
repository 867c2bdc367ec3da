package kubeprovider

import (
	"context"
	"fmt"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"freehold.dev/freehold/internal/wait"
)

// Delete deletes an object, what it owns first, and waits until it is gone
// (provider/pkg/await/await.go, Deletion).
func (p *Provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	state, err := unmarshal("Delete.properties", req.GetProperties())
	if err != nil {
		return nil, err
	}
	c := p.of(ctx)
	ctx, cancel := c.operation(ctx)
	defer cancel()
	if err := c.unreachable(ctx); err != nil {
		c.report(ctx, pulumirpc.LogSeverity_WARNING, req.GetUrn(), err.Error(), false)
		if c.settings().deleteUnreachable {
			c.report(ctx, pulumirpc.LogSeverity_INFO, req.GetUrn(), "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. "+
				"Deleting the unreachable resource from Pulumi state", false)
			return &emptypb.Empty{}, nil
		}
		return nil, fmt.Errorf("configured Kubernetes cluster is unreachable. If the cluster was deleted, "+
			"you can remove this resource from Pulumi state by rerunning the operation with the "+
			"PULUMI_K8S_DELETE_UNREACHABLE environment variable set to \"true\": %w", err)
	}
	old := checkpointOf(state)
	said := func(message string) {
		c.report(ctx, pulumirpc.LogSeverity_INFO, req.GetUrn(), message, true)
	}
	last, err := c.delete(ctx, old, keyOf(req.GetId()), req.GetTimeout(), said)
	switch {
	case err == nil, gone(err):
		return &emptypb.Empty{}, nil
	case last == nil:
		return nil, err
	}
	outputs, marshalErr := marshal("outputs", checkpoint{live: last.Object, inputs: old.inputs, version: old.version, manager: old.manager}.state(state))
	if marshalErr != nil {
		return nil, marshalErr
	}
	return nil, initFailed(req.GetId(), outputs, nil, err)
}

// delete returns the object that is still there when the time is up.
func (c *connection) delete(ctx context.Context, old checkpoint, k key, timeout float64, said func(string)) (*unstructured.Unstructured, error) {
	cl, err := c.reach(ctx)
	if err != nil {
		return nil, err
	}
	gvk, at := kindOf(old.live), names(old.live)
	r, err := cl.at(ctx, gvk, &at, "default", ifDefined)
	if err != nil {
		return nil, err
	}
	policy := propagation(old.inputs)
	if err := r.Delete(ctx, k.name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
		return nil, err
	}
	if gvk.GroupKind() == definitionKind {
		defer cl.mapper.Reset()
	}
	if isTrue(old.inputs, skipAwait) && notAwaitedWhenDeleted[gvk.GroupKind()] {
		return nil, nil
	}
	return cl.awaitGone(ctx, r, k, timeLimit(timeout, old.inputs), said)
}

func propagation(inputs map[string]any) metav1.DeletionPropagation {
	switch strings.ToLower(annotation(inputs, deletionPropagation)) {
	case "orphan":
		return metav1.DeletePropagationOrphan
	case "background":
		return metav1.DeletePropagationBackground
	}
	return metav1.DeletePropagationForeground
}

// notAwaitedWhenDeleted are the kinds for which pulumi.com/skipAwait also means
// the end (provider/pkg/metadata/overrides.go, allowsSkipAwaitWithDelete).
var notAwaitedWhenDeleted = map[schema.GroupKind]bool{
	namespaceKind: true, {Kind: "Pod"}: true, {Kind: "ReplicationController"}: true,
	daemonSetKind: true, deploymentKind: true, statefulSetKind: true, jobKind: true,
}

// awaitGone waits until an object is not there, or another one is in its place,
// and returns it while it is.
func (c *cluster) awaitGone(ctx context.Context, r dynamic.ResourceInterface, k key, limit time.Duration, said func(string)) (*unstructured.Unstructured, error) {
	var last *unstructured.Unstructured
	reported := ""
	err := wait.Until(ctx, wait.For{What: k.id() + " to be gone", Every: awaitPause, Within: max(limit, awaitPause), Now: c.now}, func(ctx context.Context) (bool, error) {
		live, err := r.Get(ctx, k.name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return true, nil
		case err != nil:
			return false, err
		case last != nil && live.GetUID() != last.GetUID():
			return true, nil
		}
		last = live
		if waits := lingering(live); waits != reported {
			reported = waits
			said(waits)
		}
		return false, nil
	})
	if err == nil || last == nil {
		return nil, err
	}
	return last, fmt.Errorf("timed out waiting for the condition: %s", lingering(last))
}

// lingering tells why an object that was deleted is still there.
func lingering(live *unstructured.Unstructured) string {
	var why []string
	for _, c := range conditions(live) {
		if strings.HasPrefix(c.kind, "Namespace") && c.status == "True" {
			why = append(why, c.message)
		}
	}
	finalizers := live.GetFinalizers()
	inner, _, _ := unstructured.NestedStringSlice(live.Object, "spec", "finalizers")
	if finalizers = append(finalizers, inner...); len(finalizers) > 0 {
		why = append(why, "finalizers might be preventing deletion ("+strings.Join(finalizers, ", ")+")")
	}
	if len(why) == 0 {
		return "it is still there"
	}
	return strings.Join(why, "; ")
}
