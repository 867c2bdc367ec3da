package dataplane

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

const plain = `
org: acme
region: eu-central-1
account: {email: aws@acme.example}
deletionProtection: false
`

func parsed(t *testing.T, text string) spec.Spec {
	t.Helper()
	s, err := spec.Parse("acme.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestADocumentSaysWhichOfItsChangesTakeAnAdmin(t *testing.T) {
	was := plan.Build(parsed(t, plain))
	for _, tc := range []struct {
		change string
		text   string
		want   []string
	}{
		{"nothing", plain, nil},
		{"the same in other words", strings.ReplaceAll(plain, "aws@acme", "AWS@acme"), nil},
		{"a project", plain + "projects: [{name: web}]\n", nil},
		{"a node pool", plain + "cluster: {nodePools: [{name: default, max: 9}]}\n", nil},
		{"a tag, which the account has too", plain + "tags: {team: a}\n", nil},
		{"a version", plain + "cluster: {version: \"1.34\"}\n", nil},
		{"protection", strings.ReplaceAll(plain, "false", "true"), []string{"deletionProtection"}},
		{"whether the account is closed", strings.ReplaceAll(plain, "example}", "example, closeOnOffboarding: true}"), []string{"account"}},
		{"another e-mail", strings.ReplaceAll(plain, "aws@", "root@"), []string{"account"}},
		{"who logs in to the cluster", plain + "cluster: {identityProvider: {issuerUrl: https://login.acme.example, clientId: x}}\n", []string{"cluster.identityProvider"}},
		{
			"who may call", plain + "access: {people: {issuerUrl: https://login.acme.example, roles: [{role: admin, groups: [a]}]}}\n",
			[]string{"access"},
		},
		{"who reaches the cluster", plain + "cluster: {endpoint: {access: public, allow: [203.0.113.0/24]}}\n", []string{"cluster.endpoint"}},
		{"where projects come from", plain + "projectSource: {url: https://acme.example.com/v1/projects}\n", []string{"projectSource"}},
		{
			"what is accepted", plain + "exceptions: [{rule: FH301, resource: x, reason: because it has to be, approver: ada@acme.example, expires: \"2099-01-01\"}]\n",
			[]string{"exceptions"},
		},
	} {
		if got := Guarded(parsed(t, tc.text), &was); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.change, got, tc.want)
		}
	}
}

// A new field of a document is one that somebody has decided about.
func TestEachFieldOfADocumentIsGuardedOrOpen(t *testing.T) {
	known := slices.Clone(open)
	for _, g := range guarded {
		known = append(known, g.field)
	}
	for f := range reflect.TypeFor[spec.Spec]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !slices.Contains(known, name) {
			t.Errorf("say in guarded.go whether %s takes an admin", name)
		}
	}
	// What of a cluster is open is open by default, so its fields are listed here.
	clusters := []string{"version", "endpoint", "nodePools", "logRetentionDays", "identityProvider"}
	for f := range reflect.TypeFor[spec.Cluster]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !slices.Contains(clusters, name) {
			t.Errorf("say in guarded.go whether cluster.%s takes an admin", name)
		}
	}
}
