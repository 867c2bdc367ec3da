// Package spec holds the document that describes one data plane: its types,
// its defaults and the only way to read it. A Spec that Parse returned is
// complete and valid, and nobody checks it again.
package spec

//go:generate go run ./genschema ../../docs/schema/dataplane.schema.json

// APIVersion and Kind are the only values of these two fields, and their
// defaults: a document that leaves them out means this version.
const (
	APIVersion = "freehold.dev/v1alpha1"
	Kind       = "DataPlane"
)

// Spec describes one org's data plane.
type Spec struct {
	// APIVersion is the version of the document's format.
	APIVersion string `yaml:"apiVersion"`
	// Kind is what the document describes.
	Kind string `yaml:"kind"`
	// Org is the customer: a DNS label of 3 to 40 characters. It is part of
	// every name, every tag and every primary key, and never changes.
	Org string `yaml:"org"`
	// Region is the AWS region of the whole data plane.
	Region string `yaml:"region"`
	// Account is the org's AWS account: one of its own.
	Account Account `yaml:"account"`
	// Network is the org's VPC.
	Network Network `yaml:"network,omitempty"`
	// Cluster is the org's EKS cluster.
	Cluster Cluster `yaml:"cluster,omitempty"`
	// Projects are the namespaces that bootstrap asks the controller for.
	Projects []Project `yaml:"projects,omitempty"`
	// ProjectSource lists further projects, which the controller asks for by
	// itself. Default: nothing is asked for.
	ProjectSource ProjectSource `yaml:"projectSource,omitempty"`
	// Tags are put on every taggable resource beside Freehold's own.
	Tags map[string]string `yaml:"tags,omitempty"`
	// DeletionProtection guards the account, the keys, the data and the
	// cluster; offboard refuses while it is on. Default: true.
	DeletionProtection bool `yaml:"deletionProtection"`
	// Versions pins what runs in the data plane.
	Versions Versions `yaml:"versions,omitempty"`
	// Exceptions are violations of isolation rules that somebody answers for.
	// Each is shown in every report, and refused when its day is over.
	Exceptions []Exception `yaml:"exceptions,omitempty"`
}

// Exception accepts that one resource violates one isolation rule, until a day.
type Exception struct {
	// Rule is the rule's id, as docs/policies.md lists it.
	Rule string `yaml:"rule"`
	// Resource is the resource's logical name or its URN, as the finding names it.
	Resource string `yaml:"resource"`
	// Reason says why it has to be so.
	Reason string `yaml:"reason"`
	// Approver is who answers for it.
	Approver string `yaml:"approver"`
	// Expires is the last day on which it holds, "2027-03-31".
	Expires string `yaml:"expires"`
}

// AccountMode says where the org's AWS account comes from.
type AccountMode string

// The account modes.
const (
	// AccountVended is an account that Freehold creates in the organization.
	AccountVended AccountMode = "vended"
	// AccountExisting is an account that the customer brings.
	AccountExisting AccountMode = "existing"
)

// Account describes the org's AWS account.
type Account struct {
	// Mode says where the account comes from. Default: vended.
	Mode AccountMode `yaml:"mode,omitempty"`
	// Email is the root e-mail of a vended account: unique in all of AWS.
	Email string `yaml:"email,omitempty"`
	// Name is the display name, 1 to 50 printable ASCII characters; default: org.
	Name string `yaml:"name,omitempty"`
	// OrganizationalUnit is the parent of a vended account ("ou-…" or
	// "r-…"); default: the organization's root.
	OrganizationalUnit string `yaml:"organizationalUnit,omitempty"`
	// RoleARN is the role that Freehold assumes in an existing account.
	RoleARN string `yaml:"roleArn,omitempty"`
	// ExternalID is what the trust policy of RoleARN asks for.
	ExternalID string `yaml:"externalId,omitempty"`
	// CloseOnOffboarding closes a vended account when the org is offboarded.
	CloseOnOffboarding bool `yaml:"closeOnOffboarding,omitempty"`
}

// NAT says how private subnets reach the internet.
type NAT string

// The NAT modes.
const (
	NATOne     NAT = "one"      // one gateway for all zones
	NATPerZone NAT = "per-zone" // one gateway a zone
	NATNone    NAT = "none"     // no way out: interface endpoints instead
)

// Network describes the org's VPC.
type Network struct {
	// CIDR is the VPC's range, /16 to /20, RFC 1918 or 100.64.0.0/10. Default: 10.0.0.0/16.
	CIDR string `yaml:"cidr,omitempty"`
	// Zones are the availability zones: two or three. Default: the first
	// three that every account has in the region, mostly a, b and c.
	Zones []Zone `yaml:"zones,omitempty"`
	// NAT says how private subnets reach the internet. Default: one.
	NAT NAT `yaml:"nat,omitempty"`
	// FlowLogRetentionDays is a retention that CloudWatch Logs knows. Default: 365.
	FlowLogRetentionDays int `yaml:"flowLogRetentionDays,omitempty"`
}

