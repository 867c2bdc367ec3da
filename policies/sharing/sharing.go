package sharing

import (
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// rules are the rules about what AWS offers to share things by.
var rules = []rule.Rule{
	resourceShares, vpcPeering, networkHubs, routesOut, endpointServices, endpoints,
	privateNames, zoneAuthorizations, directConnect, serviceNetworks, imageDistribution,
	eventTargets, backupCopies, bucketCopies, callers, imageCopies, partners, invitations, organizationSwitches,
}

// https://docs.aws.amazon.com/ram/latest/userguide/shareable.html
var resourceShares = rule.Rule{
	ID:          "FH401",
	Title:       "Nothing is shared by Resource Access Manager",
	Why:         "a share gives subnets, transit gateways, certificate authorities and a hundred other things to another account, and inside an organization nobody there has to accept",
	Fix:         "take the share out, and make what the other account needs in that account",
	Severity:    rule.Critical,
	Criteria:    []string{"CC6.1", "CC6.6"},
	Types:       table.RefusedBy("FH401"),
	NoException: true,
	Check:       rule.ForbiddenBy("FH401"),
	Good: []rule.Example{
		example.Shows("a group of the account's own resources", "aws:resourcegroups/group:Group", object{"name": "shared"}),
		example.Shows("a queue that is called after sharing", "aws:sqs/queue:Queue", object{"name": "resource-share"}),
	},
	Bad: []rule.Example{
		example.Shows("a share that AWS keeps inside the organization", "aws:ram/resourceShare:ResourceShare", object{"name": "hub", "allowExternalPrincipals": false}),
		example.Shows("the other end: taking a share of somebody else's", "aws:ram/resourceShareAccepter:ResourceShareAccepter", object{"shareArn": "arn:aws:ram:eu-central-1:444455556666:resource-share/1"}),
		example.Shows("one more principal of a share that exists", "aws:ram/principalAssociation:PrincipalAssociation", object{"principal": "o-abc123"}),
		example.Shows("one more subnet of a share that exists", "aws:ram/resourceAssociation:ResourceAssociation", object{"resourceArn": "arn:aws:ec2:eu-central-1:210987654321:subnet/subnet-1"}),
	},
}

// callers are who may invoke a function or put events, where the provider has
// no policy document for it. A service is not yet an account: without the
// account in whose name it calls, it calls for everybody.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
var callers = rule.Rule{
	ID:       "FH415",
	Title:    "Functions, layers and event buses are open to the org's account only",
	Why:      "a permission for another account, an organization, or a service that calls on anybody's behalf lets others run the customer's code with the customer's rights",
	Fix:      "name the org's account as principal; for a service, set sourceAccount to it",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types: []string{
		"aws:lambda/permission:Permission", "aws:lambda/layerVersionPermission:LayerVersionPermission",
		"aws:cloudwatch/eventPermission:EventPermission",
	},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		in := r.Values()
		for _, org := range []string{"principalOrgId", "organizationId", "condition"} {
			if v := in.Get(org); j.Known(v) && v.Raw != nil && v.Raw != "" {
				j.Violate(v.Path, "an organization has more accounts than the org's own")
			}
		}
		who := in.Get("principal")
		if !j.Known(who) {
			return
		}
		switch text := who.Text(); {
		case serviceName(text):
			calledFor(j, in, s)
		case rule.AccountNamed(text) == "":
			j.Violate(who.Path, "%q is not the org's account, nor a principal of it", text)
		default:
			j.Own(who, s)
		}
	}),
	Good: []rule.Example{
		example.Shows("EventBridge, for a rule of the account", "aws:lambda/permission:Permission", object{
			"principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:eu-central-1:210987654321:rule/nightly",
		}),
		example.Shows("S3, whose ARN has no account, for the account", "aws:lambda/permission:Permission", object{
			"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::acme-uploads", "sourceAccount": "210987654321",
		}),
		example.Shows("a role of the account", "aws:lambda/permission:Permission", object{"principal": "arn:aws:iam::210987654321:role/jobs"}),
	},
	Bad: []rule.Example{
		example.Shows("S3, for whoever owns a bucket of that name by then", "aws:lambda/permission:Permission", object{
			"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::acme-uploads",
		}),
		example.Shows("everybody, of the organization", "aws:lambda/permission:Permission", object{"principal": "*", "principalOrgId": "o-abc123"}),
		example.Shows("another account's root", "aws:lambda/permission:Permission", object{"principal": "444455556666"}),
		example.Shows("a public layer", "aws:lambda/layerVersionPermission:LayerVersionPermission", object{"principal": "*"}),
		example.Shows("events of another account", "aws:cloudwatch/eventPermission:EventPermission", object{"principal": "444455556666", "statementId": "partner"}),
		example.Shows("events of the whole organization", "aws:cloudwatch/eventPermission:EventPermission", object{
			"principal": "*", "condition": object{"key": "aws:PrincipalOrgID", "type": "StringEquals", "value": "o-abc123"},
		}),
	},
}

// serviceName reports whether a principal is a service of AWS.
func serviceName(text string) bool {
	return strings.HasSuffix(text, ".amazonaws.com") || strings.HasSuffix(text, ".amazonaws.com.cn")
}

// calledFor violates unless a service is tied to calls of the org's account.
func calledFor(j *rule.Judge, in rule.Value, s rule.Scope) {
	account, source := in.Get("sourceAccount"), in.Get("sourceArn")
	if account.Text() == "" && !account.Unknown() && j.Known(source) && rule.AccountNamed(source.Text()) == "" {
		j.Violate("sourceAccount", "%s may call for any account", in.Get("principal").Text())
	}
	j.Own(account, s)
	j.Own(source, s)
}
