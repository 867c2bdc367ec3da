// Package cloud holds the values in which a cloud is spoken of beside Pulumi's
// resources: accounts, what is in them, clusters, quotas, releases, and what a
// cloud answers when it cannot. What a cloud can do is declared where it is
// used, in interfaces of a few methods. Two clouds keep them, aws and sandbox,
// and cloudtest holds both to it.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
)

var (
	// ErrNotFound is wrapped when the thing asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrNotUsable is wrapped when an account exists but cannot be used yet.
	ErrNotUsable = errors.New("account is not usable yet")
	// ErrPending is wrapped when the cloud must act first: a quota, a verification.
	ErrPending = errors.New("pending on the cloud")
	// ErrUnsupported is wrapped when the cloud never does what was asked for.
	ErrUnsupported = errors.New("not supported by this cloud")
)

// PendingError says what the cloud has to do first. It wraps ErrPending.
type PendingError struct {
	Reason event.Reason
	// After is how long that takes, as far as anybody knows; 0: nobody does.
	After time.Duration
	Err   error
}

// Error is the cloud's own words.
func (e *PendingError) Error() string { return fmt.Sprintf("%v: %v", ErrPending, e.Err) }

// Unwrap makes it an ErrPending.
func (e *PendingError) Unwrap() []error { return []error{ErrPending, e.Err} }

// May reports whether the process may change something for a stack at this moment,
// and is asked right before the change: nil, or why not. stack is empty where a
// change belongs to none.
type May func(ctx context.Context, stack string) error

// Identity is who the process is in the management account.
type Identity struct {
	AccountID string // 12 digits
	ARN       string // the provisioner's principal, as trust policies name it (a role ARN, not a session's)
}

// Account reaches one org's account.
type Account struct {
	ID         string // empty: the management account
	Region     string
	RoleARN    string // assumed for the call; empty: none
	ExternalID string
}

// Item is one thing in an account.
type Item struct {
	Type string // the Pulumi type, "aws:ec2/vpc:Vpc"
	ID   string // the provider's id
	Name string
	ARN  string
	Tags map[string]string
	// Of is the id of what it is a part of and may be declared with: the
	// security group of a rule. Empty: it stands by itself.
	Of string
	// ByCloud is true for what AWS itself makes and removes (default
	// security groups, service-linked roles, a cluster's own group).
	ByCloud bool
	// WayIn is true for the role by which we came into an account that the
	// customer brought, and for what is in the account for that role and nothing
	// else: the policies that are attached to it or inline in it, and its
	// permissions boundary. It is told by what it is, and by no name. It is
	// ByCloud as well: no layer declares it, and nothing removes it.
	WayIn bool
	// ByWorkload is true for what a controller in the org's cluster made for
	// what runs there: volumes, load balancers and what belongs to them. It is
	// the customer's, neither drift nor for us to prune, and it is in the way
	// of an offboarding.
	ByWorkload bool
	// Slot is the place with room for one that it fills: see awstype.Slot. What
	// is to fill the same place cannot be made beside it. Empty: none.
	Slot string
	// Properties are what of it can lead to another account, or let one in, as
	// it is now and by the names of the Pulumi type: the documents and
	// principals of a role, a key, a grant, a bucket or a repository, the two
	// ends of a peering. nil: nothing of it can, or its type says it elsewhere.
	Properties map[string]any
}

// Cluster names one org's cluster for Kubeconfig and for the calls that the
// provider lacks.
type Cluster struct {
	Account  Account
	Name     string
	ARN      string
	Endpoint string
	CA       string // base64 PEM
}

// Entry is an access entry that does not let its role into a cluster.
type Entry struct {
	Principal string
	// Missing is true where there is no entry. Otherwise it was made for an
	// earlier role of the name, which is another principal to AWS.
	Missing bool
}

// NodeGroup is how many nodes a node group is to have, and may have.
type NodeGroup struct {
	Name           string
	Min, Max, Size int
}

// Release is what a cluster runs.
type Release struct {
	Region     string
	Kubernetes string            // minor version, "1.35"
	Addons     map[string]string // versions, by the add-on's name in EKS
}

// Zone is an availability zone as one account sees it: two accounts can have two
// zones under one name, and an id is the same zone in both.
type Zone struct {
	Name string // "us-east-1a"
	ID   string // "use1-az6"
}

// Running is what a cluster is and runs now, whatever was asked for: AWS upgrades
// a control plane by itself when it ends its support of a version.
type Running struct {
	Kubernetes string            // minor version, "1.35"
	NodeGroups map[string]string // minor versions, by the node group's name
	// Protected is EKS deletion protection.
	Protected bool
	// Endpoint and CA are how its API is reached. EKS makes both up for each
	// cluster: one that is made again under the same name has others.
	Endpoint string
	CA       string // base64 PEM
}

// UnsupportedError says which part of a release the cloud does not have. It
// wraps ErrUnsupported.
type UnsupportedError struct {
	Addon string // empty: it is the version of Kubernetes
	Asked string
	Has   []string // what there is instead, the best choice first
	// Because says why there is not; empty: the cloud has never heard of it.
	Because string
}

// Error says what was asked for and what there is.
func (e *UnsupportedError) Error() string {
	if e.Because != "" {
		return fmt.Sprintf("%v: %s", ErrUnsupported, e.Because)
	}
	has := "none at all"
	if len(e.Has) > 0 {
		has = strings.Join(e.Has, ", ")
	}
	if e.Addon == "" {
		return fmt.Sprintf("%v: Kubernetes %s; there is %s", ErrUnsupported, e.Asked, has)
	}
	return fmt.Sprintf("%v: add-on %s %s; there is %s", ErrUnsupported, e.Addon, e.Asked, has)
}

// Unwrap makes it an ErrUnsupported.
func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }

// Quota is one service quota of an account and region.
type Quota struct {
	Service string // "ec2", as Service Quotas names it
	Code    string // "L-0263D0A3"
	Name    string // "EC2-VPC Elastic IPs"
	Region  string // where it is raised
	// Type is the Pulumi type of what it counts.
	Type        string
	Limit, Used int
}
