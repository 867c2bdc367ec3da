package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"

	"freehold.dev/freehold/internal/crossguard"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/watchdog"
	"freehold.dev/freehold/policies"
)

// packMode names the file that says how the pack of a test misbehaves. An engine
// hands its environment on as it was at its first run; what a file says can end.
const packMode = "FREEHOLD_TEST_PACK"

// misbehaves has the pack of the engines that are made next misbehave.
func misbehaves(t *testing.T, how string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mode")
	if err := os.WriteFile(file, []byte(how), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(packMode, file)
}

// misbehaviour is how this process should.
func misbehaviour() string {
	how, err := os.ReadFile(os.Getenv(packMode))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		panic(err)
	}
	return string(how)
}

// TestMain is also the packs: this binary under the names of their plugins.
func TestMain(m *testing.M) {
	var err error
	switch name := filepath.Base(os.Args[0]); {
	case os.Getenv(strangers) != "":
		beStranger(os.Getenv(strangers))
	case crossguard.Serves(name):
		if misbehaviour() == "hangs at its start" {
			time.Sleep(time.Hour)
		}
		err = crossguard.Serve(context.Background(), os.Args[1], os.Stdout, rules, "1.2.3")
	case watchdog.Serves(name):
		err = watchdog.Serve(os.Stdin, os.Stdout)
	case name == "pulumi-analyzer-policy-house":
		err = policyx.Main(housePack)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// rules are about a group's name.
var rules = []policies.Rule{{
	ID: "FH101", Title: "A group is its org's own", Why: "another would see it", Fix: "name it otherwise",
	Severity: policies.Critical, Criteria: []string{"CC6.1"}, Types: []string{"test:index:Group"},
	Check: func(r policies.Resource, _ policies.Scope) policies.Verdict {
		switch misbehaviour() {
		case "ends":
			os.Exit(7)
		case "stops":
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		case "panics":
			panic("a bug in a rule")
		}
		v := policies.Verdict{Answer: policies.Pass}
		if strings.Contains(r.Name, "shared") {
			v = policies.Verdict{Answer: policies.Violated, Findings: []policies.Finding{{Path: "members[0]", Statement: `{"Effect":"Allow"}`, Message: "it is shared with globex"}}}
		}
		if strings.Contains(r.Name, "open") {
			v = policies.Verdict{Answer: policies.Undecided, Findings: []policies.Finding{{Path: "members", Message: "not known yet"}}}
		}
		return v
	},
}}

// housePack is a pack of an operator's own, by Pulumi's SDK for packs in Go.
func housePack(*pulumi.Context) (policyx.PolicyPack, error) {
	return policyx.NewPolicyPack("house", semver.MustParse("1.0.0"), policyx.EnforcementLevelMandatory, []policyx.Policy{
		policyx.NewResourceValidationPolicy("no-blue", policyx.ResourceValidationPolicyArgs{
			Description: "Nothing is blue", EnforcementLevel: policyx.EnforcementLevelMandatory,
			ValidateResource: func(_ context.Context, a policyx.ResourceValidationArgs) error {
				if strings.Contains(a.Resource.Name, "blue") {
					a.Manager.ReportViolation("it is blue", "")
				}
				return nil
			},
		}),
	})
}

// pack puts this binary in a folder as Freehold's pack.
func pack(t *testing.T, dir string, change ...func(*engine.Policies)) (engine.Policies, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		return engine.Policies{}, err
	}
	p := engine.Policies{
		Pack: filepath.Join(dir, "policy"), Name: crossguard.Pack, Analyzer: crossguard.Analyzer, ScopeKey: crossguard.ScopeKey,
	}
	if err := crossguard.Install(p.Pack, self); err != nil {
		return p, err
	}
	for _, c := range change {
		c(&p)
	}
	return p, nil
}

// groups is a stack with groups of these names, side by side.
func groups(names ...string) engine.Stack {
	s := stack("in")
	s.Program = func(ctx *pulumi.Context) error {
		for _, name := range names {
			var g group
			if err := ctx.RegisterComponentResource("test:index:Group", name, &g); err != nil {
				return err
			}
			if err := ctx.RegisterResourceOutputs(&g, pulumi.Map{}); err != nil {
				return err
			}
		}
		return nil
	}
	return s
}

// wantNothingMade fails if anything of the stack is there.
func wantNothingMade(t *testing.T, e *engine.Engine) {
	t.Helper()
	if mode := os.Getenv(packMode); mode != "" {
		if err := os.Remove(mode); err != nil {
			t.Fatal(err)
		}
	}
	res, err := e.Preview(t.Context(), groups("plain"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]int{"create": 2}, res.Changes); d != "" {
		t.Errorf("what is left to make, the stack itself included (-want +got):\n%s", d)
	}
}

func TestAViolationStopsAnUpBeforeAnythingIsMade(t *testing.T) {
	e := newEngine(t)
	var events []event.Type
	res, err := e.Up(t.Context(), groups("plain", "shared", "also-plain"), func(ev event.Event) { events = append(events, ev.Type) })
	if !errors.Is(err, engine.ErrPolicy) {
		t.Fatalf("got %v", err)
	}
	var failed *engine.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %T", err)
	}
	want := []finding.Policy{{
		Rule: "FH101", Title: "A group is its org's own", Severity: "critical", Org: "acme", Layer: "account",
		Resource: finding.Resource{
			Type: "test:index:Group", Name: "shared", URN: "urn:pulumi:acme.account::freehold::test:index:Group::shared",
		},
		Path: "members[0]", Statement: `{"Effect":"Allow"}`, Message: "it is shared with globex", Why: "another would see it",
		Fix: "name it otherwise", Criteria: []string{"CC6.1"}, Answer: "violated",
	}}
	if d := cmp.Diff(want, failed.Policy); d != "" {
		t.Errorf("found (-want +got):\n%s", d)
	}
	if len(res.Steps) > 0 || len(res.Changes) > 0 || len(events) > 0 {
		t.Errorf("it was only looked at, and yet: %+v, events %v", res, events)
	}
	if got := e.Calls(); got != 1 { // up
		t.Errorf("the CLI was started %d times, want 1", got)
	}
	wantNothingMade(t, e)
}

