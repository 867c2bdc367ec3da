package bootstrap

import (
	"fmt"
	"maps"
	"slices"

	storagev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/storage/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// storage makes the class that claims get when they name none. EKS brings a
// class of its own, gp2, that is not the default since Kubernetes 1.30.
func (b *builder) storage() error {
	parameters := map[string]string{
		"type":      "gp3",
		"encrypted": "true",
		"kmsKeyId":  b.args.VolumeKeyARN,
	}
	for i, key := range slices.Sorted(maps.Keys(b.args.VolumeTags)) {
		parameters[fmt.Sprintf("tagSpecification_%d", i+1)] = key + "=" + b.args.VolumeTags[key]
	}
	meta := b.clusterMeta(b.args.StorageClass)
	meta.Annotations = annotations(map[string]string{"storageclass.kubernetes.io/is-default-class": "true"})
	_, err := storagev1.NewStorageClass(b.ctx, b.child("storage"), &storagev1.StorageClassArgs{
		Metadata:    meta,
		Provisioner: pulumi.String("ebs.csi.aws.com"),
		Parameters:  stringMap(parameters),
		// A volume lives in one zone: wait until its pod's is known.
		VolumeBindingMode:    pulumi.String("WaitForFirstConsumer"),
		AllowVolumeExpansion: pulumi.Bool(true),
		// A volume that outlives its claim is the customer's data that nobody
		// looks after, and keeps the account from ever being empty.
		ReclaimPolicy: pulumi.String("Delete"),
	}, b.parent, pulumi.DeleteBeforeReplace(true))
	return err
}
