// Package componenttest runs Pulumi programs against mocks and records what
// they ask for, so that a component's tests can state its guarantees about the
// resources it makes. Nothing is sent anywhere and no engine runs.
package componenttest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"
)

// What the mocks answer for the account and the region of every resource.
const (
	Account = "210987654321"
	Region  = "eu-central-1"
)

// Unknown stands in recorded inputs for a value that is not known at preview.
const Unknown = "<unknown>"

// Resource is one resource that a program registered.
type Resource struct {
	URN  string
	Type string // "aws:iam/role:Role"
	Name string // the logical name
	ID   string // empty for components, and at preview
	// Parent is the logical name of the parent; empty for the stack.
	Parent string
	// Provider is the logical name of the explicit provider; empty when the
	// default one would be used, and for components.
	Provider string
	// Providers are the providers that a component was given, package to logical name.
	Providers map[string]string
	Custom    bool // false for components
	Remote    bool // true for components that a plugin constructs
	Inputs    map[string]any
	// DependsOn are the logical names of what the resource waits for,
	// through its inputs or explicitly.
	DependsOn []string
	// DependsOnURNs says the same where several types share a logical name.
	DependsOnURNs       []string
	Protect             bool
	RetainOnDelete      bool
	DeleteBeforeReplace bool
	IgnoreChanges       []string
	Aliases             []string
	// Timeouts are the custom timeouts: "create", "update" and "delete" to a duration.
	Timeouts map[string]string
	// Secrets are the inputs, by name, that are secret at their top level.
	Secrets []string
}

// Call is one function of a provider that a program invoked.
type Call struct {
	Token    string
	Args     map[string]any
	Provider string // the logical name of the explicit provider
}

// Recorder holds what one run of a program asked for.
type Recorder struct {
	Resources []Resource // ordered by URN
	Calls     []Call     // ordered by token
	// Exports are the stack's outputs; Unknown where not known.
	Exports map[string]any
}

// Record runs the program and returns what it asked for. The test fails at
// once when the program does.
func Record(t testing.TB, program pulumi.RunFunc, opts ...Option) *Recorder {
	t.Helper()
	r, err := Run(program, opts...)
	if err != nil {
		t.Fatalf("running the program: %v", err)
	}
	return r
}

// Run is Record for programs that are expected to fail.
func Run(program pulumi.RunFunc, opts ...Option) (*Recorder, error) {
	o := options{stack: "acme.test", calls: maps.Clone(calls), outputs: maps.Clone(outputs)}
	for _, opt := range opts {
		opt(&o)
	}
	m := &mocks{options: o}
	exports := map[string]any{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		if err := program(ctx); err != nil {
			return err
		}
		for name, in := range ctx.GetCurrentExportMap() {
			out, err := internals.UnsafeAwaitOutput(context.Background(), pulumi.ToOutput(in))
			if err != nil {
				return fmt.Errorf("output %s: %w", name, err)
			}
			exports[name] = out.Value
			if !out.Known {
				exports[name] = Unknown
			}
		}
		return nil
	}, pulumi.WithMocks("freehold", o.stack, m), func(info *pulumi.RunInfo) {
		info.Config, info.DryRun = o.config, o.preview
	})
	slices.SortFunc(m.resources, func(a, b Resource) int { return cmp.Compare(a.URN, b.URN) })
	slices.SortStableFunc(m.calls, func(a, b Call) int { return cmp.Compare(a.Token, b.Token) })
	return &Recorder{Resources: m.resources, Calls: m.calls, Exports: exports}, err
}

// Of returns the recorded resources of a type.
func (r *Recorder) Of(typ string) []Resource {
	var found []Resource
	for _, res := range r.Resources {
		if res.Type == typ {
			found = append(found, res)
		}
	}
	return found
}

// One returns the recorded resource of a type and name, and fails the test
// when there is none.
func (r *Recorder) One(t testing.TB, typ, name string) Resource {
	t.Helper()
	for _, res := range r.Resources {
		if res.Type == typ && res.Name == name {
			return res
		}
	}
	t.Fatalf("no %s named %q was made", typ, name)
	return Resource{}
}

type mocks struct {
	options   options
	mu        sync.Mutex
	resources []Resource
	calls     []Call
}

