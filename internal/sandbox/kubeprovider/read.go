package kubeprovider

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// Read returns the live object, and as its inputs what it has of those that
// were. An object that is not there has no id; one that is there and not ready is
// told as such (provider/pkg/provider/provider.go, Read).
func (p *Provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	asked, err := unmarshal("Read.inputs", req.GetInputs())
	if err != nil {
		return nil, err
	}
	state, err := unmarshal("Read.properties", req.GetProperties())
	if err != nil {
		return nil, err
	}
	c := p.of(ctx)
	ctx, cancel := c.operation(ctx)
	defer cancel()
	k := keyOf(req.GetId())
	if k.name == "" {
		return nil, fmt.Errorf("failed to read resource because of a failure to parse resource name from request ID: %s", req.GetId())
	}
	if err := c.unreachable(ctx); err != nil {
		c.report(ctx, pulumirpc.LogSeverity_WARNING, req.GetUrn(), err.Error(), false)
		switch s := c.settings(); {
		case s.deleteUnreachable:
			c.report(ctx, pulumirpc.LogSeverity_INFO, req.GetUrn(), "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. "+
				"Deleting the unreachable resource from Pulumi state", false)
			return &pulumirpc.ReadResponse{}, nil
		case s.skipUpdateUnreachable:
			c.report(ctx, pulumirpc.LogSeverity_INFO, req.GetUrn(), "configured Kubernetes cluster is unreachable and the `skipUnreachable` option is enabled. "+
				"Returned data could not reflect the actual cluster configuration.", false)
			return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: req.GetProperties(), Inputs: req.GetInputs()}, nil
		}
		return nil, fmt.Errorf("failed to read resource state due to unreachable cluster. If the cluster was "+
			"deleted, you can remove this resource from Pulumi state by rerunning the operation with the "+
			"PULUMI_K8S_DELETE_UNREACHABLE environment variable set to \"true\": %w", err)
	}

	old, inputs := checkpointOf(state), normalize(plainMap(asked))
	imports := false
	if gvk := kindOf(inputs); gvk.Kind == "" || gvk.Version == "" {
		if gvk = kindOf(old.live); gvk.Kind == "" || gvk.Version == "" {
			if gvk, err = typeOf(resource.URN(req.GetUrn())); err != nil {
				return nil, err
			}
			imports = true
		}
		inputs = map[string]any{
			"apiVersion": gvk.GroupVersion().String(), "kind": gvk.Kind, "metadata": map[string]any{"name": k.name},
		}
		if k.namespace != "" {
			setNamespace(inputs, k.namespace)
		}
	}
	manager, err := fieldManager(inputs, old)
	if err != nil {
		return nil, err
	}
	cl, r, live, err := c.get(ctx, inputs, k)
	switch {
	case gone(err):
		return &pulumirpc.ReadResponse{}, nil
	case err != nil:
		return nil, err
	}
	seen := imported(live)
	var notReady error
	if !imports {
		seen = prune(live.Object, inputs)
		if notReady = cl.look(ctx, awaited{client: r, inputs: inputs, live: live, said: func(string) {}}); gone(notReady) {
			return &pulumirpc.ReadResponse{}, nil
		}
	}
	version := old.version
	if version == "" {
		version = stringOf(inputs["apiVersion"])
	}
	outputs, err := marshal("outputs", checkpoint{live: live.Object, inputs: seen, version: version, manager: manager}.state(asked))
	if err != nil {
		return nil, err
	}
	current, err := marshal("inputs", outputsAs(seen, asked))
	if err != nil {
		return nil, err
	}
	if notReady != nil {
		return nil, initFailed(req.GetId(), outputs, current, notReady)
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: outputs, Inputs: current}, nil
}

// get returns a live object, and where it is.
func (c *connection) get(ctx context.Context, object map[string]any, k key) (*cluster, dynamic.ResourceInterface, *unstructured.Unstructured, error) {
	cl, err := c.reach(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	at := names(object)
	r, err := cl.at(ctx, kindOf(object), &at, "default", ifDefined)
	if err != nil {
		return nil, nil, nil, err
	}
	live, err := r.Get(ctx, k.name, metav1.GetOptions{})
	return cl, r, live, err
}

// gone reports whether an object cannot be there: neither it nor its kind is.
func gone(err error) bool {
	return err != nil && (apierrors.IsNotFound(err) || meta.IsNoMatchError(err)) && !errors.Is(err, errUnreachable)
}

// imported are the inputs that would make the live object.
func imported(live *unstructured.Unstructured) map[string]any {
	o := live.DeepCopy().Object
	delete(o, "status")
	for _, made := range append([]string{"selfLink"}, madeByServer...) {
		unstructured.RemoveNestedField(o, "metadata", made)
	}
	for _, a := range []string{revision, "kubectl.kubernetes.io/last-applied-configuration"} {
		unstructured.RemoveNestedField(o, "metadata", "annotations", a)
	}
	return o
}
