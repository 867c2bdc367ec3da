package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"freehold.dev/freehold/internal/audit"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/kubelive"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/policies"
)

// Drift compares what the org's layers made with what is there now. It reads
// the four layers side by side, changes nothing, and never waits for a deploy
// nor holds one up. What could not be read is a finding of its own kind, and
// never passes for "no drift".
func (s *Service) Drift(ctx context.Context, org string, sink event.Sink) (event.Drift, error) {
	began := s.Now()
	out := event.Drift{Org: org, At: began}
	o, d, err := s.remembered(ctx, org)
	if err != nil {
		return out, fail(org, "", err)
	}
	if d.Caller, err = s.caller(ctx); err != nil {
		return out, fail(org, "", err)
	}
	if refused := dataplane.CheckCaller(d.Caller, o.Management); refused != nil && o.State != dataplane.OrgOffboarded {
		return out, refuse(org, *refused)
	}
	watch := watcher{sink: serialized(sink), org: org, kind: "drift", now: s.Now}
	reads := make([]layerRead, len(plan.Layers()))
	var wg sync.WaitGroup
	for i, l := range plan.Layers() {
		wg.Go(func() {
			watch.emit(event.Event{Type: event.LayerStarted, Layer: string(l)})
			reads[i] = s.readLayer(ctx, d, l, watch)
			watch.emit(event.Event{Type: event.LayerFinished, Layer: string(l), Duration: reads[i].result.Duration})
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return out, fail(org, "", fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx)))
	}
	out.Findings = append(out.Findings, d.Unfinished(o.State)...)
	f := drift.Facts{Declared: drift.Declared{}}
	whole := true
	var added []finding.Finding
	for _, r := range reads {
		out.Layers = append(out.Layers, r.result)
		out.Findings = append(out.Findings, r.unreadable...)
		whole = whole && len(r.unreadable) == 0
		f.Resources = append(f.Resources, r.resources...)
		f.Beside = append(f.Beside, r.beside...)
		declare(f.Declared, r.steps)
		out.Findings = append(out.Findings, r.violated...)
		added = append(added, r.added...)
	}
	// With a layer unread, everything of it would look undeclared.
	if whole && d.Outputs(plan.LayerAccount) != nil {
		items, in, failed := s.inventory(ctx, d)
		out.WayIn = in
		for _, err := range failed {
			out.Findings = append(out.Findings, finding.Finding{
				Kind: finding.Unreadable, Type: "inventory", Name: org, Message: err.Error(),
			})
		}
		f.Items = items
	}
	names := make([]string, len(plan.Layers()))
	for i, l := range plan.Layers() {
		names[i] = string(l)
	}
	out.Findings = append(out.Findings, drift.Findings(f, names)...)
	out.Findings = append(out.Findings, added...)
	out.Findings = append(out.Findings, s.entryFindings(ctx, d)...)
	out.Duration = s.Now().Sub(began)
	return out, fail(org, "", s.of(org).PutDrift(ctx, out))
}

type layerRead struct {
	result     event.LayerResult
	resources  []drift.Resource
	steps      []engine.Step
	beside     []finding.Finding
	unreadable []finding.Finding
	violated   []finding.Finding
	// added is what somebody made beside what the layer has in the cluster.
	added []finding.Finding
}

// beside is what a refresh does not see of a layer: fields that were added to its
// objects, and what is set beside its stack. The objects come with it.
func (s *Service) beside(ctx context.Context, d dataplane.DataPlane, l plan.Layer) ([]finding.Finding, []kubelive.Result, error) {
	out, err := s.unset(ctx, d, l)
	if err != nil || l != plan.LayerBootstrap {
		return out, nil, err
	}
	results, _, err := s.differing(ctx, d, reader)
	for _, r := range results {
		out = append(out, foundIn(l, r))
	}
	return out, results, err
}

// live puts the objects of a layer, as they are, in the place of what a refresh
// has read of them, which is no more than was asked for.
func live(steps []engine.Step, results []kubelive.Result) []engine.Step {
	out := slices.Clone(steps)
	for _, r := range results {
		i := slices.IndexFunc(out, func(st engine.Step) bool { return st.URN == r.Object.URN })
		if i >= 0 && r.Live != nil {
			out[i].NewInputs = r.Live
		}
	}
	return out
}

