package policies

import (
	"net/netip"
	"slices"

	"freehold.dev/freehold/policies/table"
)

// exposure are the rules about what the internet can reach.
var exposure = []Rule{
	publicBlocks, bucketACLs, openIngress, publicServices, publicEndpoint,
	publicSubnets, nodeSubnets, publicAddresses, publicImages, metadata, accountSwitches, openPieces,
}

var publicBlocks = Rule{
	ID:          "FH601",
	Title:       "The public-access blocks of buckets are whole",
	Why:         "each of the four switches keeps one way open by which a bucket becomes everybody's: a new ACL, an old one, a new policy, an old one",
	Fix:         "set blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets to true",
	Severity:    Critical,
	Criteria:    []string{"CC6.1", "CC6.6"},
	NoException: true,
	Types: []string{
		"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
		"aws:s3/accessPoint:AccessPoint", "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint",
	},
	Check: on(func(j *judge, r Resource, _ Scope) {
		block, absent := r.values(), "" // the provider's default is false
		switch r.Type {
		case "aws:s3/accessPoint:AccessPoint":
			block, absent = block.get("publicAccessBlockConfiguration"), "true"
		case "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint":
			block, absent = block.get("details", "publicAccessBlock"), "true"
		}
		for _, part := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
			v := block.get(part)
			if v.v == nil && absent == "true" {
				continue
			}
			j.must(v, []string{"true"}, "%s is not on", part)
		}
	}),
	Good: []Example{
		shows("all four", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", object{
			"bucket": "b", "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
		}),
		shows("an access point, where all four are on unless said", "aws:s3/accessPoint:AccessPoint", object{"bucket": "b"}),
	},
	Bad: []Example{
		shows("three of four", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", object{
			"bucket": "b", "blockPublicAcls": true, "blockPublicPolicy": false, "ignorePublicAcls": true, "restrictPublicBuckets": true,
		}),
		shows("a block that says nothing, which is off", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", object{}),
		shows("an access point around the bucket's block", "aws:s3/accessPoint:AccessPoint", object{
			"bucket": "b", "publicAccessBlockConfiguration": object{"blockPublicPolicy": false},
		}),
	},
}

// privateACLs let nobody in but the bucket's owner. The grants of the others, and
// those that are written out, name groups of strangers or canonical ids, which
// tell nothing of whose they are.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
var privateACLs = []string{"", "private", "bucket-owner-full-control", "bucket-owner-read"}

var bucketACLs = Rule{
	ID:       "FH602",
	Title:    "Buckets and objects have no ACL that lets others in",
	Why:      "an ACL opens single objects to everybody, or to an account that only its canonical id names, and no policy shows it",
	Fix:      "leave ACLs out, with objectOwnership BucketOwnerEnforced, and grant by policy",
	Severity: Critical,
	Criteria: []string{"CC6.1"},
	Types: []string{
		"aws:s3/bucketAclV2:BucketAclV2", "aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2", "aws:s3/bucketObject:BucketObject",
		"aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/objectCopy:ObjectCopy", "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
	},
	Check: on(func(j *judge, r Resource, _ Scope) {
		in := r.values()
		j.must(in.get("acl"), privateACLs, "the ACL %s lets others in", in.get("acl").text())
		for _, path := range []string{"grants", "accessControlPolicy.grants", "accessControlPolicies.grants"} {
			for _, grant := range in.all(path) {
				if j.known(grant) {
					j.violate(grant.path, "an ACL grant does not say which account it is for")
				}
			}
		}
		if r.Type == "aws:s3/bucketOwnershipControls:BucketOwnershipControls" {
			j.must(in.get("rule", "objectOwnership"), []string{"BucketOwnerEnforced"}, "ACLs are in force")
		}
	}),
	Good: []Example{
		shows("no ACLs at all", "aws:s3/bucketOwnershipControls:BucketOwnershipControls", object{"bucket": "b", "rule": object{"objectOwnership": "BucketOwnerEnforced"}}),
		shows("the owner's alone", "aws:s3/bucketAclV2:BucketAclV2", object{"bucket": "b", "acl": "private"}),
	},
	Bad: []Example{
		shows("everybody", "aws:s3/bucketAclV2:BucketAclV2", object{"bucket": "b", "acl": "public-read"}),
		shows("everybody who has any AWS account", "aws:s3/bucketV2:BucketV2", object{"acl": "authenticated-read"}),
		shows("one object only", "aws:s3/bucketObjectv2:BucketObjectv2", object{"bucket": "b", "key": "logo.png", "acl": "public-read"}),
		shows("another account by its canonical id", "aws:s3/bucketAclV2:BucketAclV2", object{
			"accessControlPolicy": object{"grants": list{object{"grantee": object{"type": "CanonicalUser", "id": "79a59d"}, "permission": "READ"}}},
		}),
		shows("a bucket in which ACLs count", "aws:s3/bucketOwnershipControls:BucketOwnershipControls", object{"rule": object{"objectOwnership": "ObjectWriter"}}),
	},
}

