package document

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
)

// Outsiders returns whom an Allow statement lets in who is not of the account,
// each in words: "AWS arn:aws:iam::…:root". Nobody but the account's own
// principals, AWS services that act for it, and friends (exact ARNs) is let in
// by an empty answer. Denials beside the statement do not count: each is one
// edit away from being gone.
func Outsiders(st iam.Statement, account string, friends ...string) []string {
	var out []string
	for _, p := range outside(st, account, friends) {
		out = append(out, describe(st, p.kind, p.id))
	}
	return out
}

// principal is one of those whom a statement names: "AWS" and its ARN.
type principal struct{ kind, id string }

// outside returns whom an Allow statement lets in who is not of the account.
func outside(st iam.Statement, account string, friends []string) []principal {
	if st.Effect != iam.Allow {
		return nil
	}
	if st.NotPrincipal != nil {
		if ClosedToOthers(st, "AWS", account, friends) {
			return nil
		}
		return []principal{{kind: butFor, id: "*"}}
	}
	var out []principal
	for kind, id := range st.Principal.All() {
		if Within(kind, id, account, friends) || ClosedToOthers(st, kind, account, friends) || logWriter(kind, id) && writesOwnLogs(st, account) {
			continue
		}
		out = append(out, principal{kind, id})
	}
	return out
}

// butFor is the kind of everybody whom NotPrincipal leaves.
const butFor = "NotPrincipal"

// Services returns the AWS services that a statement lets in for whichever
// account they act: a service is shared by all customers of AWS, and says in
// aws:SourceAccount and aws:SourceArn for whom it calls.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func Services(st iam.Statement, account string) []string {
	if st.Effect != iam.Allow || st.Principal == nil || ClosedToOthers(st, "Service", account, nil) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(st.Principal.Service), func(service string) bool {
		return logWriter("Service", service) && writesOwnLogs(st, account)
	})
}

// Within reports whether a principal is of the account by its own name. Service
// principals are: for whom they act is asked by services.
func Within(kind, id, account string, friends []string) bool {
	switch kind {
	case "Service":
		return strings.HasSuffix(id, ".amazonaws.com") && !strings.ContainsAny(id, "*?")
	case "AWS":
		if id == account || slices.Contains(friends, id) {
			return true
		}
		return OwnARN(id, account) && !strings.ContainsAny(id, "*?")
	case "Federated":
		return OwnARN(id, account)
	default: // CanonicalUser, whose account is unknown
		return false
	}
}

func describe(st iam.Statement, kind, id string) string {
	switch {
	case kind == butFor:
		return "everybody but the principals of NotPrincipal"
	case id == "*" && compares(st, organizationKeys...):
		return "everybody in the organization, and every other customer is in it"
	case id == "*":
		return "everybody"
	case kind == "CanonicalUser":
		return "a canonical user, whose account is unknown"
	case kind == "AWS" && !strings.HasPrefix(id, "arn:") && !iam.IsAccount(id):
		return id + ", an id whose account is unknown"
	default:
		return kind + " " + id
	}
}

// organizationKeys compare the organization of who calls.
var organizationKeys = []string{"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceOrgID", "aws:SourceOrgPaths"}

// compares reports whether a statement has a condition on one of the keys.
func compares(st iam.Statement, keys ...string) bool {
	return st.Condition.Any(func(_, key string, _ iam.Values) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) })
	})
}

// ClosedToOthers reports whether a condition keeps out whoever is not of the account.
// All conditions of a statement must hold, so one is enough.
func ClosedToOthers(st iam.Statement, kind, account string, friends []string) bool {
	return st.Condition.Any(func(operator, key string, values iam.Values) bool {
		return closes(operator, key, values, kind, account, friends)
	})
}

// closes knows the conditions that only the account's own can meet. Whether a
// request carries a key matters as much as its value: IfExists and ForAllValues
// hold where the key is absent, as it is for who did not sign in.
//
// aws:PrincipalOrgID is not among them: all customers are of one organization.
// Nor is aws:SourceVpc: it says by which network a caller comes, not who it is.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func closes(operator, key string, values iam.Values, kind, account string, friends []string) bool {
	operator, ok := Positive(operator)
	if !ok || len(values) == 0 || account == "" {
		return false
	}
	all := func(own func(string) bool) bool {
		for _, v := range values {
			if !own(OwnVariables(v, account)) {
				return false
			}
		}
		return true
	}
	key = strings.ToLower(key)
	switch {
	case key == "aws:principalaccount", key == "kms:calleraccount", key == "aws:sourceaccount",
		key == "aws:sourceowner", key == "s3:dataaccesspointaccount":
		return IsText(operator) && all(func(v string) bool { return v == account })
	case key == "aws:principalarn":
		return all(func(v string) bool {
			return OwnPattern(operator, v, account) || slices.Contains(friends, v)
		})
	case key == "aws:sourcearn", key == "s3:dataaccesspointarn":
		return all(func(v string) bool { return OwnPattern(operator, v, account) })
	case strings.HasPrefix(key, "kms:encryptioncontext:"):
		// A service sets the context of its calls; anybody else writes what he likes.
		return kind == "Service" && all(func(v string) bool { return OwnPattern(operator, v, account) })
	case key == "elasticfilesystem:accessedviamounttarget":
		// Mount targets are in the account's own VPC, which is joined to no other.
		return operator == "Bool" && all(func(v string) bool { return strings.EqualFold(v, "true") })
	default:
		return false
	}
}

// Positive returns the bare operator of a condition that holds only if the key
// is there and one of the values matches it.
func Positive(operator string) (bare string, ok bool) {
	operator = strings.TrimPrefix(operator, "ForAnyValue:")
	switch operator {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "Bool":
		return operator, true
	default:
		return "", false
	}
}

// IsText reports whether an operator compares texts.
func IsText(operator string) bool { return strings.HasPrefix(operator, "String") }

// OwnPattern reports whether a pattern of ARNs matches none but the account's.
// ARN operators compare part by part. The text operators let a star run over
// colons, which paths of roles and names of executions may hold, so nothing
// before the account may be a wildcard.
func OwnPattern(operator, pattern, account string) bool {
	arn, err := iam.ParseARN(pattern)
	if err != nil || arn.Account != account {
		return false
	}
	head := arn.Partition + arn.Service + arn.Region
	if strings.Contains(head, "$") { // a variable of the caller's may hold colons
		return false
	}
	switch operator {
	case "ArnEquals", "ArnLike", "StringEquals", "StringEqualsIgnoreCase":
		return true
	case "StringLike":
		return !strings.ContainsAny(head, "*?") || !strings.ContainsAny(arn.Partition+arn.Service, "*?") && slices.Contains(colonless, arn.Service)
	default:
		return false
	}
}

// colonless are services in whose ARNs nothing after the account holds a colon, so a
// wildcard for the Region cannot run over another account to find this one in a name.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
var colonless = []string{"cloudtrail", "kms", "sqs"}

// OwnARN reports whether an ARN is of the account.
func OwnARN(arn, account string) bool { return account != "" && iam.AccountIn(arn) == account }

// OwnVariables replaces the one policy variable that is sure to be the account
// whose resource is asked for. All others are the caller's: a comparison of
// aws:PrincipalAccount with itself holds for everybody.
func OwnVariables(v, account string) string {
	const variable = "${aws:resourceaccount}"
	if i := strings.Index(strings.ToLower(v), variable); i >= 0 {
		return v[:i] + account + v[i+len(variable):]
	}
	return v
}
