package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"freehold.dev/freehold/internal/finding"
)

// errRefused ends a run between its preview and its update.
var errRefused = errors.New("the preview has found what must not be done")

// errSilent ends a run in which the engine waits for something that does not come.
var errSilent = errors.New("a policy pack does not answer")

// analyzedBy says which pack must have looked at every resource. ctx says for whom the
// run acts; a run that is told to stop is judged to its end.
func (w *watch) analyzedBy(ctx context.Context, p Policies) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	w.pack = p.Name
	if p.Read != nil {
		w.analyzeRead = func(scope string, read, by Step) ([]finding.Policy, error) { return p.Read(ctx, scope, read, by) }
	}
	if p.Ask != nil {
		w.analyzeAsked = func(scope string, asked Asked) ([]finding.Policy, error) { return p.Ask(ctx, scope, asked) }
	}
}

// read asks the rules about a resource that the program only reads.
func (w *watch) read(s Step) {
	if w.pack == "" {
		return
	}
	err := errors.New("nothing may be read")
	var found []finding.Policy
	if w.analyzeRead != nil {
		found, err = w.analyzeRead(w.stack.Scope, s, w.providerOf(s))
	}
	if err != nil {
		found = []finding.Policy{w.unjudged(finding.Resource{Type: s.Type, Name: s.Name, URN: s.URN, ID: s.ID}, err)}
	}
	w.noteReads(found, w.preview)
}

// providerOf finds the provider of a step among those that the run has had already.
func (w *watch) providerOf(s Step) Step {
	urn := s.Provider[:max(strings.LastIndex(s.Provider, "::"), 0)]
	i := slices.IndexFunc(w.steps, func(o Step) bool { return o.URN == urn && urn != "" })
	if i < 0 {
		return Step{}
	}
	return w.steps[i]
}

// unjudged is the finding that the rules could not be asked.
func (w *watch) unjudged(r finding.Resource, err error) finding.Policy {
	return finding.Policy{
		Rule: "FH000", Title: "Every resource is judged", Severity: "critical", Org: w.stack.Org, Layer: w.stack.Layer,
		Resource: r, Answer: "violated", Message: err.Error(),
		Why: "what a program reads by its name or id may be another customer's",
		Fix: "hand the layer what it needs as its input, from the outputs of the org's own layers",
	}
}

// noteReads keeps what stops a run apart from what is only shown.
func (w *watch) noteReads(found []finding.Policy, dry bool) {
	for _, f := range found {
		if f.Exception != nil || f.Open() && dry {
			w.noted = append(w.noted, f)
			continue
		}
		w.reads = append(w.reads, f)
	}
}

// refused reports whether a preview has found what only we see, while the
// CLI knows of nothing that stops it.
func (w *watch) refused() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.preview || len(w.blocked) > 0 {
		return false
	}
	if steps := replaced(w.stack, w.steps); len(steps) > 0 {
		w.replaces = &ReplaceError{Stack: w.stack.Name, Steps: steps}
	}
	return w.replaces != nil || len(w.reads) > 0
}

// violated takes what a pack found.
func (w *watch) violated(ev apitype.PolicyEvent) {
	f := violation(w.stack, ev)
	if ev.EnforcementLevel == mandatory {
		w.blocked = append(w.blocked, f)
		return
	}
	w.noted = append(w.noted, f)
}

func (w *watch) violates() bool { return len(w.violations()) > 0 }

// violations is what the packs do not allow.
func (w *watch) violations() []finding.Policy {
	w.mu.Lock()
	defer w.mu.Unlock()
	return inOrder(append(slices.Clone(w.blocked), w.reads...))
}

// accepted is what somebody answers for.
func (w *watch) accepted() []finding.Policy {
	return slices.DeleteFunc(w.notes(), func(f finding.Policy) bool { return f.Exception == nil })
}

// notes is what the packs say and do not stop a run for. What was open at an
// update was settled when the stack was analyzed as a whole.
func (w *watch) notes() []finding.Policy {
	w.mu.Lock()
	defer w.mu.Unlock()
	return inOrder(w.noted)
}

// inOrder returns each finding once, the worst first, and then as they are named.
func inOrder(all []finding.Policy) []finding.Policy {
	rank := map[string]int{"critical": 0, "high": 1, "medium": 2}
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b finding.Policy) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Resource.URN, b.Resource.URN), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(out, func(a, b finding.Policy) bool {
		return a.Rule == b.Rule && a.Resource.URN == b.Resource.URN && a.Path == b.Path && a.Message == b.Message
	})
}

// unanalyzed is the proof that the rules were asked: a run that went well without
// them is a failure. A resource that is only removed need not be analyzed, nor
// one that is held until it is.
func (w *watch) unanalyzed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pack == "" {
		return nil
	}
	if len(w.reads) > 0 {
		return errRefused
	}
	if !w.analyzed[""] {
		return fmt.Errorf("policy pack %q has not looked at the stack", w.pack)
	}
	for _, s := range w.steps {
		if slices.Contains(makes, apitype.OpType(s.Op)) && !w.analyzed[s.URN] && !slices.Contains(w.stack.Hold, s.URN) {
			return fmt.Errorf("policy pack %q has not looked at %s %q", w.pack, s.Type, s.Name)
		}
	}
	return nil
}

// makes are the steps after which a resource is there.
var makes = []apitype.OpType{
	apitype.OpCreate, apitype.OpUpdate, apitype.OpReplace, apitype.OpCreateReplacement, apitype.OpSame, apitype.OpImport,
	apitype.OpImportReplacement,
}

// guarded ends the run when the engine says nothing for so long and no
// resource is being worked on: then it waits for the program or for a policy
// pack, and neither takes long. A resource may take as long as it wants.
func (w *watch) guarded(ctx context.Context, within time.Duration) (context.Context, func()) {
	if within == 0 {
		within = 5 * time.Minute
	}
	ctx, cancel := context.WithCancelCause(ctx)
	w.stop = cancel
	go func() {
		tick := time.NewTicker(max(within/10, 10*time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if since, silent := w.silent(); silent && since > within {
					cancel(fmt.Errorf("%w: nothing was heard from it for %s", errSilent, within))
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// silent returns how long the engine has said nothing, and whether that is
// because it waits for something that is no resource.
func (w *watch) silent() (since time.Duration, waits bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pack == "" || w.heard.IsZero() {
		return 0, false
	}
	for _, r := range w.running {
		if r.custom {
			return 0, false
		}
	}
	return w.now().Sub(w.heard), true
}
