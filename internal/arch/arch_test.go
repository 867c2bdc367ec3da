// Package arch holds the test of the import directions.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "freehold.dev/freehold/"

// may lists, for each package of ours, the packages of ours that it may
// import. "x/..." stands for a folder and all below it. A package that is not
// listed fails the test: a new package is a decision.
var may = map[string][]string{
	"cmd/freehold": {
		"internal/cli", "internal/engine", "internal/environ", "internal/localhost", "internal/cloud", "internal/cloud/...", "internal/lifecycle", "internal/sandbox", "internal/sandbox/...",
		"internal/registry", "internal/registry/sqlite", "internal/registry/postgres", "internal/registry/sqlstore", "internal/operation", "internal/event", "internal/finding", "internal/plan", "stacks", "internal/crossguard", "policies",
		"internal/kubelive", "internal/orgcontext", "internal/orgcontext/delegation", "internal/orgcontext/operator", "internal/watchdog", "internal/webhook",
		"internal/remote", "internal/remote/dial", "internal/remote/session", "internal/server", "internal/server/config", "internal/server/route", "internal/server/rpc", "internal/server/tracing", "internal/server/trialtls", "internal/server/tryissuer",
	},
	"cmd/namespace-controller": {"internal/controller", "internal/controller/source"},

	"stacks": {"components/...", "internal/plan", "internal/api/v1alpha1"},
	// A component knows nothing of ours but other components' leaves.
	"components/account":       {"internal/iam"},
	"components/boundary":      {"internal/iam"},
	"components/network":       {"internal/iam"},
	"components/cluster":       {"internal/iam"},
	"components/bootstrap":     {"internal/api/v1alpha1", "internal/strays"},
	"internal/iam":             {},
	"internal/awstype":         {"internal/unknown"},
	"components/componenttest": {"policies/table"},

	// What children get of the environment is one table.
	"internal/environ": {},

	// What nobody knows yet is one value for all who read a preview.
	"internal/unknown": {},

	// The isolation rules have rooms, on floors that policyFloors lists: a topic of rules
	// reads resources by what is below it, and knows nothing of another topic.
	"policies":            {"policies/boundaries", "policies/clusters", "policies/document", "policies/encryption", "policies/example", "policies/exposure", "policies/kinds", "policies/ownership", "policies/reading", "policies/references", "policies/rule", "policies/sharing", "policies/table", "policies/trusts", "policies/workloads"},
	"policies/rule":       {"internal/iam", "internal/unknown", "policies/table"},
	"policies/example":    {"policies/rule"},
	"policies/reading":    {"internal/iam", "policies/rule", "policies/table"},
	"policies/document":   {"internal/iam", "policies/reading", "policies/rule", "policies/table"},
	"policies/manifest":   {"policies/rule"},
	"policies/ownership":  {"internal/iam", "policies/document", "policies/example", "policies/reading", "policies/rule", "policies/table"},
	"policies/references": {"internal/iam", "policies/document", "policies/example", "policies/manifest", "policies/reading", "policies/rule", "policies/table"},
	"policies/kinds":      {"policies/example", "policies/manifest", "policies/reading", "policies/rule"},
	"policies/trusts":     {"internal/iam", "policies/document", "policies/example", "policies/rule", "policies/table"},
	"policies/boundaries": {"internal/iam", "policies/document", "policies/example", "policies/reading", "policies/rule"},
	"policies/sharing":    {"internal/iam", "policies/example", "policies/rule", "policies/table"},
	"policies/exposure":   {"policies/example", "policies/rule", "policies/table"},
	"policies/encryption": {"policies/example", "policies/manifest", "policies/rule", "policies/table"},
	"policies/clusters":   {"policies/example", "policies/manifest", "policies/rule"},
	"policies/workloads":  {"policies/document", "policies/example", "policies/manifest", "policies/rule"},
	"policies/gen":        {"policies", "policies/table"},

	"policies/table":     {},
	"policies/table/gen": {},

	"internal/judge":      {"policies", "internal/finding"},
	"internal/crossguard": {"policies", "internal/judge", "internal/finding", "internal/localhost", "internal/unknown", "internal/crossguard/handover"},
	// What it imports would be initialized before it.
	"internal/crossguard/handover": {},

	// What no role may have is one list, and what a project is one type.
	"internal/spec":           {"internal/iam", "internal/api/v1alpha1"},
	"internal/spec/genschema": {"internal/spec", "internal/api/v1alpha1"},
	"internal/plan":           {"internal/spec", "internal/api/v1alpha1", "internal/iam"},
	"internal/event":          {"internal/finding"},
	"internal/finding":        {"internal/unknown"},
	"internal/render":         {"internal/event", "internal/finding", "internal/iam"},
	"internal/wait":           {},
	"internal/uptime":         {},
	"internal/pids":           {},
	"internal/watchdog":       {"internal/uptime"},
	"internal/forecast":       {},
	"internal/engine":         {"internal/environ", "internal/event", "internal/finding", "internal/localhost", "internal/pids", "internal/unknown", "internal/wait", "internal/watchdog", "internal/wholefile"},
	"internal/registry":       {"internal/event", "internal/finding", "internal/orgcontext"},
	// Providers for tests of the engine.
	"internal/engine/enginetest": {"internal/localhost"},
	"internal/registry/postgres": {"internal/registry", "internal/registry/sqlstore"},
	// A real server for the tests of whatever keeps its records in one.
	"internal/registry/postgres/pgtest": {"internal/localhost", "internal/registry/postgres", "internal/wait"},

	// A driver knows the contract, and no other driver.
	"internal/registry/sqlite": {"internal/registry/sqlstore"},
	// The body of a webhook is made with the event, in one transaction.
	"internal/registry/sqlstore":     {"internal/registry", "internal/event", "internal/finding", "internal/orgcontext", "internal/render"},
	"internal/registry/registrytest": {"internal/registry", "internal/event", "internal/finding", "internal/orgcontext", "internal/orgcontext/orgcontexttest"},
	// It sends what the registry holds, and knows no event.
	"internal/webhook":             {"internal/registry"},
	"internal/webhook/webhooktest": {},
	"internal/operation":           {"internal/registry", "internal/event", "internal/finding", "internal/orgcontext", "internal/pids", "internal/uptime", "internal/wait"},

	// The issuer for trying out knows nothing of what its tokens open.
	"internal/server/tryissuer": {"internal/wholefile", "internal/orgcontext"},
	"internal/server/discovery": {"internal/server/edge"},

	// A client of the server. Its tokens are kept beside it, not in it.
	"internal/remote": {
		"internal/api/freehold/v1", "internal/api/freehold/v1/freeholdv1connect", "internal/api/reason", "internal/event", "internal/finding",
		"internal/lifecycle", "internal/plan", "internal/registry", "internal/remote/dial", "internal/remote/session",
	},
	"internal/remote/dial":    {"internal/localhost"},
	"internal/remote/session": {"internal/remote/dial", "internal/wholefile"},
	// Who calls, between services. It knows nothing of orgs.
	"internal/server/mtls": {"internal/wholefile"},
	// What is in front of every service's procedures.
	"internal/server/authz": {"internal/orgcontext/delegation", "internal/orgcontext/witness", "internal/orgcontext", "internal/registry", "internal/server/mtls"},

	// For whom a caller acts is decided below here, and nowhere else. Only main
	// makes the operator: what takes requests from others may not.
	"internal/orgcontext":                {"internal/orgcontext/internal/claim"},
	"internal/orgcontext/internal/claim": {},
	// What requests bring with them: only a verified token becomes a context.
	"internal/orgcontext/delegation": {"internal/orgcontext", "internal/orgcontext/internal/claim"},
	// A refusal is noted before anybody is known.
	"internal/orgcontext/witness": {"internal/orgcontext", "internal/orgcontext/internal/claim"},
	// What the identity service reads before it can know who asks.
	"internal/orgcontext/service":        {"internal/orgcontext", "internal/orgcontext/internal/claim"},
	"internal/orgcontext/operator":       {"internal/orgcontext", "internal/orgcontext/internal/claim"},
	"internal/orgcontext/orgcontexttest": {"internal/orgcontext", "internal/orgcontext/internal/claim"},
	"internal/drift":                     {"internal/awstype", "internal/finding"},
	"internal/kubelive":                  {"internal/api/v1alpha1", "internal/finding", "internal/strays"},
	"internal/strays":                    {"internal/api/v1alpha1"},
	// The interfaces that lifecycle declares speak the types of the packages
	// that it drives: docs/decisions says why.
	"internal/lifecycle": {
		"policies", "internal/audit", "internal/judge", "internal/spec", "internal/plan", "stacks", "internal/drift", "internal/event", "internal/finding",
		"internal/engine", "internal/cloud", "internal/registry", "internal/operation", "internal/dataplane", "internal/api/v1alpha1", "internal/wait", "internal/awstype",
		"internal/unknown", "internal/kubelive", "internal/forecast", "internal/orgcontext", "internal/webhook",
	},
	// A data plane is made of what the leaves hold: accounts and clusters,
	// records, results.
	"internal/dataplane": {
		"internal/spec", "internal/plan", "stacks", "policies", "internal/iam", "internal/awstype", "internal/api/v1alpha1", "internal/cloud",
		"internal/registry", "internal/event", "internal/finding", "internal/drift",
	},
	// A world in memory, which the tests of lifecycle kill processes in.
	"internal/lifecycle/lifecycletest": {
		"internal/engine", "internal/cloud", "stacks", "internal/plan", "internal/registry", "internal/finding", "internal/event",
		"internal/api/v1alpha1", "internal/awstype", "internal/unknown", "internal/spec", "internal/kubelive", "internal/orgcontext",
	},
	"internal/audit": {"internal/judge", "internal/finding", "internal/iam", "internal/awstype", "internal/unknown", "policies"},
	// Fleets of any size, for the tests and benchmarks of an audit.
	"internal/audit/audittest": {"internal/audit", "policies"},
	"internal/cli":             {"internal/forecast", "internal/home", "internal/lifecycle", "internal/spec", "internal/plan", "internal/event", "internal/finding", "internal/render"},

	"internal/cloud":               {"internal/event"},
	"internal/cloud/cloudtest":     {"internal/cloud"},
	"internal/cloud/aws":           {"internal/cloud", "internal/event", "internal/awstype", "internal/wait"},
	"internal/sandbox":             {"internal/cloud", "internal/awstype", "internal/event", "internal/iam", "internal/localhost", "internal/unknown", "internal/sandbox/..."},
	"internal/sandbox/store":       {},
	"internal/sandbox/hold":        {},
	"internal/sandbox/awsprovider": {"internal/iam", "internal/awstype", "internal/sandbox/hold", "internal/sandbox/store"},
	// What somebody makes by hand to share it, for the tests of several packages.
	"internal/sandbox/sharestest":   {},
	"internal/sandbox/eksprovider":  {"internal/iam"},
	"internal/sandbox/controlplane": {"internal/environ", "internal/localhost", "internal/wait", "internal/wholefile"},
	"internal/sandbox/kubeprovider": {"internal/sandbox/hold", "internal/wait"},

	"internal/sandbox/controlplane/controlplanetest": {"internal/sandbox/controlplane", "internal/wait"},
	"internal/oidctest":    {},
	"internal/metricstest": {},

	// Who calls is decided by what is recorded of the host's org. Nobody else may
	// read an org's records before that is known.
	"internal/server/identity": {
		"internal/orgcontext", "internal/orgcontext/delegation", "internal/orgcontext/service", "internal/orgcontext/witness", "internal/registry", "internal/plan", "internal/iam",
		"internal/server/edge", "internal/server/mtls", "internal/server/route", "internal/api/freeholdinternal/v1", "internal/api/freeholdinternal/v1/internalv1connect",
	},

	// Which host a request addresses is decided in front of everything.
	"internal/server/edge":          {"internal/orgcontext", "internal/server/tracing"},
	"internal/server/tracing":       {},
	"internal/server/edge/edgetest": {},
	// It reaches the services by their definitions, and imports none of them.
	"internal/server/gateway": {
		"internal/server/edge", "internal/server/route", "internal/server/tracing", "internal/orgcontext/delegation", "internal/api/freehold/v1", "internal/api/freehold/v1/freeholdv1connect",
		"internal/api/freeholdinternal/v1", "internal/api/freeholdinternal/v1/internalv1connect",
	},

	// The lab attaches the sandbox's providers where the official ones are not installed.
	"internal/conformance/lab":      {"internal/iam", "internal/localhost", "internal/sandbox", "internal/sandbox/...", "internal/wait"},
	"internal/conformance/oracle":   {"internal/iam"},
	"internal/conformance/byhand":   {"internal/conformance/lab", "internal/finding"},
	"internal/conformance/iamcalls": {"internal/iam", "internal/awstype", "internal/conformance/lab"},

	"internal/api/v1alpha1": {},
	// Generated from the definitions in proto.
	"internal/api/proto":                                 {},
	"internal/api/freehold/v1":                           {},
	"internal/api/freehold/v1/freeholdv1connect":         {"internal/api/freehold/v1"},
	"internal/api/freeholdinternal/v1":                   {},
	"internal/api/freeholdinternal/v1/internalv1connect": {"internal/api/freeholdinternal/v1"},
	"internal/server/config":                             {"internal/server/route", "internal/server/edge"},
	// A request is one of the ways in: it decides nothing.
	"internal/server/rpc": {
		"internal/api/freehold/v1", "internal/api/freehold/v1/freeholdv1connect", "internal/api/reason", "internal/api/v1alpha1", "internal/event", "internal/finding",
		"internal/lifecycle", "internal/orgcontext", "internal/orgcontext/delegation", "internal/registry", "internal/spec",
	},
	"internal/server/trialtls": {"internal/wholefile"},
	"internal/server": {
		"internal/api/freehold/v1/freeholdv1connect", "internal/api/freeholdinternal/v1", "internal/api/freeholdinternal/v1/internalv1connect", "internal/event", "internal/lifecycle", "internal/orgcontext",
		"internal/orgcontext/delegation", "internal/plan", "internal/registry", "internal/server/authz", "internal/server/config", "internal/server/discovery",
		"internal/server/edge", "internal/server/gateway", "internal/server/identity", "internal/server/mtls", "internal/server/route", "internal/server/rpc",
		"internal/server/tracing",
	},
	"internal/server/servertest": {
		"internal/dataplane", "internal/event", "internal/finding", "internal/lifecycle", "internal/oidctest", "internal/operation", "internal/orgcontext",
		"internal/orgcontext/delegation", "internal/orgcontext/orgcontexttest", "internal/plan", "internal/registry", "internal/server", "internal/server/config",
		"internal/server/mtls", "internal/server/rpc", "internal/server/trialtls", "internal/spec",
	},
	"internal/server/route": {"internal/api/freehold/v1/freeholdv1connect"},

	// What an error of the API says beside its code, for both sides.
	"internal/api/reason":        {},
	"internal/api/gen":           {"internal/api/v1alpha1"},
	"internal/controller":        {"internal/controller/source", "internal/api/v1alpha1", "internal/strays"},
	"internal/controller/source": {"internal/api/v1alpha1", "internal/localhost"},
	"internal/wholefile":         {},
	"internal/localhost":         {},
	"internal/home":              {},
}

