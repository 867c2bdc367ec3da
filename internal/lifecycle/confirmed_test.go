package lifecycle

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"

	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
)

// changes has a row for each method of Cloud and of Objects: whether it changes
// anything.
var changes = map[string]bool{
	"Cloud.Identity": false, "Cloud.CheckRelease": false, "Cloud.Limits": false, "Cloud.CloseAccount": true,
	"Cloud.Find": false, "Cloud.Usable": false, "Cloud.RegionEnabled": false, "Cloud.Zones": false, "Cloud.Quotas": false,
	"Cloud.Inventory": false, "Cloud.Shares": false, "Cloud.Remove": true,
	"Cloud.Running": false, "Cloud.ProtectCluster": true, "Cloud.NodeGroup": false, "Cloud.StaleEntries": false,
	"Cloud.RenewEntry": true, "Cloud.Kubeconfig": false,
	"Objects.Compare": false, "Objects.Expose": true, "Objects.MakeWay": true, "Objects.PutBack": true, "Objects.Strays": false,
	"Objects.Remove": true, "Objects.Available": false,
}

func TestAnOperationThatHasLostItsOrgChangesNothingByAnyMethod(t *testing.T) {
	p := newPlace(t)
	slow, other := p.start(lifecycletest.Machine{Name: "a"}), p.start(lifecycletest.Machine{Name: "b"})
	begin := func(proc *process) *operation.Operation {
		return must[*operation.Operation](t)(operation.Begin(t.Context(), proc.Holding, orgcontexttest.For("acme"), operation.Request{Kind: "onboard"}, nil))
	}
	op := begin(slow)
	defer op.Detach()
	p.world.Sleep(slow.Holding.TTL)
	taken := begin(other)
	defer taken.Detach()

	// Neither has anything behind it: what gets through panics.
	of := (&Service{}).confirmed(op)
	found := map[string]bool{}
	for name, v := range map[string]reflect.Value{"Cloud": reflect.ValueOf(&of.Cloud).Elem(), "Objects": reflect.ValueOf(&of.Objects).Elem()} {
		for i := range v.NumMethod() {
			method := name + "." + v.Type().Method(i).Name
			found[method] = true
			err := called(t.Context(), v.Method(i))
			if lost := errors.Is(err, registry.ErrLost); lost != changes[method] {
				t.Errorf("%s: %v; it changes something: %t", method, err, changes[method])
			}
		}
	}
	if !reflect.DeepEqual(slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(changes))) {
		t.Errorf("the methods are %q", slices.Sorted(maps.Keys(found)))
	}
}

var errThrough = errors.New("it was carried out")

// called is what a method returns for no arguments, or errThrough.
func called(ctx context.Context, method reflect.Value) (err error) {
	defer func() {
		if recover() != nil {
			err = errThrough
		}
	}()
	var in []reflect.Value
	for typ := range method.Type().Ins() {
		in = append(in, reflect.Zero(typ))
	}
	if len(in) > 0 {
		in[0] = reflect.ValueOf(ctx)
	}
	out := method.Call(in)
	err, _ = reflect.TypeAssert[error](out[len(out)-1])
	return err
}
