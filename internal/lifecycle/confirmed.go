package lifecycle

import (
	"context"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/kubelive"
	"freehold.dev/freehold/internal/operation"
)

// confirmed is the service as an operation uses it: what changes the cloud by
// itself, beside the engine, is done only while the operation holds its org. A
// process that was stopped may have lost it, and not know that yet.
func (s *Service) confirmed(op *operation.Operation) *Service {
	of := *s
	of.Cloud, of.Objects = confirmedCloud{s.Cloud, op}, confirmedObjects{s.Objects, op}
	return &of
}

// confirmedCloud is a cloud whose changes are confirmed first. A test finds a
// method that is neither here nor known to read only.
type confirmedCloud struct {
	Cloud

	op *operation.Operation
}

// CloseAccount closes a vended account.
func (c confirmedCloud) CloseAccount(ctx context.Context, accountID string) error {
	if err := c.op.Confirm(ctx); err != nil {
		return err
	}
	return c.Cloud.CloseAccount(ctx, accountID)
}

// Remove deletes one item of an inventory.
func (c confirmedCloud) Remove(ctx context.Context, a cloud.Account, item cloud.Item) error {
	if err := c.op.Confirm(ctx); err != nil {
		return err
	}
	return c.Cloud.Remove(ctx, a, item)
}

// ProtectCluster sets EKS deletion protection.
func (c confirmedCloud) ProtectCluster(ctx context.Context, cl cloud.Cluster, on bool) error {
	if err := c.op.Confirm(ctx); err != nil {
		return err
	}
	return c.Cloud.ProtectCluster(ctx, cl, on)
}

// RenewEntry makes the access entry of a role anew.
func (c confirmedCloud) RenewEntry(ctx context.Context, in cloud.Account, cluster, principal string, nodes bool) error {
	if err := c.op.Confirm(ctx); err != nil {
		return err
	}
	return c.Cloud.RenewEntry(ctx, in, cluster, principal, nodes)
}

// confirmedObjects are objects whose changes are confirmed first, as those of confirmedCloud.
type confirmedObjects struct {
	Objects

	op *operation.Operation
}

// Expose keeps what nobody is on record for a difference until it is put back.
func (o confirmedObjects) Expose(ctx context.Context, kubeconfig []byte, results []kubelive.Result) error {
	if err := o.op.Confirm(ctx); err != nil {
		return err
	}
	return o.Objects.Expose(ctx, kubeconfig, results)
}

// PutBack makes objects what was applied.
func (o confirmedObjects) PutBack(ctx context.Context, kubeconfig []byte, objects []kubelive.Object) error {
	if err := o.op.Confirm(ctx); err != nil {
		return err
	}
	return o.Objects.PutBack(ctx, kubeconfig, objects)
}

// MakeWay removes what is to be made anew.
func (o confirmedObjects) MakeWay(ctx context.Context, kubeconfig []byte, objects []kubelive.Object) error {
	if err := o.op.Confirm(ctx); err != nil {
		return err
	}
	return o.Objects.MakeWay(ctx, kubeconfig, objects)
}

// Remove asks for the end of a stray.
func (o confirmedObjects) Remove(ctx context.Context, kubeconfig []byte, s kubelive.Stray) error {
	if err := o.op.Confirm(ctx); err != nil {
		return err
	}
	return o.Objects.Remove(ctx, kubeconfig, s)
}