// NewResource implements pulumi.MockResourceMonitor.
func (m *mocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r := Resource{
		Type:     args.TypeToken,
		Name:     args.Name,
		Provider: providerName(args.Provider),
		Custom:   args.Custom || args.ReadRPC != nil,
		Inputs:   plainMap(args.Inputs),
	}
	if rpc := args.RegisterRPC; rpc != nil {
		// The mock monitor drops unknown inputs: read them from the request.
		inputs, err := plugin.UnmarshalProperties(rpc.GetObject(), plugin.MarshalOptions{
			KeepUnknowns: true, KeepSecrets: true, KeepResources: true,
		})
		if err != nil {
			return "", nil, err
		}
		r.Inputs, r.Secrets = plainMap(inputs), secrets(inputs)
		r.Parent = nameOf(rpc.GetParent())
		r.Remote = rpc.GetRemote()
		r.Protect = rpc.GetProtect()
		r.RetainOnDelete = rpc.GetRetainOnDelete()
		r.DeleteBeforeReplace = rpc.GetDeleteBeforeReplace()
		r.IgnoreChanges = rpc.GetIgnoreChanges()
		for _, a := range rpc.GetAliases() {
			r.Aliases = append(r.Aliases, cmp.Or(a.GetUrn(), a.GetSpec().GetName()))
		}
		for _, d := range rpc.GetDependencies() {
			r.DependsOn = append(r.DependsOn, nameOf(d))
			r.DependsOnURNs = append(r.DependsOnURNs, d)
		}
		slices.Sort(r.DependsOnURNs)
		slices.Sort(r.DependsOn)
		r.DependsOn = slices.Compact(r.DependsOn)
		for pkg, ref := range rpc.GetProviders() {
			if r.Providers == nil {
				r.Providers = map[string]string{}
			}
			r.Providers[pkg] = providerName(ref)
		}
		if c := rpc.GetCustomTimeouts(); c != nil {
			r.Timeouts = map[string]string{"create": c.GetCreate(), "update": c.GetUpdate(), "delete": c.GetDelete()}
			maps.DeleteFunc(r.Timeouts, func(_, v string) bool { return v == "" })
		}
	}
	r.URN = m.urn(args)

	state := args.Inputs.Copy()
	if (r.Custom || r.Remote) && !m.options.preview {
		if r.Custom {
			r.ID = cmp.Or(args.ID, args.Name+"-id")
		}
		computed := standard(r)
		if f, ok := m.options.outputs[r.Type]; ok {
			maps.Copy(computed, f(r))
		}
		if id, ok := computed["id"].(string); ok && r.Custom {
			r.ID = id
		}
		maps.Copy(state, resource.NewPropertyMapFromMap(computed))
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	m.resources = append(m.resources, r)
	return r.ID, state, nil
}

// Call implements pulumi.MockResourceMonitor.
func (m *mocks) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	c := Call{Token: args.Token, Args: plainMap(args.Args), Provider: providerName(args.Provider)}
	m.mu.Lock()
	m.calls = append(m.calls, c)
	m.mu.Unlock()
	f, ok := m.options.calls[args.Token]
	if !ok {
		return nil, fmt.Errorf("the mocks have no answer for %s: give one with componenttest.Answer", args.Token)
	}
	result, err := f(c.Args)
	if err != nil {
		return nil, err
	}
	return resource.NewPropertyMapFromMap(result), nil
}

func (m *mocks) urn(args pulumi.MockResourceArgs) string {
	var parent urn.URN
	switch {
	case args.RegisterRPC != nil:
		parent = urn.URN(args.RegisterRPC.GetParent())
	case args.ReadRPC != nil:
		parent = urn.URN(args.ReadRPC.GetParent())
	}
	chain := args.TypeToken
	if parent != "" && parent.QualifiedType() != resource.RootStackType {
		chain = string(parent.QualifiedType()) + "$" + chain
	}
	return fmt.Sprintf("urn:pulumi:%s::freehold::%s::%s", m.options.stack, chain, args.Name)
}

// nameOf returns the logical name in a URN; empty for the stack.
func nameOf(s string) string {
	u := urn.URN(s)
	if !u.IsValid() || u.QualifiedType() == resource.RootStackType {
		return ""
	}
	return u.Name()
}

// providerName returns the logical name in a provider reference, "<urn>::<id>".
func providerName(ref string) string {
	i := strings.LastIndex(ref, "::")
	if i < 0 {
		return ""
	}
	return nameOf(ref[:i])
}
