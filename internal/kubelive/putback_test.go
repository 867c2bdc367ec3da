package kubelive

import (
	"testing"

	"freehold.dev/freehold/internal/finding"
)

func TestOnlyWhatNobodyCanChangeAndHoldsNothingIsRemade(t *testing.T) {
	for name, tc := range map[string]struct {
		typ, path string
		want      bool
	}{
		"a binding of another role":              {"kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "roleRef.name", true},
		"a binding without a role":               {"kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "roleRef", true},
		"a binding of more people":               {"kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "subjects[0].name", false},
		"a class of another provisioner":         {"kubernetes:storage.k8s.io/v1:StorageClass", "provisioner", true},
		"a class with other parameters":          {"kubernetes:storage.k8s.io/v1:StorageClass", `parameters["csi.storage.k8s.io/fstype"]`, true},
		"a class that grows volumes no more":     {"kubernetes:storage.k8s.io/v1:StorageClass", "allowVolumeExpansion", false},
		"a class with a field of a like name":    {"kubernetes:storage.k8s.io/v1:StorageClass", "parametersOfMine", false},
		"data that was made immutable":           {"kubernetes:core/v1:ConfigMap", "immutable", true},
		"data that was changed":                  {"kubernetes:core/v1:ConfigMap", "data.a", false},
		"a deployment of other pods":             {"kubernetes:apps/v1:Deployment", "spec.selector.matchLabels.a", false},
		"a project in another namespace's place": {"kubernetes:freehold.dev/v1alpha1:Project", "spec", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := Result{Object: Object{Type: tc.typ, ID: "x"}, Differences: []finding.Difference{{Path: "metadata.labels.a"}, {Path: tc.path}}}
			if got := r.Remade(); got != tc.want {
				t.Errorf("remade: %t", got)
			}
		})
	}
}
