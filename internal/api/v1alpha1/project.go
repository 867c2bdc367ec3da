package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Project is a team's slice of an org's data plane: one namespace of the same
// name, with quota, limits, members and network policy. Its kind is the
// cluster's, not a namespace's: a namespace is what it makes.
type Project struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	Spec   ProjectSpec   `json:"spec"`
	Status ProjectStatus `json:"status,omitzero"`
}

// ProjectList is a list of projects.
type ProjectList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`

	Items []Project `json:"items"`
}

// ProjectSpec is what the org asked for.
type ProjectSpec struct {
	// Org owns the project.
	Org string `json:"org,omitempty"`
	// Quota bounds what all of the project may use.
	Quota Quota `json:"quota"`
	// Limits bound each of its containers.
	Limits Limits `json:"limits"`
	// Members may work in the project, each with one role.
	Members []Member `json:"members,omitempty"`
	// Egress are the ways out of the project's network; there are no others.
	Egress []Egress `json:"egress,omitempty"`
}

// Quota bounds what a project may use.
type Quota struct {
	CPU     resource.Quantity `json:"cpu"`
	Memory  resource.Quantity `json:"memory"`
	Storage resource.Quantity `json:"storage"`
	Pods    int32             `json:"pods"`
	GPUs    int32             `json:"gpus"`
}

// Limits are a container's defaults and maximum.
type Limits struct {
	DefaultCPU    resource.Quantity `json:"defaultCpu"`
	DefaultMemory resource.Quantity `json:"defaultMemory"`
	MaxCPU        resource.Quantity `json:"maxCpu"`
	MaxMemory     resource.Quantity `json:"maxMemory"`
}

// Role is what a member may do in a project.
type Role string

// The roles.
const (
	RoleAdmin  Role = "admin"
	RoleEditor Role = "editor"
	RoleViewer Role = "viewer"
)

// Member gives a group or a user, exactly one of the two, a role.
type Member struct {
	Group string `json:"group,omitempty"`
	User  string `json:"user,omitempty"`
	Role  Role   `json:"role"`
}

// Egress is one way out of a project's network.
type Egress struct {
	CIDR string `json:"cidr"`
	// Ports that are open; none given: all.
	Ports    []int32 `json:"ports,omitempty"`
	Protocol string  `json:"protocol,omitempty"` // TCP or UDP
}

// Phase is a project's state in one word, for people; programs read conditions.
type Phase string

// The phases.
const (
	// PhasePending is a project that the controller knows and has not fenced yet.
	PhasePending Phase = "Pending"
	// PhaseReady is a project whose namespace is there with every fence.
	PhaseReady Phase = "Ready"
	// PhaseFailed is a project that cannot be made as it is; its conditions say why.
	PhaseFailed Phase = "Failed"
	// PhaseTerminating is a project whose namespace is being emptied.
	PhaseTerminating Phase = "Terminating"
)

// ConditionAccepted says that the controller has read a project's current
// generation and found it fit to be made.
const ConditionAccepted = "Accepted"

// ProjectStatus is what the controller found.
type ProjectStatus struct {
	Phase Phase `json:"phase,omitempty"`
	// Namespace is the project's, once it is there.
	Namespace string `json:"namespace,omitempty"`
	// ObservedGeneration is the generation of the spec that the rest is about.
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}
