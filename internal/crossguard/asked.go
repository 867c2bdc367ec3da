package crossguard

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

// Asked is what a program asks for beside the resources that it makes.
type Asked struct {
	Kind     string // "import", "read", "invoke", "call" or "package"
	Token    string // a type, or a function
	Name, ID string
	Inputs   *structpb.Struct
	Provider *AskedProvider
	// Made are what the program has made so far, by id, ARN or name.
	Made []string
}

// AskedProvider is who answers.
type AskedProvider struct {
	Type, Name string
	Inputs     *structpb.Struct
}

// Ask judges what a program asks for, before it is answered. What a program may ask
// rules see as a resource of a type of its own, "pulumi:invoke:" and the function: the
// rules on what is made are not asked about what is there. ledger says whose accounts
// are; nil: nobody does.
func Ask(ctx context.Context, rules []policies.Rule, scope, stack string, a Asked, ledger Ledger) ([]finding.Policy, error) {
	s, err := scopeOf(stack, map[string]string{ScopeKey: scope})
	if err != nil {
		return nil, err
	}
	typ := policies.AskedType(a.Kind, a.Token)
	if a.Token == "pulumi:pulumi:StackReference" {
		typ = a.Token // its own rule reads its name
	}
	urn := "urn:pulumi:" + stack + "::freehold::" + typ + "::" + a.Name
	var by *pulumirpc.AnalyzerProviderResource
	if a.Provider != nil {
		by = &pulumirpc.AnalyzerProviderResource{Type: a.Provider.Type, Name: a.Provider.Name, Properties: a.Provider.Inputs}
	}
	r, err := resourceOf(urn, typ, a.Name, a.Inputs, by)
	if err != nil {
		return nil, err
	}
	r.ID, r.Component = a.ID, false
	s.Owned = slices.Concat(s.Owned, a.Made)
	return alone(ctx, rules, s, r, ledger)
}

// stackOf is the stack of a URN.
func stackOf(urn string) string {
	stack, _, _ := strings.Cut(strings.TrimPrefix(urn, "urn:pulumi:"), "::")
	return stack
}