// Zone is one availability zone. The ranges are derived from the network's when empty.
type Zone struct {
	// Name is the zone's name in the region, such as eu-central-1a.
	Name string `yaml:"name"`
	// PrivateCIDR is the range of the nodes' subnet, /17 to /28.
	PrivateCIDR string `yaml:"privateCidr,omitempty"`
	// PublicCIDR is the range of the NAT gateway's subnet, /17 to /28; not with nat none.
	PublicCIDR string `yaml:"publicCidr,omitempty"`
}

// EndpointAccess says who can reach the cluster's API endpoint.
type EndpointAccess string

// The endpoint modes.
const (
	EndpointPrivate EndpointAccess = "private"
	EndpointPublic  EndpointAccess = "public" // needs an allow-list
)

// Cluster describes the org's EKS cluster.
type Cluster struct {
	// Version is the Kubernetes minor version, as text. Default: "1.35".
	Version string `yaml:"version,omitempty"`
	// Endpoint says who can reach the cluster's API.
	Endpoint Endpoint `yaml:"endpoint,omitempty"`
	// NodePools are the managed node groups. Default: one, "default", of 2 to
	// 4 m6i.large. One pool without taints that keep pods off must have at
	// least one node, or CoreDNS and the namespace controller run nowhere.
	NodePools []NodePool `yaml:"nodePools,omitempty"`
	// LogRetentionDays is a retention that CloudWatch Logs knows. Default: 365.
	LogRetentionDays int `yaml:"logRetentionDays,omitempty"`
	// IdentityProvider says who the people are that use the cluster's API, by
	// OpenID Connect. Default: nobody gets in by a token of another issuer.
	IdentityProvider IdentityProvider `yaml:"identityProvider,omitempty"`
}

// IdentityProvider is the org's OpenID Connect provider. The API server takes
// its ID tokens; what a member of a project is called is in them, behind a
// prefix. EKS lets a cluster have one. Claims are what Kubernetes and EKS take
// by default; the prefixes are never nothing, which EKS would allow.
type IdentityProvider struct {
	// IssuerURL is the "iss" of the tokens, to the letter: https, without a user,
	// a query and a fragment. AWS has to reach it over the internet, under a
	// certificate of an authority that everybody trusts.
	IssuerURL string `yaml:"issuerUrl"`
	// ClientID is the "aud" of the tokens, by which the provider knows this cluster.
	ClientID string `yaml:"clientId"`
	// UsernameClaim is the claim that says who somebody is. Default: sub.
	UsernameClaim string `yaml:"usernameClaim,omitempty"`
	// UsernamePrefix begins every user's name in the cluster; it ends with one of
	// ":", "#" and "/". Default: "oidc:".
	UsernamePrefix string `yaml:"usernamePrefix,omitempty"`
	// GroupsClaim is the claim that lists the groups of somebody. Default: nobody has one.
	GroupsClaim string `yaml:"groupsClaim,omitempty"`
	// GroupsPrefix begins every group's name in the cluster, as usernamePrefix
	// does a user's; only with groupsClaim. Default: "oidc:".
	GroupsPrefix string `yaml:"groupsPrefix,omitempty"`
	// RequiredClaims are claims that a token must have, with these values.
	RequiredClaims map[string]string `yaml:"requiredClaims,omitempty"`
}

// Endpoint describes the cluster's API endpoint.
type Endpoint struct {
	// Access is private (from inside the VPC) or public (from the allow-list too). Default: private.
	Access EndpointAccess `yaml:"access,omitempty"`
	// Allow are the public ranges that reach a public endpoint, /8 or narrower.
	Allow []string `yaml:"allow,omitempty"`
}

// CapacityType is how nodes are bought.
type CapacityType string

// The capacity types.
const (
	OnDemand CapacityType = "on-demand"
	Spot     CapacityType = "spot"
)

// AMIFamily is the operating system of nodes.
type AMIFamily string

// The AMI families.
const (
	AL2023       AMIFamily = "AL2023"
	Bottlerocket AMIFamily = "Bottlerocket"
)

