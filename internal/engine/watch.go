package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/unknown"
)

// Step is one step that the engine took or, in a preview, would take.
type Step struct {
	Op       string
	URN      string
	Type     string
	Name     string
	ID       string
	Parent   string
	Provider string
	Custom   bool
	Protect  bool
	// Diffs are the top-level properties that differ.
	Diffs []string
	// OldInputs, NewInputs, OldOutputs and NewOutputs hold no secret, but
	// unknown.Sealed in its place, and an unknown.Value for each value that is not
	// known yet. ID is empty then.
	OldInputs, NewInputs, OldOutputs, NewOutputs map[string]any
}

// Inputs are those that the resource has after the step, or had before one that
// gives it none.
func (s Step) Inputs() map[string]any {
	if s.NewInputs != nil {
		return s.NewInputs
	}
	return s.OldInputs
}

// watch follows one run by the engine's events.
type watch struct {
	stack Stack
	sink  event.Sink
	now   func() time.Time

	mu      sync.Mutex
	steps   []Step
	outputs map[string]any
	changes map[string]int
	started map[string]time.Time
	fails   []Failure
	// diags are the error diagnostics by URN; "" is the run itself.
	diags map[string][]string
	// preview is true while an up only looks.
	preview bool
	// blocked is what the policy packs do not allow, noted what they say beside it.
	// reads is what of that the program only reads.
	blocked, noted, reads []finding.Policy
	analyzeRead           func(scope string, read, by Step) ([]finding.Policy, error)
	analyzeAsked          func(scope string, asked Asked) ([]finding.Policy, error)
	// stop ends the run.
	stop context.CancelCauseFunc
	// expected is how many streams of events the run has, and whole is how many have
	// come to their end.
	expected, whole int
	// replaces is why a preview ended the run: see Stack.NewFirst.
	replaces *ReplaceError
	// pack is the policy pack without which no resource may be; "": none.
	// analyzed are the resources, by URN, that it has looked at, and "" the stack.
	pack     string
	analyzed map[string]bool
	// heard is when the engine last said something, zero before it did, and
	// running are the steps that it is at, by URN and operation.
	heard   time.Time
	running map[string]*running
}

func newWatch(s Stack, sink event.Sink, now func() time.Time) *watch {
	if sink == nil {
		sink = func(event.Event) {}
	}
	w := &watch{stack: s, sink: sink, now: now}
	w.begin(false)
	return w
}

// begin starts anew: the update after its preview.
func (w *watch) begin(preview bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.preview = preview
	w.steps, w.outputs, w.changes = nil, nil, map[string]int{}
	w.started, w.fails, w.diags = map[string]time.Time{}, nil, map[string][]string{}
	w.blocked, w.noted, w.reads = nil, nil, nil
	w.analyzed, w.running = map[string]bool{}, map[string]*running{}
}

// errUnheard says that a run ended well, and that not all of its events came.
var errUnheard = errors.New("it ended well, but not all that it did was heard")

// expects says how many streams of events a run has.
func (w *watch) expects(streams int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected, w.whole = streams, 0
}

// streamEnded says that a stream has come to its end.
func (w *watch) streamEnded() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole++
}

// unheard is an error unless the CLI has said everything. Where it cannot, it goes on all
// the same and ends well, and what did not arrive would count as nothing to do, nothing
// changed, and a layer without outputs.
func (w *watch) unheard() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.whole < w.expected {
		return fmt.Errorf("%w: %d of %d streams of events came to their end", errUnheard, w.whole, w.expected)
	}
	return nil
}

func (w *watch) take(ev apitype.EngineEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = w.now()
	switch {
	case ev.ResourcePreEvent != nil:
		m := ev.ResourcePreEvent.Metadata
		w.started[m.URN+string(m.Op)] = w.now()
		w.running[m.URN+string(m.Op)] = &running{step: m, custom: custom(m), began: w.now()}
		// A component is done when all in it is: it would hide what is waited for.
		if m.Op != apitype.OpSame && custom(m) {
			w.emit(event.ResourceStarted, m, "")
		}
	case ev.ResOutputsEvent != nil:
		m := ev.ResOutputsEvent.Metadata
		delete(w.running, m.URN+string(m.Op))
		w.finished(m)
	case ev.ResOpFailedEvent != nil:
		m := ev.ResOpFailedEvent.Metadata
		delete(w.running, m.URN+string(m.Op))
		w.fails = append(w.fails, Failure{URN: m.URN, Type: m.Type, Name: urnName(m.URN), Op: string(m.Op)}.of(m))
		w.emit(event.ResourceFailed, m, strings.Join(w.diags[m.URN], "; "))
	case ev.DiagnosticEvent != nil:
		w.diagnostic(*ev.DiagnosticEvent)
	case ev.PolicyEvent != nil:
		w.violated(*ev.PolicyEvent)
	case ev.PolicyAnalyzeSummaryEvent != nil && ev.PolicyAnalyzeSummaryEvent.PolicyPackName == w.pack:
		w.analyzed[ev.PolicyAnalyzeSummaryEvent.ResourceURN] = true
	case ev.PolicyAnalyzeStackSummaryEvent != nil && ev.PolicyAnalyzeStackSummaryEvent.PolicyPackName == w.pack:
		w.analyzed[""] = true
	case ev.SummaryEvent != nil:
		for op, n := range ev.SummaryEvent.ResourceChanges {
			w.changes[string(op)] = n
		}
	}
}

