package lifecycletest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/unknown"
)

// Engine runs the layers' stacks over a World. It runs no Pulumi program: of
// each layer it makes a small and fixed set of resources, from the layer's
// typed input, and gives the layer's typed output.
type Engine struct{ p *Process }

// stack is a stack's state in a backend.
type stack struct {
	Secrets   string // the secrets provider that it is encrypted with
	Resources []record
	// Pending are the URNs of creations that were begun and not recorded.
	Pending []string
	Outputs map[string]any
}

// record is a resource in a state.
type record struct {
	URN, Type, Name, ID, Where, Provider string
	Protect, Retain                      bool
	Inputs, Outputs                      map[string]any
}

// own reports whether the record is of the engine itself.
func (r record) own() bool { return strings.HasPrefix(r.Type, "pulumi:") }

// states is the backend of the process's machine, nil when no stack was ever
// made in it. The caller holds w.mu.
func (p *Process) states() map[string]*stack { return p.w.data.Stacks[p.machine.Backend] }

// Up brings the stack's resources to what its layer declares.
func (e *Engine) Up(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	return e.run(ctx, s, Up, "update", sink)
}

// Preview says what Up would do.
func (e *Engine) Preview(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	return e.run(ctx, s, Preview, "preview", sink)
}

// PreviewRefresh compares the stack's state with what is there.
func (e *Engine) PreviewRefresh(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	return e.run(ctx, s, PreviewRefresh, "read", sink)
}

// Destroy removes the stack's resources and then the stack itself.
func (e *Engine) Destroy(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	return e.run(ctx, s, Destroy, "destroy", sink)
}

// Adopt takes resources into the stack's state that an interrupted run made and
// could not record. It drops the pending operations when it finds one, as the
// engine does, and fails as the engine does where it could not see everything.
func (e *Engine) Adopt(ctx context.Context, s engine.Stack, find engine.Finder, sink event.Sink) ([]engine.Step, error) {
	if err := e.p.guard(Adopt, s.Layer); err != nil {
		return nil, err
	}
	var all []engine.Step
	for {
		lost, unseen, err := e.adoptShown(ctx, s, find, sink)
		all = append(all, lost...)
		switch {
		case err != nil, unseen == nil, len(lost) == 0 && errors.Is(unseen, engine.ErrPolicy):
			return all, err
		case len(lost) == 0:
			return all, unseen
		}
	}
}

func (e *Engine) adoptShown(ctx context.Context, s engine.Stack, find engine.Finder, sink event.Sink) (lost []engine.Step, unseen, err error) {
	res, err := e.Preview(ctx, s, nil)
	if _, failed := errors.AsType[*engine.Error](err); err != nil && (!failed || errors.Is(err, engine.ErrCancelled) || errors.Is(err, engine.ErrLocked)) {
		return nil, nil, err
	}
	unseen = err
	for _, st := range res.Steps {
		if st.Op != "create" || !st.Custom || strings.HasPrefix(st.Type, "pulumi:") {
			continue
		}
		found, ok, err := find(ctx, st)
		if err != nil {
			return nil, nil, fmt.Errorf("look for a %s %q that an interrupted run may have made: %w", st.Type, st.Name, err)
		}
		if ok {
			st.ID = found.ID
			lost = append(lost, st)
		}
	}
	// What is there although the stack was never made is not an interrupted
	// run's: the Up will say so.
	if info, err := e.Stat(ctx, s); err != nil || !info.Exists || len(lost) == 0 {
		return nil, unseen, err
	}
	return lost, unseen, e.record(s, lost, sink)
}

// record takes what was lost into a stack's state.
func (e *Engine) record(s engine.Stack, lost []engine.Step, sink event.Sink) error {
	release, err := e.hold(s, "import the state")
	if err != nil {
		return err
	}
	defer release()
	p, err := programOf(s.Layer, s.Config)
	if err != nil {
		return err
	}
	if err := e.p.write(Write{"state", "adopt", s.Name, ""}, func() error {
		st := e.p.states()[s.Name]
		for _, step := range lost {
			i := slices.IndexFunc(p.resources, func(r resource) bool { return urn(s, r.typ, r.name) == step.URN })
			r := p.resources[i]
			st.Resources = append(st.Resources, record{
				URN: step.URN, Type: r.typ, Name: r.name, ID: step.ID, Where: r.where, Provider: urn(s, p.provider, "org"),
				Protect: r.protect, Retain: r.retain,
				Inputs: unknown.Without(step.NewInputs), Outputs: unknown.Without(step.NewInputs),
			})
		}
		st.Pending = nil
		return nil
	}); err != nil {
		return err
	}
	for _, st := range lost {
		e.emit(sink, s, event.Diagnostic, st, "an interrupted run had made it and could not record it: taken over")
	}
	return nil
}