// NodePool describes one managed node group.
type NodePool struct {
	// Name is a DNS label of at most 40 characters.
	Name string `yaml:"name"`
	// InstanceTypes are alternatives of one architecture. Default: [m6i.large].
	InstanceTypes []string `yaml:"instanceTypes,omitempty"`
	// Capacity is how nodes are bought. Default: on-demand.
	Capacity CapacityType `yaml:"capacity,omitempty"`
	// Min is the fewest nodes, 0 to 450. Default: 2, or max where that is less.
	Min int `yaml:"min"`
	// Max is the most nodes, 1 to 450. Default: 4, or min or desired where that is more.
	Max int `yaml:"max,omitempty"`
	// Desired is the number of nodes at the start. Default: min.
	Desired int `yaml:"desired"`
	// DiskGiB is the size of a node's volume, 20 to 16384. Default: 50.
	DiskGiB int `yaml:"diskGiB,omitempty"`
	// Labels are put on the pool's nodes.
	Labels map[string]string `yaml:"labels,omitempty"`
	// Taints keep pods off the pool's nodes.
	Taints []Taint `yaml:"taints,omitempty"`
	// AMIFamily is the nodes' operating system. Default: AL2023.
	AMIFamily AMIFamily `yaml:"amiFamily,omitempty"`
}

// Taint keeps pods off a pool.
type Taint struct {
	// Key is a Kubernetes qualified name.
	Key string `yaml:"key"`
	// Value is a Kubernetes label value.
	Value string `yaml:"value,omitempty"`
	// Effect is what happens to pods without the toleration.
	Effect string `yaml:"effect"`
}

// Project is one namespace of the org's cluster.
type Project struct {
	// Name is the namespace: a DNS label of at most 40 characters, not
	// "default" and not starting with kube- or freehold-.
	Name string `yaml:"name"`
	// DisplayName is the project's name for people.
	DisplayName string `yaml:"displayName,omitempty"`
	// Quota bounds what the project may use.
	Quota Quota `yaml:"quota,omitempty"`
	// Limits are what one container gets and may ask for.
	Limits Limits `yaml:"limits,omitempty"`
	// Members are who may work in the project.
	Members []Member `yaml:"members,omitempty"`
	// Egress are the ways out of the namespace; none but DNS and the cluster's
	// API by default.
	Egress []Egress `yaml:"egress,omitempty"`
	// Ingress are the projects of this document that may call this one; none by default.
	Ingress []Ingress `yaml:"ingress,omitempty"`
	// PodSecurity is the Pod Security Standard that pods must meet. Default: restricted.
	PodSecurity PodSecurity `yaml:"podSecurity,omitempty"`
	// ServiceAccounts are what the project's workloads run as, beside the
	// namespace's default one, which gets no token.
	ServiceAccounts []ServiceAccount `yaml:"serviceAccounts,omitempty"`
	// Registries are beginnings of images that may run beside those of the
	// org's own registry, 16 at most. Default: none.
	Registries []string `yaml:"registries,omitempty"`
	// Hibernate stops the project's pods and keeps all else. Default: false.
	Hibernate bool `yaml:"hibernate,omitempty"`
	// TTL is how long after its creation the project hibernates by itself, such
	// as 72h; it is never deleted for it. Default: it never does.
	TTL string `yaml:"ttl,omitempty"`
	// DeletionPolicy says what becomes of the namespace when the project is
	// taken out of the document. Delete acts only on a Project that carries the
	// annotation freehold.dev/confirm-delete with its name. Default: Retain.
	DeletionPolicy DeletionPolicy `yaml:"deletionPolicy,omitempty"`
}

// ProjectSource is where an org's projects are listed beside the document. The
// controller opens the connection, and proves who it is by a token of its
// service account for the audience "freehold".
type ProjectSource struct {
	// URL is that of the org's whole set of projects: https, without a user,
	// a query or a fragment.
	URL string `yaml:"url"`
	// CABundle holds the certificates, PEM, of the authorities that the server's
	// certificate may be of. Default: those that Mozilla trusts.
	CABundle string `yaml:"caBundle,omitempty"`
	// Interval is the pause between two requests, give or take a fifth, 5s to
	// 1h. Default: 1m.
	Interval string `yaml:"interval,omitempty"`
}

// PodSecurity is a Pod Security Standard, without the one that allows all.
type PodSecurity string

// The Pod Security Standards.
const (
	PodSecurityRestricted PodSecurity = "restricted"
	PodSecurityBaseline   PodSecurity = "baseline"
)

// DeletionPolicy is what becomes of a namespace without its project.
type DeletionPolicy string

// The deletion policies.
const (
	DeletionRetain DeletionPolicy = "Retain"
	DeletionDelete DeletionPolicy = "Delete"
)

// ServiceAccount is one of a project.
type ServiceAccount struct {
	// Name is a DNS label, not "default".
	Name string `yaml:"name"`
	// PodIdentity gives the pods that run as it an IAM role of their own.
	// Default: none.
	PodIdentity PodIdentity `yaml:"podIdentity,omitempty"`
}

// PodIdentity is an IAM role that Freehold makes inside the org's boundary,
// and that EKS gives to the pods of one service account.
type PodIdentity struct {
	// Policies are the ARNs of AWS's managed policies that the role has, 1 to 10.
	Policies []string `yaml:"policies"`
}

