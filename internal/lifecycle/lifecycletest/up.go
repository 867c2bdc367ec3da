package lifecycletest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/kubelive"
)

// up brings a stack to what its program wants, and removes what it no longer wants.
func (r *run) up(ctx context.Context) error {
	p, err := programOf(r.stack.Layer, r.stack.Config)
	if err != nil {
		return &engine.Error{Stack: r.stack.Name, Doing: r.doing, Kind: engine.ErrFailed, Detail: err.Error()}
	}
	if err := r.e.p.read(func() error { return p.reach(r.e.p.w) }); err != nil {
		if r.e.p.Killed() {
			return err
		}
		return &engine.Error{Stack: r.stack.Name, Doing: r.doing, Kind: engine.ErrCredentials, Detail: err.Error()}
	}
	provider := urn(r.stack, p.provider, "org")
	old, there, err := r.state()
	if err != nil {
		return err
	}
	if !there {
		if err := r.create(p, provider); err != nil {
			return err
		}
	}
	if err := r.reachesOld(old); err != nil {
		return err
	}
	if there && !r.dry() && !slices.ContainsFunc(old.Resources, record.own) {
		if err := r.store(Write{What: "record", Of: p.provider, Name: "org"}, func(s *stack) {
			s.Resources = append(s.Resources, r.provider(p, provider))
		}); err != nil {
			return err
		}
	}
	had := map[string]record{}
	for _, rec := range old.Resources {
		had[rec.URN] = rec
	}
	r.done(engine.Step{Op: opOf(had, provider), URN: provider, Type: p.provider, Name: "org", ID: "org", Custom: true})
	made, wanted := map[string]*Thing{}, map[string]bool{provider: true}
	for _, want := range p.resources {
		if err := r.interrupted(ctx); err != nil {
			return err
		}
		u := urn(r.stack, want.typ, want.name)
		wanted[u] = true
		rec, known := had[u]
		if slices.Contains(r.stack.Hold, u) {
			continue
		}
		t, err := r.bring(want, provider, rec, known, resolved(want.inputs, made))
		if err != nil {
			return err
		}
		if t != nil {
			// An attachment is called as what it attaches, which others refer to.
			if _, taken := made[want.name]; !taken {
				made[want.name] = t
			}
		}
	}
	for _, rec := range slices.Backward(old.Resources) {
		if wanted[rec.URN] || slices.Contains(r.stack.Hold, rec.URN) {
			continue
		}
		if err := r.delete(ctx, rec); err != nil {
			return err
		}
	}
	return r.finish(p, made)
}

func opOf(had map[string]record, u string) string {
	if _, ok := had[u]; ok {
		return "same"
	}
	return "create"
}

// provider is the record of a layer's provider. Kubernetes' has the way to the
// cluster as it is now.
func (r *run) provider(p program, u string) record {
	rec := record{URN: u, Type: p.provider, Name: "org", ID: "org", Inputs: map[string]any{}, Outputs: map[string]any{}}
	if p.cluster != "" {
		rec.Inputs["kubeconfig"] = r.e.p.w.wayTo(p.cluster)
		rec.Where = p.cluster
	}
	return rec
}

// reachesOld fails where what the state has is in a cluster that is gone: the
// engine reads that before it does anything, by the way that the state has.
func (r *run) reachesOld(old stack) error {
	i := slices.IndexFunc(old.Resources, record.own)
	if i < 0 || len(old.Resources) == 1 {
		return nil
	}
	way, kube := old.Resources[i].Inputs["kubeconfig"].(string)
	gone := false
	err := r.e.p.read(func() error {
		gone = kube && r.e.p.w.wayTo(old.Resources[i].Where) != way
		return nil
	})
	if gone {
		return &engine.Error{Stack: r.stack.Name, Doing: r.doing, Kind: engine.ErrFailed, Detail: "configured Kubernetes cluster is unreachable: no such host"}
	}
	return err
}

