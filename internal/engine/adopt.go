package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/unknown"
)

// Finder looks a resource up that the engine would create: one that an
// interrupted run made and did not record. ok is false when there is none.
type Finder func(ctx context.Context, planned Step) (found Found, ok bool, err error)

// Found is a resource as its provider knows it.
type Found struct {
	ID string
	// Outputs are those by which the provider reads it, where the id and the
	// inputs do not suffice.
	Outputs map[string]any
}

// Adopt takes resources into the stack's state that an interrupted run made
// and could not record, so that the next Up does not make them twice. What the
// engine would create is looked up with find; what is found is written to the
// state, and the Up that follows reads it. One pass is enough: a resource is
// created only after everything that it depends on was recorded, so what
// identifies a lost one is known. An input that is not known yet is an
// unknown.Value in what find gets: it has to answer without it, or with "none".
//
// It fails where it could not see all that the engine would create, after it has
// taken over what it saw: an Up that had more luck would make the rest twice. What
// the rules refuse is no such failure, as they refuse it to the Up as well.
func (e *Engine) Adopt(ctx context.Context, s Stack, find Finder, sink event.Sink) ([]Step, error) {
	var all []Step
	for {
		lost, unseen, err := e.adoptShown(ctx, s, find, sink)
		if err != nil || unseen == nil {
			return append(all, lost...), err
		}
		// What it failed for may have been missing from the state only. What was taken
		// over before, and is to be created again, its provider does not find.
		had := len(all)
		for _, st := range lost {
			if !slices.ContainsFunc(all, func(o Step) bool { return o.URN == st.URN }) {
				all = append(all, st)
			}
		}
		if len(all) > had {
			continue
		}
		if errors.Is(unseen, ErrPolicy) {
			unseen = nil
		}
		return all, unseen
	}
}

// adoptShown takes over what one preview shows. unseen is why it may not have shown
// everything.
func (e *Engine) adoptShown(ctx context.Context, s Stack, find Finder, sink event.Sink) (lost []Step, unseen, err error) {
	res, err := e.Preview(ctx, s, nil)
	// A preview that fails half-way still says what it would create.
	if _, failed := errors.AsType[*Error](err); err != nil && (!failed || errors.Is(err, ErrCancelled) || errors.Is(err, ErrLocked)) {
		return nil, nil, err
	}
	unseen = err
	for _, st := range res.Steps {
		// Providers are the engine's own, and exist in the state only.
		if st.Op != "create" || !st.Custom || strings.HasPrefix(st.Type, "pulumi:") {
			continue
		}
		found, ok, err := find(ctx, st)
		if err != nil {
			return nil, nil, fmt.Errorf("look for a %s %q that an interrupted run may have made: %w", st.Type, st.Name, err)
		}
		if ok {
			st.ID, st.NewOutputs = found.ID, found.Outputs
			lost = append(lost, st)
		}
	}
	if len(lost) == 0 {
		if unseen != nil {
			return nil, unseen, nil
		}
		return nil, nil, e.settle(ctx, s, sink)
	}
	if err := e.editState(ctx, s, sink, func(d map[string]any) error { return addResources(d, lost) }); err != nil {
		return nil, nil, err
	}
	for _, st := range lost {
		if sink != nil {
			sink(event.Event{
				Type: event.Diagnostic, Time: e.opts.Now(), Org: s.Org, Layer: s.Layer, URN: st.URN,
				ResourceType: st.Type, ResourceName: st.Name, Op: "adopt",
				Message: fmt.Sprintf("an interrupted run had made %s %q (%s) and could not record it: taken over", st.Type, st.Name, st.ID),
			})
		}
	}
	return lost, unseen, nil
}

// settle drops the pending operations of an interrupted run once everything that
// they may have made was looked for. The CLI itself would keep them for ever:
// each later run carries them over.
func (e *Engine) settle(ctx context.Context, s Stack, sink event.Sink) error {
	c, _, err := e.storedAlone(ctx, s)
	if err != nil || c.Pending == 0 {
		return err
	}
	return e.editState(ctx, s, sink, func(d map[string]any) error {
		delete(d, "pending_operations")
		return nil
	})
}

