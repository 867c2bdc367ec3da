package document

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/rule"
)

// ComparesAccount reports whether a statement of an identity's policy speaks of the
// account's own resources only.
func ComparesAccount(st iam.Statement, account string) bool {
	return st.Condition.Any(func(operator, key string, values iam.Values) bool {
		operator, ok := Positive(operator)
		return ok && IsText(operator) && strings.EqualFold(key, "aws:ResourceAccount") && len(values) > 0 &&
			!slices.ContainsFunc(values, func(v string) bool { return v != account && !strings.EqualFold(v, "${aws:PrincipalAccount}") })
	})
}

// IdentityTypes are the types that hold a permission policy of an identity.
func IdentityTypes() []string {
	return []string{
		"aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", rule.TypeRole, "aws:iam/userPolicy:UserPolicy",
		"aws:iam/groupPolicy:GroupPolicy", "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
	}
}

// IdentityPolicies are the permission policies that a resource holds.
func IdentityPolicies(r rule.Resource) []rule.Value {
	v := r.Values()
	switch r.Type {
	case rule.TypeRole:
		var all []rule.Value
		for _, inline := range v.Get("inlinePolicies").Each() {
			all = append(all, inline.Get("policy"))
		}
		return all
	case "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy":
		return []rule.Value{v.Get("inlinePolicy")}
	default:
		return []rule.Value{v.Get("policy")}
	}
}
