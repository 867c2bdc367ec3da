package references

import (
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/reading"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

var lookups = []rule.Rule{
	{
		ID:       "FH206",
		Title:    "Nothing is imported or read that is not the org's",
		Why:      "what is imported is changed and deleted as the org's own, and what is read by another's id ends in the org's state",
		Fix:      "take ids from the outputs of the org's own layers and resources",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"pulumi:import:*", "pulumi:read:*"},
		Check:    rule.On(checkTakenOver),
		Bad:      badLookups(), Good: goodLookups(),
	},
	{
		ID:       "FH207",
		Title:    "Only functions are called that are known, with arguments that are the org's",
		Why:      "a function reads, decrypts or runs what its arguments name, with the org's credentials, and no resource shows it",
		Fix:      "call functions of the modules that policies/references/lookups.go lists, with the outputs of the org's own layers; add a module there after reading what its functions take",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"pulumi:invoke:*", "pulumi:call:*", "pulumi:package:*"},
		Check:    rule.On(checkFunction),
		Bad:      badFunctions(), Good: goodFunctions(),
	},
}

// idParts are the parts of an id that several resources' ids make up.
var idParts = regexp.MustCompile(`[^A-Za-z0-9-]+`)

func checkTakenOver(j *rule.Judge, r rule.Resource, s rule.Scope) {
	kind, token, _ := rule.AskedFor(r.Type)
	if s.Layer == rule.LayerAccount && !rule.OfAccountLayer(token) {
		j.Violate("", "the account layer may not %s %s: it is in the management account", kind, token)
	}
	if strings.HasPrefix(token, "aws:") {
		switch row := table.Of(token); row.State {
		case table.Unclassified:
			j.Violate("", "it is not classified how %s can be shared", token)
		case table.Forbidden:
			j.Violate("", "%s: %s", token, row.Reason)
		case table.Classified:
		}
	}
	if r.ID == "" {
		j.Undecided("id")
		return
	}
	if strings.HasPrefix(token, "aws:s3/") && !strings.HasPrefix(token, "aws:s3/account") {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.ID, "s3://"), "arn:aws:s3:::"), "/")
		name, _, _ = strings.Cut(name, ",")
		name, _, _ = strings.Cut(name, ":")
		if own, _ := ownBucket(name, nil, s); !own {
			j.Violate("id", "the bucket %s is not known to be the org's", name)
		}
	}
	if slices.Contains(s.Owned, r.ID) {
		return
	}
	for _, part := range idParts.Split(r.ID, -1) {
		if reading.IsGiven(part) && !slices.Contains(s.Owned, part) {
			j.Violate("id", "%s is not known to be the org's", part)
		}
	}
	if token == rule.TypeOrgPolicy && !strings.HasPrefix(r.ID, "arn:") {
		j.Violate("id", "the policy %s is not known to be the org's", r.ID)
	}
	issued(j, "id", r.ID, s)
}

// issued violates where a text names the issuer or endpoint of a cluster that no
// layer of the org's has made.
func issued(j *rule.Judge, path, text string, s rule.Scope) {
	for _, issuer := range reading.IssuersIn(text) {
		if own := ownIssuer(issuer, nil, s); !own {
			j.Violate(path, "%s is not known to be the org's cluster", issuer)
		}
	}
}

// functionModules are the modules of the AWS provider whose functions read what is in
// the account, or AWS's own lists and texts. Those that look over the organization,
// decrypt, or run something are not among them.
//
// https://www.pulumi.com/registry/packages/aws/api-docs/
var functionModules = []string{
	"acm", "acmpca", "alb", "amp", "apigateway", "apigatewayv2", "appconfig", "athena", "autoscaling", "backup", "batch", "budgets",
	"cloudfront", "cloudtrail", "cloudwatch", "codebuild", "cognito", "docdb", "dynamodb", "ebs", "ec2", "ecr", "ecrpublic", "ecs", "efs",
	"eks", "elasticache", "elasticsearch", "elb", "emr", "emrcontainers", "fsx", "glue", "grafana", "guardduty", "iam", "index", "inspector",
	"kinesis", "kms", "lambda", "lb", "memorydb", "mq", "msk", "mskconnect", "neptune", "networkfirewall", "opensearch", "polly", "pricing",
	"rds", "redshift", "resourcegroupstaggingapi", "route53", "s3", "s3control", "secretsmanager", "securityhub", "servicediscovery",
	"servicequotas", "ses", "sesv2", "sfn", "sns", "sqs", "ssm", "synthetics", "transfer", "vpc", "wafv2",
}