func TestEachViolationIsReported(t *testing.T) {
	e := newEngine(t)
	_, err := e.Preview(t.Context(), groups("shared-1", "plain", "shared-2"), nil)
	failed, ok := errors.AsType[*engine.Error](err)
	if !ok || !errors.Is(err, engine.ErrPolicy) || len(failed.Policy) != 2 {
		t.Fatalf("got %v", err)
	}
}

func TestWhatIsOpenPassesAPreviewAndStopsAnUp(t *testing.T) {
	e := newEngine(t)
	s := groups("open")
	s.Scope = `{"Org":"acme","Layer":"account","AccountID":"111122223333"}`
	res, err := e.Preview(t.Context(), s, nil)
	if err != nil || len(res.Policy) != 1 || !res.Policy[0].Open() {
		t.Fatalf("preview: %+v, %v", res.Policy, err)
	}
	if _, err := e.Up(t.Context(), s, nil); !errors.Is(err, engine.ErrPolicy) {
		t.Fatalf("up: %v", err)
	}
}

func TestWhatDependsOnTheAccountIsAnalyzedWhenTheStackIsMade(t *testing.T) {
	e := newEngine(t)
	if _, err := e.Up(t.Context(), groups("open"), nil); !errors.Is(err, engine.ErrPolicy) {
		t.Fatalf("up: %v", err)
	}
}