// wayTo is how the cluster of an ARN is reached, "" where there is none. The
// caller holds w.mu.
func (w *World) wayTo(arn string) string {
	for _, t := range w.data.Things {
		if t.Type != clusterType || t.ARN != arn {
			continue
		}
		authority, _ := t.Outputs["certificateAuthority"].(map[string]any)
		return fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: %q, certificate-authority-data: %q}}]\n"+
			"users: [{name: c, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: c}}]\n", text(t.Outputs, "endpoint"), text(authority, "data"))
	}
	return ""
}

// create makes the stack.
func (r *run) create(p program, provider string) error {
	if r.dry() {
		return nil
	}
	return r.e.p.write(Write{"state", "create", r.stack.Name, ""}, func() error {
		if all := r.e.p.w.data.Stacks; all[r.e.p.machine.Backend] == nil {
			all[r.e.p.machine.Backend] = map[string]*stack{}
		}
		r.e.p.states()[r.stack.Name] = &stack{
			Secrets:   r.e.p.machine.Secrets,
			Resources: []record{r.provider(p, provider)},
		}
		return nil
	})
}

// finish stores the outputs.
func (r *run) finish(p program, made map[string]*Thing) error {
	if r.dry() {
		r.res.Outputs = map[string]any{}
		return r.e.p.read(r.allowed)
	}
	raw, err := json.Marshal(p.outputs(made))
	if err != nil {
		return fmt.Errorf("outputs of stack %s: %w", r.stack.Name, err)
	}
	var outputs map[string]any
	if err := json.Unmarshal(raw, &outputs); err != nil {
		return fmt.Errorf("outputs of stack %s: %w", r.stack.Name, err)
	}
	r.res.Outputs = copied(outputs)
	return r.store(Write{What: "outputs", Of: r.stack.Name}, func(st *stack) { st.Outputs = outputs })
}

