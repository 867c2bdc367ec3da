// Package v1alpha1 is the API that Freehold serves in a customer's cluster,
// group freehold.dev: Project, a team's fenced slice of a data plane. The
// definition in components/bootstrap is generated from internal/api/gen, which
// says for each of these fields what the API server accepts. ProjectSettings are
// also the fields of a project in a data plane's document and in its plan.
package v1alpha1
