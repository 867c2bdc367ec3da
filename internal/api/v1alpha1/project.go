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
	// Org owns the project; once given it cannot change.
	Org string `json:"org,omitempty"`

	ProjectSettings `json:",inline"`

	// ServiceAccounts are those that the project's workloads run as.
	ServiceAccounts []ServiceAccount `json:"serviceAccounts,omitempty"`
}

// ServiceAccount is one of a project, beside its default one.
type ServiceAccount struct {
	Name string `json:"name"`
	// PodIdentityRole is the ARN of the IAM role that its pods get by EKS Pod
	// Identity; the association is the cloud's, made outside of the cluster.
	PodIdentityRole string `json:"podIdentityRole,omitempty"`
}

// The labels and annotations of the API.
const (
	// LabelManagedBy marks what the namespace controller owns; its value is ManagedBy.
	LabelManagedBy = "freehold.dev/managed-by"
	ManagedBy      = "namespace-controller"
	// LabelProject and LabelOrg say whose a namespace and the objects in it are.
	LabelProject = "freehold.dev/project"
	LabelOrg     = "freehold.dev/org"

	// AnnotationAdopt on a namespace that is there already lets the project that
	// it names take it over.
	AnnotationAdopt = "freehold.dev/adopt"
	// AnnotationConfirmDelete on a project says the project's name, and so that
	// its namespace may be deleted with it.
	AnnotationConfirmDelete = "freehold.dev/confirm-delete"
	// AnnotationStrays on a project says what becomes of objects in its namespace
	// that undo its fences and were not made for it: StraysRemove removes them. Without
	// it they are reported, and the project is not ready.
	AnnotationStrays = "freehold.dev/strays"
	StraysRemove     = "remove"
	// ReasonStrays is why a condition does not hold while such objects are there.
	ReasonStrays = "Strays"
	// AnnotationRegistries on a namespace lists the prefixes of images that may
	// run in it, separated by commas, the org's own first.
	AnnotationRegistries = "freehold.dev/registries"
	// AnnotationHosts and those of classes on a namespace list what the project may
	// use of each, separated by commas.
	AnnotationHosts           = "freehold.dev/hosts"
	AnnotationPriorityClasses = "freehold.dev/priority-classes"
	AnnotationStorageClasses  = "freehold.dev/storage-classes"
	AnnotationRuntimeClasses  = "freehold.dev/runtime-classes"
	// AnnotationDisplayName on a namespace is the project's name for people.
	AnnotationDisplayName = "freehold.dev/display-name"
	// AnnotationPodIdentityRole on a service account is the ARN of its IAM role.
	AnnotationPodIdentityRole = "freehold.dev/pod-identity-role"
	// AnnotationRetained on a namespace says that its project was deleted, and
	// the namespace left.
	AnnotationRetained = "freehold.dev/retained"

	// AnnotationBeforeHibernation on a workload of a project that sleeps says what
	// the field that stops it was before: false, or a number of replicas.
	AnnotationBeforeHibernation = "freehold.dev/before-hibernation"

	// LabelSource on a project says who made it where that is not bootstrap;
	// SourceAPI is the set of Freehold's API.
	LabelSource = "freehold.dev/source"
	SourceAPI   = "api"

	// Finalizer keeps a project until its namespace is retained or gone.
	Finalizer = "freehold.dev/namespace"
)

// Phase is a project's state in one word, for people; programs read conditions.
type Phase string

// The phases.
const (
	// PhasePending is a project that the controller knows and has not fenced yet.
	PhasePending Phase = "Pending"
	// PhaseReady is a project whose namespace is there with every fence.
	PhaseReady Phase = "Ready"
	// PhaseHibernating is a project that is ready and hibernates, and that has pods
	// which have not ended yet.
	PhaseHibernating Phase = "Hibernating"
	// PhaseHibernated is a project that is ready, and that has no pod running.
	PhaseHibernated Phase = "Hibernated"
	// PhaseFailed is a project that cannot be made as it is; its conditions say why.
	PhaseFailed Phase = "Failed"
	// PhaseTerminating is a project that is being deleted.
	PhaseTerminating Phase = "Terminating"
)

// The conditions. All but Degraded are good when they are true.
const (
	// ConditionReady says that the namespace is there with every fence.
	ConditionReady = "Ready"
	// ConditionNamespaceReady says that the namespace is there, is the
	// project's, and enforces its Pod Security Standard.
	ConditionNamespaceReady = "NamespaceReady"
	// ConditionQuotaApplied says that the quota and the limits hold.
	ConditionQuotaApplied = "QuotaApplied"
	// ConditionNetworkFenced says that the network policies are there.
	ConditionNetworkFenced = "NetworkFenced"
	// ConditionAccessApplied says that the members, and only they, have access,
	// and that the service accounts are there.
	ConditionAccessApplied = "AccessApplied"
	// ConditionDegraded says that something keeps going wrong, or waits for a person.
	ConditionDegraded = "Degraded"
)

// ProjectStatus is what the controller found.
type ProjectStatus struct {
	Phase Phase `json:"phase,omitempty"`
	// Namespace is the project's, once it is there.
	Namespace string `json:"namespace,omitempty"`
	// ObservedGeneration is the generation of the spec that the rest is about.
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// LastSync is when anything else of the status changed last.
	LastSync *metav1.Time `json:"lastSync,omitempty"`
	// Quota is how much of what may be used is used, by Kubernetes' names of resources.
	Quota map[string]Usage `json:"quota,omitempty"`
	// Counts are how many the project has of what the controller makes.
	Counts     Counts             `json:"counts,omitzero"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Usage is how much of a resource may be used, and is.
type Usage struct {
	Hard resource.Quantity `json:"hard"`
	Used resource.Quantity `json:"used"`
}

// Counts are how many a project has of what the controller makes.
type Counts struct {
	Members         int32 `json:"members"`
	ServiceAccounts int32 `json:"serviceAccounts"`
	RoleBindings    int32 `json:"roleBindings"`
	NetworkPolicies int32 `json:"networkPolicies"`
}
