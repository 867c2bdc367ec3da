package bootstrap_test

import (
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// A kind that a member may make without a bound fills the store of the whole cluster.
func TestEveryKindThatAMemberMayMakeIsCounted(t *testing.T) {
	counts := v1alpha1.Quota{Pods: 1}.Counts()
	seen := 0
	for _, role := range []string{"viewer", "editor", "admin"} {
		rules := record(t).One(t, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "bootstrap-project-"+role).Inputs["rules"].([]any)
		for _, r := range rules {
			rule := r.(map[string]any)
			if !slices.Contains(rule["verbs"].([]any), any("create")) {
				continue
			}
			for _, g := range rule["apiGroups"].([]any) {
				for _, res := range rule["resources"].([]any) {
					kind, group := res.(string), g.(string)
					if strings.Contains(kind, "/") {
						continue // a part of an object, and none of its own
					}
					seen++
					if kind == "*" || group == "*" {
						t.Errorf("%s: may make %s of %s: name each kind", role, kind, group)
					}
					name := kind
					if group != "" {
						name += "." + group
					}
					_, plain := counts[name]
					_, counted := counts["count/"+name]
					if !plain && !counted {
						t.Errorf("%s: may make %s, which no quota counts", role, name)
					}
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d kinds: are these the roles?", seen)
	}
}
