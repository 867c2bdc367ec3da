package audit

import (
	"strings"

	"freehold.dev/freehold/internal/iam"
)

// identity is one physical identity that a resource is, and not only names.
type identity struct {
	kind  string
	token string
	value string // as people know it
}

const (
	accountType = "aws:organizations/account:Account"
	vpcType     = "aws:ec2/vpc:Vpc"
)

// Kinds of identities.
const (
	kindAccount = "account"
	kindARN     = "ARN"
	kindID      = "id"
	kindCIDR    = "CIDR when peered"
)

// identities are what a resource is: what nothing of another org may be. A
// resource that a program only read, and a component, are nothing by themselves.
func identities(r resource) []identity {
	if !r.Custom || r.External || !strings.HasPrefix(r.Type, "aws:") {
		return nil
	}
	return identitiesOf(r.Type, r.ID, r.Outputs)
}

func identitiesOf(typ, id string, outputs map[string]any) []identity {
	text := func(keys ...string) string {
		var v any = outputs
		for _, k := range keys {
			switch in := v.(type) {
			case map[string]any:
				v = in[k]
			case []any:
				if len(in) == 0 {
					return ""
				}
				first, _ := in[0].(map[string]any)
				v = first[k]
			}
		}
		s, _ := v.(string)
		return s
	}
	var out []identity
	add := func(kind, token, value string) {
		if value != "" {
			out = append(out, identity{kind, token, value})
		}
	}
	if arn := text("arn"); owned(arn) {
		add(kindARN, arn, arn)
	}
	if strings.IndexByte(id, '-') > 0 && cloudID(id) {
		kind := kindID
		if typ == vpcType {
			kind = "VPC"
		}
		add(kind, id, id)
	}
	switch typ {
	case accountType:
		add(kindAccount, id, id)
		add("e-mail", strings.ToLower(text("email")), text("email"))
	case "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:kms/externalKey:ExternalKey":
		add("KMS key", text("keyId"), text("keyId"))
	case "aws:iam/role:Role":
		add("role session principal", text("uniqueId"), text("uniqueId"))
		if who := session(text("arn")); who != "" {
			add("role session principal", who, who)
		}
	case "aws:iam/user:User":
		add("user", text("uniqueId"), text("uniqueId"))
	case "aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2":
		add("bucket", bucketToken(id), id)
	case "aws:route53/zone:Zone":
		add("hosted zone", text("zoneId"), text("zoneId"))
	case "aws:eks/cluster:Cluster":
		add("cluster endpoint", bare(text("endpoint")), text("endpoint"))
		issuer := text("identities", "oidcs", "issuer")
		add("OIDC issuer", bare(issuer), issuer)
		if i := strings.LastIndexByte(issuer, '/'); i > 0 && capitals(issuer[i+1:]) {
			add("OIDC issuer", issuer[i+1:], issuer)
		}
	case "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
		// Its URL is the issuer of a cluster, which is another resource of the same org.
		add("OIDC issuer", bare(text("url")), text("url"))
	}
	return out
}

// owned reports whether an ARN is of one thing in an account or under a name
// that is unique in all of AWS, and not one of AWS's own ("arn:aws:iam::aws:policy/…").
func owned(name string) bool {
	arn, err := iam.ParseARN(name)
	return err == nil && arn.Account != "aws" && (arn.Account != "" || arn.Service == "s3" || arn.Service == "route53")
}

// session is how the sessions of a role begin, without the session's own name.
func session(role string) string {
	arn, err := iam.ParseARN(role)
	if err != nil || arn.Role() == "" {
		return ""
	}
	arn.Service, arn.Resource = "sts", "assumed-role/"+arn.Role()
	return arn.String()
}

// bare is a URL without its scheme, as ARNs and conditions have it.
func bare(url string) string {
	if i := strings.Index(url, "://"); i > 0 {
		url = url[i+len("://"):]
	}
	return strings.TrimRight(url, "/.")
}