func (s *Service) readLayer(ctx context.Context, d dataplane.DataPlane, l plan.Layer, w watcher) (r layerRead) {
	began := s.Now()
	org := d.Plan.Org
	r.result = event.LayerResult{Layer: string(l), Stack: plan.StackName(org, l), State: dataplane.Done}
	defer func() { r.result.Duration = s.Now().Sub(began) }()
	unreadable := func(err error) {
		r.result.State, r.result.Error = dataplane.Failed, err.Error()
		r.unreadable = append(r.unreadable, finding.Finding{
			Kind: finding.Unreadable, Layer: string(l), Type: "layer", Name: string(l), Message: err.Error(),
		})
	}
	found, err := s.held(ctx, d, l)
	there := false
	if err == nil {
		there, err = d.Presence(l, found)
	}
	if err != nil {
		unreadable(err)
		return r
	}
	if !there {
		r.result.State = dataplane.NotStarted
		return r
	}
	if l == plan.LayerBootstrap {
		why, err := s.lost(ctx, d)
		if err != nil {
			unreadable(fail(org, string(l), err))
			return r
		}
		if why != "" {
			r.beside = []finding.Finding{{Kind: finding.Missing, Layer: string(l), Type: "layer", Name: string(l), Message: why + ", and all of the layer with it"}}
			return r
		}
	}
	st, err := s.stack(ctx, d, l)
	if errors.Is(err, dataplane.ErrNotReady) {
		r.result.State = dataplane.NotStarted
		return r
	}
	if err != nil {
		unreadable(err)
		return r
	}
	run, err := s.Engine.PreviewRefresh(ctx, st, w.waits)
	if err != nil {
		unreadable(fail(org, string(l), err))
		return r
	}
	r.steps, r.result.Changes, r.result.Resources = run.Steps, run.Changes, run.Resources()
	var objects []kubelive.Result
	if r.beside, objects, err = s.beside(ctx, d, l); err != nil {
		unreadable(fail(org, string(l), err))
	}
	// The rules are the same that the plan was held against, on what is there now.
	if r.violated, err = s.judgeRefreshed(d, l, live(run.Steps, objects)); err != nil {
		unreadable(err)
	}
	if l == plan.LayerBootstrap {
		r.added = append(s.addedTo(ctx, d), s.pullFindings(ctx, d)...)
	}
	for _, step := range run.Steps {
		if !step.Custom {
			continue
		}
		r.resources = append(r.resources, drift.Resource{
			Layer: string(l), Type: step.Type, Name: step.Name, ID: step.ID, URN: step.URN,
			Gone: step.Op == "delete", Want: step.OldInputs, Have: step.NewInputs,
		})
	}
	return r
}

// inventory lists what somebody made in the org's account, and apart from it the
// way in. Of what the services' own lists show beside an inventory, as an audit asks
// for them, it is what leads out of the account: the rest is what workloads and AWS
// make every day. What could not be listed is an error beside what could.
func (s *Service) inventory(ctx context.Context, d dataplane.DataPlane) ([]drift.Item, *finding.WayIn, []error) {
	a, items, err := s.listed(ctx, d)
	if err != nil {
		return nil, nil, []error{err}
	}
	var out []drift.Item
	for _, it := range bySomebody(items) {
		out = append(out, itemOf(it))
	}
	shares, err := s.Cloud.Shares(ctx, a)
	failed := several(err)
	scope, err := d.Scope(plan.LayerBoundary)
	if err != nil {
		return out, wayIn(items), append(failed, err)
	}
	leading, err := audit.LeadOut(audit.Options{Rules: policies.All(), Now: s.Now}, a.ID, scope, thingsOf(slices.Concat(items, shares)), thingsOf(bySomebody(shares)))
	failed = append(failed, several(err)...)
	for _, t := range leading {
		// Some are in both: an inventory shows a bucket, and this what it copies out.
		if it := (drift.Item{Type: t.Type, ID: t.ID, Name: t.Name}); !slices.Contains(out, it) {
			out = append(out, it)
		}
	}
	return out, wayIn(items), failed
}

// several are the errors that were joined into one.
func several(err error) []error {
	switch many, is := err.(interface{ Unwrap() []error }); {
	case err == nil:
		return nil
	case is:
		return many.Unwrap()
	default:
		return []error{err}
	}
}
