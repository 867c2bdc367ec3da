package awsprovider

import (
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
)

const (
	repositoryToken       = "aws:ecr/repository:Repository"
	ecrLifecycleToken     = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	repositoryPolicyToken = "aws:ecr/repositoryPolicy:RepositoryPolicy"
)

var noRepository = Ref{Path: "repository", To: []string{repositoryToken}, By: []string{"id"},
	Error: "RepositoryNotFoundException: The repository with name '{value}' does not exist in the registry with id '{account}'"}

var ecrTypes = []*Type{
	{
		Token:   repositoryToken,
		Source:  "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html",
		Args:    ecr.RepositoryArgs{},
		State:   ecr.Repository{},
		Noun:    "ECR Repository",
		Service: "ecr",
		API: API{Create: "CreateRepository", Read: "DescribeRepositories", Update: "PutImageTagMutability", Delete: "DeleteRepository",
			Updates: map[string]string{"imageScanningConfiguration": "PutImageScanningConfiguration", "forceDelete": "DescribeRepositories", "tags": "TagResource"}},
		ID:   "{name}",
		ARN:  "arn:aws:ecr:{region}:{account}:repository/{name}",
		Name: Name{Property: "name", Max: 256, Lower: true},
		Tags: true,
		Outputs: map[string]string{
			"registryId": "{account}", "repositoryUrl": "{account}.dkr.ecr.{region}.amazonaws.com/{name}",
		},
		Defaults: map[string]any{"imageTagMutability": "MUTABLE"},
		Fields: map[string][]Rule{
			"name":                     {length(2, 256), match(regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`))},
			"imageTagMutability":       {oneOf("MUTABLE", "IMMUTABLE")},
			"encryptionConfigurations": {count(0, 1)},
			"encryptionConfigurations[*].encryptionType": {oneOf("AES256", "KMS", "KMS_DSSE")},
		},
		Unique: []Unique{{Key: "repository/{name}",
			Error: "RepositoryAlreadyExistsException: The repository with name '{name}' already exists in the registry with id '{account}'"}},
		Refs:    []Ref{keyRef("encryptionConfigurations[*].kmsKey", "KmsException")},
		Replace: []string{"name", "encryptionConfigurations"},
		Owns:    []Link{{Type: ecrLifecycleToken, Path: "repository"}, {Type: repositoryPolicyToken, Path: "repository"}},
		Created: func(c *Call) error {
			if c.In["encryptionConfigurations"] == nil {
				c.Out["encryptionConfigurations"] = []any{map[string]any{"encryptionType": "AES256", "kmsKey": ""}}
			}
			return nil
		},
	},
	{
		Token:    ecrLifecycleToken,
		Source:   "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html",
		Args:     ecr.LifecyclePolicyArgs{},
		State:    ecr.LifecyclePolicy{},
		Noun:     "ECR Lifecycle Policy",
		Service:  "ecr",
		API:      API{Create: "PutLifecyclePolicy", Read: "GetLifecyclePolicy", Delete: "DeleteLifecyclePolicy"},
		ID:       "{repository}",
		Upsert:   true,
		Required: []string{"policy"},
		Outputs:  map[string]string{"registryId": "{account}"},
		Fields:   map[string][]Rule{"policy": {jsonText}},
		Refs:     []Ref{noRepository},
	},
	{
		Token:    repositoryPolicyToken,
		Source:   "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html",
		Args:     ecr.RepositoryPolicyArgs{},
		State:    ecr.RepositoryPolicy{},
		Noun:     "ECR Repository Policy",
		Service:  "ecr",
		API:      API{Create: "SetRepositoryPolicy", Read: "GetRepositoryPolicy", Update: "SetRepositoryPolicy", Delete: "DeleteRepositoryPolicy"},
		ID:       "{repository}",
		Upsert:   true,
		Required: []string{"policy"},
		Outputs:  map[string]string{"registryId": "{account}"},
		Policies: map[string]Grammar{"policy": repositoryPolicy},
		Refs:     []Ref{noRepository},
		Replace:  []string{"repository"},
	},
}
