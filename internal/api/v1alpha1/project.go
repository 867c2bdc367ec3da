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
	// DisplayName is the project's name for people.
	DisplayName string `json:"displayName,omitempty"`
	// Quota bounds what all of the project may use.
	Quota Quota `json:"quota"`
	// Limits bound each of its containers.
	Limits Limits `json:"limits"`
	// Members may work in the project, each with one role.
	Members []Member `json:"members,omitempty"`
	// Egress are the ways out of the project's network; there are no others,
	// beside those that every project needs: DNS and the cluster's API.
	Egress []Egress `json:"egress,omitempty"`
	// Ingress are the projects that may call this one; there are no others.
	Ingress []Ingress `json:"ingress,omitempty"`
	// PodSecurity is the Pod Security Standard that pods must meet.
	PodSecurity PodSecurity `json:"podSecurity,omitempty"`
	// ServiceAccounts are those that the project's workloads run as.
	ServiceAccounts []ServiceAccount `json:"serviceAccounts,omitempty"`
	// Registries are prefixes of images that may run beside those of the org's
	// own registry.
	Registries []string `json:"registries,omitempty"`
	// Hibernate stops the project's pods and keeps all else.
	Hibernate bool `json:"hibernate,omitempty"`
	// TTL is how long after its creation the project hibernates by itself;
	// none given: never. It is never deleted for it.
	TTL *metav1.Duration `json:"ttl,omitempty"`
	// DeletionPolicy says what becomes of the namespace when the project is deleted.
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// Quota bounds what a project may use.
type Quota struct {
	CPU     resource.Quantity `json:"cpu"`
	Memory  resource.Quantity `json:"memory"`
	Storage resource.Quantity `json:"storage"`
	Pods    int32             `json:"pods"`
	GPUs    int32             `json:"gpus"`
	// Objects bounds how many objects of a kind there may be.
	Objects ObjectCounts `json:"objects,omitzero"`
}

// ObjectCounts are how many objects of each kind a project may have; what is
// not given is not bounded.
type ObjectCounts struct {
	ConfigMaps             *int32 `json:"configMaps,omitempty"`
	Secrets                *int32 `json:"secrets,omitempty"`
	Services               *int32 `json:"services,omitempty"`
	LoadBalancers          *int32 `json:"loadBalancers,omitempty"`
	NodePorts              *int32 `json:"nodePorts,omitempty"`
	PersistentVolumeClaims *int32 `json:"persistentVolumeClaims,omitempty"`
	Deployments            *int32 `json:"deployments,omitempty"`
	StatefulSets           *int32 `json:"statefulSets,omitempty"`
	Jobs                   *int32 `json:"jobs,omitempty"`
	CronJobs               *int32 `json:"cronJobs,omitempty"`
	Ingresses              *int32 `json:"ingresses,omitempty"`
}

// Limits are a container's defaults, minimum and maximum.
type Limits struct {
	DefaultCPU    resource.Quantity  `json:"defaultCpu"`
	DefaultMemory resource.Quantity  `json:"defaultMemory"`
	MaxCPU        resource.Quantity  `json:"maxCpu"`
	MaxMemory     resource.Quantity  `json:"maxMemory"`
	MinCPU        *resource.Quantity `json:"minCpu,omitempty"`
	MinMemory     *resource.Quantity `json:"minMemory,omitempty"`
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

// Ingress lets another project of the cluster call this one. The way out of
// the other project is opened with it, so that a call needs this entry alone.
type Ingress struct {
	// Project is the other project's name.
	Project string `json:"project"`
	// Ports that are open; none given: all.
	Ports    []int32 `json:"ports,omitempty"`
	Protocol string  `json:"protocol,omitempty"` // TCP or UDP
}

// PodSecurity is a Pod Security Standard, without the one that allows all.
type PodSecurity string

// The Pod Security Standards.
const (
	PodSecurityRestricted PodSecurity = "restricted"
	PodSecurityBaseline   PodSecurity = "baseline"
)

// ServiceAccount is one of a project, beside its default one.
type ServiceAccount struct {
	Name string `json:"name"`
	// PodIdentityRole is the ARN of the IAM role that its pods get by EKS Pod
	// Identity; the association is the cloud's, made outside of the cluster.
	PodIdentityRole string `json:"podIdentityRole,omitempty"`
}

// DeletionPolicy is what becomes of a namespace when its project is deleted.
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionRetain leaves the namespace, with all in it, fenced as it was.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionDelete deletes the namespace with all in it, once the project's
	// annotation AnnotationConfirmDelete says the project's name.
	DeletionDelete DeletionPolicy = "Delete"
)

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
	// AnnotationRegistries on a namespace lists the prefixes of images that may
	// run in it, separated by commas, the org's own first.
	AnnotationRegistries = "freehold.dev/registries"
	// AnnotationDisplayName on a namespace is the project's name for people.
	AnnotationDisplayName = "freehold.dev/display-name"
	// AnnotationPodIdentityRole on a service account is the ARN of its IAM role.
	AnnotationPodIdentityRole = "freehold.dev/pod-identity-role"
	// AnnotationRetained on a namespace says that its project was deleted, and
	// the namespace left.
	AnnotationRetained = "freehold.dev/retained"

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
	// PhaseHibernated is a project that is ready, and whose pods are stopped.
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