// functionsRefused are functions of those modules that do more than to read.
var functionsRefused = map[string]string{
	"aws:lambda/getInvocation:getInvocation":                     "it runs the function",
	"aws:kms/getSecret:getSecret":                                "it decrypts, and the text ends in the state",
	"aws:kms/getSecrets:getSecrets":                              "it decrypts, and the text ends in the state",
	"aws:index/getIpRanges:getIpRanges":                          "it fetches from the address that it is given",
	"aws:redshift/getDataShares:getDataShares":                   "it lists what other accounts share",
	"aws:redshift/getProducerDataShares:getProducerDataShares":   "it lists what other accounts share",
	"aws:redshift/getClusterCredentials:getClusterCredentials":   "it makes credentials",
	"aws:iam/getAccessKeys:getAccessKeys":                        "it lists keys",
	"aws:ec2/getVpcPeeringConnection:getVpcPeeringConnection":    "it looks for a connection to another network",
	"aws:ec2/getVpcPeeringConnections:getVpcPeeringConnections":  "it looks for connections to other networks",
	"aws:elasticache/getUser:getUser":                            "it reads a user's credentials",
	"aws:ecr/getPullThroughCacheRule:getPullThroughCacheRule":    "it reads whose credentials another registry is asked with",
	"aws:route53/getProfilesProfiles:getProfilesProfiles":        "it lists what other accounts share",
	"aws:acmpca/getCertificateAuthority:getCertificateAuthority": "an authority is shared by its ARN",
}

// functionsElse are the functions of other packages.
var functionsElse = []string{
	"kubernetes:yaml:decode", "kubernetes:helm:template", "kubernetes:kustomize:directory", // what they return is registered, and judged
	"pulumi:pulumi:getResource", "tls:index/getPublicKey:getPublicKey",
	"eks:index:Cluster/getKubeconfig",
}

func checkFunction(j *rule.Judge, r rule.Resource, s rule.Scope) {
	kind, token, _ := rule.AskedFor(r.Type)
	if kind == "package" {
		checkPackage(j, r, token)
		return
	}
	pkg, rest, _ := strings.Cut(token, ":")
	module, _, _ := strings.Cut(rest, "/")
	why, no := functionsRefused[token]
	switch {
	case token == "aws:organizations/getOrganization:getOrganization" && s.Layer == rule.LayerAccount: // whether policies can be attached
	case no:
		j.Violate("", "%s: %s", token, why)
	case pkg == "aws" && slices.Contains(functionModules, module), slices.Contains(functionsElse, token):
	case token == "pulumi:pulumi:readStackOutputs", token == "pulumi:pulumi:readStackResourceOutputs":
		stack := r.Values().Get("name")
		if stack.Raw == nil {
			stack = r.Values().Get("stackName")
		}
		if !j.Known(stack) {
			return
		}
		name := stack.Text()[strings.LastIndexByte(stack.Text(), '/')+1:]
		if org, _, ok := strings.Cut(name, "."); !ok || org != s.Org {
			j.Violate(stack.Path, "the stack %s does not belong to the org %s", stack.Text(), s.Org)
		}
	default:
		j.Violate("", "it is not known what %s does with its arguments", token)
	}
	checkFunctionsArguments(j, r, s)
}

// checkFunctionsArguments judges what FH201, which sees accounts, does not: buckets,
// ids and issuers, and switches that let in what others share.
func checkFunctionsArguments(j *rule.Judge, r rule.Resource, s rule.Scope) {
	rule.VisitInputs(j, r, func(in *rule.Input) {
		reading.PhysicalIDs(in.Text, func(id string) {
			if !slices.Contains(s.Owned, id) {
				j.Violate(in.Path(), "%s is not known to be the org's", id)
			}
		})
		issued(j, in.Path(), in.Text, s)
		for _, name := range reading.BucketsIn(in.Text, strings.HasPrefix(strings.ToLower(in.Name()), "bucket") && !in.IsKey) {
			if own, _ := ownBucket(name, nil, s); !own {
				j.Violate(in.Path(), "the bucket %s is not known to be the org's", name)
			}
		}
		// An AMI's attributes say nothing of whoever made it; to start from one is judged
		// where it is started from.
		if reading.IsGiven(in.Text) && !strings.HasPrefix(in.Text, "ami-") && !slices.Contains(s.Owned, in.Text) && !(strings.HasPrefix(in.Text, "Z") && !zoneKey(in.Name())) {
			j.Violate(in.Path(), "%s is not known to be the org's", in.Text)
		}
	})
	v := r.Values()
	for _, key := range []string{"includePublic", "includeShared"} {
		j.MustNot(v.Get(key), []string{"true"}, "it would find what others share")
	}
	if _, token, _ := rule.AskedFor(r.Type); token == "aws:ec2/getAmi:getAmi" || token == "aws:ec2/getAmiIds:getAmiIds" {
		checkOwners(j, v.Get("owners"), s)
	}
}