// Forget takes all resources out of the stack's state.
func (e *Engine) Forget(_ context.Context, s engine.Stack, _ event.Sink) error {
	release, err := e.hold(s, "import the state")
	if err != nil {
		return err
	}
	defer release()
	return e.p.write(Write{"state", "forget all", s.Name, ""}, func() error {
		st, ok := e.p.states()[s.Name]
		if !ok {
			return fmt.Errorf("forget stack %s: %w", s.Name, engine.ErrNoStack)
		}
		st.Resources, st.Pending = nil, nil
		return nil
	})
}

// Stat says what the backend holds of a stack.
func (e *Engine) Stat(_ context.Context, s engine.Stack) (engine.Info, error) {
	if err := e.p.guard(Stat, s.Layer); err != nil {
		return engine.Info{}, err
	}
	var info engine.Info
	err := e.p.read(func() error {
		st, ok := e.p.states()[s.Name]
		if !ok {
			info.Fresh = e.p.states() == nil
			return nil
		}
		info.Exists, info.Pending = true, len(st.Pending)
		for _, r := range st.Resources {
			if !r.own() {
				info.Resources++
			}
		}
		return nil
	})
	return info, err
}

// Unprotect lets a Destroy remove what is protected.
func (e *Engine) Unprotect(_ context.Context, s engine.Stack, _ event.Sink) error {
	return e.p.write(Write{"state", "unprotect", s.Name, ""}, func() error {
		st, ok := e.p.states()[s.Name]
		if !ok {
			return fmt.Errorf("unprotect stack %s: %w", s.Name, engine.ErrNoStack)
		}
		for i := range st.Resources {
			st.Resources[i].Protect = false
		}
		return nil
	})
}

