package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/plan"
)

// sources are the files of a folder that are no tests.
func sources(t *testing.T, dir string) (out []*ast.File) {
	t.Helper()
	files, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func TestEveryStepHasADeadlineAndEveryDeadlineAStep(t *testing.T) {
	named := map[string]bool{}
	for _, f := range sources(t, ".") {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "step" || len(call.Args) != 2 {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the name of a step cannot be read", f.Name)
				return true
			}
			name, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Error(err)
			}
			named[name] = true
			return true
		})
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(deadlines))); d != "" {
		t.Errorf("steps, and rows of deadlines (-steps +rows):\n%s", d)
	}
	for name, within := range deadlines {
		if within < 5*time.Minute || within > 24*time.Hour {
			t.Errorf("step %s is given up after %s", name, within)
		}
	}
}

// A sentinel that some package declares, and answers does not have, would be
// given up without anybody having decided that.
func TestEveryClassOfErrorsHasAnAnswer(t *testing.T) {
	has := map[string]bool{}
	for _, f := range sources(t, ".") {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Names[0].Name != "answers" {
				return true
			}
			ast.Inspect(spec, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if pkg, ok := sel.X.(*ast.Ident); ok {
						has[pkg.Name+"."+sel.Sel.Name] = true
					}
				}
				return true
			})
			return false
		})
	}
	for _, pkg := range []string{"engine", "cloud", "registry", "dataplane", "wait"} {
		n := 0
		for _, f := range sources(t, filepath.Join("..", pkg)) {
			ast.Inspect(f, func(n2 ast.Node) bool {
				spec, ok := n2.(*ast.ValueSpec)
				if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Err") {
					return true
				}
				n++
				if name := pkg + "." + spec.Names[0].Name; !has[name] {
					t.Errorf("%s has no answer", name)
				}
				return true
			})
		}
		if n == 0 {
			t.Errorf("%s has no sentinel", pkg)
		}
	}
}

func TestWhatIsPendingHasAReasonAndATimeAndWhatIsRetriedAnEnd(t *testing.T) {
	for _, a := range answers {
		if pending := errors.Is(a.kind, ErrPending); pending != (a.reason != "") || pending != (a.after > 0) {
			t.Errorf("%v: %+v", a.class, a.answer)
		}
		if (a.retries > 0) != (a.pause > 0) || a.retries > 5 || a.pause<<a.retries > 10*time.Minute {
			t.Errorf("%v: %+v", a.class, a.answer)
		}
		if a.reason != "" && !slices.Contains(event.Reasons(), a.reason) {
			t.Errorf("%v: unknown reason %s", a.class, a.reason)
		}
	}
}

// stepping runs body as an operation on acme.
func stepping(t *testing.T, proc *process, body func(context.Context, *run) error) error {
	t.Helper()
	return proc.operate(proc.Context(), "acme", operation.Request{Kind: "onboard"}, proc.Sink(proc.sink), nil, func(ctx context.Context, r *run) (ending, error) {
		return ending{}, fail("acme", "", body(ctx, r))
	})
}

// tried are the recorded steps of acme's last operation, in a word or two.
func (p *process) tried(t *testing.T) (out []string) {
	t.Helper()
	last := must[*event.Operation](t)(p.registryOf("acme").Last(t.Context()))
	for _, s := range must[[]event.Step](t)(p.registryOf("acme").Steps(t.Context(), last.ID)) {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", s.Name, s.Layer, s.Attempt, s.State)))
	}
	return out
}

func TestAStepIsTriedAgainAsItsErrorSays(t *testing.T) {
	throttled := &engine.Error{Stack: "acme.account", Doing: "update", Kind: engine.ErrThrottled, Detail: "Rate exceeded"}
	for reason, tc := range map[string]struct {
		errs []error // of its attempts
		kind error
		want []string
	}{
		"a passing failure": {[]error{throttled, nil}, nil, []string{"adopt account 1 failed", "adopt account 2 done"}},
		"a failure that does not pass": {
			[]error{throttled, throttled, throttled, throttled}, ErrPending,
			[]string{"adopt account 1 failed", "adopt account 2 failed", "adopt account 3 failed", "adopt account 4 failed"},
		},
		"a backend that answers in the end": {
			[]error{engine.ErrUnreachable, engine.ErrUnreachable, nil}, nil,
			[]string{"adopt account 1 failed", "adopt account 2 failed", "adopt account 3 done"},
		},
		"a failure that a person has to see to": {[]error{engine.ErrDenied}, nil, []string{"adopt account 1 failed"}},
		"a failure that nobody foresaw":         {[]error{errors.New("the sky fell")}, nil, []string{"adopt account 1 failed"}},
	} {
		t.Run(reason, func(t *testing.T) {
			proc := newPlace(t).here()
			n := 0
			err := stepping(t, proc, func(ctx context.Context, r *run) error {
				_, err := do(ctx, r.step("adopt", plan.LayerAccount), func(context.Context, string) (string, error) {
					n++
					return "", tc.errs[n-1]
				}, "acme")
				return err
			})
			if last := tc.errs[len(tc.errs)-1]; !errors.Is(err, last) && last != nil || last == nil && err != nil || tc.kind != nil && !errors.Is(err, tc.kind) {
				t.Errorf("got %v", err)
			}
			if d := cmp.Diff(tc.want, proc.tried(t)); d != "" {
				t.Errorf("steps (-want +got):\n%s", d)
			}
			waits := 0
			for _, ev := range proc.shown {
				if ev.Type == event.Waiting && strings.Contains(ev.Message, "at step adopt: ") {
					waits++
				}
			}
			if waits != len(tc.errs)-1 {
				t.Errorf("it said %d times that it tries again", waits)
			}
		})
	}
}