// Unprotect lets a Destroy remove what the stack's program protects. It wraps
// ErrNoStack when there is no such stack.
func (e *Engine) Unprotect(ctx context.Context, s Stack, sink event.Sink) error {
	return e.editState(ctx, s, sink, func(d map[string]any) error {
		resources, ok := d["resources"].([]any)
		if !ok {
			return errors.New("it has no resources")
		}
		for _, r := range resources {
			if m, ok := r.(map[string]any); ok {
				delete(m, "protect")
			}
		}
		return nil
	})
}

// editState takes the stack's state, edits it and imports it again. Secrets stay
// encrypted all the way.
func (e *Engine) editState(ctx context.Context, s Stack, sink event.Sink, edit func(map[string]any) error) error {
	st, err := e.open(ctx, s, false, sink)
	if err != nil {
		return err
	}
	file := filepath.Join(e.stackDir(s), "adopt.json")
	defer func() { _ = os.Remove(file) }()
	doc, err := e.exported(ctx, s, st, file)
	if err != nil {
		return err
	}
	d, ok := doc["deployment"].(map[string]any)
	if !ok {
		return fmt.Errorf("read the state of stack %s: it has no deployment", s.Name)
	}
	if err := edit(d); err != nil {
		return fmt.Errorf("edit the state of stack %s: %w", s.Name, err)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("write the state of stack %s: %w", s.Name, err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return fmt.Errorf("write the state of stack %s: %w", s.Name, err)
	}
	return e.command(ctx, s, st, "import the state", "stack", "import", "--file", file)
}

// exported returns the stack's state in the form of "stack export". A backend of
// files has the same in it, but for two names, and then no CLI is started.
func (e *Engine) exported(ctx context.Context, s Stack, st auto.Stack, file string) (map[string]any, error) {
	if e.files != nil {
		r, err := e.openState(ctx, s)
		if err != nil {
			return nil, err
		}
		var kept struct {
			Version    int      `json:"version"`
			Features   []string `json:"features"`
			Checkpoint struct {
				Latest map[string]any `json:"latest"`
			} `json:"checkpoint"`
		}
		if err := errors.Join(json.NewDecoder(r).Decode(&kept), r.Close()); err != nil {
			return nil, fmt.Errorf("read the state of stack %s: %w", s.Name, err)
		}
		// Of the versions before, the CLI makes the third.
		if kept.Version >= 3 && kept.Checkpoint.Latest != nil {
			doc := map[string]any{"version": kept.Version, "deployment": kept.Checkpoint.Latest}
			if len(kept.Features) > 0 {
				doc["features"] = kept.Features
			}
			return doc, nil
		}
	}
	if err := e.command(ctx, s, st, "export the state", "stack", "export", "--file", file); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the state of stack %s: %w", s.Name, err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("read the state of stack %s: %w", s.Name, err)
	}
	return doc, nil
}

// command runs a CLI command that the Automation API has no call for.
func (e *Engine) command(ctx context.Context, s Stack, st auto.Stack, doing string, args ...string) error {
	return e.pastDeadLock(ctx, s, st.Workspace(), doing, func() error {
		_, err := cliOf(ctx, st.Workspace(), append(args, "--stack", s.Name)...)
		return err
	})
}

// pastDeadLock tries something, and tries it once more if all that stood in its
// way was a lock that a dead process left in the backend.
func (e *Engine) pastDeadLock(ctx context.Context, s Stack, ws auto.Workspace, doing string, try func() error) error {
	for first := true; ; first = false {
		raw := try()
		if raw == nil {
			return nil
		}
		if why := notStarted(ws); why != nil {
			raw = why
		}
		err := e.classify(ctx, s, doing, raw, nil)
		if !first || !errors.Is(err, ErrLocked) || !e.abandoned(ctx, s, raw.Error()) {
			return err
		}
		if err := e.unlock(ctx, s, ws, raw.Error()); err != nil {
			return err
		}
	}
}

