package kubeprovider

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/client-go/rest"
)

// engine drives a provider as Pulumi's engine does, and keeps one resource's state.
type engine struct {
	t *testing.T
	p *Provider
}

// resourceState is what the engine keeps of a resource.
type resourceState struct {
	urn     resource.URN
	id      string
	inputs  *structpb.Struct
	outputs *structpb.Struct
}

func newEngine(t *testing.T, rc *rest.Config) *engine {
	t.Helper()
	return configured(t, func(context.Context, string) (*rest.Config, error) {
		if rc == nil {
			return nil, errors.New("there is no cluster yet")
		}
		return rc, nil
	})
}

func configured(t *testing.T, resolve Resolve) *engine {
	t.Helper()
	e := &engine{t: t, p: New(resolve, time.Now)}
	e.p.retryPause = 200 * time.Millisecond
	if _, err := e.p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: e.wire(map[string]any{"kubeconfig": "any"})}); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *engine) wire(m map[string]any) *structpb.Struct {
	e.t.Helper()
	s, err := marshal("test", property(m).ObjectValue())
	if err != nil {
		e.t.Fatal(err)
	}
	return s
}

func (e *engine) values(s *structpb.Struct) map[string]any {
	e.t.Helper()
	m, err := unmarshal("test", s)
	if err != nil {
		e.t.Fatal(err)
	}
	return plainMap(m)
}

func urnOf(typ, name string) resource.URN {
	return resource.URN("urn:pulumi:acme.bootstrap::freehold::" + typ + "::" + name)
}

// typed says an object's version and kind in it, as the SDK's constructors do.
func typed(urn resource.URN, obj map[string]any) map[string]any {
	out := maps.Clone(obj)
	if gvk, err := typeOf(urn); err == nil {
		for k, v := range map[string]any{"apiVersion": gvk.GroupVersion().String(), "kind": gvk.Kind} {
			if out[k] == nil {
				out[k] = v
			}
		}
	}
	return out
}

// made is the state of a resource whose object is what its inputs say.
func (e *engine) made(inputs *structpb.Struct) *structpb.Struct {
	e.t.Helper()
	m, err := unmarshal("test", inputs)
	if err != nil {
		e.t.Fatal(err)
	}
	object := plainMap(m)
	state, err := marshal("test", checkpoint{live: object, inputs: object, version: stringOf(object["apiVersion"]), manager: "test"}.state(m))
	if err != nil {
		e.t.Fatal(err)
	}
	return state
}

func (e *engine) check(urn resource.URN, olds *structpb.Struct, obj map[string]any) *structpb.Struct {
	e.t.Helper()
	resp, err := e.p.Check(e.t.Context(), &pulumirpc.CheckRequest{Urn: string(urn), Olds: olds, News: e.wire(typed(urn, obj)), RandomSeed: []byte("seed")})
	if err != nil {
		e.t.Fatal(err)
	}
	if len(resp.Failures) > 0 {
		e.t.Fatalf("check failed: %v", resp.Failures)
	}
	return resp.Inputs
}

// create checks, previews and creates.
func (e *engine) create(typ, name string, obj map[string]any) (resourceState, error) {
	e.t.Helper()
	s := resourceState{urn: urnOf(typ, name)}
	s.inputs = e.check(s.urn, nil, obj)
	if _, err := e.p.Create(e.t.Context(), &pulumirpc.CreateRequest{Urn: string(s.urn), Properties: s.inputs, Preview: true}); err != nil {
		return s, err
	}
	resp, err := e.p.Create(e.t.Context(), &pulumirpc.CreateRequest{Urn: string(s.urn), Properties: s.inputs, Timeout: 20})
	if err != nil {
		return s, err
	}
	s.id, s.outputs = resp.Id, resp.Properties
	return s, nil
}

func (e *engine) mustCreate(typ, name string, obj map[string]any) resourceState {
	e.t.Helper()
	s, err := e.create(typ, name, obj)
	if err != nil {
		e.t.Fatal(err)
	}
	return s
}

// diff tells what an update to obj would change, by path.
func (e *engine) diff(s resourceState, obj map[string]any) *pulumirpc.DiffResponse {
	e.t.Helper()
	resp, err := e.p.Diff(e.t.Context(), &pulumirpc.DiffRequest{
		Urn: string(s.urn), Id: s.id, Olds: s.outputs, OldInputs: s.inputs, News: e.check(s.urn, s.inputs, obj),
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return resp
}

// kinds maps each changed path of a diff to what happens there.
func kinds(resp *pulumirpc.DiffResponse) map[string]string {
	out := map[string]string{}
	for path, d := range resp.GetDetailedDiff() {
		out[path] = d.GetKind().String()
	}
	return out
}

func (e *engine) update(s resourceState, obj map[string]any) (resourceState, error) {
	e.t.Helper()
	news := e.check(s.urn, s.inputs, obj)
	for _, preview := range []bool{true, false} {
		resp, err := e.p.Update(e.t.Context(), &pulumirpc.UpdateRequest{
			Urn: string(s.urn), Id: s.id, Olds: s.outputs, OldInputs: s.inputs, News: news, Preview: preview, Timeout: 20,
		})
		if err != nil {
			return s, err
		}
		if !preview {
			s.outputs = resp.Properties
		}
	}
	s.inputs = news
	return s, nil
}

// refresh reads the resource back; its id is empty when it is gone.
func (e *engine) refresh(s resourceState) resourceState {
	e.t.Helper()
	resp, err := e.p.Read(e.t.Context(), &pulumirpc.ReadRequest{Urn: string(s.urn), Id: s.id, Properties: s.outputs, Inputs: s.inputs})
	if err != nil {
		e.t.Fatal(err)
	}
	s.id, s.inputs, s.outputs = resp.Id, resp.Inputs, resp.Properties
	return s
}

func (e *engine) delete(s resourceState, seconds float64) error {
	_, err := e.p.Delete(e.t.Context(), &pulumirpc.DeleteRequest{Urn: string(s.urn), Id: s.id, Properties: s.outputs, OldInputs: s.inputs, Timeout: seconds})
	return err
}