func TestAnAcceptedExceptionIsShownAndDoesNotStop(t *testing.T) {
	e := newEngine(t)
	s := groups("shared")
	s.Scope = `{"Org":"acme","Layer":"account","Exceptions":[{"Rule":"FH101","Resource":"shared","Reason":"a reason","Approver":"ciso","Expires":"2099-01-01"}]}`
	res, err := e.Up(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &finding.Exception{Reason: "a reason", Approver: "ciso", Expires: "2099-01-01"}
	if len(res.Policy) != 1 || cmp.Diff(want, res.Policy[0].Exception) != "" {
		t.Errorf("shown: %+v", res.Policy)
	}
}

func TestARunWithoutItsRulesStops(t *testing.T) {
	// It has to be long for what a busy machine takes between two events.
	soon := func(p *engine.Policies) { p.Within = 8 * time.Second }
	for reason, tc := range map[string]struct {
		mode   string
		change func(*engine.Policies)
		scope  string
		kind   error
		says   string
	}{
		"a rule that panics is a violation":        {mode: "panics", kind: engine.ErrPolicy, says: "could not be evaluated: the rule panicked: a bug in a rule"},
		"a pack whose process ends":                {mode: "ends", kind: engine.ErrUnanalyzed, says: "failed to run policy"},
		"a pack that hangs":                        {mode: "stops", change: soon, kind: engine.ErrUnanalyzed, says: "a policy pack does not answer"},
		"a pack that hangs at its start":           {mode: "hangs at its start", change: soon, kind: engine.ErrUnanalyzed, says: "a policy pack does not answer"},
		"a pack whose folder is missing":           {change: func(p *engine.Policies) { p.Pack += "-gone" }, kind: engine.ErrUnanalyzed, says: "policy-gone"},
		"a pack whose plugin is missing":           {change: func(p *engine.Policies) { _ = os.Remove(filepath.Join(p.Pack, "pulumi-analyzer-policy-freehold")) }, kind: engine.ErrUnanalyzed, says: "pulumi-analyzer-policy-freehold"},
		"a pack that is another than it should":    {change: func(p *engine.Policies) { p.Name = "other" }, kind: engine.ErrUnanalyzed, says: `policy pack "other" has not looked at`},
		"a stack without a scope":                  {scope: "none", kind: engine.ErrUnanalyzed, says: "the rules do not know whose stack acme.account is"},
		"a scope of another org":                   {scope: `{"Org":"globex","Layer":"account"}`, kind: engine.ErrUnanalyzed, says: "which is not its own"},
		"a scope of another version":               {scope: `{"Org":"acme","Layer":"account","Shared":true}`, kind: engine.ErrUnanalyzed, says: "unknown field"},
		"an operator's pack that is not there":     {change: func(p *engine.Policies) { p.More = []string{"/no/such/pack"} }, kind: engine.ErrUnanalyzed, says: "/no/such/pack"},
		"an operator's pack that cannot be served": {change: func(p *engine.Policies) { p.More = []string{manifest(p.Pack, "nothing")} }, kind: engine.ErrUnanalyzed, says: "policy-nothing"},
	} {
		t.Run(reason, func(t *testing.T) {
			if tc.change == nil {
				tc.change = func(*engine.Policies) {}
			}
			e := newEngine(t, tc.change)
			s := groups("plain")
			switch tc.scope {
			case "":
			case "none":
				s.Scope = ""
			default:
				s.Scope = tc.scope
			}
			misbehaves(t, tc.mode)
			res, err := e.Up(t.Context(), s, nil)
			if !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v\nwant %v, with %q in it", err, tc.kind, tc.says)
			}
			if len(res.Changes) > 0 && tc.mode != "" {
				t.Errorf("made: %v", res.Changes)
			}
			if tc.change = nil; tc.mode != "" {
				wantNothingMade(t, e)
			}
		})
	}
}

