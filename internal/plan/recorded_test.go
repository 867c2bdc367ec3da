package plan_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// Orgs were recorded with the plan of an earlier Freehold. This file is one, and
// no golden file: it stays as that Freehold wrote it. Beside it is the document
// that it was decided from, with every field that there was.
const (
	recorded     = "testdata/recorded-v2.json"
	recordedFrom = "testdata/recorded-v2.yaml"
)

func TestAPlanThatWasRecordedBeforeIsReadAndHasTheSameHash(t *testing.T) {
	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	var old plan.Plan
	if err := json.Unmarshal(text, &old); err != nil {
		t.Fatal(err)
	}
	if got := old.WithProjects(old.Bootstrap.Projects); got.Hash != old.Hash || got.HashVersion != old.HashVersion {
		t.Errorf("the plan hashes to %s (version %d), and was recorded as %s (version %d)", got.Hash, got.HashVersion, old.Hash, old.HashVersion)
	}
	s, err := spec.ParseFile(recordedFrom)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(old, plan.Build(s)); diff != "" {
		t.Errorf("the recorded plan, and today's of the same document (-recorded +today):\n%s", diff)
	}
}

// Otherwise an upgrade would change what is there for a document that did not change.
func TestAPlanSaysWhatTheDocumentSaysAndNotTheSameInOtherWords(t *testing.T) {
	s := parse(t, minimal+`projects:
  - name: shop
    quota: {cpu: "0.5", memory: 1024Mi, objects: {loadBalancers: 0, secrets: 9}}
    limits: {maxCpu: 500m, defaultCpu: "0.10"}
    ttl: 90m
`)
	text, err := json.Marshal(plan.Build(s).Bootstrap.Projects)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"name":"shop","quota":{"cpu":"0.5","memory":"1024Mi","storage":"50Gi","pods":50,"gpus":0,"objects":{"secrets":9,"loadBalancers":0}},` +
		`"limits":{"defaultCpu":"0.10","defaultMemory":"256Mi","maxCpu":"500m","maxMemory":"1024Mi"},` +
		`"podSecurity":"restricted","hibernate":false,"ttl":"90m","deletionPolicy":"Retain"}]`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
}

func TestAPlanSharesNothingWithItsDocument(t *testing.T) {
	s := parse(t, minimal+"projects: [{name: shop, registries: [quay.io/acme/], quota: {objects: {secrets: 9}}}]\n")
	p := plan.ProjectOf("acme", s.Projects[0])
	s.Projects[0].Registries[0], *s.Projects[0].Quota.Objects.Secrets = "changed", 1
	want := v1alpha1.ObjectCounts{Secrets: new(int32(9))}
	if diff := cmp.Diff(want, p.Quota.Objects); diff != "" || p.Registries[0] != "quay.io/acme/" {
		t.Errorf("the plan followed the document: registries %v, objects (-want +got):\n%s", p.Registries, diff)
	}
}
