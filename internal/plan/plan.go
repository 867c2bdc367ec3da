// Package plan turns a spec.Spec into everything that Freehold decides for it:
// names, ranges, tags, versions and the order of layers. Build is a pure
// function: the same Spec always gives the same Plan, so a Plan can be
// printed, compared, stored and kept as a golden file.
package plan

import (
	"strings"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// HashVersion is the version of the function that computes Plan.Hash. It goes
// up when the same Spec would hash to another value, so that an upgrade of
// Freehold is never mistaken for a change by the customer.
const HashVersion = 2

// Layer names one Pulumi stack of a data plane.
type Layer string

// The layers, in the order in which they are made.
const (
	LayerAccount   Layer = "account"
	LayerBoundary  Layer = "boundary"
	LayerCluster   Layer = "cluster"
	LayerBootstrap Layer = "bootstrap"
)

// Layers returns the layers in the order in which they are made.
func Layers() []Layer {
	return []Layer{LayerAccount, LayerBoundary, LayerCluster, LayerBootstrap}
}

// Project is the Pulumi project of every stack.
const Project = "freehold"

// StackName returns the name of the org's stack for a layer. OrgOf takes it apart.
func StackName(org string, l Layer) string { return org + "." + string(l) }

// OrgOf returns the org whose stack has the name, if it is the name of one.
func OrgOf(stack string) (org string, ok bool) {
	for _, l := range Layers() {
		if org, ok := strings.CutSuffix(stack, "."+string(l)); ok {
			return org, org != ""
		}
	}
	return "", false
}

// Plan is one data plane, decided.
type Plan struct {
	Org         string `json:"org"`
	Region      string `json:"region"`
	Hash        string `json:"hash"`
	HashVersion int    `json:"hashVersion"`
	// Protected is the spec's deletion protection.
	Protected bool        `json:"protected"`
	Stacks    []StackPlan `json:"stacks"`
	Account   Account     `json:"account"`
	Boundary  Boundary    `json:"boundary"`
	Cluster   Cluster     `json:"cluster"`
	Bootstrap Bootstrap   `json:"bootstrap"`
	// Exceptions are the violations of isolation rules that the org answers for.
	Exceptions []Exception `json:"exceptions,omitempty"`
	// Access says who may call Freehold's API for the org; nil: nobody but its own
	// cluster. It is recorded, and nothing is made of it.
	Access *Access `json:"access,omitempty"`
	// Notes are what an operator should know before running the plan.
	Notes []string `json:"notes,omitempty"`
}

// Exception is one violation that somebody answers for, until a day.
type Exception struct {
	Rule     string `json:"rule"`
	Resource string `json:"resource"`
	Reason   string `json:"reason"`
	Approver string `json:"approver"`
	Expires  string `json:"expires"` // 2006-01-02, the last day on which it holds
}

// StackPlan is one layer's place in the order.
type StackPlan struct {
	Layer Layer  `json:"layer"`
	Stack string `json:"stack"`
	// As says whose credentials the layer runs with, for people.
	As string `json:"as"`
}

// Common is what every layer needs to know of its data plane.
type Common struct {
	Org       string            `json:"org"`
	Region    string            `json:"region"`
	Tags      map[string]string `json:"tags"` // complete, the layer's own included
	Protected bool              `json:"protected"`
}

// Account is the account layer, decided.
type Account struct {
	Common
	Vended             bool   `json:"vended"`
	Name               string `json:"name"`
	Email              string `json:"email,omitempty"`
	OrganizationalUnit string `json:"organizationalUnit,omitempty"` // empty: the root
	// AccessRoleName is the role that AWS makes in a vended account.
	AccessRoleName string `json:"accessRoleName,omitempty"`
	// RoleARN and ExternalID reach an existing account.
	RoleARN           string `json:"roleArn,omitempty"`
	ExternalID        string `json:"externalId,omitempty"`
	CloseOnOffboard   bool   `json:"closeOnOffboard"`
	ServicePolicyName string `json:"servicePolicyName"`  // the SCP's name
	ResourcePolicy    string `json:"resourcePolicyName"` // the RCP's name
	// ProtectedNames are the ARN name patterns that the SCP keeps from
	// anyone but the provisioner, e.g. "freehold-acme-*".
	BoundaryName string `json:"boundaryName"`
	RolePrefix   string `json:"rolePrefix"`
}

// Boundary is the boundary layer, decided.
type Boundary struct {
	Common
	BoundaryName  string `json:"boundaryName"`
	ProvisionRole string `json:"provisionRole"`
	ReadRole      string `json:"readRole"`
	BootstrapRole string `json:"bootstrapRole"`
	OffboardRole  string `json:"offboardRole"`
	// ExternalID guards the phase roles' trust; derived from the org, not a secret.
	ExternalID   string `json:"externalId"`
	DataKeyAlias string `json:"dataKeyAlias"`
	LogKeyAlias  string `json:"logKeyAlias"`
	// Bucket names get the account id as suffix when it is known: they are
	// unique in all of AWS. "{account}" stands for it.
	LogBucket            string `json:"logBucket"`
	DataBucket           string `json:"dataBucket"`
	TrailName            string `json:"trailName"`
	AnalyzerName         string `json:"analyzerName"`
	ControllerRepository string `json:"controllerRepository"`
	LogRetentionDays     int    `json:"logRetentionDays"`
	RolePrefix           string `json:"rolePrefix"`
}

// Cluster is the cluster layer, decided.
type Cluster struct {
	Common
	Name                 string     `json:"name"`
	Version              string     `json:"version"`
	CIDR                 string     `json:"cidr"`
	Zones                []Zone     `json:"zones"`
	NAT                  string     `json:"nat"` // one | per-zone | none
	FlowLogGroup         string     `json:"flowLogGroup"`
	FlowLogRetentionDays int        `json:"flowLogRetentionDays"`
	LogRetentionDays     int        `json:"logRetentionDays"`
	PublicEndpoint       bool       `json:"publicEndpoint"`
	AllowCIDRs           []string   `json:"allowCidrs,omitempty"`
	ClusterRole          string     `json:"clusterRole"`
	NodeRole             string     `json:"nodeRole"`
	EBSRole              string     `json:"ebsRole"`
	FlowLogRole          string     `json:"flowLogRole"`
	NodePools            []NodePool `json:"nodePools"`
	Addons               []Addon    `json:"addons"`
	// ProjectRoles follow from the projects of the bootstrap layer.
	ProjectRoles []ProjectRole `json:"projectRoles,omitempty"`
	// IdentityProvider says who the people are; nil: nobody but IAM does.
	IdentityProvider *IdentityProvider `json:"identityProvider,omitempty"`
}

// IdentityProvider is the org's OpenID Connect provider.
type IdentityProvider struct {
	IssuerURL      string            `json:"issuerUrl"`
	ClientID       string            `json:"clientId"`
	UsernameClaim  string            `json:"usernameClaim"`
	UsernamePrefix string            `json:"usernamePrefix"`
	GroupsClaim    string            `json:"groupsClaim,omitempty"`
	GroupsPrefix   string            `json:"groupsPrefix,omitempty"`
	RequiredClaims map[string]string `json:"requiredClaims,omitempty"`
}

// ProjectRole is the IAM role of one service account of a project.
type ProjectRole struct {
	Project string `json:"project"`
	PodIdentity
}

// Account names the service account in the whole cluster, "shop/uploader".
func (r ProjectRole) Account() string { return r.Project + "/" + r.ServiceAccount }

// Zone is one availability zone with its ranges.
type Zone struct {
	Name        string `json:"name"`
	PrivateCIDR string `json:"privateCidr"`
	PublicCIDR  string `json:"publicCidr,omitempty"` // empty when NAT is none
}

// NodePool is one managed node group.
type NodePool struct {
	Name          string            `json:"name"` // AWS name, length-limited
	Pool          string            `json:"pool"` // the spec's name
	InstanceTypes []string          `json:"instanceTypes"`
	CapacityType  string            `json:"capacityType"` // ON_DEMAND | SPOT
	Min           int               `json:"min"`
	Max           int               `json:"max"`
	Desired       int               `json:"desired"`
	DiskGiB       int               `json:"diskGiB"`
	Labels        map[string]string `json:"labels,omitempty"`
	Taints        []Taint           `json:"taints,omitempty"`
	AMIType       string            `json:"amiType"` // AL2023_x86_64_STANDARD | BOTTLEROCKET_x86_64 | …ARM…
}

// Taint is a node taint in EKS's form (NO_SCHEDULE …).
type Taint struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Effect string `json:"effect"`
}

