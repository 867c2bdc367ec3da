package awstype

// The types of encryption keys.
const (
	KMSKey   = "aws:kms/key:Key"
	KMSAlias = "aws:kms/alias:Alias"
	KMSGrant = "aws:kms/grant:Grant"
)

var keyRows = []Row{
	{
		Token:   KMSAlias,
		Service: "kms",
		Source:  "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html",
		Kinds:   []string{"kms/alias"},
		By:      []string{"name"},
		Find:    "alias", List: "KMS aliases", Remove: "alias",
		PartOf: KMSKey,
		Uses:   []string{KMSKey},
		Make:   []string{"kms:CreateAlias"},
		Read:   []string{"kms:ListAliases"},
		Delete: []string{"kms:DeleteAlias"},
		Look:   []string{"kms:ListAliases"},
	},
	{
		Token:   KMSGrant,
		Service: "kms",
		Source:  "https://docs.aws.amazon.com/kms/latest/developerguide/grants.html",
		List:    "KMS keys", Remove: "grant",
		PartOf:  KMSKey,
		Delete:  []string{"kms:RevokeGrant"},
		Look:    []string{"kms:ListGrants"},
		Foreign: "somebody's grant lets other accounts use a key",
	},
	{
		Token:   KMSKey,
		Service: "kms",
		Source:  "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html",
		Kinds:   []string{"kms/key"},
		By:      []string{Tags},
		Find:    "key", List: "KMS keys", Remove: "key",
		Make: []string{
			"kms:CreateKey", "kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:UpdateKeyDescription", "kms:TagResource", "kms:UntagResource",
		},
		Read:   []string{"kms:ListKeys", describeKey, "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"},
		Delete: []string{"kms:ScheduleKeyDeletion"},
		Look:   []string{"kms:ListKeys", describeKey, "kms:GetKeyPolicy"},
	},
}