// unlock removes the backend's lock of a stack, given the CLI's words about it.
// The caller has seen that its holders are gone. The locks of a file backend
// are removed as files, because "pulumi cancel" knows no lock of a stack whose
// creation was interrupted.
func (e *Engine) unlock(ctx context.Context, s Stack, ws auto.Workspace, text string) error {
	e.opts.Log.WarnContext(ctx, "the stack's lock belongs to a process that is gone; removing it", "stack", s.Name)
	if files := lockFiles(text); len(files) > 0 {
		for _, f := range files {
			if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove an abandoned lock of stack %s: %w", s.Name, err)
			}
		}
		return nil
	}
	if _, err := cliOf(ctx, ws, "cancel", "--yes", "--stack", s.Name); err != nil {
		return e.classify(ctx, s, "remove an abandoned lock", err, nil)
	}
	return nil
}

// cliOf runs a CLI command and returns its stdout.
func cliOf(ctx context.Context, ws auto.Workspace, args ...string) (string, error) {
	var env []string
	for k, v := range ws.GetEnvVars() {
		env = append(env, k+"="+v)
	}
	stdout, stderr, _, err := ws.PulumiCommand().Run(ctx, ws.WorkDir(), nil, nil, nil, env, args...)
	if err != nil {
		return "", fmt.Errorf("%w\nstderr: %s", err, stderr)
	}
	return stdout, nil
}

// addResources puts the lost resources behind the recorded ones and drops the
// pending operations, which they settle.
func addResources(deployment map[string]any, lost []Step) error {
	resources, ok := deployment["resources"].([]any)
	if !ok {
		return errors.New("it has no resources")
	}
	known := map[string]bool{}
	ids := map[string]string{}
	for _, r := range resources {
		m, _ := r.(map[string]any)
		urn, ok := m["urn"].(string)
		if !ok {
			continue
		}
		known[urn] = true
		if id, ok := m["id"].(string); ok && m["delete"] != true {
			ids[urn] = id
		}
	}
	for _, st := range lost {
		// A resource whose provider is not recorded was not made by an
		// interrupted run: something else has its name, and the Up will say so.
		provider := providerURN(st.Provider)
		if known[st.URN] || !known[provider] {
			continue
		}
		// The preview may have left open which id the provider has.
		reference := st.Provider
		if id, has := ids[provider]; has {
			reference = provider + "::" + id
		}
		if st.Parent != "" && !known[st.Parent] {
			return fmt.Errorf("the parent of %s is not in it", st.URN)
		}
		// An event carries no secret, and not what was not known yet. The next Up
		// sets them.
		inputs := unknown.Without(st.NewInputs)
		resources = append(resources, map[string]any{
			"urn": st.URN, "custom": true, "id": st.ID, "type": st.Type, "parent": st.Parent,
			"provider": reference, "inputs": inputs, "outputs": outputsOf(inputs, st.NewOutputs),
		})
		known[st.URN] = true
	}
	deployment["resources"] = resources
	delete(deployment, "pending_operations")
	return nil
}

// outputsOf stands in for outputs that nobody knows until the refresh of the next
// Up has read them. A provider that bridges Terraform tells a resource that it
// made from one to import by its bookkeeping in "__meta", and would parse the id
// of the latter in Terraform's form for imports, which for a route or an
// association is another. Bookkeeping that is no text says no version, and so
// the provider's own.
func outputsOf(inputs, found map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, inputs)
	maps.Copy(out, unknown.Without(found))
	out["__meta"] = map[string]any{}
	return out
}

// providerURN is the URN in a reference to a provider, which has its id behind it.
func providerURN(reference string) string {
	if i := strings.LastIndex(reference, "::"); i >= 0 {
		return reference[:i]
	}
	return reference
}