func zoneKey(name string) bool { return strings.Contains(strings.ToLower(name), "zoneid") }

// imageOwners are whose images may be looked up by name: of others, whoever gives an
// image the name is found.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
var imageOwners = []string{"self", "amazon", "aws-marketplace", "microsoft"}

func checkOwners(j *rule.Judge, owners rule.Value, s rule.Scope) {
	if !j.Known(owners) {
		return
	}
	if len(owners.Each()) == 0 {
		j.Violate(owners.Path, "without owners anybody's image of that name is found")
	}
	for _, o := range owners.Each() {
		if j.Known(o) && !o.Is(imageOwners...) && o.Text() != s.AccountID {
			j.Violate(o.Path, "images of %s are not known to be safe", o.Text())
		}
	}
}

// checkPackage wants the SDKs' own providers. One that is made of another has types of
// its own under a name of the program's choice.
func checkPackage(j *rule.Judge, r rule.Resource, name string) {
	in := r.Values()
	if !rule.KnowsPackage(name) {
		j.Violate("", "the rules do not know what the package %q makes", name)
	}
	if made := in.Get("parameterized"); j.Known(made) && made.Is("true") {
		j.Violate("", "the package %q is made of another provider, whose types the rules do not know", name)
	}
	if url := in.Get("downloadUrl"); j.Known(url) && url.Text() != "" {
		j.Violate(url.Path, "the plugin is not the one that the SDK names")
	}
}

func asks(name, kind, token, id string, in object) rule.Example {
	e := example.Of(name, rule.AskedType(kind, token), in)
	e.Resource.ID = id
	e.Scope.Owned = []string{"vpc-0a1b2c3d4e5f60718", "freehold-acme", "arn:aws:kms:eu-central-1:" + example.Account + ":key/1"}
	return e
}

func badLookups() []rule.Example {
	admin := example.In(rule.LayerAccount, "the landing zone's administrator, taken over", rule.AskedType("import", "aws:organizations/delegatedAdministrator:DelegatedAdministrator"), object{})
	admin.Resource.ID = example.Account + "/guardduty.amazonaws.com"
	fence := example.In(rule.LayerAccount, "another org's fence, taken over", rule.AskedType("import", rule.TypeOrgPolicy), object{})
	fence.Resource.ID = "p-globex0001"
	return []rule.Example{
		admin, fence,
		asks("another org's bucket, taken over", "import", "aws:s3/bucketV2:BucketV2", "freehold-globex-data-"+example.OtherAccount, object{}),
		asks("an object of a bucket that nobody knows", "read", "aws:s3/bucketObjectv2:BucketObjectv2", "s3://globex/config.json", object{}),
		asks("a network that the org has not made, read", "read", "aws:ec2/vpc:Vpc", "vpc-0fedcba9876543210", object{}),
		asks("a shared subnet, taken over", "import", "aws:ec2/subnet:Subnet", "subnet-0fedcba9876543210", object{}),
		asks("a route of another network's table", "import", "aws:ec2/route:Route", "rtb-0fedcba9876543210_10.0.0.0/8", object{}),
		asks("a shared snapshot", "read", "aws:ebs/snapshot:Snapshot", "snap-0fedcba9876543210", object{}),
		asks("the provider of another cluster's issuer", "import", "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
			"arn:aws:iam::"+example.Account+":oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/FEDCBA9876543210FEDCBA9876543210", object{}),
		asks("a type that is not classified", "read", "aws:quicksight/dashboard:Dashboard", "sales", object{}),
	}
}

func goodLookups() []rule.Example {
	return []rule.Example{
		asks("the org's network", "read", "aws:ec2/vpc:Vpc", "vpc-0a1b2c3d4e5f60718", object{}),
		asks("a key by its ARN", "read", "aws:kms/key:Key", "arn:aws:kms:eu-central-1:"+example.Account+":key/1", object{}),
		asks("a role by its name", "import", rule.TypeRole, "freehold-acme-node", object{}),
		asks("the org's bucket", "import", "aws:s3/bucketV2:BucketV2", "freehold-acme-data-"+example.Account, object{}),
		asks("a queue of the account", "read", "aws:sqs/queue:Queue", "https://sqs.eu-central-1.amazonaws.com/"+example.Account+"/jobs", object{}),
		asks("a table by its name", "import", "aws:dynamodb/table:Table", "Zebra", object{}),
		asks("a namespace of the org's cluster", "read", "kubernetes:core/v1:Namespace", "kube-system", object{}),
	}
}

