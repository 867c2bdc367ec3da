package bootstrap_test

import (
	"reflect"
	"strings"
	"testing"

	"freehold.dev/freehold/components/bootstrap"
	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/kubelive"
)

// never are the fields that Kubernetes lets nobody change, by kind, of all kinds
// that bootstrap makes. The checks are the API server's: kubernetes/kubernetes,
// pkg/apis/*/validation, the functions Validate…Update, and
// ValidateCustomResourceDefinitionUpdate in apiextensions-apiserver; those of a
// Project are rules of its definition. What is constant of them needs nothing
// more. For the rest, a kind has to be one that may be made anew.
var never = map[string][]string{
	"ClusterRole":                      nil,
	"ClusterRoleBinding":               {"roleRef"},
	"CustomResourceDefinition":         {"spec.group", "spec.names", "spec.scope"},
	"Deployment":                       {"spec.selector"},
	"Namespace":                        nil,
	"NetworkPolicy":                    nil,
	"PodDisruptionBudget":              nil,
	"Project":                          {"spec.org"},
	"Role":                             nil,
	"RoleBinding":                      {"roleRef"},
	"ServiceAccount":                   nil,
	"StorageClass":                     {"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"},
	"ValidatingAdmissionPolicy":        nil,
	"ValidatingAdmissionPolicyBinding": nil,
}

// A field that nobody can change, and that another plan of the same org would have
// otherwise, would keep that plan from ever being made.
func TestWhatNobodyCanChangeIsTheSameInEveryPlanOrMayBeMadeAnew(t *testing.T) {
	other := args()
	other.Image = image[:len(image)-1] + "0"
	other.Administrators, other.Readers = []string{"others"}, "others-too"
	other.VolumeKeyARN, other.VolumeTags = other.VolumeKeyARN+"-2", map[string]string{"other": "tag"}
	other.ProjectSource = &bootstrap.ProjectSource{URL: "https://acme.freehold.example.com/v1/projects", Interval: "1m"}
	for i := range other.Projects {
		other.Projects[i].Spec.DeletionPolicy = v1alpha1.DeletionRetain
	}
	before, after := componenttest.Record(t, program(args())).Resources, componenttest.Record(t, program(other)).Resources
	seen := 0
	for _, a := range before {
		o, is := kubelive.Of("urn", a.Type, a.Name, "x", a.Inputs, nil)
		if !is {
			continue
		}
		kind := a.Type[strings.LastIndex(a.Type, ":")+1:]
		fields, known := never[kind]
		if !known {
			t.Errorf("%s: which fields of a %s can nobody change?", a.Name, kind)
		}
		for _, b := range after {
			if a.Type != b.Type || a.Name != b.Name {
				continue
			}
			seen++
			for _, field := range fields {
				path := strings.Split(field, ".")
				if !reflect.DeepEqual(at(a.Inputs, path...), at(b.Inputs, path...)) && !o.Remakable() {
					t.Errorf("%s %s: %s is another one, and it is not made anew", kind, a.Name, field)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("%d objects are in both plans", seen)
	}
}
