package crossguard_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/policies"
)

// TestEachWayOfSharingThatTheTableKnowsIsBlocked has the real engine make a resource of
// each type with a bad value in each of its columns, and one with a good value, many in
// one stack.
func TestEachWayOfSharingThatTheTableKnowsIsBlocked(t *testing.T) {
	began := time.Now()
	all := fromTable()
	if len(all) < 3000 {
		t.Errorf("%d examples, want 3,000 at least", len(all))
	}
	n := 0
	for batch := range slices.Chunk(all, 800) {
		t.Run(fmt.Sprint("batch ", n), func(t *testing.T) {
			t.Parallel()
			first := []attempt{{rule: policies.Rule{ID: batch[0].Rules[0]}, name: "first", Example: batch[0].Example}}
			e, cloud := newWorld(t, first)
			stack := stackOf(first)
			stack.Program = func(ctx *pulumi.Context) error {
				var p provider
				if err := ctx.RegisterResource(providerType+"aws", "of-table", asProvider(map[string]any{"allowedAccountIds": []any{batch[0].Scope.AccountID}}), &p); err != nil {
					return err
				}
				for i, x := range batch {
					var c custom
					if err := ctx.RegisterResource(x.Resource.Type, nameInBatch(x, i), mapOf(x.Resource.Properties), &c, pulumi.Provider(&p)); err != nil {
						return fmt.Errorf("%s %s: %w", x.Resource.Type, x.Name, err)
					}
				}
				return nil
			}
			_, err := e.Up(t.Context(), stack, nil)
			failed, ok := errors.AsType[*engine.Error](err)
			if !ok || !errors.Is(err, engine.ErrPolicy) {
				t.Fatalf("got %v", err)
			}
			found := map[string][]string{} // by resource, the paths of what is found
			for _, f := range failed.Policy {
				found[f.Resource.Name] = append(found[f.Resource.Name], f.Path)
			}
			for i, x := range batch {
				paths := found[nameInBatch(x, i)]
				at := slices.ContainsFunc(paths, func(p string) bool { return p == x.Path || strings.HasPrefix(p, x.Path+"[") })
				if x.Bad && len(paths) == 0 || !x.Bad && at {
					t.Errorf("%s: %s: found at %q", x.Resource.Type, x.Name, paths)
				}
			}
			if made := cloud.made.Load(); made > 0 {
				t.Errorf("%d resources were made", made)
			}
		})
		n++
	}
	t.Cleanup(func() { t.Logf("%d examples in %d runs: %s", len(all), n, time.Since(began)) })
}

// fromTable is the table's first bad and first good example of each column of each type.
func fromTable() []policies.TableExample {
	type kind struct {
		typ, column string
		bad         bool
	}
	seen := map[kind]bool{}
	return slices.DeleteFunc(policies.TableExamples(), func(e policies.TableExample) bool {
		k := kind{e.Resource.Type, string(e.Column), e.Bad}
		again := seen[k]
		seen[k] = true
		return again
	})
}

// nameInBatch has the ids of the rules that are to see the example; see eachOnItsOwn.
func nameInBatch(e policies.TableExample, i int) string {
	return strings.Join(e.Rules, "-") + fmt.Sprintf("-table-%d", i)
}
