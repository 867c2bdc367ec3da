package kubeprovider

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Create applies a new object and waits until it is there for others to use. An
// object that a killed run left is taken over: its fields are already ours.
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	inputs, err := unmarshal("Create.properties", req.GetProperties())
	if err != nil {
		return nil, err
	}
	w := write{connection: p.of(ctx), urn: resource.URN(req.GetUrn()), inputs: inputs, key: names(inputs), preview: req.GetPreview(), doing: "create"}
	id, outputs, err := w.do(ctx, req.GetTimeout())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CreateResponse{Id: id, Properties: outputs}, nil
}

// Update applies a changed object, also over what others changed in its fields.
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	inputs, err := unmarshal("Update.news", req.GetNews())
	if err != nil {
		return nil, err
	}
	w := write{connection: p.of(ctx), urn: resource.URN(req.GetUrn()), inputs: inputs, key: keyOf(req.GetId()), preview: req.GetPreview(), doing: "update", force: true}
	_, outputs, err := w.do(ctx, req.GetTimeout())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.UpdateResponse{Properties: outputs}, nil
}

// write is one create or update.
type write struct {
	*connection
	urn     resource.URN
	inputs  resource.PropertyMap
	key     key
	preview bool
	doing   string
	force   bool
}

func (w *write) do(ctx context.Context, seconds float64) (id string, outputs *structpb.Struct, err error) {
	ctx, cancel := w.operation(ctx, seconds)
	defer cancel()
	gvk, err := kindOf(string(w.urn.Type()), w.inputs)
	if err != nil {
		return "", nil, err
	}
	if w.preview {
		return w.dryRun(ctx, gvk)
	}
	c, err := w.reach(ctx)
	if err != nil {
		return "", nil, w.failed(gvk, err)
	}
	r, err := c.at(ctx, gvk, &w.key, w.settings().namespace, patient)
	if err != nil {
		return "", nil, w.failed(gvk, err)
	}
	live, err := apply(ctx, r, w.key, withNamespace(plainMap(w.inputs), w.key.namespace), applying{force: w.force})
	if err != nil {
		return "", nil, w.failed(gvk, err)
	}
	if gvk.GroupKind() == definitionKind {
		defer c.mapper.Reset() // it serves a new kind now
	}
	k := key{live.GetNamespace(), live.GetName()}
	said := func(message string) { w.report(ctx, pulumirpc.LogSeverity_INFO, string(w.urn), message, true) }
	ready, waitErr := c.await(ctx, r, live, said)
	if ready != nil {
		live = ready
	}
	outputs, err = marshal("outputs", w.outputs(live.Object))
	if err != nil {
		return "", nil, err
	}
	if waitErr != nil {
		return "", nil, initFailed(k.id(), outputs, w.inputs, w.failed(gvk, waitErr))
	}
	return k.id(), outputs, nil
}

// dryRun asks the server what would be, where it can tell already.
func (w *write) dryRun(ctx context.Context, gvk schema.GroupVersionKind) (id string, outputs *structpb.Struct, err error) {
	asked := w.inputs
	if live, err := w.tryDryRun(ctx, gvk); err != nil {
		return "", nil, w.failed(gvk, err)
	} else if live != nil {
		asked = unsettled(w.outputs(live.Object), w.doing == "create")
	}
	outputs, err = marshal("preview", asked)
	return "", outputs, err
}

// tryDryRun returns nil where the server cannot tell: values are unknown, the
// cluster is not there yet, nor the kind or the namespace.
func (w *write) tryDryRun(ctx context.Context, gvk schema.GroupVersionKind) (*unstructured.Unstructured, error) {
	if resource.NewProperty(w.inputs).ContainsUnknowns() {
		return nil, nil
	}
	c, err := w.reach(ctx)
	if err != nil {
		w.report(ctx, pulumirpc.LogSeverity_DEBUG, string(w.urn), err.Error(), false)
		return nil, nil
	}
	r, err := c.at(ctx, gvk, &w.key, w.settings().namespace, impatient)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	live, err := apply(ctx, r, w.key, withNamespace(plainMap(w.inputs), w.key.namespace), applying{force: w.force, dryRun: true})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return live, err
}

// outputs are an object's properties, secret where the inputs are.
func (w *write) outputs(live map[string]any) resource.PropertyMap { return outputsOf(live, w.inputs) }

func outputsOf(live map[string]any, inputs resource.PropertyMap) resource.PropertyMap {
	live = (&unstructured.Unstructured{Object: live}).DeepCopy().Object
	unstructured.RemoveNestedField(live, "metadata", "managedFields")
	out := keepSecret(property(live), resource.NewProperty(inputs)).ObjectValue()
	hideSecretData(out)
	return out
}

