package policies

import (
	"maps"
	"slices"
	"strings"
)

// sharing are the rules about what AWS offers to share things by.
var sharing = []Rule{
	resourceShares, vpcPeering, networkHubs, routesOut, endpointServices, endpoints,
	privateNames, zoneAuthorizations, directConnect, serviceNetworks, imageDistribution,
	eventTargets, backupCopies, bucketCopies, callers, imageCopies, partners, invitations, organizationSwitches,
}

// https://docs.aws.amazon.com/ram/latest/userguide/shareable.html
var resourceShares = Rule{
	ID:          "FH401",
	Title:       "Nothing is shared by Resource Access Manager",
	Why:         "a share gives subnets, transit gateways, certificate authorities and a hundred other things to another account, and inside an organization nobody there has to accept",
	Fix:         "take the share out, and make what the other account needs in that account",
	Severity:    Critical,
	Criteria:    []string{"CC6.1", "CC6.6"},
	Types:       refusedBy("FH401"),
	NoException: true,
	Check:       forbiddenBy("FH401"),
	Good: []Example{
		shows("a group of the account's own resources", "aws:resourcegroups/group:Group", object{"name": "shared"}),
		shows("a queue that is called after sharing", "aws:sqs/queue:Queue", object{"name": "resource-share"}),
	},
	Bad: []Example{
		shows("a share that AWS keeps inside the organization", "aws:ram/resourceShare:ResourceShare", object{"name": "hub", "allowExternalPrincipals": false}),
		shows("the other end: taking a share of somebody else's", "aws:ram/resourceShareAccepter:ResourceShareAccepter", object{"shareArn": "arn:aws:ram:eu-central-1:444455556666:resource-share/1"}),
		shows("one more principal of a share that exists", "aws:ram/principalAssociation:PrincipalAssociation", object{"principal": "o-abc123"}),
		shows("one more subnet of a share that exists", "aws:ram/resourceAssociation:ResourceAssociation", object{"resourceArn": "arn:aws:ec2:eu-central-1:210987654321:subnet/subnet-1"}),
	},
}

// callers are who may invoke a function or put events, where the provider has
// no policy document for it. A service is not yet an account: without the
// account in whose name it calls, it calls for everybody.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
var callers = Rule{
	ID:       "FH415",
	Title:    "Functions, layers and event buses are open to the org's account only",
	Why:      "a permission for another account, an organization, or a service that calls on anybody's behalf lets others run the customer's code with the customer's rights",
	Fix:      "name the org's account as principal; for a service, set sourceAccount to it",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types: []string{
		"aws:lambda/permission:Permission", "aws:lambda/layerVersionPermission:LayerVersionPermission",
		"aws:cloudwatch/eventPermission:EventPermission",
	},
	Check: on(func(j *judge, r Resource, s Scope) {
		in := r.values()
		for _, org := range []string{"principalOrgId", "organizationId", "condition"} {
			if v := in.get(org); j.known(v) && v.v != nil && v.v != "" {
				j.violate(v.path, "an organization has more accounts than the org's own")
			}
		}
		who := in.get("principal")
		if !j.known(who) {
			return
		}
		switch text := who.text(); {
		case serviceName(text):
			j.calledFor(in, s)
		case accountNamed(text) == "":
			j.violate(who.path, "%q is not the org's account, nor a principal of it", text)
		default:
			j.own(who, s)
		}
	}),
	Good: []Example{
		shows("EventBridge, for a rule of the account", "aws:lambda/permission:Permission", object{
			"principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:eu-central-1:210987654321:rule/nightly",
		}),
		shows("S3, whose ARN has no account, for the account", "aws:lambda/permission:Permission", object{
			"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::acme-uploads", "sourceAccount": "210987654321",
		}),
		shows("a role of the account", "aws:lambda/permission:Permission", object{"principal": "arn:aws:iam::210987654321:role/jobs"}),
	},
	Bad: []Example{
		shows("S3, for whoever owns a bucket of that name by then", "aws:lambda/permission:Permission", object{
			"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::acme-uploads",
		}),
		shows("everybody, of the organization", "aws:lambda/permission:Permission", object{"principal": "*", "principalOrgId": "o-abc123"}),
		shows("another account's root", "aws:lambda/permission:Permission", object{"principal": "444455556666"}),
		shows("a public layer", "aws:lambda/layerVersionPermission:LayerVersionPermission", object{"principal": "*"}),
		shows("events of another account", "aws:cloudwatch/eventPermission:EventPermission", object{"principal": "444455556666", "statementId": "partner"}),
		shows("events of the whole organization", "aws:cloudwatch/eventPermission:EventPermission", object{
			"principal": "*", "condition": object{"key": "aws:PrincipalOrgID", "type": "StringEquals", "value": "o-abc123"},
		}),
	},
}

// serviceName reports whether a principal is a service of AWS.
func serviceName(text string) bool {
	return strings.HasSuffix(text, ".amazonaws.com") || strings.HasSuffix(text, ".amazonaws.com.cn")
}

// calledFor violates unless a service is tied to calls of the org's account.
func (j *judge) calledFor(in value, s Scope) {
	account, source := in.get("sourceAccount"), in.get("sourceArn")
	if account.text() == "" && !account.unknown() && j.known(source) && accountNamed(source.text()) == "" {
		j.violate("sourceAccount", "%s may call for any account", in.get("principal").text())
	}
	j.own(account, s)
	j.own(source, s)
}

func sortedKeysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