// Types are the types of what the stack holds, or may hold.
func (e *Engine) Types(_ context.Context, s engine.Stack) ([]string, error) {
	if err := e.p.guard(Stat, s.Layer); err != nil {
		return nil, err
	}
	types := map[string]bool{}
	err := e.p.read(func() error {
		st, ok := e.p.states()[s.Name]
		if !ok {
			return nil
		}
		for _, r := range st.Resources {
			if !r.own() {
				types[r.Type] = true
			}
		}
		for _, u := range st.Pending {
			parts := strings.Split(u, "::")
			types[parts[2][strings.LastIndex(parts[2], "$")+1:]] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(types)), err
}

// Resources are those of some types in the stack's state.
func (e *Engine) Resources(_ context.Context, s engine.Stack, types ...string) ([]engine.Resource, error) {
	if err := e.p.guard(State, s.Layer); err != nil {
		return nil, err
	}
	var out []engine.Resource
	err := e.p.read(func() error {
		st, ok := e.p.states()[s.Name]
		if !ok {
			return nil
		}
		for _, r := range st.Resources {
			if len(types) == 0 || slices.Contains(types, r.Type) {
				out = append(out, engine.Resource{URN: r.URN, Type: r.Type, Name: r.Name, ID: r.ID, Inputs: copied(r.Inputs), Outputs: copied(r.Outputs)})
			}
		}
		return nil
	})
	return out, err
}

// Check reports whether this machine has the secrets provider of the stack.
func (e *Engine) Check(_ context.Context, s engine.Stack) error {
	if err := e.p.guard(Check, s.Layer); err != nil {
		return err
	}
	return e.p.read(func() error { return e.p.unlocks(s) })
}

// unlocks fails when the stack is encrypted with what this machine lacks. The
// caller holds w.mu.
func (p *Process) unlocks(s engine.Stack) error {
	if st, ok := p.states()[s.Name]; ok && st.Secrets != p.machine.Secrets {
		return fmt.Errorf("stack %s: %w: it is encrypted with %s, and machine %s has %s",
			s.Name, engine.ErrSecrets, st.Secrets, p.machine.Name, p.machine.Secrets)
	}
	return nil
}

// State opens the stored state of a stack, in the form of a checkpoint.
func (e *Engine) State(_ context.Context, s engine.Stack) (io.ReadCloser, error) {
	if err := e.p.guard(State, s.Layer); err != nil {
		return nil, err
	}
	var raw []byte
	err := e.p.read(func() error {
		st, ok := e.p.states()[s.Name]
		if !ok {
			return fmt.Errorf("read the state of stack %s: %w", s.Name, engine.ErrNoStack)
		}
		var err error
		raw, err = json.Marshal(st.checkpoint(s))
		return err
	})
	if err != nil {
		return nil, err
	}
	return io.NopCloser(strings.NewReader(string(raw))), nil
}

// checkpoint is the state as Pulumi stores it.
func (st *stack) checkpoint(s engine.Stack) map[string]any {
	stackURN := urn(s, "pulumi:pulumi:Stack", "freehold-"+s.Name)
	own := map[string]any{"urn": stackURN, "custom": false, "type": "pulumi:pulumi:Stack"}
	if st.Outputs != nil {
		own["outputs"] = st.Outputs // left out while there are none, as by Pulumi
	}
	resources := []any{own}
	for _, r := range st.Resources {
		resources = append(resources, map[string]any{
			"urn": r.URN, "custom": true, "id": r.ID, "type": r.Type, "parent": stackURN, "provider": r.Provider,
			"inputs": r.Inputs, "outputs": r.Outputs, "protect": r.Protect,
		})
	}
	var pending []any
	for _, u := range st.Pending {
		pending = append(pending, map[string]any{"type": "creating", "resource": map[string]any{"urn": u}})
	}
	return map[string]any{"version": 3, "checkpoint": map[string]any{
		"stack": "organization/freehold/" + s.Name,
		"latest": map[string]any{
			"secrets_providers": map[string]any{"type": "passphrase", "state": map[string]any{"salt": st.Secrets}},
			"resources":         resources, "pending_operations": pending,
		},
	}}
}

// guard fails for a dead process and for a call with a fault.
func (p *Process) guard(on Call, layer string) error {
	return p.read(func() error {
		if f := p.w.fault(on, layer); f != nil {
			return f.Err
		}
		return nil
	})
}

// hold takes the stack's lock in the backend, as a run does.
func (e *Engine) hold(s engine.Stack, doing string) (release func(), err error) {
	w, key := e.p.w, e.p.machine.Backend+"/"+s.Name
	err = e.p.read(func() error {
		if by := w.running[key]; by != nil && !by.dead {
			return &engine.Error{Stack: s.Name, Doing: doing, Kind: engine.ErrLocked, Detail: "locked by " + by.holder, Next: "wait until it ends"}
		}
		w.running[key] = e.p
		return nil
	})
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.running[key] == e.p {
			delete(w.running, key)
		}
	}, err
}

func (e *Engine) emit(sink event.Sink, s engine.Stack, typ event.Type, st engine.Step, message string) {
	if sink == nil {
		return
	}
	sink(event.Event{
		Type: typ, Time: e.p.w.Now(), Org: s.Org, Layer: s.Layer, URN: st.URN, ResourceType: st.Type, ResourceName: st.Name,
		Op: st.Op, Message: message,
	})
}

func urn(s engine.Stack, typ, name string) string {
	return "urn:pulumi:" + s.Name + "::freehold::" + typ + "::" + name
}

// resolved puts ids and outputs of other resources in the place of refs. What
// is not made yet is not known.
func resolved(in map[string]any, made map[string]*Thing) map[string]any {
	plain := maps.Clone(in)
	maps.DeleteFunc(plain, func(_ string, v any) bool { _, is := v.(ref); return is })
	out := copied(plain)
	for k, v := range in {
		r, is := v.(ref)
		if !is {
			continue
		}
		t := made[r.of]
		switch {
		case t == nil:
			out[k] = unknown.Value{}
		case r.output == "":
			out[k] = t.ID
		case r.output == "arn":
			out[k] = t.ARN
		default:
			out[k] = t.Outputs[r.output]
		}
	}
	return out
}
