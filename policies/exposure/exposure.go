package exposure

import (
	"maps"
	"slices"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// rules are the rules about what the internet can reach.
var rules = []rule.Rule{
	publicBlocks, bucketACLs, openIngress, publicServices, publicEndpoint,
	publicSubnets, nodeSubnets, publicAddresses, publicImages, metadata, accountSwitches, openPieces,
}

var publicBlocks = rule.Rule{
	ID:          "FH601",
	Title:       "The public-access blocks of buckets are whole",
	Why:         "each of the four switches keeps one way open by which a bucket becomes everybody's: a new ACL, an old one, a new policy, an old one",
	Fix:         "set blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets to true",
	Severity:    rule.Critical,
	Criteria:    []string{"CC6.1", "CC6.6"},
	NoException: true,
	Types: []string{
		"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
		"aws:s3/accessPoint:AccessPoint", "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint",
	},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		block, absent := r.Values(), "" // the provider's default is false
		switch r.Type {
		case "aws:s3/accessPoint:AccessPoint":
			block, absent = block.Get("publicAccessBlockConfiguration"), "true"
		case "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint":
			block, absent = block.Get("details", "publicAccessBlock"), "true"
		}
		for _, part := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
			v := block.Get(part)
			if v.Raw == nil && absent == "true" {
				continue
			}
			j.Must(v, []string{"true"}, "%s is not on", part)
		}
	}),
	Good: []rule.Example{
		example.Shows("all four", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", object{
			"bucket": "b", "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
		}),
		example.Shows("an access point, where all four are on unless said", "aws:s3/accessPoint:AccessPoint", object{"bucket": "b"}),
	},
	Bad: []rule.Example{
		example.Shows("three of four", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", object{
			"bucket": "b", "blockPublicAcls": true, "blockPublicPolicy": false, "ignorePublicAcls": true, "restrictPublicBuckets": true,
		}),
		example.Shows("a block that says nothing, which is off", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", object{}),
		example.Shows("an access point around the bucket's block", "aws:s3/accessPoint:AccessPoint", object{
			"bucket": "b", "publicAccessBlockConfiguration": object{"blockPublicPolicy": false},
		}),
	},
}

// privateACLs let nobody in but the bucket's owner. The grants of the others, and
// those that are written out, name groups of strangers or canonical ids, which
// tell nothing of whose they are.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
var privateACLs = []string{"", "private", "bucket-owner-full-control", "bucket-owner-read"}

var bucketACLs = rule.Rule{
	ID:       "FH602",
	Title:    "Buckets and objects have no ACL that lets others in",
	Why:      "an ACL opens single objects to everybody, or to an account that only its canonical id names, and no policy shows it",
	Fix:      "leave ACLs out, with objectOwnership BucketOwnerEnforced, and grant by policy",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1"},
	Types: []string{
		"aws:s3/bucketAclV2:BucketAclV2", "aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2", "aws:s3/bucketObject:BucketObject",
		"aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/objectCopy:ObjectCopy", "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
	},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		in := r.Values()
		j.Must(in.Get("acl"), privateACLs, "the ACL %s lets others in", in.Get("acl").Text())
		for _, path := range []string{"grants", "accessControlPolicy.grants", "accessControlPolicies.grants"} {
			for _, grant := range in.All(path) {
				if j.Known(grant) {
					j.Violate(grant.Path, "an ACL grant does not say which account it is for")
				}
			}
		}
		if r.Type == "aws:s3/bucketOwnershipControls:BucketOwnershipControls" {
			j.Must(in.Get("rule", "objectOwnership"), []string{"BucketOwnerEnforced"}, "ACLs are in force")
		}
	}),
	Good: []rule.Example{
		example.Shows("no ACLs at all", "aws:s3/bucketOwnershipControls:BucketOwnershipControls", object{"bucket": "b", "rule": object{"objectOwnership": "BucketOwnerEnforced"}}),
		example.Shows("the owner's alone", "aws:s3/bucketAclV2:BucketAclV2", object{"bucket": "b", "acl": "private"}),
	},
	Bad: []rule.Example{
		example.Shows("everybody", "aws:s3/bucketAclV2:BucketAclV2", object{"bucket": "b", "acl": "public-read"}),
		example.Shows("everybody who has any AWS account", "aws:s3/bucketV2:BucketV2", object{"acl": "authenticated-read"}),
		example.Shows("one object only", "aws:s3/bucketObjectv2:BucketObjectv2", object{"bucket": "b", "key": "logo.png", "acl": "public-read"}),
		example.Shows("another account by its canonical id", "aws:s3/bucketAclV2:BucketAclV2", object{
			"accessControlPolicy": object{"grants": list{object{"grantee": object{"type": "CanonicalUser", "id": "79a59d"}, "permission": "READ"}}},
		}),
		example.Shows("a bucket in which ACLs count", "aws:s3/bucketOwnershipControls:BucketOwnershipControls", object{"rule": object{"objectOwnership": "ObjectWriter"}}),
	},
}

