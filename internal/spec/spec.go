// Package spec holds the document that describes one data plane: its types,
// its defaults and the only way to read it. A Spec that Parse returned is
// complete and valid, and nobody checks it again.
package spec

import "freehold.dev/freehold/internal/api/v1alpha1"

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
	APIVersion string `json:"apiVersion"`
	// Kind is what the document describes.
	Kind string `json:"kind"`
	// Org is the customer: a DNS label of 3 to 40 characters. It is part of
	// every name, every tag and every primary key, and never changes.
	Org string `json:"org"`
	// Region is the AWS region of the whole data plane.
	Region string `json:"region"`
	// Account is the org's AWS account: one of its own.
	Account Account `json:"account"`
	// Network is the org's VPC.
	Network Network `json:"network,omitzero"`
	// Cluster is the org's EKS cluster.
	Cluster Cluster `json:"cluster,omitzero"`
	// Projects are the namespaces that bootstrap asks the controller for.
	Projects []Project `json:"projects,omitempty"`
	// ProjectSource lists further projects, which the controller asks for by
	// itself. Default: nothing is asked for.
	ProjectSource ProjectSource `json:"projectSource,omitzero"`
	// Access says who may call Freehold's API for this org. It changes nothing in
	// the data plane. Default: nobody but the org's own cluster.
	Access APIAccess `json:"access,omitzero"`
	// Tags are put on every taggable resource beside Freehold's own.
	Tags map[string]string `json:"tags,omitempty"`
	// DeletionProtection guards the account, the keys, the data and the
	// cluster; offboard refuses while it is on. Default: true.
	DeletionProtection bool `json:"deletionProtection"`
	// Versions pins what runs in the data plane.
	Versions Versions `json:"versions,omitzero"`
	// Exceptions are violations of isolation rules that somebody answers for.
	// Each is shown in every report, and refused when its day is over.
	Exceptions []Exception `json:"exceptions,omitempty"`
}

// Exception accepts that one resource violates one isolation rule, until a day.
type Exception struct {
	// Rule is the rule's id, as docs/policies.md lists it.
	Rule string `json:"rule"`
	// Resource is the resource's logical name or its URN, as the finding names it. A name
	// that resources of two types have excuses neither: the URN says which.
	Resource string `json:"resource"`
	// Reason says why it has to be so.
	Reason string `json:"reason"`
	// Approver is who answers for it.
	Approver string `json:"approver"`
	// Expires is the last day on which it holds, "2027-03-31".
	Expires string `json:"expires"`
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
	Mode AccountMode `json:"mode,omitempty"`
	// Email is the root e-mail of a vended account: unique in all of AWS.
	Email string `json:"email,omitempty"`
	// Name is the display name, 1 to 50 printable ASCII characters; default: org.
	Name string `json:"name,omitempty"`
	// OrganizationalUnit is the parent of a vended account ("ou-…" or
	// "r-…"); default: the organization's root.
	OrganizationalUnit string `json:"organizationalUnit,omitempty"`
	// RoleARN is the role that Freehold assumes in an existing account.
	RoleARN string `json:"roleArn,omitempty"`
	// ExternalID is what the trust policy of RoleARN asks for.
	ExternalID string `json:"externalId,omitempty"`
	// CloseOnOffboarding closes a vended account when the org is offboarded.
	CloseOnOffboarding bool `json:"closeOnOffboarding,omitempty"`
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
	CIDR string `json:"cidr,omitempty"`
	// Zones are the availability zones: two or three. Default: the first
	// three that every account has in the region, mostly a, b and c.
	Zones []Zone `json:"zones,omitempty"`
	// NAT says how private subnets reach the internet. Default: one.
	NAT NAT `json:"nat,omitempty"`
	// FlowLogRetentionDays is a retention that CloudWatch Logs knows. Default: 365.
	FlowLogRetentionDays int `json:"flowLogRetentionDays,omitempty"`
}

// Zone is one availability zone. The ranges are derived from the network's when empty.
type Zone struct {
	// Name is the zone's name in the region, such as eu-central-1a.
	Name string `json:"name"`
	// PrivateCIDR is the range of the nodes' subnet, /17 to /28.
	PrivateCIDR string `json:"privateCidr,omitempty"`
	// PublicCIDR is the range of the NAT gateway's subnet, /17 to /28; not with nat none.
	PublicCIDR string `json:"publicCidr,omitempty"`
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
	Version string `json:"version,omitempty"`
	// Endpoint says who can reach the cluster's API.
	Endpoint Endpoint `json:"endpoint,omitzero"`
	// NodePools are the managed node groups. Default: one, "default", of 2 to
	// 4 m6i.large. One pool without taints that keep pods off must have at
	// least one node, or CoreDNS and the namespace controller run nowhere.
	NodePools []NodePool `json:"nodePools,omitempty"`
	// LogRetentionDays is a retention that CloudWatch Logs knows. Default: 365.
	LogRetentionDays int `json:"logRetentionDays,omitempty"`
	// IdentityProvider says who the people are that use the cluster's API, by
	// OpenID Connect. Default: nobody gets in by a token of another issuer.
	IdentityProvider IdentityProvider `json:"identityProvider,omitzero"`
}

