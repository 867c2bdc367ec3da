package audit

import (
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/iam"
)

// identity is one physical identity that a resource is, and not only names.
type identity struct {
	kind  string
	token string
	value string // as people know it
}

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
	var out []identity
	add := func(kind, token, value string) {
		if token != "" && value != "" {
			out = append(out, identity{kind, token, value})
		}
	}
	if arn := output(outputs, "arn"); owned(arn) {
		add(kindARN, arn, arn)
	}
	if strings.IndexByte(id, '-') > 0 && cloudID(id) {
		kind := kindID
		if typ == awstype.EC2VPC {
			kind = "VPC"
		}
		add(kind, id, id)
	}
	for _, i := range awstype.Identities(typ) {
		value := id
		if i.Output != "" {
			value = output(outputs, i.Output)
		}
		token, shown := formed(i.As, value)
		add(i.Kind, token, shown)
	}
	return out
}

// output is the text at a path of outputs, through the first element of lists.
func output(outputs map[string]any, path string) string {
	var v any = outputs
	for k := range strings.SplitSeq(path, ".") {
		if list, is := v.([]any); is {
			if len(list) == 0 {
				return ""
			}
			v = list[0]
		}
		in, _ := v.(map[string]any)
		v = in[k]
	}
	s, _ := v.(string)
	return s
}

// formed is an identity as others write it, and as reports show it.
func formed(as awstype.Form, value string) (token, shown string) {
	switch as {
	case awstype.Folded:
		return strings.ToLower(value), value
	case awstype.Bare:
		return bare(value), value
	case awstype.LastPart:
		if i := strings.LastIndexByte(value, '/'); i > 0 && capitals(value[i+1:]) {
			return value[i+1:], value
		}
		return "", ""
	case awstype.Sessions:
		who := session(value)
		return who, who
	case awstype.Bucket:
		return bucketToken(value), value
	default:
		return value, value
	}
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
