package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"freehold.dev/freehold/internal/finding"
)

// Policies are the policy packs that analyze every preview and every up. There
// is no run without them.
type Policies struct {
	// Pack is the folder of Freehold's own pack and of the plugin that serves it.
	Pack string
	// Name is the pack's name in events; Analyzer is the plugin's.
	Name, Analyzer string
	// ScopeKey is the configuration in which the pack reads Stack.Scope.
	ScopeKey string
	// Read asks the rules about what the program only reads, as a stack reference does: the
	// CLI shows that to no pack. by is the provider, as far as the run has had it.
	// Without it nothing may be read.
	Read func(ctx context.Context, scope string, read, by Step) ([]finding.Policy, error)
	// Ask asks the rules about what a program asks the engine for, before it is
	// answered. Without it nothing may be asked for.
	Ask func(ctx context.Context, scope string, asked Asked) ([]finding.Policy, error)
	// Serve serves Freehold's pack to one run until stop is called, and returns the
	// environment in which the CLI finds it: ctx says for whom the run acts. What it
	// serves outlives ctx, as a run that is told to stop still finishes its step.
	// Without it the plugin in Pack serves itself.
	Serve func(ctx context.Context) (env map[string]string, stop func(), err error)
	// More are the folders of the operator's packs.
	More []string
	// Within is how long the engine may say nothing while no resource is being
	// worked on: a pack that hangs says nothing. 0 means 5 minutes.
	Within time.Duration
}

func (p Policies) check() error {
	for name, v := range map[string]string{"Pack": p.Pack, "Name": p.Name, "Analyzer": p.Analyzer, "ScopeKey": p.ScopeKey} {
		if v == "" {
			return fmt.Errorf("engine: Policies.%s is not set", name)
		}
	}
	return nil
}

// serve has the pack served to the CLI that runs in a workspace.
func (p Policies) serve(ctx context.Context, ws auto.Workspace) (stop func(), err error) {
	if p.Serve == nil {
		return func() {}, nil
	}
	env, stop, err := p.Serve(ctx)
	if err != nil {
		return nil, err
	}
	for name, value := range env {
		ws.SetEnvVar(name, value)
	}
	return stop, nil
}

// there fails unless Freehold's pack can be started. The CLI would look for a
// plugin that is missing in other places, and on the internet.
func (p Policies) there() error {
	for _, name := range []string{"PulumiPolicy.yaml", "pulumi-analyzer-" + p.Analyzer} {
		if _, err := os.Stat(filepath.Join(p.Pack, name)); err != nil {
			return fmt.Errorf("policy pack %s: %w", p.Name, err)
		}
	}
	return nil
}

// folders are the packs as the CLI reads them: each flag is a list with commas.
func (p Policies) folders() []string {
	var out []string
	for _, dir := range append([]string{p.Pack}, p.More...) {
		out = append(out, `"`+strings.ReplaceAll(dir, `"`, `""`)+`"`)
	}
	return out
}

// plugins names the plugin by its place, so that it need not be on PATH, and
// nothing else that is there is taken for it.
func (p Policies) plugins() *workspace.Plugins {
	return &workspace.Plugins{Analyzers: []workspace.PluginOptions{{Name: p.Analyzer, Path: p.Pack}}}
}

// violation reads what a pack found. Freehold's own packs put a whole finding
// into the message; of another pack the message is what was found.
func violation(s Stack, ev apitype.PolicyEvent) finding.Policy {
	text := strings.TrimSpace(ansi.ReplaceAllString(ev.Message, ""))
	var f finding.Policy
	if json.Unmarshal([]byte(text), &f) != nil || f.Rule == "" || f.Rule != ev.PolicyName {
		answer := "violated"
		if ev.EnforcementLevel != mandatory {
			answer = "advised"
		}
		f = finding.Policy{
			Rule: ev.PolicyPackName + "/" + ev.PolicyName, Title: ev.PolicyName, Severity: ev.Severity, Message: clean(text),
			Why: "the policy pack " + ev.PolicyPackName + " says so", Fix: "change what the policy names", Answer: answer,
		}
		if f.Severity == "" {
			f.Severity = "high"
		}
	}
	f.Org, f.Layer = s.Org, s.Layer
	if f.Resource.URN == "" {
		f.Resource = finding.Resource{Type: urnType(ev.ResourceURN), Name: urnName(ev.ResourceURN), URN: ev.ResourceURN}
	}
	return f
}

const mandatory = "mandatory"
