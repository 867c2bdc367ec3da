package lifecycle

import (
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// Clashes finds what two of the documents, each of an org of its own, would take
// from each other. It asks nobody.
func Clashes(docs []spec.Spec) ([]dataplane.Clash, error) {
	plans := make([]plan.Plan, len(docs))
	for i, doc := range docs {
		plans[i] = plan.Build(doc)
	}
	return dataplane.Clashes(plans)
}