// Addon is one EKS add-on at a version.
type Addon struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Bootstrap is the bootstrap layer, decided.
type Bootstrap struct {
	Common
	Namespace        string        `json:"namespace"` // freehold-system
	ControllerDigest string        `json:"controllerDigest"`
	StorageClass     string        `json:"storageClass"`
	Projects         []ProjectPlan `json:"projects"`
	// ProjectSource is where the controller asks for further projects; nil: nowhere.
	ProjectSource *ProjectSource `json:"projectSource,omitempty"`
}

// ProjectSource is where an org's projects are listed beside its spec.
type ProjectSource struct {
	URL      string `json:"url"`
	CABundle string `json:"caBundle,omitempty"` // PEM; empty: the authorities that Mozilla trusts
	Interval string `json:"interval"`
}

// ProjectPlan is one Project object.
type ProjectPlan struct {
	Name string `json:"name"`
	// Pulled is true where the org made it through Freehold's API. The controller
	// makes its Project, no layer does, and no document lists it.
	Pulled bool `json:"pulled,omitempty"`

	v1alpha1.ProjectSettings

	ServiceAccounts []string `json:"serviceAccounts,omitempty"`
	// PodIdentities are the roles of those ServiceAccounts that have one.
	PodIdentities []PodIdentity `json:"podIdentities,omitempty"`
}

// PodIdentity is the IAM role of a service account.
type PodIdentity struct {
	ServiceAccount string   `json:"serviceAccount"`
	Role           string   `json:"role"`     // the role's name
	Policies       []string `json:"policies"` // ARNs
}
