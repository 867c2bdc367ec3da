package event

import "time"

// Projects are the projects of one org.
type Projects struct {
	Org      string    `json:"org"`
	Projects []Project `json:"projects"`
}

// Project is what is recorded of one project, and what its cluster says of it.
type Project struct {
	Org         string `json:"org"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	// Source says where it comes from, SourceSpec or SourceAPI; empty for one that
	// was made by hand.
	Source string `json:"source,omitempty"`
	// Recorded is whether the org was onboarded with it. One that is not, and is
	// in the cluster, was made by hand.
	Recorded bool `json:"recorded"`
	// Phase is the controller's, or Missing where the cluster has no such Project.
	Phase string `json:"phase"`
	Ready bool   `json:"ready"`
	// Message says what it waits for; empty for one that is ready.
	Message   string    `json:"message,omitempty"`
	Namespace string    `json:"namespace,omitempty"`
	Created   time.Time `json:"created,omitzero"`
	// Usage is by Kubernetes' names of resources.
	Usage      map[string]ProjectUsage `json:"usage,omitempty"`
	Members    []ProjectMember         `json:"members,omitempty"`
	Conditions []ProjectCondition      `json:"conditions,omitempty"`
	// Spec is the Project's, as the cluster has it.
	Spec map[string]any `json:"spec,omitempty"`
}

// Where projects come from.
const (
	SourceSpec = "spec" // the org's document lists it, and the bootstrap layer makes it
	SourceAPI  = "api"  // it was added through Freehold's API, and the org's cluster pulls it
)

// ProjectUsage is how much of a resource is used, of how much.
type ProjectUsage struct {
	Used string `json:"used"`
	Hard string `json:"hard"`
}

// ProjectMember is a group or a user with a role.
type ProjectMember struct {
	Group string `json:"group,omitempty"`
	User  string `json:"user,omitempty"`
	Role  string `json:"role"`
}

// ProjectCondition is one of the controller's findings.
type ProjectCondition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
}