var openIngress = rule.Rule{
	ID:       "FH603",
	Title:    "No security group lets the internet in",
	Why:      "whatever listens behind the group is one unpatched hole away from everybody",
	Fix:      "name the ranges or the group that need to get in; publish by load balancer",
	Severity: rule.High,
	Criteria: []string{"CC6.6"},
	Types:    append(table.TypesWith(table.Network), "aws:eks/nodeGroup:NodeGroup"),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		in := r.Values()
		if r.Type == "aws:ec2/securityGroupRule:SecurityGroupRule" {
			switch direction := in.Get("type"); {
			case !j.Known(direction) || direction.Is("egress"):
				return
			}
		}
		if r.Type != "aws:eks/cluster:Cluster" { // FH604 asks whether its endpoint is public
			rule.VisitColumns(r, table.Of(r.Type), func(at *table.Place, p *rule.Node) {
				if at != nil && at.Holds(table.Network) {
					j.Closed(rule.Value{Path: p.Path(), Raw: p.Raw})
				}
			})
		}
		// With a key and no groups, EKS opens port 22 to the internet.
		// https://docs.aws.amazon.com/eks/latest/APIReference/API_RemoteAccessConfig.html
		if access := in.Get("remoteAccess"); r.Type == "aws:eks/nodeGroup:NodeGroup" && j.Known(access) && access.Get("ec2SshKey").Raw != nil {
			if groups := access.Get("sourceSecurityGroupIds"); j.Known(groups) && len(groups.Each()) == 0 {
				j.Violate(groups.Path, "without groups, EKS lets the internet in by SSH")
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("the way out, which is not a way in", "aws:ec2/securityGroupRule:SecurityGroupRule", object{"type": "egress", "cidrBlocks": list{"0.0.0.0/0"}}),
		example.Shows("the network's own range", "aws:ec2/securityGroup:SecurityGroup", object{
			"ingress": list{object{"cidrBlocks": list{"10.0.0.0/16"}, "fromPort": 443}}, "egress": list{object{"cidrBlocks": list{"0.0.0.0/0"}}},
		}),
		example.Shows("a default group that is empty", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", object{"ingress": list{}, "egress": list{}}),
	},
	Bad: []rule.Example{
		example.Shows("a rule inside the group", "aws:ec2/securityGroup:SecurityGroup", object{"ingress": list{object{"cidrBlocks": list{"10.0.0.0/16", "0.0.0.0/0"}, "fromPort": 22}}}),
		example.Shows("the other internet", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"cidrIpv6": "::/0"}),
		example.Shows("the internet in two halves", "aws:ec2/securityGroupRule:SecurityGroupRule", object{"type": "ingress", "cidrBlocks": list{"0.0.0.0/1", "128.0.0.0/1"}}),
		example.Shows("version 4 in the form of version 6", "aws:ec2/securityGroup:SecurityGroup", object{"ingress": list{object{"ipv6CidrBlocks": list{"::ffff:0.0.0.0/96"}}}}),
		example.Shows("an address that hides the length", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"cidrIpv4": "10.1.2.3/0"}),
		example.Shows("the default group", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", object{"ingress": list{object{"protocol": "-1", "cidrBlocks": list{"0.0.0.0/0"}}}}),
		example.Shows("a list of ranges that groups refer to", "aws:ec2/managedPrefixList:ManagedPrefixList", object{"entries": list{object{"cidr": "0.0.0.0/0"}}}),
		example.Shows("a key for nodes, and no groups", "aws:eks/nodeGroup:NodeGroup", object{"remoteAccess": object{"ec2SshKey": "ops"}}),
	},
}

var publicEndpoint = rule.Rule{
	ID:       "FH604",
	Title:    "The cluster's API answers the internet for a list of ranges only",
	Why:      "an endpoint without a list is one leaked credential away from the customer's data",
	Fix:      "set endpointPublicAccess to false, or publicAccessCidrs to the ranges of those who need it",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    []string{"aws:eks/cluster:Cluster"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		vpc := r.Values().Get("vpcConfig")
		public := vpc.Get("endpointPublicAccess")
		// EKS answers publicly, and everybody, unless told otherwise.
		// https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html
		if !j.Known(public) || public.Is("false") {
			return
		}
		allowed := vpc.Get("publicAccessCidrs")
		if j.Known(allowed) && len(allowed.Each()) == 0 {
			j.Violate(allowed.Path, "the endpoint is public and has no list of ranges, so it answers everybody")
		}
		for _, v := range allowed.Each() {
			j.Closed(v)
		}
	}),
	Good: []rule.Example{
		example.Shows("private", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPrivateAccess": true, "endpointPublicAccess": false}}),
		example.Shows("public for an office", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": list{"203.0.113.0/24"}}}),
	},
	Bad: []rule.Example{
		example.Shows("nothing said, which is public", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"subnetIds": list{"subnet-1"}}}),
		example.Shows("a list that ends in everybody", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": list{"203.0.113.0/24", "0.0.0.0/0"}}}),
		example.Shows("everybody in two halves", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": list{"0.0.0.0/1", "128.0.0.0/1"}}}),
		example.Shows("an empty list", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": list{}}}),
	},
}

// insideVPC are types that are on the internet unless they are put into a VPC.
var insideVPC = map[string]string{
	"aws:opensearch/domain:Domain":    "vpcOptions",
	"aws:elasticsearch/domain:Domain": "vpcOptions",
}

var publicServices = rule.Rule{
	ID:       "FH605",
	Title:    "No database, broker or function is on the internet",
	Why:      "a public address leaves a password, or nothing, between the internet and the customer's data",
	Fix:      "switch public access off, and reach it from inside the VPC",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    slices.Concat(table.TypesWith(table.Public), slices.Sorted(maps.Keys(insideVPC)), table.RefusedBy("FH605")),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		j.Forbidden(r, "FH605")
		j.SwitchedOff(table.Public, "it is reachable from the internet", r)
		if path, ok := insideVPC[r.Type]; ok {
			if v := r.Values().Get(path); j.Known(v) && v.Raw == nil {
				j.Violate(path, "outside of a VPC it is reachable from the internet")
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("a database inside", "aws:rds/instance:Instance", object{"engine": "postgres"}),
		example.Shows("a function that asks for a signature", "aws:lambda/functionUrl:FunctionUrl", object{"authorizationType": "AWS_IAM"}),
		example.Shows("a domain in the VPC", "aws:opensearch/domain:Domain", object{"vpcOptions": object{"subnetIds": list{rule.Unknown{}}}}),
	},
	Bad: []rule.Example{
		example.Shows("a database for a moment, to load data", "aws:rds/instance:Instance", object{"engine": "postgres", "publiclyAccessible": true}),
		example.Shows("a function without authentication", "aws:lambda/functionUrl:FunctionUrl", object{"authorizationType": "NONE"}),
		example.Shows("a domain that was put nowhere", "aws:opensearch/domain:Domain", object{"domainName": "logs"}),
		example.Shows("a warehouse, where public is the default", "aws:redshift/cluster:Cluster", object{"nodeType": "ra3.xlplus"}),
		example.Shows("brokers with addresses", "aws:msk/cluster:Cluster", object{
			"brokerNodeGroupInfo": object{"connectivityInfo": object{"publicAccess": object{"type": "SERVICE_PROVIDED_EIPS"}}},
		}),
	},
}
