package aws

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/smithy-go"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/wait"
)

// removalEvery is the pause between two looks at what is going.
const removalEvery = 5 * time.Second

// untilGone asks until something is gone, where the SDK has no waiter.
func (s *session) untilGone(ctx context.Context, what string, isGone func(context.Context) (bool, error)) error {
	return wait.Until(ctx, s.going(what), isGone)
}

// awaitGone waits as the SDK does.
func (s *session) awaitGone(ctx context.Context, what string, sdk func(context.Context) error) error {
	return wait.While(ctx, s.going(what), sdk)
}

func (s *session) going(what string) wait.For {
	return wait.For{What: fmt.Sprintf("%s of account %s to be deleted", what, s.account), Every: removalEvery, Within: removalLasts, Now: s.now}
}

// refusal is AWS's no to one of the things that a call was about.
type refusal struct{ code, message string }

func (r *refusal) Error() string                 { return r.code + ": " + r.message }
func (r *refusal) ErrorCode() string             { return r.code }
func (r *refusal) ErrorMessage() string          { return r.message }
func (r *refusal) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// removeInstance waits: its volumes, interfaces and groups are in use until it
// is gone.
func removeInstance(ctx context.Context, s *session, it cloud.Item) error {
	if _, err := s.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{it.ID}}); err != nil {
		return err
	}
	return s.awaitGone(ctx, "instance "+it.ID, func(ctx context.Context) error {
		return ec2.NewInstanceTerminatedWaiter(s.ec2).Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{it.ID}}, removalLasts)
	})
}

func removeLaunchTemplate(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: aws.String(it.ID)})
	return err
}

// removeImage deregisters an image; its snapshots are listed after it.
func removeImage(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: aws.String(it.ID)})
	if isCode(err, "InvalidAMIID.Unavailable") { // it is deregistered already
		return nil
	}
	return err
}

func removeSnapshot(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: aws.String(it.ID)})
	return err
}

func removeVolume(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: aws.String(it.ID)})
	return err
}

func removeKeyPair(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyName: aws.String(it.ID)})
	return err
}

func removeInterface(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteNetworkInterface(ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: aws.String(it.ID)})
	return err
}

// removeCluster waits until a cluster is gone. One that is protected from
// deletion stays: whoever protected it must lift that first.
func removeCluster(ctx context.Context, s *session, it cloud.Item) error {
	if _, err := s.eks.DeleteCluster(ctx, &eks.DeleteClusterInput{Name: aws.String(it.ID)}); err != nil {
		return err
	}
	return s.awaitGone(ctx, "cluster "+it.ID, func(ctx context.Context) error {
		return eks.NewClusterDeletedWaiter(s.eks).Wait(ctx, &eks.DescribeClusterInput{Name: aws.String(it.ID)}, removalLasts)
	})
}

func removeNodeGroup(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, ":", 2)
	if err != nil {
		return err
	}
	if _, err := s.eks.DeleteNodegroup(ctx, &eks.DeleteNodegroupInput{ClusterName: id[0], NodegroupName: id[1]}); err != nil {
		return err
	}
	return s.awaitGone(ctx, "node group "+it.ID, func(ctx context.Context) error {
		return eks.NewNodegroupDeletedWaiter(s.eks).Wait(ctx, &eks.DescribeNodegroupInput{ClusterName: id[0], NodegroupName: id[1]}, removalLasts)
	})
}

func removeAddon(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, ":", 2)
	if err != nil {
		return err
	}
	if _, err := s.eks.DeleteAddon(ctx, &eks.DeleteAddonInput{ClusterName: id[0], AddonName: id[1]}); err != nil {
		return err
	}
	return s.awaitGone(ctx, "add-on "+it.ID, func(ctx context.Context) error {
		return eks.NewAddonDeletedWaiter(s.eks).Wait(ctx, &eks.DescribeAddonInput{ClusterName: id[0], AddonName: id[1]}, removalLasts)
	})
}

func removeFargateProfile(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, ":", 2)
	if err != nil {
		return err
	}
	if _, err := s.eks.DeleteFargateProfile(ctx, &eks.DeleteFargateProfileInput{ClusterName: id[0], FargateProfileName: id[1]}); err != nil {
		return err
	}
	return s.awaitGone(ctx, "Fargate profile "+it.ID, func(ctx context.Context) error {
		return eks.NewFargateProfileDeletedWaiter(s.eks).Wait(ctx, &eks.DescribeFargateProfileInput{ClusterName: id[0], FargateProfileName: id[1]}, removalLasts)
	})
}

func removeAccessEntry(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, ":", 2)
	if err != nil {
		return err
	}
	_, err = s.eks.DeleteAccessEntry(ctx, &eks.DeleteAccessEntryInput{ClusterName: id[0], PrincipalArn: id[1]})
	return err
}

func removeAccessPolicy(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, "#", 3)
	if err != nil {
		return err
	}
	_, err = s.eks.DisassociateAccessPolicy(ctx, &eks.DisassociateAccessPolicyInput{ClusterName: id[0], PrincipalArn: id[1], PolicyArn: id[2]})
	return err
}

// removePodIdentity looks for the cluster of an association: its id does not say.
func removePodIdentity(ctx context.Context, s *session, it cloud.Item) error {
	fleet, err := s.fleet()
	if err != nil {
		return err
	}
	for _, c := range fleet {
		_, err := s.eks.DeletePodIdentityAssociation(ctx, &eks.DeletePodIdentityAssociationInput{ClusterName: aws.String(c.name), AssociationId: aws.String(it.ID)})
		if err == nil || !gone(err) {
			return err
		}
	}
	return nil
}

// removeIdentityProvider waits: EKS changes the cluster for it, and does not
// delete a cluster meanwhile.
func removeIdentityProvider(ctx context.Context, s *session, it cloud.Item) error {
	id, err := split(it.ID, ":", 2)
	if err != nil {
		return err
	}
	config := oidcConfig(*id[1])
	if _, err := s.eks.DisassociateIdentityProviderConfig(ctx, &eks.DisassociateIdentityProviderConfigInput{ClusterName: id[0], IdentityProviderConfig: config}); err != nil {
		return err
	}
	return s.untilGone(ctx, "identity provider "+it.ID, func(ctx context.Context) (bool, error) {
		_, err := s.eks.DescribeIdentityProviderConfig(ctx, &eks.DescribeIdentityProviderConfigInput{ClusterName: id[0], IdentityProviderConfig: config})
		if gone(err) {
			return true, nil
		}
		return false, err
	})
}
