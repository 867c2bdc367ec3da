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