func badFunctions() []rule.Example {
	call := func(name, token string, in object) rule.Example { return asks(name, "invoke", token, "", in) }
	return []rule.Example{
		call("all accounts of the organization", "aws:organizations/getOrganization:getOrganization", object{}),
		call("who is in which group of the identity center", "aws:identitystore/getUsers:getUsers", object{"identityStoreId": "d-1"}),
		call("any resource of the Cloud Control API", "aws:cloudcontrol/getResource:getResource", object{"typeName": "AWS::S3::Bucket", "identifier": "b"}),
		call("a function that is run", "aws:lambda/getInvocation:getInvocation", object{"functionName": "f", "input": "{}"}),
		call("a text that is decrypted", "aws:kms/getSecrets:getSecrets", object{"secrets": list{}}),
		call("an object of another's bucket", "aws:s3/getObject:getObject", object{"bucket": "globex-config", "key": "secrets.json"}),
		call("a network that the org has not made", "aws:ec2/getVpc:getVpc", object{"id": "vpc-0fedcba9876543210"}),
		call("its subnets, by a filter", "aws:ec2/getSubnets:getSubnets", object{"filters": list{object{"name": "vpc-id", "values": list{"vpc-0fedcba9876543210"}}}}),
		call("an image of whoever gives it that name", "aws:ec2/getAmi:getAmi", object{"mostRecent": true, "filters": list{object{"name": "name", "values": list{"ubuntu-*"}}}}),
		call("an image of anybody", "aws:ec2/getAmi:getAmi", object{"owners": list{"*"}}),
		call("a snapshot that somebody shares", "aws:rds/getSnapshot:getSnapshot", object{"includeShared": true, "dbInstanceIdentifier": "shop"}),
		call("another org's outputs", "pulumi:pulumi:readStackOutputs", object{"name": "organization/freehold/globex.cluster"}),
		call("a function of a package that the rules do not know", "http:index/getHttp:getHttp", object{"url": "https://example.com"}),
		asks("the configuration of a provider", "call", "pulumi:providers:aws/terraformConfig", "", object{}),
		asks("a package that is made of another provider", "package", "aws", "", object{"parameterized": true, "downloadUrl": ""}),
		asks("a package from somewhere else", "package", "aws", "", object{"parameterized": false, "downloadUrl": "https://plugins.example.com"}),
		asks("a package that the rules do not know", "package", "command", "", object{"parameterized": false, "downloadUrl": ""}),
	}
}

func goodFunctions() []rule.Example {
	call := func(name, token string, in object) rule.Example { return asks(name, "invoke", token, "", in) }
	organization := example.In(rule.LayerAccount, "whether the organization has policies", rule.AskedType("invoke", "aws:organizations/getOrganization:getOrganization"), object{})
	organization.Resource.Provider = example.Pinned(example.ManagementAccount)
	return []rule.Example{
		organization,
		call("who is calling", "aws:index/getCallerIdentity:getCallerIdentity", object{}),
		call("the zones of the Region", "aws:index/getAvailabilityZones:getAvailabilityZones", object{"state": "available"}),
		call("a policy as text", "aws:iam/getPolicyDocument:getPolicyDocument", object{"statements": list{object{"actions": list{"s3:GetObject"}}}}),
		call("the org's network", "aws:ec2/getVpc:getVpc", object{"id": "vpc-0a1b2c3d4e5f60718"}),
		call("the newest image of Amazon Linux", "aws:ec2/getAmi:getAmi", object{"owners": list{"amazon"}, "mostRecent": true, "filters": list{object{"name": "name", "values": list{"al2023-ami-*"}}}}),
		call("the image of EKS nodes that AWS recommends", "aws:ssm/getParameter:getParameter", object{"name": "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id"}),
		call("a secret of the account", "aws:secretsmanager/getSecretVersion:getSecretVersion", object{"secretId": "freehold-acme/db"}),
		call("the org's cluster", "aws:eks/getCluster:getCluster", object{"name": "freehold-acme"}),
		call("the org's bucket", "aws:s3/getBucket:getBucket", object{"bucket": "freehold-acme-data-" + example.Account}),
		call("the account of the load balancers' logs", "aws:elb/getServiceAccount:getServiceAccount", object{}),
		call("a manifest as objects, which are judged one by one", "kubernetes:yaml:decode", object{"text": "kind: ConfigMap"}),
		call("the org's own outputs", "pulumi:pulumi:readStackOutputs", object{"name": "organization/freehold/acme.cluster"}),
		asks("the kubeconfig of the component", "call", "eks:index:Cluster/getKubeconfig", "", object{}),
	}
}
