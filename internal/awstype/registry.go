package awstype

// The types of image repositories.
const (
	ECRRepository       = "aws:ecr/repository:Repository"
	ECRLifecyclePolicy  = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	ECRRepositoryPolicy = "aws:ecr/repositoryPolicy:RepositoryPolicy"
)

const repositories = "ECR repositories"

var registryRows = []Row{
	{
		Token:   ECRRepository,
		Service: "ecr",
		Source:  "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html",
		Kinds:   []string{"ecr/repository"},
		By:      []string{"name"},
		Find:    "repository", List: repositories, Remove: "repository",
		Uses: []string{KMSKey},
		// ECR takes grants on the repository's key, and retires them when it goes.
		Make: []string{
			"ecr:CreateRepository", "ecr:PutImageScanningConfiguration", "ecr:PutImageTagMutability", "ecr:TagResource", "ecr:UntagResource",
			describeKey, createGrant, "kms:RetireGrant",
		},
		Read:   []string{"ecr:DescribeRepositories", "ecr:ListTagsForResource"},
		Delete: []string{"ecr:DeleteRepository"},
		Look:   []string{"ecr:DescribeRepositories"},
	},
	{
		Token:   ECRLifecyclePolicy,
		Service: "ecr",
		Source:  "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html",
		By:      []string{"repository"},
		Find:    "image lifecycle", List: repositories, Remove: "image lifecycle",
		PartOf:     ECRRepository,
		Make:       []string{"ecr:PutLifecyclePolicy"},
		Read:       []string{"ecr:GetLifecyclePolicy"},
		Delete:     []string{"ecr:DeleteLifecyclePolicy"},
		Look:       []string{"ecr:GetLifecyclePolicy"},
		Slot:       []string{"repository"},
		Overwrites: true,
	},
	{
		Token:   ECRRepositoryPolicy,
		Service: "ecr",
		Source:  "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html",
		By:      []string{"repository"},
		Find:    "repository policy", List: repositories, Remove: "repository policy",
		PartOf:     ECRRepository,
		Read:       []string{"ecr:GetRepositoryPolicy"},
		Delete:     []string{"ecr:DeleteRepositoryPolicy"},
		Look:       []string{"ecr:GetRepositoryPolicy"},
		Slot:       []string{"repository"},
		Overwrites: true,
		Foreign:    "somebody's policy lets other accounts pull images",
	},
}
