package crossguard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/crossguard"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/engine/enginetest"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

// TestMain is also the pack: this binary under the name of its plugin.
func TestMain(m *testing.M) {
	if !crossguard.Serves(os.Args[0]) {
		os.Exit(m.Run())
	}
	if err := crossguard.Serve(context.Background(), os.Args[1], os.Stdout, eachOnItsOwn(policies.All()), "1.2.3"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// eachOnItsOwn lets each rule see its own examples only: an example shows what
// one rule means, and need not please the others.
func eachOnItsOwn(all []policies.Rule) []policies.Rule {
	out := slices.Clone(all)
	for i, r := range out {
		own := func(name string) bool {
			return strings.Contains(name, r.ID+"-") && !strings.HasPrefix(name, "of-") // their providers
		}
		if r.Check != nil {
			out[i].Check = func(res policies.Resource, s policies.Scope) policies.Verdict {
				if !own(res.Name) {
					return policies.Verdict{Answer: policies.Pass}
				}
				return r.Check(res, s)
			}
			continue
		}
		out[i].CheckStack = func(rs []policies.Resource, s policies.Scope) map[string]policies.Verdict {
			return r.CheckStack(slices.DeleteFunc(slices.Clone(rs), func(r policies.Resource) bool { return !own(r.Name) }), s)
		}
	}
	return out
}

// attempt is one example of a rule in a customer's program.
type attempt struct {
	rule policies.Rule
	name string // the resource's
	policies.Example
}

func (a attempt) String() string { return a.rule.ID + " " + a.Example.Name }

// attempts returns the rules' own examples by the stack that they can share: of
// a rule that looks at one resource all with the same scope, and of one that
// looks at the whole stack each by itself.
func attempts(examples func(policies.Rule) []policies.Example) (batches [][]attempt, n int) {
	shared := map[string][]attempt{}
	for _, r := range policies.All() {
		for i, e := range examples(r) {
			n++
			a := attempt{r, fmt.Sprintf("%s-%d", r.ID, i), e}
			if strings.HasPrefix(e.Resource.Name, "default_") { // the engine's own providers are called so
				a.name = "default_" + a.name
			}
			if r.CheckStack != nil || e.Resource.Type == stackReference {
				batches = append(batches, []attempt{a})
				continue
			}
			key := scopeOf(a)
			if kind, _, ok := asked(e.Resource.Type); ok {
				key += kind // what is not answered ends the program that waits for it
			}
			shared[key] = append(shared[key], a)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(shared)) {
		batches = append(batches, shared[key])
	}
	return batches, n
}

func scopeOf(a attempt) string {
	raw, err := json.Marshal(a.Scope)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// TestEveryAttemptIsBlockedWithNothingMade has the real engine make what no
// customer may have. The provider would make it: only the rules say no.
func TestEveryAttemptIsBlockedWithNothingMade(t *testing.T) {
	began := time.Now()
	batches, n := attempts(func(r policies.Rule) []policies.Example { return r.Bad })
	if n < 60 {
		t.Errorf("%d attempts, want 60 at least", n)
	}
	for _, batch := range batches {
		t.Run(batch[0].rule.ID+"/"+batch[0].Example.Name, func(t *testing.T) {
			t.Parallel()
			e, cloud := newWorld(t, batch)
			_, err := e.Up(t.Context(), stackOf(batch), nil)
			failed, ok := errors.AsType[*engine.Error](err)
			if !ok || !errors.Is(err, engine.ErrPolicy) {
				t.Fatalf("got %v", err)
			}
			blocked := map[string]bool{}
			for _, f := range failed.Policy {
				name, _, _ := strings.Cut(f.Resource.Name, "-beside-") // of two that are one too many, either
				blocked[f.Rule+" "+name] = true
				blocked[f.Rule+" "+f.Resource.Type] = true // a function has no other name
				if f.Message == "" || f.Why == "" || f.Fix == "" || f.Severity == "" || f.Org == "" || f.Layer == "" {
					t.Errorf("it does not say enough: %+v", f)
				}
			}
			for _, a := range batch {
				if !blocked[a.rule.ID+" "+a.name] && !(isFunction(a.Resource.Type) && blocked[a.rule.ID+" "+a.Resource.Type]) {
					t.Errorf("%s is not blocked", a)
				}
			}
			// What only shows in the stack as a whole may hang on ids that the
			// cloud gives.
			if asked := cloud.asked.Load(); asked > 0 {
				t.Errorf("%d questions were answered", asked)
			}
			if made := cloud.made.Load(); made > 0 && batch[0].rule.CheckStack == nil {
				t.Errorf("%d resources were made", made)
			}
		})
	}
	t.Cleanup(func() { t.Logf("%d attempts in %d runs: %s", n, len(batches), time.Since(began)) })
}

func TestEveryLookAlikePasses(t *testing.T) {
	began := time.Now()
	batches, n := attempts(func(r policies.Rule) []policies.Example { return r.Good })
	if n < 60 {
		t.Errorf("%d look-alikes, want 60 at least", n)
	}
	for _, batch := range batches {
		t.Run(batch[0].rule.ID+"/"+batch[0].Example.Name, func(t *testing.T) {
			t.Parallel()
			e, cloud := newWorld(t, batch)
			res, err := e.Up(t.Context(), stackOf(batch), nil)
			if failed, ok := errors.AsType[*engine.Error](err); ok {
				for _, f := range failed.Policy {
					t.Errorf("%s %s %s: %s", f.Rule, f.Resource.Name, f.Path, f.Message)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if cloud.made.Load() == 0 && !onlyProviders(batch) {
				t.Errorf("nothing was made: %v", res.Changes)
			}
		})
	}
	t.Cleanup(func() { t.Logf("%d look-alikes in %d runs: %s", n, len(batches), time.Since(began)) })
}

func onlyProviders(batch []attempt) bool {
	return !slices.ContainsFunc(batch, func(a attempt) bool {
		_, _, only := asked(a.Resource.Type)
		return !only && a.Resource.Type != stackReference && !a.Resource.Component && !strings.HasPrefix(a.Resource.Type, providerType)
	})
}

// newWorld is an engine over a cloud that makes whatever it is asked for.
func newWorld(t *testing.T, batch []attempt) (*engine.Engine, *yesMan) {
	t.Helper()
	return newWorldWith(t, batch, nil)
}

// newWorldWith is one whose engine gets these variables, too.
func newWorldWith(t *testing.T, batch []attempt, env map[string]string) (*engine.Engine, *yesMan) {
	t.Helper()
	cli := pulumiCLI(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	cloud := &yesMan{ids: map[string]string{}}
	packages := map[string]bool{}
	for _, a := range batch {
		for i, r := range a.resources() {
			cloud.ids[a.nameOf(i)] = r.ID
			of := strings.TrimPrefix(r.Type, providerType)
			if _, token, ok := asked(r.Type); ok {
				of = token
			}
			pkg, _, _ := strings.Cut(of, ":")
			packages[pkg] = true
		}
	}
	port := enginetest.Serve(t, cloud)
	var ports []string
	for p := range packages {
		ports = append(ports, fmt.Sprintf("%s:%d", p, port))
	}
	secrets := engine.Passphrases{Dir: filepath.Join(dir, "secrets")}
	// Stacks that are there were made with it.
	if err := secrets.Make("acme"); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{
		CLI:        func(context.Context) (string, semver.Version, error) { return cli, semver.MustParse("3.250.0"), nil },
		Project:    "freehold",
		BackendURL: "file://" + filepath.Join(dir, "state"),
		Dir:        filepath.Join(dir, "stacks"),
		Secrets:    secrets,
		Connect: func(context.Context) (map[string]string, error) {
			out := map[string]string{"PULUMI_DEBUG_PROVIDERS": strings.Join(ports, ",")}
			maps.Copy(out, env)
			return out, nil
		},
		Policies: func() (engine.Policies, error) {
			self, err := os.Executable()
			if err != nil {
				return engine.Policies{}, err
			}
			pack := filepath.Join(dir, "policy")
			return engine.Policies{Pack: pack, Name: crossguard.Pack, Analyzer: crossguard.Analyzer, ScopeKey: crossguard.ScopeKey, Read: read, Ask: ask}, crossguard.Install(pack, self)
		},
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	// The stack is there, and empty: to make it costs another start of the CLI.
	there(t, filepath.Join(dir, "state"), stackOf(batch).Name)
	for _, a := range batch {
		// What is referred to must be there, or the engine refuses before the rules.
		if full, ok := a.Resource.Properties["name"].(string); ok && a.Resource.Type == stackReference {
			there(t, filepath.Join(dir, "state"), full)
		}
	}
	return e, cloud
}

// there makes an empty stack of that name, "organization/project/stack" or the
// last part of it.
func there(t *testing.T, state, name string) {
	t.Helper()
	parts := append([]string{"organization", "freehold"}, strings.Split(name, "/")...)
	project, stack := parts[len(parts)-2], parts[len(parts)-1]
	dir := filepath.Join(state, ".pulumi", "stacks", project)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	doc := fmt.Sprintf(`{"version":3,"checkpoint":{"stack":"organization/%s/%s","latest":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""}}}}`, project, stack)
	if err := os.WriteFile(filepath.Join(dir, stack+".json"), []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(ctx context.Context, scope string, s, by engine.Step) ([]finding.Policy, error) {
	r := policies.Resource{URN: s.URN, Type: s.Type, Name: s.Name, ID: s.ID, Properties: s.NewInputs}
	r.Provider = policies.Provider{Package: strings.TrimPrefix(by.Type, providerType), Properties: by.NewInputs}
	return crossguard.Read(ctx, onlyStackReferences, scope, r, nil)
}

// onlyStackReferences are the rules on what has been read that the attempts are
// about: what is asked for is judged before it is read.
var onlyStackReferences = slices.DeleteFunc(policies.All(), func(r policies.Rule) bool { return r.ID != "FH205" })

func ask(ctx context.Context, scope string, a engine.Asked) ([]finding.Policy, error) {
	asked := crossguard.Asked{Kind: string(a.Kind), Token: a.Token, Name: a.Name, ID: a.ID, Inputs: a.Inputs, Made: a.Made}
	if a.Provider != nil {
		asked.Provider = (*crossguard.AskedProvider)(a.Provider)
	}
	return crossguard.Ask(ctx, policies.All(), scope, a.Stack, asked, nil)
}

func pulumiCLI(t *testing.T) string {
	t.Helper()
	tools := os.Getenv("FREEHOLD_TOOLS")
	if tools == "" {
		tools = filepath.Join("..", "..", "bin")
	}
	cli, err := filepath.Abs(filepath.Join(tools, "pulumi"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cli); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no pulumi CLI: run make build first")
	}
	return cli
}

// resources are the example's own and those beside it.
func (a attempt) resources() []policies.Resource {
	return append([]policies.Resource{a.Resource}, a.Others...)
}

func (a attempt) nameOf(i int) string {
	if i == 0 {
		return a.name
	}
	return fmt.Sprintf("%s-beside-%d", a.name, i)
}

// stackOf is the customer's stack with the attempts in it.
func stackOf(batch []attempt) engine.Stack {
	s := batch[0].Scope
	return engine.Stack{
		Org: s.Org, Layer: s.Layer, Name: s.Org + "." + s.Layer, Scope: scopeOf(batch[0]),
		Program: func(ctx *pulumi.Context) error {
			for _, a := range batch {
				for i, r := range a.resources() {
					if err := register(ctx, a.nameOf(i), r, a.Scope); err != nil {
						return fmt.Errorf("%s: %w", a, err)
					}
				}
			}
			return nil
		},
	}
}

const (
	providerType   = "pulumi:providers:"
	stackReference = "pulumi:pulumi:StackReference"
)

type (
	component struct{ pulumi.ResourceState }
	custom    struct{ pulumi.CustomResourceState }
	provider  struct{ pulumi.ProviderResourceState }
)

func register(ctx *pulumi.Context, name string, r policies.Resource, s policies.Scope) error {
	switch {
	case r.Type == stackReference:
		_, err := pulumi.NewStackReference(ctx, name, &pulumi.StackReferenceArgs{Name: input(r.Properties["name"]).(pulumi.String)})
		return err
	case r.Component:
		var c component
		return ctx.RegisterComponentResourceV2(r.Type, name, mapOf(r.Properties), &c)
	case strings.HasPrefix(r.Type, providerType):
		var p provider
		return ctx.RegisterResource(r.Type, name, asProvider(r.Properties), &p)
	}
	if kind, token, ok := asked(r.Type); ok {
		return request(ctx, kind, token, name, r, s)
	}
	pkg, _, _ := strings.Cut(r.Type, ":")
	props := r.Provider.Properties
	if props == nil {
		props = map[string]any{"allowedAccountIds": []any{s.AccountID}}
	}
	named := "of-" + name
	if r.Provider.Default {
		named = "default_" + name
	}
	var p provider
	if err := ctx.RegisterResource(providerType+pkg, named, asProvider(props), &p); err != nil {
		return err
	}
	var c custom
	return ctx.RegisterResource(r.Type, name, mapOf(r.Properties), &c, pulumi.Provider(&p))
}

// asProvider writes a provider's properties as the SDKs do: what is no string,
// as JSON in one.
func asProvider(properties map[string]any) pulumi.Map {
	out := pulumi.Map{}
	for k, v := range properties {
		switch v.(type) {
		case string, policies.Unknown:
			out[k] = input(v)
		default:
			raw, err := json.Marshal(v)
			if err != nil {
				panic(err)
			}
			out[k] = pulumi.String(raw)
		}
	}
	return out
}

func mapOf(properties map[string]any) pulumi.Map {
	out := pulumi.Map{}
	for k, v := range properties {
		if in := input(v); in != nil {
			out[k] = in
		}
	}
	return out
}

func input(v any) pulumi.Input {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return pulumi.String(v)
	case bool:
		return pulumi.Bool(v)
	case int:
		return pulumi.Float64(v)
	case float64:
		return pulumi.Float64(v)
	case map[string]any:
		return mapOf(v)
	case []any:
		var list pulumi.Array
		for _, e := range v {
			list = append(list, input(e))
		}
		return list
	case policies.Unknown:
		return pulumi.UnsafeUnknownOutput(nil)
	}
	panic(fmt.Sprintf("an example holds a %T", v))
}
