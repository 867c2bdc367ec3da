package policies

import (
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/table"
)

// AskedType is the type under which rules see what a program asks for beside the
// resources that it makes: "pulumi:import:" and the resource's type, "pulumi:invoke:"
// and the function.
func AskedType(kind, token string) string { return "pulumi:" + kind + ":" + token }

// askedFor takes such a type apart; ok is false for what is made.
func askedFor(typ string) (kind, token string, ok bool) {
	rest, ok := strings.CutPrefix(typ, "pulumi:")
	if !ok {
		return "", "", false
	}
	kind, token, _ = strings.Cut(rest, ":")
	return kind, token, slices.Contains([]string{"import", "read", "invoke", "call", "package"}, kind)
}

var lookups = []Rule{
	{
		ID:       "FH206",
		Title:    "Nothing is imported or read that is not the org's",
		Why:      "what is imported is changed and deleted as the org's own, and what is read by another's id ends in the org's state",
		Fix:      "take ids from the outputs of the org's own layers and resources",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"pulumi:import:*", "pulumi:read:*"},
		Check:    on(checkTakenOver),
		Bad:      badLookups(), Good: goodLookups(),
	},
	{
		ID:       "FH207",
		Title:    "Only functions are called that are known, with arguments that are the org's",
		Why:      "a function reads, decrypts or runs what its arguments name, with the org's credentials, and no resource shows it",
		Fix:      "call functions of the modules that policies/lookups.go lists, with the outputs of the org's own layers; add a module there after reading what its functions take",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"pulumi:invoke:*", "pulumi:call:*", "pulumi:package:*"},
		Check:    on(checkFunction),
		Bad:      badFunctions(), Good: goodFunctions(),
	},
}

// idParts are the parts of an id that several resources' ids make up.
var idParts = regexp.MustCompile(`[^A-Za-z0-9-]+`)

func checkTakenOver(j *judge, r Resource, s Scope) {
	kind, token, _ := askedFor(r.Type)
	if s.Layer == layerAccount && !slices.Contains(accountTypes, token) {
		j.violate("", "the account layer may not %s %s: it is in the management account", kind, token)
	}
	if strings.HasPrefix(token, "aws:") {
		switch row := table.Of(token); row.State {
		case table.Unclassified:
			j.violate("", "it is not classified how %s can be shared", token)
		case table.Forbidden:
			j.violate("", "%s: %s", token, row.Reason)
		case table.Classified:
		}
	}
	if r.ID == "" {
		j.undecided("id")
		return
	}
	if strings.HasPrefix(token, "aws:s3/") && !strings.HasPrefix(token, "aws:s3/account") {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.ID, "s3://"), "arn:aws:s3:::"), "/")
		name, _, _ = strings.Cut(name, ",")
		name, _, _ = strings.Cut(name, ":")
		if own, _ := ownBucket(name, nil, s); !own {
			j.violate("id", "the bucket %s is not known to be the org's", name)
		}
	}
	if slices.Contains(s.Owned, r.ID) {
		return
	}
	for _, part := range idParts.Split(r.ID, -1) {
		if isGiven(part) && !slices.Contains(s.Owned, part) {
			j.violate("id", "%s is not known to be the org's", part)
		}
	}
	if token == typeOrgPolicy && !strings.HasPrefix(r.ID, "arn:") {
		j.violate("id", "the policy %s is not known to be the org's", r.ID)
	}
	issued(j, "id", r.ID, s)
}

