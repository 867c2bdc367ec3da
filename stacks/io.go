// Package stacks holds one Pulumi program for each layer of a data plane. Each
// has a typed In, made from the plan and from the layers before it, and a typed
// Out that the next layers read. A program only joins a plan to components: it
// has no branches and no resource of its own beside providers.
package stacks

import "freehold.dev/freehold/internal/plan"

// AccountIn is what the account layer runs on.
type AccountIn struct {
	Plan plan.Account `json:"plan"`
	// ManagementAccountID pins the provider: other credentials are refused.
	ManagementAccountID string `json:"managementAccountId"`
	// ProvisionerARN is the one principal outside the org's account that the
	// resource control policy lets in, to assume the account's roles.
	ProvisionerARN string `json:"provisionerArn"`
}

// AccountOut is what the account layer made.
type AccountOut struct {
	AccountID string `json:"accountId"`
	// AccessRoleARN is the role that the boundary layer assumes, in the org's account.
	AccessRoleARN string `json:"accessRoleArn"`
	// ExternalID goes with AccessRoleARN; empty for a vended account.
	ExternalID string `json:"externalId,omitempty"`
}

// BoundaryIn is what the boundary layer runs on.
type BoundaryIn struct {
	Plan                plan.Boundary `json:"plan"`
	ManagementAccountID string        `json:"managementAccountId"`
	// ProvisionerARN is the principal that may assume the phase roles.
	ProvisionerARN string     `json:"provisionerArn"`
	Account        AccountOut `json:"account"`
}

// BoundaryOut is what the boundary layer made.
type BoundaryOut struct {
	BoundaryARN      string `json:"boundaryArn"`
	ProvisionRoleARN string `json:"provisionRoleArn"`
	ReadRoleARN      string `json:"readRoleArn"`
	BootstrapRoleARN string `json:"bootstrapRoleArn"`
	OffboardRoleARN  string `json:"offboardRoleArn"`
	DataKeyARN       string `json:"dataKeyArn"`
	LogKeyARN        string `json:"logKeyArn"`
	LogBucketARN     string `json:"logBucketArn"`
	DataBucketARN    string `json:"dataBucketArn"`
	TrailARN         string `json:"trailArn"`
	AnalyzerARN      string `json:"analyzerArn"`
	// ControllerRepository is the registry URL of the namespace controller's image, without a tag.
	ControllerRepository string `json:"controllerRepository"`
}

// ClusterIn is what the cluster layer runs on.
type ClusterIn struct {
	Plan     plan.Cluster `json:"plan"`
	Account  AccountOut   `json:"account"`
	Boundary BoundaryOut  `json:"boundary"`
	// ExternalID guards the provision role's trust.
	ExternalID string `json:"externalId"`
	// Upgrade is true where the cluster has nodes of another version of Kubernetes.
	Upgrade bool `json:"upgrade,omitempty"`
	// Pools say which node group a pool has, by the pool's name. One that is not
	// among them has its first.
	Pools map[string]PoolState `json:"pools,omitempty"`
}

// PoolState is what a pool's node group depends on beside the plan.
type PoolState struct {
	// Generation counts the pool's node groups: see plan.NodePool.GroupName.
	Generation int `json:"generation"`
	// Size is the number of nodes to set. nil: what the plan says when the group
	// is made, and then what whoever scales it has set.
	Size *int `json:"size,omitempty"`
}

// ClusterOut is what the cluster layer made.
type ClusterOut struct {
	Name                 string   `json:"name"`
	ARN                  string   `json:"arn"`
	Endpoint             string   `json:"endpoint"`
	CertificateAuthority string   `json:"certificateAuthority"` // base64
	OIDCIssuer           string   `json:"oidcIssuer"`
	VPCID                string   `json:"vpcId"`
	PrivateSubnetIDs     []string `json:"privateSubnetIds"`
	NodeRoleARN          string   `json:"nodeRoleArn"`
	// ProjectRoleARNs are the roles of service accounts, by project/account.
	// A cluster that another version of Freehold made last has no such output.
	ProjectRoleARNs map[string]string `json:"projectRoleArns,omitempty"`
}

// BootstrapIn is what the bootstrap layer runs on.
type BootstrapIn struct {
	Plan     plan.Bootstrap `json:"plan"`
	Account  AccountOut     `json:"account"`
	Boundary BoundaryOut    `json:"boundary"`
	Cluster  ClusterOut     `json:"cluster"`
	// Kubeconfig reaches the cluster as the bootstrap role, by an exec
	// plugin: it holds no token.
	Kubeconfig string `json:"kubeconfig"`
}

// BootstrapOut is what the bootstrap layer made.
type BootstrapOut struct {
	Namespace       string   `json:"namespace"`
	ControllerImage string   `json:"controllerImage"`
	Projects        []string `json:"projects"`
}