// Quota bounds what a project may use; quantities as Kubernetes writes them.
type Quota struct {
	// CPU is the sum of the containers' CPUs. Default: "4".
	CPU string `yaml:"cpu,omitempty"`
	// Memory is the sum of the containers' memory. Default: "8Gi".
	Memory string `yaml:"memory,omitempty"`
	// Storage is the sum of the volumes. Default: "50Gi".
	Storage string `yaml:"storage,omitempty"`
	// Pods is the number of pods. Default: 50.
	Pods int `yaml:"pods,omitempty"`
	// GPUs is the number of nvidia.com/gpu. Default: 0.
	GPUs int `yaml:"gpus,omitempty"`
	// Objects bound how many objects of a kind there may be.
	Objects Objects `yaml:"objects,omitempty"`
}

// Objects are how many objects of each kind a project may have, 1 to 100000;
// what is left out is not bounded.
type Objects struct {
	// ConfigMaps is the number of config maps.
	ConfigMaps int `yaml:"configMaps,omitempty"`
	// Secrets is the number of secrets.
	Secrets int `yaml:"secrets,omitempty"`
	// Services is the number of services.
	Services int `yaml:"services,omitempty"`
	// PersistentVolumeClaims is the number of volume claims.
	PersistentVolumeClaims int `yaml:"persistentVolumeClaims,omitempty"`
	// Deployments is the number of deployments.
	Deployments int `yaml:"deployments,omitempty"`
	// StatefulSets is the number of stateful sets.
	StatefulSets int `yaml:"statefulSets,omitempty"`
	// Jobs is the number of jobs.
	Jobs int `yaml:"jobs,omitempty"`
	// CronJobs is the number of cron jobs.
	CronJobs int `yaml:"cronJobs,omitempty"`
	// Ingresses is the number of ingresses.
	Ingresses int `yaml:"ingresses,omitempty"`
}

// Limits are a container's defaults, minimum and maximum.
type Limits struct {
	// DefaultCPU is for a container that states none. Default: "250m", or the maximum where that is less.
	DefaultCPU string `yaml:"defaultCpu,omitempty"`
	// DefaultMemory is for a container that states none. Default: "256Mi", or the maximum where that is less.
	DefaultMemory string `yaml:"defaultMemory,omitempty"`
	// MaxCPU is the most that one container may have. Default: the quota's.
	MaxCPU string `yaml:"maxCpu,omitempty"`
	// MaxMemory is the most that one container may have. Default: the quota's.
	MaxMemory string `yaml:"maxMemory,omitempty"`
	// MinCPU is the least that one container may ask for. Default: no minimum.
	MinCPU string `yaml:"minCpu,omitempty"`
	// MinMemory is the least that one container may ask for. Default: no minimum.
	MinMemory string `yaml:"minMemory,omitempty"`
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
	Group string `yaml:"group,omitempty"`
	// User is a user's name, as the cluster's authentication gives it: with the
	// usernamePrefix of cluster.identityProvider.
	User string `yaml:"user,omitempty"`
	// Role is what the member may do.
	Role Role `yaml:"role"`
}

// Egress is one way out of a project's namespace.
type Egress struct {
	// CIDR is the IPv4 range that may be reached.
	CIDR string `yaml:"cidr"`
	// Ports are the ports that may be reached, 24 at most. Default: all.
	Ports []int `yaml:"ports,omitempty"`
	// Protocol is TCP or UDP. Default: TCP.
	Protocol string `yaml:"protocol,omitempty"`
}

// Ingress lets another project of the same document call this one. The way out
// of the other project is opened with it.
type Ingress struct {
	// Project is the other project's name.
	Project string `yaml:"project"`
	// Ports are the ports that may be called, 24 at most. Default: all.
	Ports []int `yaml:"ports,omitempty"`
	// Protocol is TCP or UDP. Default: TCP.
	Protocol string `yaml:"protocol,omitempty"`
}

// Versions pins what runs in the data plane. Each add-on has a default for the
// cluster's version; the controller's digest is left to the release.
type Versions struct {
	// VPCCNI is the version of the add-on vpc-cni.
	VPCCNI string `yaml:"vpcCni,omitempty"`
	// CoreDNS is the version of the add-on coredns.
	CoreDNS string `yaml:"coreDns,omitempty"`
	// KubeProxy is the version of the add-on kube-proxy; never newer than the cluster.
	KubeProxy string `yaml:"kubeProxy,omitempty"`
	// EBSCSI is the version of the add-on aws-ebs-csi-driver.
	EBSCSI string `yaml:"ebsCsi,omitempty"`
	// PodIdentityAgent is the version of the add-on eks-pod-identity-agent.
	PodIdentityAgent string `yaml:"podIdentityAgent,omitempty"`
	// ControllerDigest is the namespace controller's image, "sha256:…".
	ControllerDigest string `yaml:"controllerDigest,omitempty"`
}