// everybody reports whether a range is the internet, or so much of it that the
// difference matters to nobody: two halves of it are the whole.
func everybody(text string) (yes, valid bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return false, false
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Addr().Is4() {
		return p.Bits() < 8, true
	}
	return p.Bits() < 16, true
}

// closed violates where a range lets everybody in, or is none.
func (j *judge) closed(v value) {
	if !j.known(v) || v.text() == "" {
		return
	}
	switch yes, valid := everybody(v.text()); {
	case !valid:
		j.violate(v.path, "%s is not a range of addresses", v.text())
	case yes:
		j.violate(v.path, "%s is the whole internet", v.text())
	}
}

var openIngress = Rule{
	ID:       "FH603",
	Title:    "No security group lets the internet in",
	Why:      "whatever listens behind the group is one unpatched hole away from everybody",
	Fix:      "name the ranges or the group that need to get in; publish by load balancer",
	Severity: High,
	Criteria: []string{"CC6.6"},
	Types:    append(typesWith(table.Network), "aws:eks/nodeGroup:NodeGroup"),
	Check: on(func(j *judge, r Resource, _ Scope) {
		in := r.values()
		if r.Type == "aws:ec2/securityGroupRule:SecurityGroupRule" {
			switch direction := in.get("type"); {
			case !j.known(direction) || direction.is("egress"):
				return
			}
		}
		if r.Type != "aws:eks/cluster:Cluster" { // FH604 asks whether its endpoint is public
			visitColumns(r, table.Of(r.Type), func(at *table.Place, p *place) {
				if at != nil && at.Holds(table.Network) {
					j.closed(value{p.path(), p.v})
				}
			})
		}
		// With a key and no groups, EKS opens port 22 to the internet.
		// https://docs.aws.amazon.com/eks/latest/APIReference/API_RemoteAccessConfig.html
		if access := in.get("remoteAccess"); r.Type == "aws:eks/nodeGroup:NodeGroup" && j.known(access) && access.get("ec2SshKey").v != nil {
			if groups := access.get("sourceSecurityGroupIds"); j.known(groups) && len(groups.each()) == 0 {
				j.violate(groups.path, "without groups, EKS lets the internet in by SSH")
			}
		}
	}),
	Good: []Example{
		shows("the way out, which is not a way in", "aws:ec2/securityGroupRule:SecurityGroupRule", object{"type": "egress", "cidrBlocks": list{"0.0.0.0/0"}}),
		shows("the network's own range", "aws:ec2/securityGroup:SecurityGroup", object{
			"ingress": list{object{"cidrBlocks": list{"10.0.0.0/16"}, "fromPort": 443}}, "egress": list{object{"cidrBlocks": list{"0.0.0.0/0"}}},
		}),
		shows("a default group that is empty", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", object{"ingress": list{}, "egress": list{}}),
	},
	Bad: []Example{
		shows("a rule inside the group", "aws:ec2/securityGroup:SecurityGroup", object{"ingress": list{object{"cidrBlocks": list{"10.0.0.0/16", "0.0.0.0/0"}, "fromPort": 22}}}),
		shows("the other internet", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"cidrIpv6": "::/0"}),
		shows("the internet in two halves", "aws:ec2/securityGroupRule:SecurityGroupRule", object{"type": "ingress", "cidrBlocks": list{"0.0.0.0/1", "128.0.0.0/1"}}),
		shows("version 4 in the form of version 6", "aws:ec2/securityGroup:SecurityGroup", object{"ingress": list{object{"ipv6CidrBlocks": list{"::ffff:0.0.0.0/96"}}}}),
		shows("an address that hides the length", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"cidrIpv4": "10.1.2.3/0"}),
		shows("the default group", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", object{"ingress": list{object{"protocol": "-1", "cidrBlocks": list{"0.0.0.0/0"}}}}),
		shows("a list of ranges that groups refer to", "aws:ec2/managedPrefixList:ManagedPrefixList", object{"entries": list{object{"cidr": "0.0.0.0/0"}}}),
		shows("a key for nodes, and no groups", "aws:eks/nodeGroup:NodeGroup", object{"remoteAccess": object{"ec2SshKey": "ops"}}),
	},
}

