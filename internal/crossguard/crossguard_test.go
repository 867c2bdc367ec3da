package crossguard

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/policies"
)

func TestThePackFollowsTheExecutable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "policy")
	link := filepath.Join(dir, "pulumi-analyzer-policy-freehold")
	for _, self := range []string{"/opt/freehold-1/freehold", "/opt/freehold-1/freehold", "/opt/freehold-2/freehold"} {
		if err := Install(dir, self); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(link); err != nil || got != self {
			t.Errorf("the plugin is %q (%v), want %s", got, err, self)
		}
	}
	// What somebody wrote into it is written over.
	manifest := filepath.Join(dir, "PulumiPolicy.yaml")
	for _, file := range []string{manifest, link} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("runtime: other\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Install(dir, "/opt/freehold"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(manifest); err != nil || string(got) != "description: freehold's isolation rules\nruntime: freehold\n" {
		t.Errorf("the manifest is %q (%v)", got, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("in the folder: %v (%v), want two files", entries, err)
	}
}

func TestTheNameOfTheProcessSaysThatItIsThePack(t *testing.T) {
	for argv0, want := range map[string]bool{
		"/home/me/policy/pulumi-analyzer-policy-freehold": true, "pulumi-analyzer-policy-freehold": true,
		"/usr/bin/freehold": false, "pulumi-analyzer-policy-other": false, "": false,
	} {
		if got := Serves(argv0); got != want {
			t.Errorf("%q: %v", argv0, got)
		}
	}
}

