package v1alpha1

// ProjectSettings are what a data plane's document, its plan and the Project in
// its cluster all say about a project. They are declared here and embedded
// there, so a new field is known to all three. Service accounts differ: a
// document names policies, a plan names roles, and a Project has their ARNs.
//
// The comments are the descriptions in the document's JSON schema, and the
// defaults are a document's: a Project in a cluster states its quota and limits.
type ProjectSettings struct {
	// DisplayName is the project's name for people.
	DisplayName string `json:"displayName,omitempty"`
	// Quota bounds what the project may use.
	Quota Quota `json:"quota"`
	// Limits are what one container gets and may ask for.
	Limits Limits `json:"limits"`
	// Members are who may work in the project.
	Members []Member `json:"members,omitempty"`
	// Egress are the ways out of the namespace; none but DNS and the cluster's
	// API by default.
	Egress []Egress `json:"egress,omitempty"`
	// Ingress are the other projects that may call this one; none by default.
	Ingress []Ingress `json:"ingress,omitempty"`
	// PodSecurity is the Pod Security Standard that pods must meet. Default: restricted.
	PodSecurity PodSecurity `json:"podSecurity,omitempty"`
	// Registries are beginnings of images that may run beside those of the
	// org's own registry, 16 at most. Default: none.
	Registries []string `json:"registries,omitempty"`
	// Hosts are the names under which the project may be called: those of its
	// ingresses, of routes, and of DNS records. *.shop.example.com stands for
	// every name below it. 32 at most. Default: none.
	Hosts []string `json:"hosts,omitempty"`
	// PriorityClasses are the priority classes that the project's pods may have.
	// Pods of a higher one stop others to make room. 16 at most. Default: none.
	PriorityClasses []string `json:"priorityClasses,omitempty"`
	// StorageClasses are the storage classes that volume claims may name beside
	// the org's own. 16 at most. Default: none.
	StorageClasses []string `json:"storageClasses,omitempty"`
	// RuntimeClasses are the runtime classes that the project's pods may have, such
	// as nvidia. One chooses what runs containers on the node, and may add taints to
	// tolerate. 16 at most. Default: none.
	RuntimeClasses []string `json:"runtimeClasses,omitempty"`
	// Hibernate stops the project's pods and keeps all else. Default: false.
	Hibernate bool `json:"hibernate"`
	// TTL is how long after its creation the project hibernates by itself, such
	// as 72h; it is never deleted for it. Default: it never does.
	TTL string `json:"ttl,omitempty"`
	// DeletionPolicy says what becomes of the namespace when the project is
	// removed. Delete acts only on a Project that carries the annotation
	// freehold.dev/confirm-delete with its name. Default: Retain.
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// Quota bounds what a project may use; quantities as Kubernetes writes them.
type Quota struct {
	// CPU is the sum of what the containers request. Default: "4".
	CPU Quantity `json:"cpu"`
	// Memory is the sum of what the containers request. Default: "8Gi".
	Memory Quantity `json:"memory"`
	// Storage is the sum of the volumes. Default: "50Gi".
	Storage Quantity `json:"storage"`
	// EphemeralStorage is the sum of what the containers request of the nodes'
	// disks: logs, emptyDir volumes, what they write to their images. Default:
	// "2Gi" for each of the pods.
	EphemeralStorage Quantity `json:"ephemeralStorage,omitzero"`
	// Pods is the number of pods. Default: 50.
	Pods int32 `json:"pods"`
	// GPUs is the number of nvidia.com/gpu. Default: 0.
	GPUs int32 `json:"gpus"`
	// Resources are the amounts of extended resources, such as
	// nvidia.com/mig-1g.10gb or aws.amazon.com/neuron, and of huge pages. A
	// resource that is not listed is denied. Default: none.
	Resources map[string]Quantity `json:"resources,omitempty"`
	// DeviceClasses are the numbers of devices that resource claims may ask for, by
	// device class. A class that is not listed is denied. Default: none.
	DeviceClasses map[string]int32 `json:"deviceClasses,omitempty"`
	// Objects bound how many objects of a kind there may be.
	Objects ObjectCounts `json:"objects,omitzero"`
}

// ObjectCounts are how many objects of each kind a project may have. What one
// project's objects take of the cluster's store, no other project has.
type ObjectCounts struct {
	// ConfigMaps is the number of config maps. Default: 50, or the pods where they are more.
	ConfigMaps *int32 `json:"configMaps,omitempty"`
	// Secrets is the number of secrets. Default: 100, or the pods where they are more.
	Secrets *int32 `json:"secrets,omitempty"`
	// Services is the number of services. Default: 50, or the pods where they are more.
	Services *int32 `json:"services,omitempty"`
	// LoadBalancers is the number of services of the type LoadBalancer. Default: 0.
	LoadBalancers *int32 `json:"loadBalancers,omitempty"`
	// NodePorts is the number of ports that services open on the nodes. Default: 0.
	NodePorts *int32 `json:"nodePorts,omitempty"`
	// PersistentVolumeClaims is the number of volume claims. Default: 50, or the pods where they are more.
	PersistentVolumeClaims *int32 `json:"persistentVolumeClaims,omitempty"`
	// Deployments is the number of deployments. Default: 50, or the pods where they are more.
	Deployments *int32 `json:"deployments,omitempty"`
	// StatefulSets is the number of stateful sets. Default: 50, or the pods where they are more.
	StatefulSets *int32 `json:"statefulSets,omitempty"`
	// Jobs is the number of jobs. Default: 200, or the pods where they are more.
	Jobs *int32 `json:"jobs,omitempty"`
	// CronJobs is the number of cron jobs. Default: 50.
	CronJobs *int32 `json:"cronJobs,omitempty"`
	// Ingresses is the number of ingresses. Default: 50.
	Ingresses *int32 `json:"ingresses,omitempty"`
}

// Limits are a container's defaults, minimum and maximum. What a container
// requests by default and what it may have at most are two things: with a limit
// of the default's size, Kubernetes refuses a container that requests more and
// states no limit.
// https://kubernetes.io/docs/concepts/policy/limit-range/#resource-limits-and-requests
type Limits struct {
	// DefaultCPU is the request of a container that states none. Default: "250m", or the maximum where that is less.
	DefaultCPU Quantity `json:"defaultCpu"`
	// DefaultMemory is the request of a container that states none. Default: "256Mi", or the maximum where that is less.
	DefaultMemory Quantity `json:"defaultMemory"`
	// DefaultEphemeralStorage is the request of a container that states none.
	// Default: "256Mi", or the maximum where that is less.
	DefaultEphemeralStorage Quantity `json:"defaultEphemeralStorage,omitzero"`
	// MaxCPU is the most that one container may have, and the limit of one that states none. Default: the quota's.
	MaxCPU Quantity `json:"maxCpu"`
	// MaxMemory is the most that one container may have, and the limit of one that states none. Default: the quota's.
	MaxMemory Quantity `json:"maxMemory"`
	// MaxEphemeralStorage is the most that one container may have, and the limit
	// of one that states none. Default: "10Gi", or the quota's where that is less.
	MaxEphemeralStorage Quantity `json:"maxEphemeralStorage,omitzero"`
	// MinCPU is the least that one container may ask for. Default: no minimum.
	MinCPU Quantity `json:"minCpu,omitzero"`
	// MinMemory is the least that one container may ask for. Default: no minimum.
	MinMemory Quantity `json:"minMemory,omitzero"`
}

// Role is what a member may do in a project.
type Role string

// The roles.
const (
	RoleAdmin  Role = "admin"
	RoleEditor Role = "editor"
	RoleViewer Role = "viewer"
)

// Member gives a group or a user of the org's identity provider a role: exactly one of the two.
type Member struct {
	// Group is a group's name, as the cluster's authentication gives it: with the
	// groupsPrefix of cluster.identityProvider.
	Group string `json:"group,omitempty"`
	// User is a user's name, as the cluster's authentication gives it: with the
	// usernamePrefix of cluster.identityProvider.
	User string `json:"user,omitempty"`
	// Role is what the member may do.
	Role Role `json:"role"`
}

// Egress is one way out of a project's namespace.
type Egress struct {
	// CIDR is the range that may be reached.
	CIDR string `json:"cidr"`
	// Ports are the ports that may be reached. Default: all.
	Ports []int32 `json:"ports,omitempty"`
	// Protocol is TCP or UDP. Default: TCP.
	Protocol string `json:"protocol,omitempty"`
}

// Ingress lets another project of the cluster call this one. The way out of
// the other project is opened with it, so a call needs this entry alone.
type Ingress struct {
	// Project is the other project's name.
	Project string `json:"project"`
	// Ports are the ports that may be called. Default: all.
	Ports []int32 `json:"ports,omitempty"`
	// Protocol is TCP or UDP. Default: TCP.
	Protocol string `json:"protocol,omitempty"`
}

// PodSecurity is a Pod Security Standard, without the one that allows all.
type PodSecurity string

// The Pod Security Standards.
const (
	PodSecurityRestricted PodSecurity = "restricted"
	PodSecurityBaseline   PodSecurity = "baseline"
)

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
