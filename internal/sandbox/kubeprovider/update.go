package kubeprovider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// Update applies a changed object and waits until it is ready. Whatever goes
// wrong once the object is there is told as an object that is not ready: the
// state then has the new inputs and the live object, and the next update applies
// them again (provider/pkg/provider/provider.go, Update).
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	inputs, err := unmarshal("Update.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	state, err := unmarshal("Update.olds", req.GetOlds())
	if err != nil {
		return nil, err
	}
	w := &write{
		connection: p.of(ctx), urn: resource.URN(req.GetUrn()), inputs: inputs, object: plainMap(inputs), old: checkpointOf(state),
		preview: req.GetPreview(), timeout: req.GetTimeout(),
	}
	ctx, cancel := w.operation(ctx)
	defer cancel()
	if w.preview && (hasUnknown(w.object) || !w.served(ctx)) {
		return &pulumirpc.UpdateResponse{Properties: req.GetNews()}, nil
	}
	w.object = normalize(w.object)
	if w.manager, err = fieldManager(w.object, w.old); err != nil {
		return nil, err
	}
	if err := w.unreachable(ctx); err != nil {
		return nil, err
	}
	c, r, err := w.client(ctx, patient)
	if err != nil {
		return nil, w.notUpdated(err)
	}
	live, updateErr := w.update(ctx, c, r, req.GetIgnoreChanges())
	switch {
	case updateErr == nil:
	case w.preview && apierrors.IsForbidden(updateErr):
		return &pulumirpc.UpdateResponse{Properties: req.GetNews()}, nil
	case meta.IsNoMatchError(updateErr):
		return nil, w.notUpdated(updateErr)
	default:
		var getErr error
		if live, getErr = r.Get(ctx, names(w.old.live).name, metav1.GetOptions{}); getErr != nil {
			return nil, errors.Join(
				fmt.Errorf("update of resource %q failed: %w", w.urn, updateErr),
				fmt.Errorf("unable to get cluster state: %w", getErr))
		}
	}
	version := w.old.version
	if version == "" {
		version = stringOf(w.old.inputs["apiVersion"])
	}
	outputs, err := w.outputs(live, version)
	if err != nil {
		return nil, err
	}
	if updateErr != nil {
		id := key{live.GetNamespace(), live.GetName()}.id()
		return nil, initFailed(id, outputs, nil, fmt.Errorf("the Kubernetes API server reported that %q failed to fully initialize "+
			"or become live: %w", id, updateErr))
	}
	if before, err := fieldManager(w.old.inputs, w.old); err == nil && !w.preview && w.old.manager != "" && before != w.manager {
		// Whoever owned the fields before gives them up, so that what the program
		// drops later goes.
		previous := &write{connection: w.connection, manager: before}
		if _, err := previous.apply(ctx, r, nothing(live.Object), false); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.UpdateResponse{Properties: outputs}, nil
}

func (w *write) notUpdated(err error) error {
	if !meta.IsNoMatchError(err) {
		return fmt.Errorf("update of resource %q failed: %w", w.urn, err)
	}
	return fmt.Errorf("update of resource %q failed because the Kubernetes API server "+
		"reported that the apiVersion for this resource does not exist. "+
		"Verify that any required CRDs have been created: %w", w.urn, err)
}

func (w *write) update(ctx context.Context, c *cluster, r dynamic.ResourceInterface, ignored []string) (*unstructured.Unstructured, error) {
	before, err := r.Get(ctx, names(w.old.live).name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	var live *unstructured.Unstructured
	if kindOf(w.object).GroupKind() == definitionKind {
		live, err = w.put(ctx, r, before)
	} else {
		live, err = w.merge(ctx, r, before, ignored)
	}
	if err != nil || w.preview {
		return live, err
	}
	return w.settle(ctx, c, r, live, before)
}

// put replaces a definition as a whole, whoever owns its fields.
func (w *write) put(ctx context.Context, r dynamic.ResourceInterface, before *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	next := (&unstructured.Unstructured{Object: w.object}).DeepCopy()
	next.SetResourceVersion(before.GetResourceVersion())
	o := metav1.UpdateOptions{FieldManager: w.manager}
	if w.preview {
		o.DryRun = []string{metav1.DryRunAll}
	}
	return r.Update(ctx, next, o)
}

// merge applies the object over what its predecessors own.
func (w *write) merge(ctx context.Context, r dynamic.ResourceInterface, before *unstructured.Unstructured, ignored []string) (*unstructured.Unstructured, error) {
	if !w.preview && len(before.GetManagedFields()) > 0 {
		entries, found, err := takenOver(before, w.manager)
		if err != nil {
			return nil, err
		}
		if found {
			patch, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/metadata/managedFields", "value": entries}})
			if err != nil {
				return nil, fmt.Errorf("write the managed fields: %w", err)
			}
			if before, err = r.Patch(ctx, before.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{}); err != nil {
				return nil, err
			}
		}
	}
	object, err := leaving(w.object, before, ignored)
	if err != nil {
		return nil, err
	}
	return w.apply(ctx, r, object, forced(object, before, w.preview))
}

// leaving returns the object with what the program ignores as it is live.
func leaving(object map[string]any, live *unstructured.Unstructured, ignored []string) (map[string]any, error) {
	if len(ignored) == 0 {
		return object, nil
	}
	out := (&unstructured.Unstructured{Object: object}).DeepCopy().Object
	for _, text := range ignored {
		path, err := resource.ParsePropertyPath(text)
		if err != nil {
			return nil, fmt.Errorf("unable to parse ignoreField path %q: %w", text, err)
		}
		var steps []string
		for _, s := range path {
			name, ok := s.(string)
			if !ok {
				steps = nil // an item of a list is not followed
				break
			}
			steps = append(steps, name)
		}
		if len(steps) == 0 {
			continue
		}
		v, found, err := unstructured.NestedFieldCopy(live.Object, steps...)
		if err != nil || !found {
			continue
		}
		if err := unstructured.SetNestedField(out, v, steps...); err != nil {
			return nil, fmt.Errorf("unable to set field %q with last used value: %w", text, err)
		}
	}
	return out, nil
}