func TestPropertiesArriveAsRulesWantThem(t *testing.T) {
	text, err := asset.FromText("hello")
	if err != nil {
		t.Fatal(err)
	}
	file := &resource.Asset{Path: "/nowhere/code"}
	in := resource.PropertyMap{
		"text": resource.NewProperty("a"), "number": resource.NewProperty(1.5), "yes": resource.NewProperty(true), "nothing": resource.NewNullProperty(),
		"list":          resource.NewProperty([]resource.PropertyValue{resource.NewProperty("a"), resource.MakeComputed(resource.NewProperty(""))}),
		"object":        resource.NewProperty(resource.PropertyMap{"deep": resource.MakeComputed(resource.NewProperty(""))}),
		"unknown":       resource.MakeComputed(resource.NewProperty("")),
		"secret":        resource.MakeSecret(resource.NewProperty("s3cret")),
		"secretUnknown": resource.MakeSecret(resource.MakeComputed(resource.NewProperty(""))),
		"output":        resource.NewProperty(resource.Output{Element: resource.NewProperty("o"), Known: true}),
		"later":         resource.NewProperty(resource.Output{}),
		"file":          resource.NewProperty(text),
		"elsewhere":     resource.NewProperty(file),
	}
	sent, err := plugin.MarshalProperties(in, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepOutputValues: true, KeepResources: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := resourceOf("urn:it", "aws:s3/bucketV2:BucketV2", "it", sent, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := policies.Resource{URN: "urn:it", Type: "aws:s3/bucketV2:BucketV2", Name: "it", Component: true, Properties: map[string]any{
		"text": "a", "number": 1.5, "yes": true, "nothing": nil, "list": []any{"a", policies.Unknown{}},
		"object": map[string]any{"deep": policies.Unknown{}}, "unknown": policies.Unknown{}, "secret": "s3cret",
		"secretUnknown": policies.Unknown{}, "output": "o", "later": policies.Unknown{}, "file": "hello", "elsewhere": policies.Unknown{},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAProviderIsUnfolded(t *testing.T) {
	props, err := plugin.MarshalProperties(resource.PropertyMap{
		"allowedAccountIds": resource.NewProperty(`["111122223333"]`), "region": resource.NewProperty("eu-west-1"), "odd": resource.NewProperty("{no json"),
	}, plugin.MarshalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"allowedAccountIds": []any{"111122223333"}, "region": "eu-west-1", "odd": "{no json"}
	for name, def := range map[string]bool{"org": false, "default": true, "default_6_83_0": true} {
		got, err := resourceOf("urn:it", "aws:s3/bucketV2:BucketV2", "it", nil, &pulumirpc.AnalyzerProviderResource{
			Urn: "urn:p", Type: "pulumi:providers:aws", Name: name, Properties: props,
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(policies.Provider{Package: "aws", Default: def, Properties: want}, got.Provider); d != "" || got.Component {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	itself, err := resourceOf("urn:p", "pulumi:providers:aws", "org", props, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, itself.Properties); d != "" || itself.Component {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// The engine and an older CLI might ask without having said whose stack it is.
func TestAPackWithoutAScopeAllowsNothing(t *testing.T) {
	s := newServer(nil, "1.0.0")
	one, err := s.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Type: "aws:s3/bucketV2:BucketV2", Urn: "urn:it", Name: "it"})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := s.AnalyzeStack(t.Context(), &pulumirpc.AnalyzeStackRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range append(one.GetDiagnostics(), whole.GetDiagnostics()...) {
		if d.GetPolicyName() != OwnRule || d.GetEnforcementLevel() != pulumirpc.EnforcementLevel_MANDATORY {
			t.Errorf("got %v", d)
		}
	}
	if len(one.GetDiagnostics()) != 1 || len(whole.GetDiagnostics()) != 1 {
		t.Errorf("got %v and %v", one, whole)
	}
}

// pulumi/pulumi#24650: a policy without a level of its own is advisory.
func TestEveryRuleIsMandatory(t *testing.T) {
	rules := []policies.Rule{{ID: "FH101", Severity: policies.Medium}, {ID: "FH102", CheckStack: func([]policies.Resource, policies.Scope) map[string]policies.Verdict { return nil }}}
	info, err := newServer(rules, "1.0.0").GetAnalyzerInfo(t.Context(), nil)
	if err != nil || len(info.GetPolicies()) != 2 || info.GetSupportsConfig() {
		t.Fatalf("got %v, %v: want two rules, and no configuration that could switch one off", info, err)
	}
	for _, p := range info.GetPolicies() {
		if p.GetEnforcementLevel() != pulumirpc.EnforcementLevel_MANDATORY {
			t.Errorf("%s is %s", p.GetName(), p.GetEnforcementLevel())
		}
	}
}

func TestTheAccountThatTheStackMakesIsLearntInTheEnd(t *testing.T) {
	undecided := policies.Rule{ID: "FH101", Title: "t", Types: []string{"aws:x:X"}, Check: func(r policies.Resource, s policies.Scope) policies.Verdict {
		switch {
		case s.AccountID == "":
			return policies.Verdict{Answer: policies.Undecided}
		case r.Name == s.AccountID:
			return policies.Verdict{Answer: policies.Pass}
		}
		return policies.Verdict{Answer: policies.Violated}
	}}
	s := newServer([]policies.Rule{undecided}, "1.0.0")
	_, err := s.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{
		Stack: "acme.account", Config: map[string]string{ScopeKey: `{"Org":"acme","Layer":"account"}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"111122223333", "444455556666"} {
		one, err := s.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Type: "aws:x:X", Urn: "urn:" + name, Name: name})
		if err != nil || len(one.GetDiagnostics()) != 1 || one.GetDiagnostics()[0].GetEnforcementLevel() != pulumirpc.EnforcementLevel_ADVISORY {
			t.Fatalf("%v, %v", one, err)
		}
	}
	arn, err := plugin.MarshalProperties(resource.PropertyMap{
		"arn": resource.NewProperty("arn:aws:organizations::100000000001:account/o-abc/111122223333"), "id": resource.NewProperty("111122223333"),
	}, plugin.MarshalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := s.AnalyzeStack(t.Context(), &pulumirpc.AnalyzeStackRequest{Resources: []*pulumirpc.AnalyzerResource{
		{Type: "aws:organizations/account:Account", Urn: "urn:account", Properties: arn},
	}})
	if err != nil || len(whole.GetDiagnostics()) != 1 || whole.GetDiagnostics()[0].GetUrn() != "urn:444455556666" {
		t.Fatalf("%v, %v", whole, err)
	}
	if whole.GetDiagnostics()[0].GetEnforcementLevel() != pulumirpc.EnforcementLevel_MANDATORY {
		t.Errorf("it does not stop: %v", whole)
	}
}

// The engine shows with the stack what a refresh has read and the program does
// not ask for any more.
func TestWhatIsTakenAwayIsNotJudgedAndNothingCountsOnIt(t *testing.T) {
	seen := 0
	s := newServer([]policies.Rule{
		{ID: "FH101", Check: func(policies.Resource, policies.Scope) policies.Verdict {
			return policies.Verdict{Answer: policies.Violated}
		}},
		{ID: "FH102", CheckStack: func(all []policies.Resource, _ policies.Scope) map[string]policies.Verdict {
			seen = len(all)
			return nil
		}},
	}, "1.0.0")
	s.scope, s.preview = &policies.Scope{Org: "acme", Layer: "cluster", AccountID: "111122223333"}, true
	whole, err := s.AnalyzeStack(t.Context(), &pulumirpc.AnalyzeStackRequest{Resources: []*pulumirpc.AnalyzerResource{
		{Type: "aws:eks/identityProviderConfig:IdentityProviderConfig", Urn: "urn:gone", Name: "gone"},
	}})
	if err != nil || len(whole.GetDiagnostics()) > 0 || seen > 0 {
		t.Errorf("got %v, %v, and a rule over the stack has seen %d", whole, err, seen)
	}
}