// only names packages of others that may be imported from one place.
var only = map[string]string{
	"github.com/pulumi/pulumi/sdk/v3/go/auto":           "internal/engine",
	"github.com/pulumi/pulumi/sdk/v3/go/auto/":          "internal/engine",
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx": "internal/crossguard",
}

// The files are read in this process, and not by "go list", so that Go's test
// cache sees them: a cached pass would otherwise hide a new import.
func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	root := os.DirFS("../..")
	seen := map[string]bool{}
	used := map[string]map[string]bool{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (name == "tools" || name == "bin" || strings.HasPrefix(path.Base(name), ".") && name != ".") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		imports, err := importsOf(root, name)
		if err != nil {
			return err
		}
		from := path.Dir(name)
		seen[from] = true
		allowed, known := may[from]
		if !known {
			t.Errorf("%s is not in the table: say what it may import", from)
		}
		for _, imp := range imports {
			for fenced, home := range only {
				if (imp == fenced || strings.HasSuffix(fenced, "/") && strings.HasPrefix(imp, fenced)) && from != home {
					t.Errorf("%s imports %s, which only %s may", name, imp, home)
				}
			}
			to, ours := strings.CutPrefix(imp, module)
			if !ours {
				continue
			}
			i := slices.IndexFunc(allowed, covers(to))
			if i < 0 {
				t.Errorf("%s imports %s", name, to)
				continue
			}
			if used[from] == nil {
				used[from] = map[string]bool{}
			}
			used[from][allowed[i]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for p, allowed := range may {
		if !seen[p] {
			t.Errorf("%s is in the table and not in the tree", p)
		}
		// What is allowed and not used would let in what nobody decided.
		for _, to := range allowed {
			if !used[p][to] {
				t.Errorf("%s may import %s, and does not", p, to)
			}
		}
	}
}

// policyFloors are the rooms of policies, from the bottom up.
var policyFloors = [][]string{
	{"policies/table"},
	{"policies/rule"},
	{"policies/example", "policies/reading", "policies/manifest"},
	{"policies/document"},
	{
		"policies/ownership", "policies/references", "policies/kinds", "policies/trusts", "policies/boundaries",
		"policies/sharing", "policies/exposure", "policies/encryption", "policies/clusters", "policies/workloads",
	},
	{"policies"},
	{"policies/gen", "policies/table/gen"},
}

// Rooms of one floor know nothing of each other, in their tests neither: what two of
// them need is on a floor below.
func TestRoomsOfPoliciesImportFloorsBelowThemOnly(t *testing.T) {
	floor := map[string]int{}
	for n, rooms := range policyFloors {
		for _, room := range rooms {
			floor[room] = n
		}
	}
	root, empty := os.DirFS("../.."), maps.Clone(floor)
	err := fs.WalkDir(root, "policies", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		from := path.Dir(name)
		own, ok := floor[from]
		if !ok {
			t.Errorf("%s is on no floor: say in policyFloors what it may know", from)
			return nil
		}
		delete(empty, from)
		imports, err := importsOf(root, name)
		if err != nil {
			return err
		}
		for _, imp := range imports {
			to := strings.TrimPrefix(imp, module)
			// A test of a package's outside imports the package itself.
			if n, ok := floor[to]; ok && n >= own && (to != from || !strings.HasSuffix(name, "_test.go")) {
				t.Errorf("%s imports %s, which is not on a floor below it", name, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range empty {
		t.Errorf("%s is on a floor and not in the tree", room)
	}
}

// importsOf returns the import paths of a Go file.
func importsOf(root fs.FS, name string) ([]string, error) {
	src, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	imports := make([]string, 0, len(f.Imports))
	for _, spec := range f.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, imp)
	}
	return imports, nil
}

func covers(to string) func(string) bool {
	return func(allowed string) bool {
		dir, below := strings.CutSuffix(allowed, "/...")
		return to == allowed || below && strings.HasPrefix(to, dir+"/")
	}
}

// What a user finds at the top is part of the design.
func TestTheTopLevelHoldsOnlyWhatTheDesignNames(t *testing.T) {
	want := []string{
		"CONTRIBUTING.md", "LICENSE", "Makefile", "Pulumi.yaml", "README.md", "cmd", "components", "docs", "go.mod",
		"go.sum", "internal", "policies", "stacks", "tools",
	}
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		// bin is what make builds, and is not committed.
		if name := e.Name(); !strings.HasPrefix(name, ".") && name != "bin" && !slices.Contains(want, name) {
			t.Errorf("%s is at the top level, and the design does not name it", name)
		}
	}
}
