// Package cloud says what a cloud must offer beside Pulumi's resources: who we
// are, whether a new account can be used, what is in it, how a cluster is
// reached and how an account is closed. Two implementations pass one suite:
// aws and sandbox.
package cloud

import (
	"context"
	"errors"
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
	// ByCloud is true for what AWS itself makes and removes (default
	// security groups, service-linked roles, a cluster's own group).
	ByCloud bool
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

// Cloud is what the use cases need of a cloud. Every call is safe to repeat.
type Cloud interface {
	// Name is "aws" or "sandbox".
	Name() string
	// Identity tells who the process is. It is the first call that needs credentials.
	Identity(ctx context.Context) (Identity, error)
	// CheckVersion tells whether the cloud can run a minor version of
	// Kubernetes; it wraps ErrUnsupported, and says which it can, when not.
	CheckVersion(ctx context.Context, version string) error
	// ProviderEnv returns environment variables by which the engine reaches
	// this cloud's providers, and serves them until ctx ends if they are
	// served from this process.
	ProviderEnv(ctx context.Context) (map[string]string, error)
	// Find looks up a resource that a creation may have left behind without
	// being recorded, by what identifies it among inputs (a name, an e-mail,
	// Freehold's tags). It wraps ErrNotFound when there is none, and fails
	// when more than one fits.
	Find(ctx context.Context, in Account, typ string, inputs map[string]any) (id string, err error)
	// Usable probes once what the next layers need of the account; it wraps
	// ErrNotUsable and says which probe failed.
	Usable(ctx context.Context, a Account) error
	// Inventory lists everything that can be listed in the account and region.
	Inventory(ctx context.Context, a Account) ([]Item, error)
	// Remove deletes one item of an inventory.
	Remove(ctx context.Context, a Account, item Item) error
	// CloseAccount closes a vended account. Closing a closed account does nothing.
	CloseAccount(ctx context.Context, accountID string) error
	// ProtectCluster sets EKS deletion protection, which the provider lacks.
	ProtectCluster(ctx context.Context, c Cluster, on bool) error
	// Kubeconfig returns a kubeconfig that reaches the cluster as roleARN by
	// an exec plugin. It holds no token and can be kept.
	Kubeconfig(ctx context.Context, c Cluster, roleARN string) ([]byte, error)
}
