package iamcalls

// eksOperations follow
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html
// and, for the roles and keys that EKS takes in its caller's name,
// https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles-eks.html
// https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html
// https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
var eksOperations = map[string]rule{
	"CreateCluster": {on: eksCluster, tags: "eks:TagResource", also: func(c call) []need {
		out := append(passes(c.param("roleArn"), "eks.amazonaws.com"),
			linked(c, "eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"))
		return append(out, granted(c, secretsKey(c))...)
	}},
	"ListClusters":              {},
	"DescribeCluster":           {on: eksCluster},
	"DeleteCluster":             {on: eksCluster},
	"UpdateClusterConfig":       {on: eksCluster},
	"UpdateClusterVersion":      {on: eksCluster},
	"ListUpdates":               {on: eksCluster},
	"DescribeUpdate":            {on: eksCluster},
	"AssociateEncryptionConfig": {on: eksCluster, also: func(c call) []need { return granted(c, secretsKey(c)) }},
	"DescribeClusterVersions":   {},

	"CreateNodegroup": {on: eksCluster, tags: "eks:TagResource", also: func(c call) []need {
		role := c.param("nodeRole")
		out := append(passes(role, "eks.amazonaws.com"),
			need{action: "iam:GetRole", on: []string{role}},
			linked(c, "eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup"))
		if c.body["launchTemplate"] == nil {
			return out
		}
		// EKS tries the template by a dry run of what it will start.
		return append(out,
			need{action: "ec2:DescribeLaunchTemplateVersions", on: anything},
			need{action: "ec2:RunInstances", on: anything},
			need{action: "ec2:CreateTags", on: anything, with: map[string]string{"ec2:CreateAction": "RunInstances"}})
	}},
	"ListNodegroups":         {on: eksCluster},
	"DescribeNodegroup":      {on: eksNodegroup},
	"DeleteNodegroup":        {on: eksNodegroup},
	"UpdateNodegroupConfig":  {on: eksNodegroup},
	"UpdateNodegroupVersion": {on: eksNodegroup},

	"CreateAddon": {on: eksCluster, tags: "eks:TagResource", also: func(c call) []need {
		return passes(c.param("serviceAccountRoleArn"), "eks.amazonaws.com")
	}},
	"ListAddons":    {on: eksCluster},
	"DescribeAddon": {on: eksAddon},
	"DeleteAddon":   {on: eksAddon},
	"UpdateAddon": {on: eksAddon, also: func(c call) []need {
		return passes(c.param("serviceAccountRoleArn"), "eks.amazonaws.com")
	}},
	"DescribeAddonVersions":      {},
	"DescribeAddonConfiguration": {},

	"CreateAccessEntry":            {on: eksCluster, tags: "eks:TagResource"},
	"ListAccessEntries":            {on: eksCluster},
	"DescribeAccessEntry":          {on: eksAccessEntry},
	"UpdateAccessEntry":            {on: eksAccessEntry},
	"DeleteAccessEntry":            {on: eksAccessEntry},
	"AssociateAccessPolicy":        {on: eksAccessEntry},
	"ListAssociatedAccessPolicies": {on: eksAccessEntry},
	"DisassociateAccessPolicy":     {on: eksAccessEntry},
	"ListAccessPolicies":           {},

	"CreatePodIdentityAssociation": {on: eksCluster, tags: "eks:TagResource", also: func(c call) []need {
		role := c.param("roleArn")
		return append(passes(role, "pods.eks.amazonaws.com"), need{action: "iam:GetRole", on: []string{role}})
	}},
	"ListPodIdentityAssociations":    {on: eksCluster},
	"DescribePodIdentityAssociation": {on: eksAssociation},
	"UpdatePodIdentityAssociation":   {on: eksAssociation},
	"DeletePodIdentityAssociation":   {on: eksAssociation},

	"ListFargateProfiles":    {on: eksCluster},
	"DescribeFargateProfile": {on: eksFargateProfile},
	"DeleteFargateProfile":   {on: eksFargateProfile},

	"AssociateIdentityProviderConfig":    {on: eksCluster, tags: "eks:TagResource"},
	"ListIdentityProviderConfigs":        {on: eksCluster},
	"DescribeIdentityProviderConfig":     {on: eksIdentityProvider},
	"DisassociateIdentityProviderConfig": {on: eksIdentityProvider},

	"ListTagsForResource": {on: pathARN},
	"TagResource":         {on: pathARN},
	"UntagResource":       {on: pathARN},
}

func pathARN(c call) []string { return []string{c.param("resourceArn")} }

func eksCluster(c call) []string { return []string{c.regional("eks", "cluster/"+c.param("name"))} }

// The ARNs of what is in a cluster end in an id that only EKS knows.

func eksNodegroup(c call) []string {
	return []string{c.regional("eks", "nodegroup/"+c.param("name")+"/"+c.param("nodegroupName")+"/*")}
}

func eksAddon(c call) []string {
	return []string{c.regional("eks", "addon/"+c.param("name")+"/"+c.param("addonName")+"/*")}
}

func eksAccessEntry(c call) []string {
	return []string{c.regional("eks", "access-entry/"+c.param("name")+"/*")}
}

func eksFargateProfile(c call) []string {
	return []string{c.regional("eks", "fargateprofile/"+c.param("name")+"/"+c.param("fargateProfileName")+"/*")}
}

func eksIdentityProvider(c call) []string {
	config, _ := c.body["identityProviderConfig"].(map[string]any)
	name, _ := config["name"].(string)
	return []string{c.regional("eks", "identityproviderconfig/"+c.param("name")+"/oidc/"+name+"/*")}
}

func eksAssociation(c call) []string {
	return []string{c.regional("eks", "podidentityassociation/"+c.param("name")+"/"+c.param("associationId"))}
}

// secretsKey is the key that a cluster's secrets are to be encrypted with.
func secretsKey(c call) string {
	configs, _ := c.body["encryptionConfig"].([]any)
	for _, config := range configs {
		fields, _ := config.(map[string]any)
		provider, _ := fields["provider"].(map[string]any)
		if key, ok := provider["keyArn"].(string); ok {
			return key
		}
	}
	return ""
}