func TestAStepIsGivenUpAtItsDeadlineAndNotCalledCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		proc := p.here()
		proc.Now, proc.Holding.Now = time.Now, time.Now
		began := time.Now()
		err := stepping(t, proc, func(ctx context.Context, r *run) error {
			_, err := do(ctx, r.step("forget", plan.LayerAccount), func(ctx context.Context, _ string) (string, error) {
				<-ctx.Done()
				return "", &engine.Error{Stack: "acme.account", Doing: "update", Kind: engine.ErrCancelled, Detail: "the run was interrupted"}
			}, "acme")
			return err
		})
		if took := time.Since(began); took != deadlines["forget"] {
			t.Errorf("it took %s", took)
		}
		if !errors.Is(err, ErrLate) || errors.Is(err, ErrCancelled) || !strings.Contains(err.Error(), "step forget was given up after 15m") {
			t.Errorf("got %v", err)
		}
		if d := cmp.Diff([]string{"forget account 1 failed"}, proc.tried(t)); d != "" {
			t.Errorf("steps (-want +got):\n%s", d)
		}
	})
}

func TestAPendingOperationSaysWhyAndWhenToComeBack(t *testing.T) {
	closing := &cloud.PendingError{Reason: event.CloseQuota, After: 48 * time.Hour, Err: errors.New("ConstraintViolationException")}
	account := &engine.Error{Kind: engine.ErrQuota, Failures: []engine.Failure{{Type: accountType, Message: "ACCOUNT_LIMIT_EXCEEDED"}}}
	for reason, tc := range map[string]struct {
		err    error
		reason event.Reason
		after  time.Duration
	}{
		"an account that is being verified":      {fmt.Errorf("sts: %w", cloud.ErrNotUsable), event.Verification, 15 * time.Minute},
		"a quota of the org's account":           {lifecycletest.QuotaError("acme", plan.LayerCluster), event.ServiceQuota, quotaAfter},
		"the organization's quota":               {account, event.AccountQuota, quotaAfter},
		"what the cloud itself knows":            {fmt.Errorf("close: %w", closing), event.CloseQuota, 48 * time.Hour},
		"a queue, in the words of the provider":  {&engine.Error{Kind: engine.ErrCloseQueue}, event.CloseQueue, 15 * time.Minute},
		"what says of itself that it is pending": {&Error{Org: "acme", Err: ErrPending}, event.Verification, 15 * time.Minute},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlace(t)
			proc := p.here()
			if err := stepping(t, proc, func(context.Context, *run) error { return tc.err }); !errors.Is(err, ErrPending) {
				t.Fatalf("got %v", err)
			}
			last := proc.shown[len(proc.shown)-1]
			if last.Type != event.OperationPending || last.Reason != tc.reason || last.RetryAt.Sub(last.Time).Round(time.Minute) != tc.after {
				t.Errorf("terminal event %+v, want %s and %s", last, tc.reason, tc.after)
			}
			op := must[*event.Operation](t)(proc.registryOf("acme").Last(t.Context()))
			if op.State != "pending" || op.Reason != tc.reason || !op.RetryAt.Equal(last.RetryAt) {
				t.Errorf("operation %+v", op)
			}
		})
	}
}

func TestAThrottledLayerIsLookedThroughAndMadeAgainInOneOperation(t *testing.T) {
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerBoundary, Times: 2, Made: 3, Err: &engine.Error{
		Stack: "acme.boundary", Doing: "update", Kind: engine.ErrThrottled, Detail: "Rate exceeded",
	}})
	proc := p.here()
	must[event.Onboarding](t)(proc.onboard(document(t)))
	var ups []string
	for _, s := range proc.tried(t) {
		if strings.HasPrefix(s, "up boundary") {
			ups = append(ups, s)
		}
	}
	if d := cmp.Diff([]string{"up boundary 1 failed", "up boundary 2 failed", "up boundary 3 done"}, ups); d != "" {
		t.Errorf("steps (-want +got):\n%s", d)
	}
	want := onboarded(t)
	lifecycletest.Same(t, want.world, p.world)
}