// issued violates where a text names the issuer or endpoint of a cluster that no
// layer of the org's has made.
func issued(j *judge, path, text string, s Scope) {
	for _, issuer := range issuersIn(text) {
		if own := ownIssuer(issuer, nil, s); !own {
			j.violate(path, "%s is not known to be the org's cluster", issuer)
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

func checkFunction(j *judge, r Resource, s Scope) {
	kind, token, _ := askedFor(r.Type)
	if kind == "package" {
		checkPackage(j, r, token)
		return
	}
	pkg, rest, _ := strings.Cut(token, ":")
	module, _, _ := strings.Cut(rest, "/")
	why, no := functionsRefused[token]
	switch {
	case token == "aws:organizations/getOrganization:getOrganization" && s.Layer == layerAccount: // whether policies can be attached
	case no:
		j.violate("", "%s: %s", token, why)
	case pkg == "aws" && slices.Contains(functionModules, module), slices.Contains(functionsElse, token):
	case token == "pulumi:pulumi:readStackOutputs", token == "pulumi:pulumi:readStackResourceOutputs":
		stack := r.values().get("name")
		if stack.v == nil {
			stack = r.values().get("stackName")
		}
		if !j.known(stack) {
			return
		}
		name := stack.text()[strings.LastIndexByte(stack.text(), '/')+1:]
		if org, _, ok := strings.Cut(name, "."); !ok || org != s.Org {
			j.violate(stack.path, "the stack %s does not belong to the org %s", stack.text(), s.Org)
		}
	default:
		j.violate("", "it is not known what %s does with its arguments", token)
	}
	checkFunctionsArguments(j, r, s)
}

// checkFunctionsArguments judges what FH201, which sees accounts, does not: buckets,
// ids and issuers, and switches that let in what others share.
func checkFunctionsArguments(j *judge, r Resource, s Scope) {
	visitInputs(j, r, func(in *input) {
		physicalIDs(in.text, func(id string) {
			if !slices.Contains(s.Owned, id) {
				j.violate(in.path(), "%s is not known to be the org's", id)
			}
		})
		issued(j, in.path(), in.text, s)
		for _, name := range bucketsIn(in.text, strings.HasPrefix(strings.ToLower(in.name()), "bucket") && !in.key) {
			if own, _ := ownBucket(name, nil, s); !own {
				j.violate(in.path(), "the bucket %s is not known to be the org's", name)
			}
		}
		// An AMI's attributes say nothing of whoever made it; to start from one is judged
		// where it is started from.
		if isGiven(in.text) && !strings.HasPrefix(in.text, "ami-") && !slices.Contains(s.Owned, in.text) && !(strings.HasPrefix(in.text, "Z") && !zoneKey(in.name())) {
			j.violate(in.path(), "%s is not known to be the org's", in.text)
		}
	})
	v := r.values()
	for _, key := range []string{"includePublic", "includeShared"} {
		j.mustNot(v.get(key), []string{"true"}, "it would find what others share")
	}
	if _, token, _ := askedFor(r.Type); token == "aws:ec2/getAmi:getAmi" || token == "aws:ec2/getAmiIds:getAmiIds" {
		checkOwners(j, v.get("owners"), s)
	}
}

func zoneKey(name string) bool { return strings.Contains(strings.ToLower(name), "zoneid") }

// imageOwners are whose images may be looked up by name: of others, whoever gives an
// image the name is found.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
var imageOwners = []string{"self", "amazon", "aws-marketplace", "microsoft"}

func checkOwners(j *judge, owners value, s Scope) {
	if !j.known(owners) {
		return
	}
	if len(owners.each()) == 0 {
		j.violate(owners.path, "without owners anybody's image of that name is found")
	}
	for _, o := range owners.each() {
		if j.known(o) && !o.is(imageOwners...) && o.text() != s.AccountID {
			j.violate(o.path, "images of %s are not known to be safe", o.text())
		}
	}
}

// checkPackage wants the SDKs' own providers. One that is made of another has types of
// its own under a name of the program's choice.
func checkPackage(j *judge, r Resource, name string) {
	in := r.values()
	if !slices.Contains(seen, name) {
		j.violate("", "the rules do not know what the package %q makes", name)
	}
	if made := in.get("parameterized"); j.known(made) && made.is("true") {
		j.violate("", "the package %q is made of another provider, whose types the rules do not know", name)
	}
	if url := in.get("downloadUrl"); j.known(url) && url.text() != "" {
		j.violate(url.path, "the plugin is not the one that the SDK names")
	}
}

func asks(name, kind, token, id string, in object) Example {
	e := example(name, AskedType(kind, token), in)
	e.Resource.ID = id
	e.Scope.Owned = []string{"vpc-0a1b2c3d4e5f60718", "freehold-acme", "arn:aws:kms:eu-central-1:" + exampleAccount + ":key/1"}
	return e
}

func badLookups() []Example {
	admin := exampleIn(layerAccount, "the landing zone's administrator, taken over", AskedType("import", "aws:organizations/delegatedAdministrator:DelegatedAdministrator"), object{})
	admin.Resource.ID = exampleAccount + "/guardduty.amazonaws.com"
	fence := exampleIn(layerAccount, "another org's fence, taken over", AskedType("import", typeOrgPolicy), object{})
	fence.Resource.ID = "p-globex0001"
	return []Example{
		admin, fence,
		asks("another org's bucket, taken over", "import", "aws:s3/bucketV2:BucketV2", "freehold-globex-data-"+exampleOther, object{}),
		asks("an object of a bucket that nobody knows", "read", "aws:s3/bucketObjectv2:BucketObjectv2", "s3://globex/config.json", object{}),
		asks("a network that the org has not made, read", "read", "aws:ec2/vpc:Vpc", "vpc-0fedcba9876543210", object{}),
		asks("a shared subnet, taken over", "import", "aws:ec2/subnet:Subnet", "subnet-0fedcba9876543210", object{}),
		asks("a route of another network's table", "import", "aws:ec2/route:Route", "rtb-0fedcba9876543210_10.0.0.0/8", object{}),
		asks("a shared snapshot", "read", "aws:ebs/snapshot:Snapshot", "snap-0fedcba9876543210", object{}),
		asks("the provider of another cluster's issuer", "import", "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
			"arn:aws:iam::"+exampleAccount+":oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/FEDCBA9876543210FEDCBA9876543210", object{}),
		asks("a type that is not classified", "read", "aws:quicksight/dashboard:Dashboard", "sales", object{}),
	}
}

func goodLookups() []Example {
	return []Example{
		asks("the org's network", "read", "aws:ec2/vpc:Vpc", "vpc-0a1b2c3d4e5f60718", object{}),
		asks("a key by its ARN", "read", "aws:kms/key:Key", "arn:aws:kms:eu-central-1:"+exampleAccount+":key/1", object{}),
		asks("a role by its name", "import", typeRole, "freehold-acme-node", object{}),
		asks("the org's bucket", "import", "aws:s3/bucketV2:BucketV2", "freehold-acme-data-"+exampleAccount, object{}),
		asks("a queue of the account", "read", "aws:sqs/queue:Queue", "https://sqs.eu-central-1.amazonaws.com/"+exampleAccount+"/jobs", object{}),
		asks("a table by its name", "import", "aws:dynamodb/table:Table", "Zebra", object{}),
		asks("a namespace of the org's cluster", "read", "kubernetes:core/v1:Namespace", "kube-system", object{}),
	}
}

func badFunctions() []Example {
	call := func(name, token string, in object) Example { return asks(name, "invoke", token, "", in) }
	return []Example{
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

func goodFunctions() []Example {
	call := func(name, token string, in object) Example { return asks(name, "invoke", token, "", in) }
	organization := exampleIn(layerAccount, "whether the organization has policies", AskedType("invoke", "aws:organizations/getOrganization:getOrganization"), object{})
	organization.Resource.Provider = pinned(exampleManaging)
	return []Example{
		organization,
		call("who is calling", "aws:index/getCallerIdentity:getCallerIdentity", object{}),
		call("the zones of the Region", "aws:index/getAvailabilityZones:getAvailabilityZones", object{"state": "available"}),
		call("a policy as text", "aws:iam/getPolicyDocument:getPolicyDocument", object{"statements": list{object{"actions": list{"s3:GetObject"}}}}),
		call("the org's network", "aws:ec2/getVpc:getVpc", object{"id": "vpc-0a1b2c3d4e5f60718"}),
		call("the newest image of Amazon Linux", "aws:ec2/getAmi:getAmi", object{"owners": list{"amazon"}, "mostRecent": true, "filters": list{object{"name": "name", "values": list{"al2023-ami-*"}}}}),
		call("the image of EKS nodes that AWS recommends", "aws:ssm/getParameter:getParameter", object{"name": "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id"}),
		call("a secret of the account", "aws:secretsmanager/getSecretVersion:getSecretVersion", object{"secretId": "freehold-acme/db"}),
		call("the org's cluster", "aws:eks/getCluster:getCluster", object{"name": "freehold-acme"}),
		call("the org's bucket", "aws:s3/getBucket:getBucket", object{"bucket": "freehold-acme-data-" + exampleAccount}),
		call("the account of the load balancers' logs", "aws:elb/getServiceAccount:getServiceAccount", object{}),
		call("a manifest as objects, which are judged one by one", "kubernetes:yaml:decode", object{"text": "kind: ConfigMap"}),
		call("the org's own outputs", "pulumi:pulumi:readStackOutputs", object{"name": "organization/freehold/acme.cluster"}),
		asks("the kubeconfig of the component", "call", "eks:index:Cluster/getKubeconfig", "", object{}),
	}
}
