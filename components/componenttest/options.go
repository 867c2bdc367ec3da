package componenttest

import (
	"fmt"
	"strings"
)

// Option changes how a program is run or what the mocks answer.
type Option func(*options)

type options struct {
	stack   string
	config  map[string]string
	preview bool
	calls   map[string]func(map[string]any) (map[string]any, error)
	outputs map[string]func(Resource) map[string]any
}

// Preview runs the program as a preview: nothing that a provider computes is known.
func Preview() Option { return func(o *options) { o.preview = true } }

// Stack names the stack; default "acme.test".
func Stack(name string) Option { return func(o *options) { o.stack = name } }

// Config gives the program one value of stack configuration, "freehold:in".
func Config(key, value string) Option {
	return func(o *options) {
		if o.config == nil {
			o.config = map[string]string{}
		}
		o.config[key] = value
	}
}

// Answer gives the mocks' answer for one function of a provider, by token.
func Answer(token string, f func(args map[string]any) (map[string]any, error)) Option {
	return func(o *options) { o.calls[token] = f }
}

// Outputs adds to the properties that the mocks make up for a type of
// resource; an "id" among them becomes the resource's id.
func Outputs(typ string, f func(Resource) map[string]any) Option {
	return func(o *options) { o.outputs[typ] = f }
}

// calls are the answers that programs get without Answer.
var calls = map[string]func(map[string]any) (map[string]any, error){
	"aws:organizations/getOrganization:getOrganization": func(map[string]any) (map[string]any, error) {
		return Organization("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"), nil
	},
	"aws:index/getCallerIdentity:getCallerIdentity": func(map[string]any) (map[string]any, error) {
		return map[string]any{
			"accountId": Account,
			"arn":       "arn:aws:sts::" + Account + ":assumed-role/tester/session",
			"id":        Account,
			"userId":    "AROAEXAMPLE:session",
		}, nil
	},
	"aws:index/getRegion:getRegion": func(map[string]any) (map[string]any, error) {
		return map[string]any{"name": Region, "id": Region, "description": "Europe (Frankfurt)", "endpoint": "ec2." + Region + ".amazonaws.com"}, nil
	},
	"aws:index/getPartition:getPartition": func(map[string]any) (map[string]any, error) {
		return map[string]any{"partition": "aws", "id": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}, nil
	},
}

// Organization is the answer of getOrganization for an organization with one
// root, "r-root", in which these policy types are enabled.
func Organization(policyTypes ...string) map[string]any {
	var enabled, types []any
	for _, t := range policyTypes {
		enabled = append(enabled, t)
		types = append(types, map[string]any{"type": t, "status": "ENABLED"})
	}
	const management = "100000000001"
	return map[string]any{
		"id":                         "o-example",
		"arn":                        "arn:aws:organizations::" + management + ":organization/o-example",
		"accounts":                   []any{},
		"nonMasterAccounts":          []any{},
		"awsServiceAccessPrincipals": []any{},
		"enabledPolicyTypes":         enabled,
		"featureSet":                 "ALL",
		"masterAccountArn":           "arn:aws:organizations::" + management + ":account/o-example/" + management,
		"masterAccountEmail":         "root@example.com",
		"masterAccountId":            management,
		"masterAccountName":          "management",
		"roots": []any{map[string]any{
			"id": "r-root", "name": "Root", "policyTypes": types,
			"arn": "arn:aws:organizations::" + management + ":root/o-example/r-root",
		}},
	}
}

// standard is what every resource gets: an ARN after its type and AWS name.
func standard(r Resource) map[string]any {
	parts := strings.Split(r.Type, ":")
	if len(parts) != 3 || parts[0] != "aws" {
		return map[string]any{}
	}
	service, kind, _ := strings.Cut(parts[1], "/")
	return map[string]any{"arn": fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, Region, Account, kind, awsName(r))}
}

// awsName is the name that AWS would know the resource by.
func awsName(r Resource) string {
	if name, ok := r.Inputs["name"].(string); ok && name != "" {
		return name
	}
	return r.Name
}

// outputs are the types whose outputs are not the standard ones.
var outputs = map[string]func(Resource) map[string]any{
	"aws:organizations/account:Account": func(Resource) map[string]any {
		return map[string]any{"id": Account, "arn": "arn:aws:organizations::100000000001:account/o-example/" + Account, "status": "ACTIVE"}
	},
	"aws:organizations/policy:Policy": func(r Resource) map[string]any {
		return map[string]any{"id": "p-" + r.Name}
	},
	"aws:iam/policy:Policy": func(r Resource) map[string]any {
		arn := "arn:aws:iam::" + Account + ":policy/" + awsName(r)
		return map[string]any{"id": arn, "arn": arn}
	},
	"aws:iam/role:Role": func(r Resource) map[string]any {
		return map[string]any{"id": awsName(r), "name": awsName(r), "arn": "arn:aws:iam::" + Account + ":role/" + awsName(r)}
	},
	"aws:kms/key:Key": func(r Resource) map[string]any {
		return map[string]any{"id": r.Name + "-id", "keyId": r.Name + "-id", "arn": "arn:aws:kms:" + Region + ":" + Account + ":key/" + r.Name + "-id"}
	},
	"aws:s3/bucketV2:BucketV2": func(r Resource) map[string]any {
		name, _ := r.Inputs["bucket"].(string)
		return map[string]any{"id": name, "bucket": name, "arn": "arn:aws:s3:::" + name}
	},
	"aws:cloudtrail/trail:Trail": func(r Resource) map[string]any {
		arn := "arn:aws:cloudtrail:" + Region + ":" + Account + ":trail/" + awsName(r)
		return map[string]any{"id": awsName(r), "arn": arn}
	},
	"aws:ecr/repository:Repository": func(r Resource) map[string]any {
		return map[string]any{
			"id": awsName(r), "registryId": Account,
			"arn":           "arn:aws:ecr:" + Region + ":" + Account + ":repository/" + awsName(r),
			"repositoryUrl": Account + ".dkr.ecr." + Region + ".amazonaws.com/" + awsName(r),
		}
	},
	"aws:accessanalyzer/analyzer:Analyzer": func(r Resource) map[string]any {
		name, _ := r.Inputs["analyzerName"].(string)
		return map[string]any{"id": name, "arn": "arn:aws:access-analyzer:" + Region + ":" + Account + ":analyzer/" + name}
	},
	"aws:ec2/vpc:Vpc": func(r Resource) map[string]any {
		return map[string]any{
			"id": "vpc-" + r.Name, "arn": "arn:aws:ec2:" + Region + ":" + Account + ":vpc/vpc-" + r.Name,
			"defaultSecurityGroupId": "sg-default", "defaultNetworkAclId": "acl-default", "defaultRouteTableId": "rtb-default", "mainRouteTableId": "rtb-default",
		}
	},
	"aws:ec2/subnet:Subnet":               prefixed("subnet-"),
	"aws:ec2/securityGroup:SecurityGroup": prefixed("sg-"),
	"aws:ec2/eip:Eip": func(r Resource) map[string]any {
		return map[string]any{"id": "eipalloc-" + r.Name, "allocationId": "eipalloc-" + r.Name, "publicIp": "203.0.113.7"}
	},
	"aws:cloudwatch/logGroup:LogGroup": func(r Resource) map[string]any {
		return map[string]any{"id": awsName(r), "arn": "arn:aws:logs:" + Region + ":" + Account + ":log-group:" + awsName(r)}
	},
}

func prefixed(prefix string) func(Resource) map[string]any {
	return func(r Resource) map[string]any { return map[string]any{"id": prefix + r.Name} }
}