func (w *watch) finished(m apitype.StepEventMetadata) {
	s := Step{
		Op: string(m.Op), URN: m.URN, Type: m.Type, Name: urnName(m.URN), Diffs: m.Diffs,
		Provider: m.Provider,
	}
	if m.Old != nil {
		s.ID, s.Parent, s.Custom, s.Protect = m.Old.ID, m.Old.Parent, m.Old.Custom, m.Old.Protect
		s.OldInputs, s.OldOutputs = unknown.Properties(m.Old.Inputs), unknown.Properties(m.Old.Outputs)
	}
	if m.New != nil {
		s.Parent, s.Custom, s.Protect = m.New.Parent, m.New.Custom, m.New.Protect
		s.NewInputs, s.NewOutputs = unknown.Properties(m.New.Inputs), unknown.Properties(m.New.Outputs)
		if m.New.ID != "" {
			s.ID = m.New.ID
		}
		if s.Provider == "" {
			s.Provider = m.New.Provider
		}
	}
	if unknown.Text(s.ID) {
		s.ID = ""
	}
	// A transform can make an import of what the program has asked to make.
	if s.Op == string(apitype.OpRead) || s.Op == string(apitype.OpImport) || s.Op == string(apitype.OpImportReplacement) {
		w.read(s)
	}
	if m.Type == stackType {
		w.outputs = maps.Clone(s.NewOutputs)
		maps.DeleteFunc(w.outputs, func(_ string, v any) bool { return unknown.In(v) })
		return
	}
	// A component ends twice: when it is registered, and with its outputs.
	again := func(o Step) bool { return o.URN == s.URN && o.Op == s.Op && !s.Custom }
	if i := slices.IndexFunc(w.steps, again); i >= 0 {
		w.steps[i] = s
		return
	}
	w.steps = append(w.steps, s)
	if s.Custom {
		w.emit(event.ResourceFinished, m, "")
	}
}

// custom reports whether a provider makes the resource, and not the program.
func custom(m apitype.StepEventMetadata) bool {
	if m.New != nil {
		return m.New.Custom
	}
	return m.Old != nil && m.Old.Custom
}

// diagnostic keeps errors for the report, and passes on what a person should
// see while it happens. Its text is the provider's, with secrets filtered by
// the engine.
func (w *watch) diagnostic(d apitype.DiagnosticEvent) {
	msg := clean(d.Prefix + d.Message)
	if msg == "" {
		return
	}
	switch d.Severity {
	case "error":
		// The engine closes a failed run with an error on the stack itself
		// that says only that there was one.
		if strings.HasSuffix(msg, "update failed") || strings.HasSuffix(msg, "preview failed") {
			return
		}
		// It also stops asking the rules then. That is no failure of theirs:
		// what they were not asked about is not made.
		if cutShort.MatchString(msg) {
			return
		}
		w.diags[d.URN] = append(w.diags[d.URN], msg)
	case "warning":
		// An operator's pack finds its plugin on PATH: that is how it is meant.
		if pluginOnPath.MatchString(msg) {
			return
		}
	default:
		if !d.Ephemeral {
			return
		}
	}
	if w.preview {
		return // the update says it again
	}
	w.noteStatus(d.URN, msg)
	w.sink(event.Event{
		Type: event.Diagnostic, Time: w.now(), Org: w.stack.Org, Layer: w.stack.Layer,
		URN: d.URN, ResourceName: urnName(d.URN), Message: msg,
	})
}

func (w *watch) emit(t event.Type, m apitype.StepEventMetadata, msg string) {
	if w.preview {
		return
	}
	ev := event.Event{
		Type: t, Time: w.now(), Org: w.stack.Org, Layer: w.stack.Layer,
		URN: m.URN, ResourceType: m.Type, ResourceName: urnName(m.URN), Op: string(m.Op), Message: msg,
	}
	if began, ok := w.started[m.URN+string(m.Op)]; ok && t != event.ResourceStarted {
		ev.Duration = ev.Time.Sub(began)
	}
	w.sink(ev)
}

// failures returns the failed resources with their causes.
func (w *watch) failures() []Failure {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Failure
	seen := map[string]bool{}
	for _, f := range w.fails {
		f.Message = strings.Join(w.diags[f.URN], "; ")
		if f.Message == "" {
			f.Message = "no cause was given"
		}
		f.Immutable = immutable.MatchString(f.Message)
		out, seen[f.URN] = append(out, f), true
	}
	// A check that fails has a diagnostic and no failed step, and so has whatever
	// fails in a preview: that is still at its step.
	for urn, msgs := range w.diags {
		if urn == "" || seen[urn] || urnType(urn) == stackType {
			continue
		}
		f := Failure{URN: urn, Type: urnType(urn), Name: urnName(urn), Op: "check", Message: strings.Join(msgs, "; ")}
		f.Immutable = immutable.MatchString(f.Message)
		for _, r := range w.running {
			if r.step.URN == urn {
				f = f.of(r.step)
			}
		}
		out = append(out, f)
	}
	return out
}

// of is the failure with the inputs of the step that failed.
func (f Failure) of(m apitype.StepEventMetadata) Failure {
	if m.Old != nil {
		f.OldInputs = unknown.Properties(m.Old.Inputs)
	}
	if m.New != nil {
		f.NewInputs = unknown.Properties(m.New.Inputs)
	}
	return f
}

func (w *watch) messages() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, msgs := range w.diags {
		out = append(out, msgs...)
	}
	return out
}

const stackType = "pulumi:pulumi:Stack"

// urnName returns the last part of a URN: the resource's name.
func urnName(urn string) string {
	if i := strings.LastIndex(urn, "::"); i >= 0 {
		return urn[i+2:]
	}
	return urn
}

// urnType returns the resource's own type, without its parents'.
func urnType(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}
