package crossguard_test

import (
	"context"
	"maps"
	"sync/atomic"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"freehold.dev/freehold/internal/engine/enginetest"
)

// yesMan is a provider that makes whatever it is asked for, under the id that
// the resource is to have.
type yesMan struct {
	enginetest.Agreeable
	ids  map[string]string
	made atomic.Int64
	// asked counts what was read, and the functions that were called.
	asked atomic.Int64
}

func (y *yesMan) Read(_ context.Context, r *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	y.asked.Add(1)
	// What has no outputs is not there.
	out := &structpb.Struct{Fields: map[string]*structpb.Value{"id": structpb.NewStringValue(r.GetId())}}
	return &pulumirpc.ReadResponse{Id: r.GetId(), Properties: out, Inputs: &structpb.Struct{}}, nil
}

func (y *yesMan) Call(context.Context, *pulumirpc.CallRequest) (*pulumirpc.CallResponse, error) {
	y.asked.Add(1)
	return &pulumirpc.CallResponse{Return: &structpb.Struct{}}, nil
}

func (y *yesMan) Invoke(context.Context, *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	y.asked.Add(1)
	return &pulumirpc.InvokeResponse{Return: &structpb.Struct{}}, nil
}

func (y *yesMan) Create(_ context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	out := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	maps.Copy(out.Fields, r.GetProperties().GetFields())
	name := resource.URN(r.GetUrn()).Name()
	id := y.ids[name]
	if id == "" {
		id = "id-of-" + name
	}
	out.Fields["id"] = structpb.NewStringValue(id)
	if r.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: out}, nil
	}
	y.made.Add(1)
	return &pulumirpc.CreateResponse{Id: id, Properties: out}, nil
}