// A reference to another stack is a read, which the CLI shows to no pack.
func TestWhatTheProgramReadsIsAnalyzedBeforeAnythingIsMade(t *testing.T) {
	reads := groups("plain")
	made := reads.Program
	reads.Program = func(ctx *pulumi.Context) error {
		if _, err := pulumi.NewStackReference(ctx, "organization/freehold/globex.account", nil); err != nil {
			return err
		}
		return made(ctx)
	}
	allowed := func(context.Context, string, engine.Asked) ([]finding.Policy, error) { return nil, nil }
	for reason, tc := range map[string]struct {
		read func(context.Context, string, engine.Step, engine.Step) ([]finding.Policy, error)
		ask  func(context.Context, string, engine.Asked) ([]finding.Policy, error)
		want string
	}{
		"with nobody to ask before": {nil, nil, "FH000 nothing may be asked for"},
		"with nobody to ask after":  {nil, allowed, "FH000 nothing may be read"},
		"with a rule against": {func(_ context.Context, _ string, s, _ engine.Step) ([]finding.Policy, error) {
			return []finding.Policy{{Rule: "FH205", Message: s.Name, Answer: "violated"}}, nil
		}, allowed, "FH205 organization/freehold/globex.account"},
		"with a rule against, before it is read": {nil, func(_ context.Context, _ string, a engine.Asked) ([]finding.Policy, error) {
			return []finding.Policy{{Rule: "FH205", Message: string(a.Kind) + " " + a.ID + " of " + a.Stack, Answer: "violated"}}, nil
		}, "FH205 read organization/freehold/globex.account of acme.account"},
		"with a rule that allows it": {func(context.Context, string, engine.Step, engine.Step) ([]finding.Policy, error) { return nil, nil }, allowed, ""},
	} {
		t.Run(reason, func(t *testing.T) {
			var dir string
			e := newEngine(t, func(p *engine.Policies) {
				p.Read, p.Ask, dir = tc.read, tc.ask, filepath.Dir(p.Pack)
			})
			if _, err := e.Preview(t.Context(), groups("plain"), nil); err != nil { // the packs are found at the first run
				t.Fatal(err)
			}
			other := filepath.Join(dir, "state", ".pulumi", "stacks", "freehold")
			if err := os.MkdirAll(other, 0o700); err != nil {
				t.Fatal(err)
			}
			doc := `{"version":3,"checkpoint":{"stack":"organization/freehold/globex.account","latest":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""}}}}`
			if err := os.WriteFile(filepath.Join(other, "globex.account.json"), []byte(doc), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := e.Up(t.Context(), reads, nil)
			if tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			failed, ok := errors.AsType[*engine.Error](err)
			if !ok || !errors.Is(err, engine.ErrPolicy) || len(failed.Policy) != 1 {
				t.Fatalf("got %v", err)
			}
			if got := failed.Policy[0].Rule + " " + failed.Policy[0].Message; got != tc.want {
				t.Errorf("found %s, want %s", got, tc.want)
			}
			wantNothingMade(t, e)
			if _, err := e.Up(t.Context(), groups("plain"), nil); err != nil {
				t.Errorf("the run after it: %v", err)
			}
		})
	}
}

// manifest makes the folder of a pack of a runtime.
func manifest(beside, runtime string) string {
	dir := beside + "-" + runtime
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "PulumiPolicy.yaml"), []byte("runtime: "+runtime+"\n"), 0o600); err != nil {
		panic(err)
	}
	return dir
}

func TestAnOperatorsPackIsAskedBesideOurs(t *testing.T) {
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "pulumi-analyzer-policy-house")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	e := newEngine(t, func(p *engine.Policies) { p.More = []string{manifest(p.Pack, "house")} })
	_, err = e.Up(t.Context(), groups("blue", "shared"), nil)
	failed, ok := errors.AsType[*engine.Error](err)
	if !ok || !errors.Is(err, engine.ErrPolicy) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, f := range failed.Policy {
		got = append(got, f.Rule+" "+f.Resource.Name)
	}
	if d := cmp.Diff([]string{"FH101 shared", "house/no-blue blue"}, got); d != "" {
		t.Errorf("found (-want +got):\n%s", d)
	}
	var said []string
	if _, err := e.Up(t.Context(), groups("plain"), func(ev event.Event) { said = append(said, ev.Message) }); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(said, "; "); strings.Contains(text, "PATH") {
		t.Errorf("it complains of the operator's plugin: %s", text)
	}
}
