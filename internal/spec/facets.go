package spec

import (
	"fmt"
	"maps"
	"regexp"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// Facet says what one field accepts, looked at by itself. One table serves the
// decoder and the JSON schema, so that an editor and Freehold cannot disagree.
type Facet struct {
	Required bool
	// Of text.
	Enum      []string
	Pattern   string // what RE2 and ECMAScript read alike
	MinLength int    // in characters
	MaxLength int
	// Of numbers: a range unless both are 0, or else a list.
	Min, Max int
	Values   []int
	// Of lists and mappings.
	MinItems, MaxItems int
	// Default is what an absent field gets; nil when that depends on other fields.
	Default any
	// Noun completes "… is not" where Pattern or Values do not fit.
	Noun string
	// Want tells what would be right.
	Want string

	// Hidden values are left out of messages: somebody may have put a secret there.
	Hidden bool

	// check finds what a pattern cannot, and completes the value: "is a /24".
	check func(string) string
}

const (
	label        = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	cidrPattern  = `^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$`
	subjectShape = `^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$`
	// An exponent has two digits at most: the quantity parser would compute
	// the power, whatever its size.
	quantity = `^[+-]?[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$`
	// registryPattern wants a host with a dot or a port: without one, "nginx"
	// would be a user of Docker Hub.
	registryPattern = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?((\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[0-9]{1,5})?|:[0-9]{1,5})(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?$`
	durationPattern = `^([0-9]{1,6}[hms])+$`
	// httpsPattern leaves out "$(", too, which Kubernetes would replace in an argument.
	httpsPattern = `^https://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~!&'*+,;=:@%/-]*)?$`
	// prefixPattern wants an end that tells the prefix from what it is put before:
	// "s" before a group "ystem:masters" would be an administrator.
	prefixPattern = `^[A-Za-z0-9]([A-Za-z0-9._~:/@#%+=-]*[:#/])$`
	visibleASCII  = `^[!-~]+$`
	tagText       = `^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`
)

// retentions are the days that CloudWatch Logs accepts.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
	1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

var (
	subnetFacet = Facet{
		Pattern: cidrPattern, Noun: "a CIDR", check: checkSubnet,
		Want: "an IPv4 range inside the network from /17 to /28, such as 10.0.0.0/19",
	}
	retentionFacet = Facet{
		Values: retentions, Default: 365, Noun: "a retention that CloudWatch Logs knows",
	}
	addonFacet = Facet{
		Pattern: `^v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+$`, Noun: "an add-on version",
		Want: "the form v1.2.3-eksbuild.1",
	}
	claimFacet = Facet{
		Pattern: visibleASCII, MaxLength: 128, Noun: "the name of a claim",
		Want: "up to 128 letters, digits and signs, such as email",
	}
	prefixFacet = Facet{
		Pattern: prefixPattern, MaxLength: 64, Noun: "a prefix that ends with one of :#/", check: checkPrefix,
		Want: "up to 64 letters, digits and signs that begin no name of Kubernetes, AWS or Freehold, such as oidc:",
	}
	issuerFacet = Facet{
		Required: true, Pattern: httpsPattern, MaxLength: 2048, Noun: "an https URL without a user, a query and a fragment", check: checkAccessIssuer, Hidden: true,
		Want: "https, a host and a path, as the tokens say it, such as https://login.example.com/acme",
	}
	subjectFacet = Facet{
		Pattern: subjectShape, MaxLength: 256, Noun: "a name",
		Want: "up to 256 characters without spaces at the ends",
	}
)

// facets are keyed by field path, with [] for any entry of a list or mapping.
// A field that is not here accepts any value of its type.
var facets = map[string]Facet{
	"apiVersion": {Enum: []string{APIVersion}, Default: APIVersion},
	"kind":       {Enum: []string{Kind}, Default: Kind},
	// Single hyphens only: ECR refuses two in a row in a repository's name,
	// and a label with hyphens in third and fourth place is reserved (RFC 5891).
	// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
	"org": {
		Required: true, Pattern: `^[a-z0-9]+(-[a-z0-9]+)*$`, MinLength: 3, MaxLength: 40, Noun: "a DNS label",
		Want: "3 to 40 lower-case letters, digits and single hyphens, such as acme",
	},
	"region": {Required: true, Enum: regions(), Want: "an AWS region where EKS runs, such as eu-central-1"},

	"account":      {Required: true, Want: "a mapping with at least email"},
	"account.mode": {Enum: []string{string(AccountVended), string(AccountExisting)}, Default: string(AccountVended)},
	// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
	"account.email": {
		Pattern:   "^[A-Za-z0-9.!#$%&'*+/=?^_`{}~-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$",
		MinLength: 6, MaxLength: 64, Noun: "an e-mail address",
		Want: "an address of 6 to 64 characters that no other AWS account uses, such as aws+acme@example.com",
	},
	"account.name": {
		Pattern: `^[ -~]+$`, MinLength: 1, MaxLength: 50, Noun: "printable ASCII",
		Want: "1 to 50 printable ASCII characters",
	},
	// https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html
	"account.organizationalUnit": {
		Pattern: `^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$`, Noun: "the id of an organizational unit",
		Want: "an id such as ou-ab12-cdef3456, or the root's, such as r-ab12",
	},
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
	"account.roleArn": {
		Pattern: `^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`, MaxLength: 2048, Noun: "the ARN of a role",
		Want: "an ARN such as arn:aws:iam::123456789012:role/freehold-access",
	},
	// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
	"account.externalId": {
		Pattern: `^[A-Za-z0-9_+=,.@:/-]+$`, MinLength: 2, MaxLength: 1224, Noun: "an external id",
		Want: "2 to 1224 letters, digits and any of _+=,.@:/-",
	},
	"account.closeOnOffboarding": {Default: false},

	// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
	"network.cidr": {
		Pattern: cidrPattern, Noun: "a CIDR", Default: "10.0.0.0/16", check: checkNetwork,
		Want: "an RFC 1918 range from /16 to /20, such as 10.0.0.0/16",
	},
	"network.zones": {MinItems: 2, MaxItems: 3, Want: "two or three zones"},
	"network.zones[].name": {
		Required: true, Pattern: `^[a-z]{2}(-[a-z]+)+-[0-9]+[a-z]$`, Noun: "an availability zone",
		Want: "a zone of the region, such as eu-central-1a",
	},
	"network.zones[].privateCidr":  subnetFacet,
	"network.zones[].publicCidr":   subnetFacet,
	"network.nat":                  {Enum: []string{string(NATOne), string(NATPerZone), string(NATNone)}, Default: string(NATOne)},
	"network.flowLogRetentionDays": retentionFacet,

	"cluster.version":          {Enum: releaseVersions(), Default: defaultVersion},
	"cluster.logRetentionDays": retentionFacet,
	"cluster.endpoint.access":  {Enum: []string{string(EndpointPrivate), string(EndpointPublic)}, Default: string(EndpointPrivate)},
	// https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
	"cluster.endpoint.allow": {MaxItems: 40, Want: "at most 40 ranges"},
	"cluster.endpoint.allow[]": {
		Pattern: cidrPattern, Noun: "a CIDR", check: checkAllowed,
		Want: "a public IPv4 range from /8 to /32, such as 203.0.113.0/24",
	},
	// https://docs.aws.amazon.com/eks/latest/APIReference/API_OidcIdentityProviderConfigRequest.html
	"cluster.identityProvider.issuerUrl": {
		Required: true, Pattern: httpsPattern, MaxLength: 2048, Noun: "an https URL without a user, a query and a fragment", check: checkIssuer, Hidden: true,
		Want: "https, a host and a path, as the tokens say it, such as https://login.example.com/acme",
	},
	"cluster.identityProvider.clientId": {
		Required: true, Pattern: visibleASCII, MaxLength: 255, Noun: "a client's id", Want: "the audience of the tokens, such as kubernetes",
	},
	"cluster.identityProvider.usernameClaim":  claimFacet,
	"cluster.identityProvider.usernamePrefix": prefixFacet,
	"cluster.identityProvider.groupsClaim":    claimFacet,
	"cluster.identityProvider.groupsPrefix":   prefixFacet,
	"cluster.identityProvider.requiredClaims": {MinItems: 1, MaxItems: 50, Want: "1 to 50 claims"},
	"cluster.identityProvider.requiredClaims[]": {
		Pattern: subjectShape, MaxLength: 253, Noun: "the value of a claim", Want: "up to 253 characters without spaces at the ends",
	},
	"cluster.nodePools": {MinItems: 1, MaxItems: 30, Want: "1 to 30 pools"},
	"cluster.nodePools[].name": {
		Required: true, Pattern: label, MaxLength: 40, Noun: "a DNS label",
		Want: "1 to 40 lower-case letters, digits and hyphens, such as general",
	},
	// https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html
	"cluster.nodePools[].instanceTypes": {MinItems: 1, MaxItems: 20, Default: []string{"m6i.large"}, Want: "1 to 20 instance types"},
	"cluster.nodePools[].instanceTypes[]": {
		Pattern: `^[a-z]+[0-9]+[a-z0-9-]*\.[a-z0-9-]+$`, MaxLength: 40, Noun: "an instance type",
		Want: "an EC2 instance type, such as m6i.large",
	},
	"cluster.nodePools[].capacity": {Enum: []string{string(OnDemand), string(Spot)}, Default: string(OnDemand)},
	// 450 nodes in a managed node group: https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
	"cluster.nodePools[].min":     {Min: 0, Max: 450},
	"cluster.nodePools[].max":     {Min: 1, Max: 450},
	"cluster.nodePools[].desired": {Min: 0, Max: 450},
	// https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
	"cluster.nodePools[].diskGiB":         {Min: 20, Max: 16384, Default: 50},
	"cluster.nodePools[].labels":          {MaxItems: 50, Want: "at most 50 labels"},
	"cluster.nodePools[].taints":          {MaxItems: 50, Want: "at most 50 taints"},
	"cluster.nodePools[].taints[].key":    {Required: true, Want: "a key such as team or example.com/team"},
	"cluster.nodePools[].taints[].effect": {Required: true, Enum: []string{"NoSchedule", "NoExecute", "PreferNoSchedule"}},
	"cluster.nodePools[].amiFamily":       {Enum: []string{string(AL2023), string(Bottlerocket)}, Default: string(AL2023)},

	"projects[].name": {
		Required: true, Pattern: label, MaxLength: 40, Noun: "a DNS label",
		Want: "1 to 40 lower-case letters, digits and hyphens, such as billing",
	},
	"projects[].quota.cpu":                            {Pattern: quantity, MaxLength: 32, Noun: "a quantity", Default: "4", check: checkCPU, Want: `a positive Kubernetes quantity, such as "4" or "500m"`},
	"projects[].quota.memory":                         {Pattern: quantity, MaxLength: 32, Noun: "a quantity", Default: "8Gi", check: checkBytes, Want: `a positive number of bytes as Kubernetes writes it, such as "8Gi"`},
	"projects[].quota.storage":                        {Pattern: quantity, MaxLength: 32, Noun: "a quantity", Default: "50Gi", check: checkBytes, Want: `a positive number of bytes as Kubernetes writes it, such as "50Gi"`},
	"projects[].quota.ephemeralStorage":               {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkBytes, Want: `a positive number of bytes as Kubernetes writes it, such as "100Gi"`},
	"projects[].quota.resources":                      {MaxItems: 32, Want: "at most 32 resources"},
	"projects[].quota.resources[]":                    {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkWhole, Want: `a whole number in quotes, such as "2", or bytes of huge pages, such as "1Gi"`},
	"projects[].quota.deviceClasses":                  {MaxItems: 32, Want: "at most 32 device classes"},
	"projects[].quota.deviceClasses[]":                {Min: 0, Max: 100000},
	"projects[].quota.pods":                           {Min: 1, Max: 100000, Default: 50},
	"projects[].quota.gpus":                           {Min: 0, Max: 10000, Default: 0},
	"projects[].quota.objects.configMaps":             {Min: 1, Max: 100000},
	"projects[].quota.objects.secrets":                {Min: 1, Max: 100000},
	"projects[].quota.objects.services":               {Min: 1, Max: 100000},
	"projects[].quota.objects.loadBalancers":          {Min: 0, Max: 100000},
	"projects[].quota.objects.nodePorts":              {Min: 0, Max: 100000},
	"projects[].quota.objects.persistentVolumeClaims": {Min: 1, Max: 100000},
	"projects[].quota.objects.deployments":            {Min: 1, Max: 100000},
	"projects[].quota.objects.statefulSets":           {Min: 1, Max: 100000},
	"projects[].quota.objects.jobs":                   {Min: 1, Max: 100000},
	"projects[].quota.objects.cronJobs":               {Min: 1, Max: 100000},
	"projects[].quota.objects.ingresses":              {Min: 1, Max: 100000},
	"projects[].limits.defaultCpu":                    {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkCPU, Want: `a positive Kubernetes quantity, such as "250m"`},
	"projects[].limits.defaultMemory":                 {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkBytes, Want: `a positive number of bytes as Kubernetes writes it, such as "256Mi"`},
	"projects[].limits.defaultEphemeralStorage":       {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkBytes, Want: `a positive number of bytes as Kubernetes writes it, such as "256Mi"`},
	"projects[].limits.maxEphemeralStorage":           {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkBytes, Want: `a positive number of bytes as Kubernetes writes it, such as "10Gi"`},
	"projects[].limits.maxCpu":                        {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkCPU, Want: `a positive Kubernetes quantity, such as "2"`},
	"projects[].limits.maxMemory":                     {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkBytes, Want: `a positive number of bytes as Kubernetes writes it, such as "4Gi"`},
	"projects[].limits.minCpu":                        {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkCPU, Want: `a positive Kubernetes quantity, such as "50m"`},
	"projects[].limits.minMemory":                     {Pattern: quantity, MaxLength: 32, Noun: "a quantity", check: checkBytes, Want: `a positive number of bytes as Kubernetes writes it, such as "32Mi"`},
	"projects[].members[].group":                      subjectFacet,
	"projects[].members[].user":                       subjectFacet,
	"projects[].members[].role":                       {Required: true, Enum: []string{string(v1alpha1.RoleAdmin), string(v1alpha1.RoleEditor), string(v1alpha1.RoleViewer)}},
	"projects[].egress[].cidr": {
		Required: true, Pattern: cidrPattern, Noun: "a CIDR", check: checkWayOut,
		Want: "an IPv4 range, such as 192.0.2.0/24",
	},
	// The VPC CNI enforces at most 24 ports for one selector of a policy.
	// https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
	"projects[].egress[].ports":    {MinItems: 1, MaxItems: 24, Want: "1 to 24 ports, or no field for all of them"},
	"projects[].egress[].ports[]":  {Min: 1, Max: 65535},
	"projects[].egress[].protocol": {Enum: []string{"TCP", "UDP"}, Default: "TCP"},
	"projects[].displayName": {
		Pattern: subjectShape, MaxLength: 100, Noun: "a name", Want: "up to 100 characters on one line, without spaces at the ends",
	},
	"projects[].ingress": {MaxItems: 64, Want: "at most 64 projects"},
	"projects[].ingress[].project": {
		Required: true, Pattern: label, MaxLength: 40, Noun: "a DNS label", Want: "the name of another project of this document",
	},
	"projects[].ingress[].ports":    {MinItems: 1, MaxItems: 24, Want: "1 to 24 ports, or no field for all of them"},
	"projects[].ingress[].ports[]":  {Min: 1, Max: 65535},
	"projects[].ingress[].protocol": {Enum: []string{"TCP", "UDP"}, Default: "TCP"},
	"projects[].podSecurity":        {Enum: []string{string(v1alpha1.PodSecurityRestricted), string(v1alpha1.PodSecurityBaseline)}, Default: string(v1alpha1.PodSecurityRestricted)},
	"projects[].serviceAccounts":    {MaxItems: 64, Want: "at most 64 service accounts"},
	"projects[].serviceAccounts[].name": {
		Required: true, Pattern: label, MaxLength: 63, Noun: "a DNS label",
		Want: "1 to 63 lower-case letters, digits and hyphens, such as worker",
	},
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	"projects[].serviceAccounts[].podIdentity.policies": {Required: true, MinItems: 1, MaxItems: 10, Want: "1 to 10 policies"},
	"projects[].serviceAccounts[].podIdentity.policies[]": {
		Pattern: `^arn:aws:iam::aws:policy/([A-Za-z0-9+=,.@_-]+/)*[A-Za-z0-9+=,.@_-]{1,128}$`, MaxLength: 640, Noun: "the ARN of a managed policy of AWS's",
		check: checkPodPolicy, Want: "an ARN such as arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
	},
	"projects[].registries": {MaxItems: 16, Want: "at most 16 registries"},
	"projects[].registries[]": {
		Pattern: registryPattern, MaxLength: 200, Noun: "a registry, with or without a path", check: checkRegistry,
		Want: "a registry or a part of one, such as registry.example.com/team/",
	},
	"projects[].hosts": {MaxItems: 32, Want: "at most 32 hosts"},
	"projects[].hosts[]": {
		Pattern: v1alpha1.HostPattern, MaxLength: 253, Noun: "a host", check: checkHost,
		Want: "a host of the project's own, such as shop.example.com, or *.shop.example.com for all below it",
	},
	"projects[].priorityClasses": {MaxItems: 16, Want: "at most 16 priority classes"},
	"projects[].priorityClasses[]": {
		Pattern: v1alpha1.ClassPattern, MaxLength: 253, Noun: "a priority class", check: checkPriorityClass, Want: "the name of a priority class of the org's, such as batch",
	},
	"projects[].storageClasses": {MaxItems: 16, Want: "at most 16 storage classes"},
	"projects[].storageClasses[]": {
		Pattern: v1alpha1.ClassPattern, MaxLength: 253, Noun: "a storage class", Want: "the name of a storage class, such as efs",
	},
	"projects[].runtimeClasses": {MaxItems: 16, Want: "at most 16 runtime classes"},
	"projects[].runtimeClasses[]": {
		Pattern: v1alpha1.ClassPattern, MaxLength: 253, Noun: "a runtime class", Want: "the name of a runtime class, such as nvidia",
	},
	"projects[].hibernate": {Default: false},
	"projects[].ttl": {
		Pattern: durationPattern, MaxLength: 24, Noun: "a time", check: checkTTL, Want: "hours, minutes and seconds, such as 72h or 1h30m",
	},
	"projects[].deletionPolicy": {Enum: []string{string(v1alpha1.DeletionRetain), string(v1alpha1.DeletionDelete)}, Default: string(v1alpha1.DeletionRetain)},

	"projectSource.url": {
		Required: true, Pattern: httpsPattern, MaxLength: 2048, Noun: "an https URL without a user, a query and a fragment", check: checkURL, Hidden: true,
		Want: "https, a host and a path, such as https://acme.freehold.example.com/v1/projects",
	},
	"projectSource.caBundle": {
		MaxLength: 64 << 10, check: checkCertificates, Hidden: true, Want: "certificates in PEM and nothing else, 64 KiB at most",
	},
	"projectSource.interval": {
		Pattern: durationPattern, MaxLength: 24, Noun: "a time", check: checkInterval, Want: "5s to 1h, such as 1m",
	},

	"access.people.issuerUrl":     issuerFacet,
	"access.people.tokens":        {Enum: []string{string(TokensID), string(TokensAccess)}},
	"access.people.usernameClaim": claimFacet,
	"access.people.groupsClaim":   claimFacet,
	"access.people.roles":         {Required: true, MinItems: 1, MaxItems: len(accessRoles), Want: "which groups have which role, such as {role: viewer, groups: [security]}"},
	"access.people.roles[].role":  {Required: true, Enum: accessRoles},
	"access.people.roles[].groups": {
		Required: true, MinItems: 1, MaxItems: 64, Want: "1 to 64 groups",
	},
	"access.people.roles[].groups[]": {
		Pattern: subjectShape, MaxLength: 256, Noun: "the name of a group", Want: "up to 256 characters without spaces at the ends",
	},
	"access.pipelines": {MaxItems: 64, Want: "at most 64 pipelines"},
	"access.pipelines[].name": {
		Required: true, Pattern: label, MaxLength: 40, Noun: "a DNS label",
		Want: "1 to 40 lower-case letters, digits and hyphens, such as deploy",
	},
	"access.pipelines[].issuerUrl": issuerFacet,
	"access.pipelines[].subject": {
		Required: true, Pattern: subjectShape, MaxLength: 512, Noun: "the subject of a token", check: checkPinned,
		Want: "the whole subject, such as repo:acme/platform:ref:refs/heads/main",
	},
	"access.pipelines[].claims": {MinItems: 1, MaxItems: 16, Want: "1 to 16 claims"},
	"access.pipelines[].claims[]": {
		Pattern: subjectShape, MaxLength: 512, Noun: "the value of a claim", check: checkPinned,
		Want: "the whole value, up to 512 characters without spaces at the ends",
	},
	"access.pipelines[].role": {Enum: accessRoles, Default: string(AccessPipeline)},
	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableOutboundWebIdentityFederation.html
	"access.aws.issuerUrl": {
		Required: true, Pattern: `^https://[a-z0-9]([a-z0-9-]*[a-z0-9])?\.tokens\.sts\.global\.api\.aws$`, MaxLength: 256,
		Noun: "the issuer of an AWS account",
		Want: "the IssuerUrl of aws iam get-outbound-web-identity-federation-info, such as https://….tokens.sts.global.api.aws",
	},
	"access.aws.roles": {Required: true, MinItems: 1, MaxItems: 64, Want: "1 to 64 roles"},
	"access.aws.roles[].roleArn": {
		Required: true, Pattern: `^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`, MaxLength: 2048, Noun: "the ARN of a role",
		Want: "an ARN such as arn:aws:iam::123456789012:role/reporting",
	},
	"access.aws.roles[].role": {Required: true, Enum: accessRoles},

	// AWS allows 50 tags; ten are left for Freehold's own and for AWS services.
	// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
	"tags": {MaxItems: 40, Want: "at most 40 tags"},
	"tags[]": {
		Pattern: tagText, MaxLength: 256, Noun: "a tag value",
		Want: "up to 256 letters, digits, spaces and any of _.:/=+@-",
	},
	"deletionProtection": {Default: true},

	"exceptions": {MaxItems: 100, Want: "at most 100 exceptions"},
	"exceptions[].rule": {
		Required: true, Pattern: `^FH[0-9]{3}$`, Noun: "the id of a rule", Want: "an id such as FH604, as the finding names it",
	},
	"exceptions[].resource": {
		Required: true, Pattern: subjectShape, MaxLength: 1024, Noun: "the name of a resource",
		Want: "the resource's logical name or its URN, as the finding names it; the URN where resources of two types have the name",
	},
	"exceptions[].reason": {
		Required: true, Pattern: subjectShape, MinLength: 10, MaxLength: 500, Noun: "a reason",
		Want: "10 to 500 characters on one line that say why it has to be so",
	},
	"exceptions[].approver": {
		Required: true, Pattern: subjectShape, MinLength: 3, MaxLength: 100, Noun: "a name",
		Want: "who answers for it, such as ciso@example.com",
	},
	"exceptions[].expires": {
		Required: true, Pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, Noun: "a date", check: checkDate,
		Want: `the last day on which it holds, in quotes, such as "2027-03-31"`,
	},

	"versions.vpcCni":           addonFacet,
	"versions.coreDns":          addonFacet,
	"versions.kubeProxy":        addonFacet,
	"versions.ebsCsi":           addonFacet,
	"versions.podIdentityAgent": addonFacet,
	"versions.controllerDigest": {
		Pattern: `^sha256:[0-9a-f]{64}$`, Noun: "an image digest",
		Want: "sha256: and 64 hexadecimal digits",
	},
}

// patterns are the compiled patterns of facets.
var patterns = func() map[string]*regexp.Regexp {
	compiled := map[string]*regexp.Regexp{}
	for _, f := range facets {
		if f.Pattern != "" && compiled[f.Pattern] == nil {
			compiled[f.Pattern] = regexp.MustCompile(f.Pattern)
		}
	}
	return compiled
}()

// CheckOrg refuses what cannot be the name of an org.
func CheckOrg(org string) error {
	f := facets["org"]
	if problem := f.text(org); problem != "" {
		return fmt.Errorf("org %s: want %s", problem, f.Want)
	}
	return nil
}

// Facets returns what each field accepts, by field path, with [] for any entry
// of a list or mapping.
func Facets() map[string]Facet { return maps.Clone(facets) }
