package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// KindProjectSet is the kind of a ProjectSet.
const KindProjectSet = "ProjectSet"

// ProjectSet is a document, and no object of a cluster: all projects that an
// org has made through Freehold's API. What it does not hold is to be removed.
type ProjectSet struct {
	metav1.TypeMeta `json:",inline"`

	// Org has these projects, and no other org does.
	Org string `json:"org"`
	// Revision names this state of the set, for logs; nobody compares it.
	Revision string `json:"revision,omitempty"`
	// Projects may be empty, but not left out: a document that lacks them is no
	// order to remove all.
	Projects []NamedProject `json:"projects"`
}

// NamedProject is one project of a set.
type NamedProject struct {
	Name string      `json:"name"`
	Spec ProjectSpec `json:"spec"`
}
