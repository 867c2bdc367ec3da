package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/crossguard"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

// serveRules serves the isolation rules to the engine that started this process
// as its policy pack, and returns the exit status. The engine's address is the
// first argument.
func serveRules(args []string, stdout, stderr io.Writer) int {
	address := ""
	if len(args) > 1 {
		address = args[1]
	}
	if err := crossguard.Serve(context.Background(), address, stdout, policies.All(), packVersion()); err != nil {
		fmt.Fprintf(stderr, "freehold: %v\n", err)
		return 1
	}
	return 0
}

// withRules adds to how the engine reaches the cloud how it reaches the rules. An
// operation that is told to stop still finishes its step, and has it judged: the
// rules are served for as long as this process needs the engine.
func withRules(ctx context.Context, cloud func(context.Context) (map[string]string, error), ledger crossguard.Ledger, closers *closers) func(context.Context) (map[string]string, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	closers.add(func() error { cancel(); return nil })
	return func(asked context.Context) (map[string]string, error) {
		env, err := cloud(asked)
		if err != nil {
			return nil, err
		}
		served, err := crossguard.HandOver(ctx, policies.All(), packVersion(), crossguard.WithLedger(ledger))
		if err != nil {
			return nil, err
		}
		maps.Copy(served, env)
		return served, nil
	}
}

// judgeRead asks the rules about what a program has only read.
func judgeRead(scope string, s, by engine.Step) ([]finding.Policy, error) {
	r := policies.Resource{URN: s.URN, Type: s.Type, Name: s.Name, ID: s.ID, Properties: s.NewInputs}
	if pkg, ok := strings.CutPrefix(by.Type, "pulumi:providers:"); ok {
		r.Provider = policies.Provider{Package: pkg, Default: policies.DefaultProvider(by.Name), Properties: by.NewInputs}
	}
	return crossguard.Read(policies.All(), scope, r)
}

// judgeAsked asks the rules about what a program asks for, before it is answered.
func judgeAsked(scope string, a engine.Asked) ([]finding.Policy, error) {
	asked := crossguard.Asked{Kind: string(a.Kind), Token: a.Token, Name: a.Name, ID: a.ID, Inputs: a.Inputs, Made: a.Made}
	if a.Provider != nil {
		asked.Provider = (*crossguard.AskedProvider)(a.Provider)
	}
	return crossguard.Ask(policies.All(), scope, a.Stack, asked)
}

// packVersion is the version of the rules: a semantic version, which "dev" is not.
func packVersion() string {
	if version == "dev" {
		return "0.0.0"
	}
	return version
}

// policyPacks puts Freehold's own pack in its place, and adds the operator's.
func policyPacks(o cli.Options, home string) func() (engine.Policies, error) {
	return func() (engine.Policies, error) {
		self, err := os.Executable()
		if err != nil {
			return engine.Policies{}, fmt.Errorf("find this executable: %w", err)
		}
		pack := filepath.Join(home, "policy")
		if err := crossguard.Install(pack, self); err != nil {
			return engine.Policies{}, err
		}
		return engine.Policies{
			Pack: pack, Name: crossguard.Pack, Analyzer: crossguard.Analyzer, ScopeKey: crossguard.ScopeKey, Read: judgeRead, Ask: judgeAsked, More: o.PolicyPacks,
		}, nil
	}
}
