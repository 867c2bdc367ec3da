package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/crossguard"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
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

// rules are the isolation rules, as a run meets them. records says for whom the run
// acts, and so what it may ask the ledger: a server runs for many orgs, and for none of
// them before their request has come.
type rules struct {
	records func(context.Context) lifecycle.Records
}

// serve serves the rules to one run.
func (r rules) serve(ctx context.Context) (env map[string]string, stop func(), err error) {
	served, stop := context.WithCancel(context.WithoutCancel(ctx))
	if env, err = crossguard.HandOver(served, policies.All(), packVersion(), crossguard.WithLedger(r.records(ctx))); err != nil {
		stop()
		return nil, nil, err
	}
	return env, stop, nil
}

// read asks the rules about what a program has only read.
func (r rules) read(ctx context.Context, scope string, s, by engine.Step) ([]finding.Policy, error) {
	read := policies.Resource{URN: s.URN, Type: s.Type, Name: s.Name, ID: s.ID, Properties: s.NewInputs}
	if pkg, ok := strings.CutPrefix(by.Type, "pulumi:providers:"); ok {
		read.Provider = policies.Provider{Package: pkg, Default: policies.DefaultProvider(by.Name), Properties: by.NewInputs}
	}
	return crossguard.Read(ctx, policies.All(), scope, read, r.records(ctx))
}

// ask asks the rules about what a program asks for, before it is answered.
func (r rules) ask(ctx context.Context, scope string, a engine.Asked) ([]finding.Policy, error) {
	asked := crossguard.Asked{Kind: string(a.Kind), Token: a.Token, Name: a.Name, ID: a.ID, Inputs: a.Inputs, Made: a.Made}
	if a.Provider != nil {
		asked.Provider = (*crossguard.AskedProvider)(a.Provider)
	}
	return crossguard.Ask(ctx, policies.All(), scope, a.Stack, asked, r.records(ctx))
}

// packVersion is the version of the rules: a semantic version, which "dev" is not.
func packVersion() string {
	if version == "dev" {
		return "0.0.0"
	}
	return version
}

// policyPacks puts Freehold's own pack in its place, and adds the operator's.
func policyPacks(o cli.Options, home string, r rules) func() (engine.Policies, error) {
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
			Pack: pack, Name: crossguard.Pack, Analyzer: crossguard.Analyzer, ScopeKey: crossguard.ScopeKey,
			Read: r.read, Ask: r.ask, Serve: r.serve, More: o.PolicyPacks,
		}, nil
	}
}
