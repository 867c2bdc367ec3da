package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// pauses are the files of the product that let time pass by themselves, and why
// nobody has to hear of it. Everything else waits by internal/wait, which names
// what it waits for.
var pauses = map[string]string{
	"cmd/freehold/main.go":                 "the second in which another signal is the same request: it delays nothing",
	"internal/wait/wait.go":                "it is how everybody waits",
	"internal/wait/heard.go":               "it is how everybody waits",
	"internal/engine/engine.go":            "a place among the engine's: slot says what it waits for",
	"internal/engine/waiting.go":           "the schedule by which an engine's run says what it waits for",
	"internal/engine/analyzed.go":          "a watchdog: it ends a run that is silent, and waits for nothing",
	"internal/judge/judge.go":              "a deadline for rules that are asked in this process",
	"internal/watchdog/serve.go":           "a watchdog's clock: it waits for nothing",
	"internal/watchdog/watchdog.go":        "a schedule: a watchdog is told the time for as long as there is something to watch",
	"internal/operation/renew.go":          "a schedule: a lease is renewed for as long as it is held",
	"internal/webhook/deliver.go":          "a schedule: what is due is asked for as long as it is followed",
	"internal/webhook/crowd.go":            "a schedule: the next turn of an endpoint that nothing could be sent to",
	"internal/cli/lines.go":                "a schedule: it is what prints the waits",
	"internal/server/resume.go":            "a schedule: operations that nobody runs are looked for as long as the server runs",
	"internal/server/gateway/held.go":      "a bound: an answer that says to wait is kept back for a moment, so that it is not asked for again at once",
	"internal/lifecycle/operations.go":     "a schedule: it shows what an operation says, which says what it waits for",
	"internal/lifecycle/going.go":          "looks at projects while the engine removes them, and says what they wait for",
	"internal/controller/passes.go":        "the controller's schedule: what a project waits for is in its status",
	"internal/controller/source/source.go": "the controller's schedule: what a poll met is in its log and metrics",

	"internal/server/identity/identity.go": "a schedule: keys are fetched again for as long as they are in use",
	"internal/server/identity/audit.go":    "a schedule: a minute of refusals is summed up",
	"internal/server/edge/certs.go":        "a schedule: files are looked at for as long as they are served",
	"internal/server/gateway/proxy.go":     "a deadline of a stream",
	"internal/server/gateway/serve.go":     "a deadline of streams, after which a gateway that stops ends them",
	"internal/remote/retry.go":             "the schedule of calls that nobody answered: the command says that it lost the server",
	"internal/remote/follow.go":            "the schedule by which a stream that broke is resumed: the command says that it lost the server",
	"internal/remote/operations.go":        "the schedule by which a server is asked to wait on",
	"internal/remote/session/store.go":     "a deadline for a keyring that asks a person who is not there",
	"internal/cloud/aws/remove_compute.go": "the SDK's waiters, inside of awaitGone, which says what they wait for",
	"internal/cloud/aws/remove_network.go": "the SDK's waiters, inside of awaitGone, which says what they wait for",
}

// standIns replace a cloud: what they wait for is the latency that they imitate.
var standIns = []string{"internal/sandbox/", "internal/conformance/", "internal/lifecycle/lifecycletest/"}

func TestWhateverWaitsSaysWhatItWaitsFor(t *testing.T) {
	standIn := func(name string) bool {
		return slices.ContainsFunc(standIns, func(dir string) bool { return strings.HasPrefix(name, dir) })
	}
	onlyListed(t, pauses, letsTimePass, standIn, "wait by internal/wait, which says what for")
}

// onlyListed fails for a file of the product that makes a call of a kind and is not in
// the table, and for one that is in it and makes none. Files that left out is true of
// are not looked at.
func onlyListed(t *testing.T, table map[string]string, kind func(of, name string) bool, leftOut func(file string) bool, instead string) {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (name == "tools" || name == "bin" || strings.HasPrefix(name, ".") && name != ".") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || leftOut(name) {
			return nil
		}
		src, err := os.ReadFile("../../" + name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				of := ""
				if x, ok := s.X.(*ast.Ident); ok {
					of = x.Name
				}
				if kind(of, s.Sel.Name) {
					found[name] = strings.TrimPrefix(of+"."+s.Sel.Name, ".")
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if table[name] == "" {
			t.Errorf("%s calls %s: %s, or give a reason in the table", name, found[name], instead)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if found[name] == "" {
			t.Errorf("%s is in the table, and makes no such call", name)
		}
	}
}

func letsTimePass(of, name string) bool {
	return of == "time" && slices.Contains([]string{"Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}, name) ||
		of == "backoff" && name == "Retry" || strings.HasPrefix(name, "New") && strings.HasSuffix(name, "Waiter")
}
