package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// Whatever documents follow each other, the pulled projects stay as they were
// recorded, and all else is as it would be without them.
func TestADocumentKeepsThePulledProjectsAsTheyAre(t *testing.T) {
	documents := func(t *rapid.T, label string) spec.Spec {
		text := minimal
		names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 4, rapid.ID[string]).Draw(t, label)
		if len(names) > 0 {
			var all []string
			for _, n := range names {
				all = append(all, fmt.Sprintf("{name: %s, hibernate: %t}", n, rapid.Bool().Draw(t, label+n)))
			}
			text += "projects: [" + strings.Join(all, ", ") + "]\n"
		}
		s, err := spec.Parse("drawn.yaml", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	rapid.Check(t, func(t *rapid.T) {
		first, second := documents(t, "first"), documents(t, "second")
		without := plan.Build(first)
		all := without.Bootstrap.Projects
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3, rapid.ID[string]).Draw(t, "pulled") {
			at := rapid.IntRange(0, len(all)).Draw(t, "at")
			all = slices.Insert(slices.Clone(all), at, plan.ProjectPlan{Name: name, Pulled: true})
		}
		was := without.WithProjects(all)
		if len(was.Bootstrap.Pulled()) == 0 && was.Hash != without.Hash {
			t.Fatal("a plan without pulled projects has another hash")
		}
		is := plan.Again(second, was)
		if diff := cmp.Diff(was.Bootstrap.Pulled(), is.Bootstrap.Pulled()); diff != "" {
			t.Fatalf("pulled (-was +is):\n%s", diff)
		}
		if diff := cmp.Diff(plan.Again(second, without), is.WithProjects(is.Bootstrap.Declared().Projects)); diff != "" {
			t.Fatalf("the rest (-without pulled projects +with):\n%s", diff)
		}
		if again := plan.Again(second, is); again.Hash != is.Hash {
			t.Fatal("the same document is a change")
		}
	})
}
