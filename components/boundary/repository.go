package boundary

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// imagesKept is how many images of the controller stay in its repository. The
// cluster names its image by digest, so an image may run and have no tag:
// images go by their number and never for the lack of a tag.
const imagesKept = 30

// repository makes the registry of the namespace controller's image: the org's
// own copy, so that no cluster pulls from a place that another org pulls from.
// Protected, because the cluster starts pods from it; its images are copies,
// so an unprotected repository goes with them.
func (b *Boundary) repository(ctx *pulumi.Context, a Args) error {
	repository, err := ecr.NewRepository(ctx, "controller-repository", &ecr.RepositoryArgs{
		Name:                       pulumi.String(a.ControllerRepository),
		ImageTagMutability:         pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(true)},
		EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{ecr.RepositoryEncryptionConfigurationArgs{
			EncryptionType: pulumi.String("KMS"),
			KmsKey:         b.DataKeyARN,
		}},
		ForceDelete: pulumi.Bool(!a.Protected),
		Tags:        a.tags(),
	}, pulumi.Parent(b), pulumi.Protect(a.Protected))
	if err != nil {
		return err
	}
	b.ControllerRepository = repository.RepositoryUrl

	rules, err := json.Marshal(imageRules{Rules: []imageRule{{
		RulePriority: 1,
		Description:  "keep the newest images",
		Selection:    imageSelection{TagStatus: "any", CountType: "imageCountMoreThan", CountNumber: imagesKept},
		Action:       imageAction{Type: "expire"},
	}}})
	if err != nil {
		return err
	}
	_, err = ecr.NewLifecyclePolicy(ctx, "controller-repository", &ecr.LifecyclePolicyArgs{
		Repository: repository.Name,
		Policy:     pulumi.String(rules),
	}, pulumi.Parent(b))
	return err
}

// imageRules is ECR's lifecycle policy document.
//
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
type imageRules struct {
	Rules []imageRule `json:"rules"`
}

type imageRule struct {
	RulePriority int            `json:"rulePriority"`
	Description  string         `json:"description"`
	Selection    imageSelection `json:"selection"`
	Action       imageAction    `json:"action"`
}

type imageSelection struct {
	TagStatus   string `json:"tagStatus"`
	CountType   string `json:"countType"`
	CountNumber int    `json:"countNumber"`
}

type imageAction struct {
	Type string `json:"type"`
}