// bring makes a resource, changes it, or finds it as it should be. It returns
// nil for what a preview cannot know.
func (r *run) bring(want resource, provider string, rec record, known bool, inputs map[string]any) (*Thing, error) {
	st := engine.Step{
		Op: "create", URN: urn(r.stack, want.typ, want.name), Type: want.typ, Name: want.name, Custom: true,
		Provider: provider + "::org", Protect: want.protect, NewInputs: inputs,
	}
	w := r.e.p.w
	var now *Thing
	if known {
		if err := r.e.p.read(func() error {
			if t := w.find(rec.Where, rec.Type, rec.ID); t != nil {
				c := copied(*t)
				now = &c
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if now == nil {
		return r.make(want, st)
	}
	if err := updatable(rec, now); err != nil {
		return nil, r.failed(st, err)
	}
	st.Op, st.ID = "same", rec.ID
	st.OldInputs, st.OldOutputs, st.NewOutputs = rec.Inputs, now.Outputs, now.Outputs
	// The cluster's protection is set beside the stack.
	kept := map[string]any{}
	if v, set := now.Inputs["deletionProtection"]; set {
		kept["deletionProtection"] = v
	}
	target := merged(inputs, kept)
	if !reflect.DeepEqual(target, now.Inputs) || !reflect.DeepEqual(inputs, rec.Inputs) && !reflect.DeepEqual(now.Inputs, target) {
		st.Op = "update"
	}
	if kubernetes(rec.Type) {
		// pulumi-kubernetes asks the API server in a preview, too, and of what would
		// be replaced, beside what is there: https://github.com/pulumi/pulumi-kubernetes/issues/3767
		for _, key := range kinds[rec.Type].fixed {
			if !reflect.DeepEqual(target[key], now.Inputs[key]) {
				st.Op = "create-replacement"
				return nil, r.failed(st, fmt.Errorf("%q is invalid: %s: Forbidden: updates to %s are forbidden", rec.ID, key, key))
			}
		}
	}
	if r.dry() || st.Op == "same" && reflect.DeepEqual(inputs, rec.Inputs) && rec.Protect == want.protect && rec.Retain == want.retain {
		r.done(st)
		return now, nil
	}
	for _, key := range kinds[rec.Type].fixed {
		if !reflect.DeepEqual(target[key], now.Inputs[key]) {
			return nil, r.failed(st, fmt.Errorf("%s of %s cannot be changed", key, rec.ID))
		}
	}
	if st.Op == "update" {
		r.e.emit(r.sink, r.stack, event.ResourceStarted, st, "")
		if err := r.began(); err != nil {
			return nil, err
		}
		if err := r.e.p.write(Write{"cloud", "change", rec.Type, rec.Name}, func() error {
			t := w.find(rec.Where, rec.Type, rec.ID)
			t.Inputs = copied(target)
			t.Outputs = merged(t.Outputs, t.Inputs)
			c := copied(*t)
			now = &c
			return nil
		}); err != nil {
			return nil, err
		}
		st.NewOutputs = now.Outputs
	}
	if err := r.store(Write{What: "change", Of: rec.Type, Name: rec.Name}, func(s *stack) {
		for i := range s.Resources {
			if s.Resources[i].URN == st.URN {
				s.Resources[i].Inputs, s.Resources[i].Outputs = inputs, now.Outputs
				s.Resources[i].Protect, s.Resources[i].Retain = want.protect, want.retain
			}
		}
	}); err != nil {
		return nil, err
	}
	r.done(st)
	return now, nil
}

// updatable refuses, as pulumi-kubernetes does, to work on an object that somebody
// made again with another value where the API server lets nobody change it.
func updatable(rec record, now *Thing) error {
	made := kubelive.Result{Object: kubelive.Object{Type: rec.Type, ID: rec.ID}}
	for path := range now.Added {
		made.Differences = append(made.Differences, finding.Difference{Path: path})
	}
	if made.Remade() {
		return fmt.Errorf("the Kubernetes API server reported that %q failed to fully initialize or become live: it is invalid: cannot change it", rec.ID)
	}
	return nil
}

// make makes a resource in two writes: the cloud makes it, and then the state
// records it.
func (r *run) make(want resource, st engine.Step) (*Thing, error) {
	if r.dry() {
		r.done(st)
		return nil, nil
	}
	r.e.emit(r.sink, r.stack, event.ResourceStarted, st, "")
	if err := r.began(); err != nil {
		return nil, err
	}
	w := r.e.p.w
	var made Thing
	err := r.e.p.write(Write{"cloud", "make", want.typ, want.name}, func() error {
		t, err := w.make(want.where, want.typ, st.NewInputs)
		if err != nil {
			return refusal{err}
		}
		if s := r.e.p.states()[r.stack.Name]; !w.data.Silent {
			s.Pending = append(s.Pending, st.URN)
		}
		made = copied(*t)
		return nil
	})
	if no, is := err.(refusal); is { //nolint:errorlint // it is never wrapped
		return nil, r.failed(st, no.error)
	}
	if err != nil {
		return nil, err
	}
	st.ID, st.NewOutputs = made.ID, made.Outputs
	if err := r.store(Write{What: "record", Of: want.typ, Name: want.name}, func(s *stack) {
		if i := slices.Index(s.Pending, st.URN); i >= 0 && !w.data.Silent {
			// Its own goes; one of an earlier run stays until somebody looked.
			s.Pending = slices.Delete(s.Pending, len(s.Pending)-1, len(s.Pending))
		}
		// What was gone is recorded anew.
		s.Resources = slices.DeleteFunc(s.Resources, func(old record) bool { return old.URN == st.URN })
		s.Resources = append(s.Resources, record{
			URN: st.URN, Type: want.typ, Name: want.name, ID: made.ID, Where: want.where, Provider: st.Provider,
			Protect: want.protect, Retain: want.retain, Inputs: st.NewInputs, Outputs: made.Outputs,
		})
	}); err != nil {
		return nil, err
	}
	r.done(st)
	return &made, nil
}