// IdentityProvider is the org's OpenID Connect provider. The API server takes
// its ID tokens; what a member of a project is called is in them, behind a
// prefix. EKS lets a cluster have one. Claims are what Kubernetes and EKS take
// by default; the prefixes are never nothing, which EKS would allow.
type IdentityProvider struct {
	// IssuerURL is the "iss" of the tokens, to the letter: https, without a user,
	// a query and a fragment. AWS has to reach it over the internet, under a
	// certificate of an authority that everybody trusts.
	IssuerURL string `json:"issuerUrl"`
	// ClientID is the "aud" of the tokens, by which the provider knows this cluster.
	ClientID string `json:"clientId"`
	// UsernameClaim is the claim that says who somebody is. Default: sub.
	UsernameClaim string `json:"usernameClaim,omitempty"`
	// UsernamePrefix begins every user's name in the cluster; it ends with one of
	// ":", "#" and "/". Default: "oidc:".
	UsernamePrefix string `json:"usernamePrefix,omitempty"`
	// GroupsClaim is the claim that lists the groups of somebody. Default: nobody has one.
	GroupsClaim string `json:"groupsClaim,omitempty"`
	// GroupsPrefix begins every group's name in the cluster, as usernamePrefix
	// does a user's; only with groupsClaim. Default: "oidc:".
	GroupsPrefix string `json:"groupsPrefix,omitempty"`
	// RequiredClaims are claims that a token must have, with these values.
	RequiredClaims map[string]string `json:"requiredClaims,omitempty"`
}

// Endpoint describes the cluster's API endpoint.
type Endpoint struct {
	// Access is private (from inside the VPC) or public (from the allow-list too). Default: private.
	Access EndpointAccess `json:"access,omitempty"`
	// Allow are the public ranges that reach a public endpoint, /8 or narrower.
	Allow []string `json:"allow,omitempty"`
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
	Name string `json:"name"`
	// InstanceTypes are alternatives of one architecture. Default: [m6i.large].
	InstanceTypes []string `json:"instanceTypes,omitempty"`
	// Capacity is how nodes are bought. Default: on-demand.
	Capacity CapacityType `json:"capacity,omitempty"`
	// Min is the fewest nodes, 0 to 450. Default: 2, or max where that is less.
	Min int `json:"min"`
	// Max is the most nodes, 1 to 450. Default: 4, or min or desired where that is more.
	Max int `json:"max,omitempty"`
	// Desired is the number of nodes at the start. Default: min.
	Desired int `json:"desired"`
	// DiskGiB is the size of a node's volume, 20 to 16384. Default: 50.
	DiskGiB int `json:"diskGiB,omitempty"`
	// Labels are put on the pool's nodes.
	Labels map[string]string `json:"labels,omitempty"`
	// Taints keep pods off the pool's nodes.
	Taints []Taint `json:"taints,omitempty"`
	// AMIFamily is the nodes' operating system. Default: AL2023.
	AMIFamily AMIFamily `json:"amiFamily,omitempty"`
}

// Taint keeps pods off a pool.
type Taint struct {
	// Key is a Kubernetes qualified name.
	Key string `json:"key"`
	// Value is a Kubernetes label value.
	Value string `json:"value,omitempty"`
	// Effect is what happens to pods without the toleration.
	Effect string `json:"effect"`
}

// Project is one namespace of the org's cluster.
type Project struct {
	// Name is the namespace: a DNS label of at most 40 characters, not
	// "default" and not starting with kube- or freehold-.
	Name string `json:"name"`

	v1alpha1.ProjectSettings `json:",inline"`

	// ServiceAccounts are what the project's workloads run as, beside the
	// namespace's default one, which gets no token.
	ServiceAccounts []ServiceAccount `json:"serviceAccounts,omitempty"`
}

// ProjectSource is where an org's projects are listed beside the document. The
// controller opens the connection, and proves who it is by a token of its
// service account. The audience of the token is the host of the URL.
type ProjectSource struct {
	// URL is that of the org's whole set of projects: https, without a user,
	// a query or a fragment.
	URL string `json:"url"`
	// CABundle holds the certificates, PEM, of the authorities that the server's
	// certificate may be of. Default: those that Mozilla trusts.
	CABundle string `json:"caBundle,omitempty"`
	// Interval is the pause between two requests, give or take a fifth, 5s to
	// 1h. Default: 1m.
	Interval string `json:"interval,omitempty"`
}

// ServiceAccount is one of a project.
type ServiceAccount struct {
	// Name is a DNS label, not "default".
	Name string `json:"name"`
	// PodIdentity gives the pods that run as it an IAM role of their own.
	// Default: none.
	PodIdentity PodIdentity `json:"podIdentity,omitzero"`
}

// PodIdentity is an IAM role that Freehold makes inside the org's boundary,
// and that EKS gives to the pods of one service account.
type PodIdentity struct {
	// Policies are the ARNs of AWS's managed policies that the role has, 1 to 10.
	Policies []string `json:"policies"`
}

// Versions pins what runs in the data plane. Each add-on has a default for the
// cluster's version; the controller's digest is left to the release.
type Versions struct {
	// VPCCNI is the version of the add-on vpc-cni.
	VPCCNI string `json:"vpcCni,omitempty"`
	// CoreDNS is the version of the add-on coredns.
	CoreDNS string `json:"coreDns,omitempty"`
	// KubeProxy is the version of the add-on kube-proxy; never newer than the cluster.
	KubeProxy string `json:"kubeProxy,omitempty"`
	// EBSCSI is the version of the add-on aws-ebs-csi-driver.
	EBSCSI string `json:"ebsCsi,omitempty"`
	// PodIdentityAgent is the version of the add-on eks-pod-identity-agent.
	PodIdentityAgent string `json:"podIdentityAgent,omitempty"`
	// ControllerDigest is the namespace controller's image, "sha256:…".
	ControllerDigest string `json:"controllerDigest,omitempty"`
}