var publicEndpoint = Rule{
	ID:       "FH604",
	Title:    "The cluster's API answers the internet for a list of ranges only",
	Why:      "an endpoint without a list is one leaked credential away from the customer's data",
	Fix:      "set endpointPublicAccess to false, or publicAccessCidrs to the ranges of those who need it",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    []string{"aws:eks/cluster:Cluster"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		vpc := r.values().get("vpcConfig")
		public := vpc.get("endpointPublicAccess")
		// EKS answers publicly, and everybody, unless told otherwise.
		// https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html
		if !j.known(public) || public.is("false") {
			return
		}
		allowed := vpc.get("publicAccessCidrs")
		if j.known(allowed) && len(allowed.each()) == 0 {
			j.violate(allowed.path, "the endpoint is public and has no list of ranges, so it answers everybody")
		}
		for _, v := range allowed.each() {
			j.closed(v)
		}
	}),
	Good: []Example{
		shows("private", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPrivateAccess": true, "endpointPublicAccess": false}}),
		shows("public for an office", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": list{"203.0.113.0/24"}}}),
	},
	Bad: []Example{
		shows("nothing said, which is public", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"subnetIds": list{"subnet-1"}}}),
		shows("a list that ends in everybody", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": list{"203.0.113.0/24", "0.0.0.0/0"}}}),
		shows("everybody in two halves", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": list{"0.0.0.0/1", "128.0.0.0/1"}}}),
		shows("an empty list", "aws:eks/cluster:Cluster", object{"vpcConfig": object{"endpointPublicAccess": true, "publicAccessCidrs": list{}}}),
	},
}

// insideVPC are types that are on the internet unless they are put into a VPC.
var insideVPC = map[string]string{
	"aws:opensearch/domain:Domain":    "vpcOptions",
	"aws:elasticsearch/domain:Domain": "vpcOptions",
}

var publicServices = Rule{
	ID:       "FH605",
	Title:    "No database, broker or function is on the internet",
	Why:      "a public address leaves a password, or nothing, between the internet and the customer's data",
	Fix:      "switch public access off, and reach it from inside the VPC",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.6"},
	Types:    slices.Concat(typesWith(table.Public), sortedKeysOf(insideVPC), refusedBy("FH605")),
	Check: on(func(j *judge, r Resource, _ Scope) {
		j.forbidden(r, "FH605")
		j.switchedOff(table.Public, "it is reachable from the internet", r)
		if path, ok := insideVPC[r.Type]; ok {
			if v := r.values().get(path); j.known(v) && v.v == nil {
				j.violate(path, "outside of a VPC it is reachable from the internet")
			}
		}
	}),
	Good: []Example{
		shows("a database inside", "aws:rds/instance:Instance", object{"engine": "postgres"}),
		shows("a function that asks for a signature", "aws:lambda/functionUrl:FunctionUrl", object{"authorizationType": "AWS_IAM"}),
		shows("a domain in the VPC", "aws:opensearch/domain:Domain", object{"vpcOptions": object{"subnetIds": list{Unknown{}}}}),
	},
	Bad: []Example{
		shows("a database for a moment, to load data", "aws:rds/instance:Instance", object{"engine": "postgres", "publiclyAccessible": true}),
		shows("a function without authentication", "aws:lambda/functionUrl:FunctionUrl", object{"authorizationType": "NONE"}),
		shows("a domain that was put nowhere", "aws:opensearch/domain:Domain", object{"domainName": "logs"}),
		shows("a warehouse, where public is the default", "aws:redshift/cluster:Cluster", object{"nodeType": "ra3.xlplus"}),
		shows("brokers with addresses", "aws:msk/cluster:Cluster", object{
			"brokerNodeGroupInfo": object{"connectivityInfo": object{"publicAccess": object{"type": "SERVICE_PROVIDED_EIPS"}}},
		}),
	},
}
