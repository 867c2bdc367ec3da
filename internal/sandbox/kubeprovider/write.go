package kubeprovider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// write is one create or update.
type write struct {
	*connection
	urn     resource.URN
	inputs  resource.PropertyMap // as the engine has them, with their secrets
	object  map[string]any       // the same, for the API server
	old     checkpoint           // of an update
	manager string
	preview bool
	timeout float64
}

func (w *write) kind() string {
	gvk := kindOf(w.object)
	return gvk.GroupVersion().String() + "/" + gvk.Kind
}

// client returns where the object is. A write without a namespace goes to
// "default", as the official provider has it.
func (w *write) client(ctx context.Context, p patience) (*cluster, dynamic.ResourceInterface, error) {
	c, err := w.reach(ctx)
	if err != nil {
		return nil, nil, err
	}
	k := names(w.object)
	r, err := c.at(ctx, kindOf(w.object), &k, "default", p)
	return c, r, err
}

// apply sends an object to the server, which merges it with what others own.
// It fails on a conflict unless it is forced.
func (w *write) apply(ctx context.Context, r dynamic.ResourceInterface, object map[string]any, force bool) (*unstructured.Unstructured, error) {
	o := metav1.PatchOptions{FieldManager: w.manager, Force: &force, FieldValidation: metav1.FieldValidationWarn}
	if w.preview {
		o.DryRun = []string{metav1.DryRunAll}
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode the object: %w", err)
	}
	live, err := r.Patch(ctx, names(object).name, types.ApplyPatchType, body, o)
	return live, explained(err, w.manager)
}

// outputs is the state after the write.
func (w *write) outputs(live *unstructured.Unstructured, version string) (*structpb.Struct, error) {
	object := live.Object
	if w.preview {
		// A program would read a status that is empty and not unknown.
		object = live.DeepCopy().Object
		delete(object, "status")
	}
	return marshal("outputs", checkpoint{live: object, inputs: w.object, version: version, manager: w.manager}.state(w.inputs))
}

// settle waits until the written object is ready, and returns it as it is then;
// also when it does not become ready.
func (w *write) settle(ctx context.Context, c *cluster, r dynamic.ResourceInterface, live, before *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.await(ctx, awaited{client: r, inputs: w.object, live: live, before: before, said: func(message string) {
		w.report(ctx, pulumirpc.LogSeverity_INFO, string(w.urn), message, true)
	}}, timeLimit(w.timeout, w.object))
}

// initFailed tells the engine that the object is there but does not work: it is
// kept in the state, and the next update waits for it again.
func initFailed(id string, state *structpb.Struct, inputs *structpb.Struct, cause error) error {
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, cause.Error()), &pulumirpc.ErrorResourceInitFailed{
		Id: id, Properties: state, Inputs: inputs, Reasons: append([]string{cause.Error()}, reasons(cause)...),
	})
}