// unsettled marks what a dry run made up and the real one will make otherwise.
func unsettled(m resource.PropertyMap, isNew bool) resource.PropertyMap {
	unknown := resource.MakeComputed(resource.NewProperty(""))
	metadata, _ := metadataOf(m)
	made := []resource.PropertyKey{"resourceVersion", "generation"}
	if isNew {
		made = append(made, "uid", "creationTimestamp")
		if _, set := m["status"]; set {
			m["status"] = unknown
		}
	}
	for _, k := range made {
		if _, set := metadata[k]; set {
			metadata[k] = unknown
		}
	}
	m["metadata"] = keepSecret(resource.NewProperty(metadata), m["metadata"])
	return m
}

// failed names the operation and the object in an error.
func (w *write) failed(gvk schema.GroupVersionKind, err error) error {
	return fmt.Errorf("%s %s %s: %w", w.doing, gvk.Kind, w.key.id(), err)
}

// initFailed tells the engine that the object is there but does not work: it is
// kept in the state, and the next update waits for it again.
func initFailed(id string, outputs *structpb.Struct, inputs resource.PropertyMap, cause error) error {
	in, err := marshal("inputs", inputs)
	if err != nil {
		return err
	}
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, cause.Error()), &pulumirpc.ErrorResourceInitFailed{
		Id: id, Properties: outputs, Inputs: in, Reasons: []string{cause.Error()},
	})
}

// Read returns the live object; and as its inputs, those that were, with what
// has changed under them. An object that is not there has no id.
func (p *Provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	inputs, err := unmarshal("Read.inputs", req.GetInputs())
	if err != nil {
		return nil, err
	}
	was, err := unmarshal("Read.properties", req.GetProperties())
	if err != nil {
		return nil, err
	}
	c := p.of(ctx)
	ctx, cancel := c.operation(ctx, 0)
	defer cancel()
	source := inputs
	if len(source) == 0 {
		source = was
	}
	gvk, err := kindOf(string(resource.URN(req.GetUrn()).Type()), source)
	if err != nil {
		return nil, err
	}
	live, err := c.get(ctx, gvk, keyOf(req.GetId()))
	switch {
	case gone(err), errors.Is(err, errUnreachable) && c.settings().deleteUnreachable:
		return &pulumirpc.ReadResponse{}, nil
	case err != nil:
		return nil, fmt.Errorf("read %s %s: %w", gvk.Kind, req.GetId(), err)
	}
	outputs, err := marshal("outputs", outputsOf(live.Object, source))
	if err != nil {
		return nil, err
	}
	seen := imported(live)
	if len(inputs) > 0 {
		seen = observed(plainMap(inputs), plainMap(was), live)
	}
	in := keepSecret(property(seen), resource.NewProperty(inputs)).ObjectValue()
	hideSecretData(in)
	current, err := marshal("inputs", in)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.ReadResponse{Id: key{live.GetNamespace(), live.GetName()}.id(), Properties: outputs, Inputs: current}, nil
}

func (c *connection) get(ctx context.Context, gvk schema.GroupVersionKind, k key) (*unstructured.Unstructured, error) {
	cl, err := c.reach(ctx)
	if err != nil {
		return nil, err
	}
	r, err := cl.at(ctx, gvk, &k, c.settings().namespace, ifDefined)
	if err != nil {
		return nil, err
	}
	return r.Get(ctx, k.name, metav1.GetOptions{})
}

// gone reports whether an object cannot be there: neither it nor its kind is.
func gone(err error) bool {
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err)
}

// Delete deletes an object, what it owns first, and waits until it is gone.
func (p *Provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	was, err := unmarshal("Delete.properties", req.GetProperties())
	if err != nil {
		return nil, err
	}
	c := p.of(ctx)
	ctx, cancel := c.operation(ctx, req.GetTimeout())
	defer cancel()
	gvk, err := kindOf(string(resource.URN(req.GetUrn()).Type()), was)
	if err != nil {
		return nil, err
	}
	said := func(message string) { c.report(ctx, pulumirpc.LogSeverity_INFO, req.GetUrn(), message, true) }
	err = c.delete(ctx, gvk, keyOf(req.GetId()), said)
	if gone(err) || errors.Is(err, errUnreachable) && c.settings().deleteUnreachable {
		return &emptypb.Empty{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("delete %s %s: %w", gvk.Kind, req.GetId(), err)
	}
	return &emptypb.Empty{}, nil
}

func (c *connection) delete(ctx context.Context, gvk schema.GroupVersionKind, k key, said func(string)) error {
	cl, err := c.reach(ctx)
	if err != nil {
		return err
	}
	r, err := cl.at(ctx, gvk, &k, c.settings().namespace, ifDefined)
	if err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err := r.Delete(ctx, k.name, metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		return err
	}
	if gvk.GroupKind() == definitionKind {
		defer cl.mapper.Reset()
	}
	return cl.awaitGone(ctx, r, k, said)
}
