package boundaries

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/document"
	"freehold.dev/freehold/policies/reading"
	"freehold.dev/freehold/policies/rule"
)

var rules = []rule.Rule{
	{
		ID:       "FH501",
		Title:    "Every role has the org's permissions boundary",
		Why:      "the boundary is what keeps a role of the account from opening the account; a role without it can do all that its policies say, sharing included",
		Fix:      "set permissionsBoundary to the org's boundary; service-linked roles, which cannot have one, are a type of their own",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{rule.TypeRole, "aws:iam/user:User"},
		Check:    rule.On(checkBoundary),
		Bad:      badBoundaries(), Good: goodBoundaries(),
	},
	{
		ID:       "FH502",
		Title:    "The boundary cannot be taken off, edited or replaced from inside",
		Why:      "a fence whose gate opens from the inside is none: one call makes a new version of the policy, and all roles are free",
		Fix:      "keep the denials of components/boundary: of the boundary's removal and versions, of roles without it, of users and keys",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{typePolicy},
		Check:    rule.On(checkFence),
		Bad:      badFences(), Good: goodFences(),
	},
	{
		ID:       "FH503",
		Title:    "No policy allows making roles without the boundary, or changing it",
		Why:      "the boundary denies it as well; a policy that allows it waits for the day on which the boundary does not",
		Fix:      `allow iam:CreateRole and iam:PutRolePermissionsBoundary with StringEquals "iam:PermissionsBoundary", and policy versions for policies other than the boundary`,
		Severity: rule.High,
		Criteria: []string{"CC6.3"},
		Types:    document.IdentityTypes(),
		Check:    rule.On(checkEscapes),
		Bad:      badEscapes(), Good: goodEscapes(),
	},
	{
		ID:       "FH504",
		Title:    "No IAM users, groups, passwords or access keys",
		Why:      "a long-lived key works from anywhere and for whoever has copied it, and the boundary does not know who that is",
		Fix:      "use roles: the provisioner's for people and pipelines, EKS Pod Identity for pods",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.2"},
		Types:    append([]string{rule.TypeAWSProvider, "aws:iam/policyAttachment:PolicyAttachment"}, userTypes...),
		Check:    rule.On(checkUsers),
		Bad:      badUsers(), Good: goodUsers(),
	},
	{
		ID:       "FH505",
		Title:    "No policy allows everything",
		Why:      "an allowance of everything allows what nobody thought of, and what AWS adds next year",
		Fix:      "name the services and actions; attach none of AWS's administrator policies, and the boundary as boundary only",
		Severity: rule.High,
		Criteria: []string{"CC6.3"},
		Types:    append(document.IdentityTypes(), attachmentTypes...),
		Check:    rule.On(checkEverything),
		Bad:      badEverything(), Good: goodEverything(),
	},
	{
		ID:       "FH506",
		Title:    "No AWS access key stands in an input",
		Why:      "it is somebody's, of some account, and everybody who reads the state or the resource has it",
		Fix:      "take the key away, have it revoked, and give what needs it a role",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.2"},
		Types:    []string{"*"},
		Check:    rule.On(checkKeys),
		Bad:      badKeys(), Good: goodKeys(),
	},
}

const typePolicy = "aws:iam/policy:Policy"

func checkBoundary(j *rule.Judge, r rule.Resource, s rule.Scope) {
	b := r.Values().Get("permissionsBoundary")
	switch {
	case !j.Known(b):
	case b.Text() == "":
		j.Violate(b.Path, "the role has no permissions boundary")
	case s.BoundaryARN == "" && (s.AccountID == "" || document.OwnARN(b.Text(), s.AccountID)):
		j.Undecided(b.Path)
	case b.Text() != s.BoundaryARN:
		j.Violate(b.Path, "the boundary is %s, and the org's is %s", b.Text(), s.BoundaryARN)
	}
}

// isBoundary reports whether a policy is the org's boundary, by its name.
func isBoundary(r rule.Resource, s rule.Scope) (yes, known bool) {
	if r.Type != typePolicy {
		return false, true
	}
	name := r.Values().Get("name")
	if name.Unknown() {
		return false, false
	}
	if s.BoundaryARN == "" {
		return strings.HasSuffix(name.Text(), "-boundary"), true
	}
	return name.Text() == s.BoundaryARN[strings.LastIndexByte(s.BoundaryARN, '/')+1:], true
}

// The actions by which a boundary is lost.
var (
	removals = []string{"iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"}
	versions = []string{"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"}
	makings  = []string{"iam:CreateRole", "iam:PutRolePermissionsBoundary"}
	users    = []string{"iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile"}
)

// checkFence asks of the boundary what it must deny. A denial with a condition
// is a denial with a way around; the one on making roles may except roles that
// get the boundary.
func checkFence(j *rule.Judge, r rule.Resource, s rule.Scope) {
	boundary, known := isBoundary(r, s)
	if !known {
		j.Undecided("name")
	}
	if !boundary {
		return
	}
	policy := r.Values().Get("policy")
	doc, err := document.Parse(policy.Raw)
	if err != nil {
		document.EachAllow(j, policy.Path, policy.Raw, func(iam.Statement) {})
		return
	}
	if j.UnknownAccount(policy.Path, s) {
		return
	}
	arn := s.BoundaryARN
	if arn == "" {
		arn = "arn:aws:iam::" + s.AccountID + ":policy/" + r.Values().Get("name").Text()
	}
	everywhere := func(st iam.Statement) bool {
		return len(st.Condition) == 0 && st.Touches("arn:aws:iam::"+s.AccountID+":role/any") && st.Touches("arn:aws:iam::"+s.AccountID+":user/any")
	}
	for _, action := range slices.Concat(removals, users) {
		if !document.Denies(doc, action, everywhere) {
			j.Violate(policy.Path, "the boundary does not deny %s", action)
		}
	}
	for _, action := range versions {
		if !document.Denies(doc, action, func(st iam.Statement) bool { return len(st.Condition) == 0 && st.Touches(arn) }) {
			j.Violate(policy.Path, "the boundary does not deny %s on itself", action)
		}
	}
	for _, action := range makings {
		if !document.Denies(doc, action, func(st iam.Statement) bool {
			return st.Touches("arn:aws:iam::"+s.AccountID+":role/any") && exceptsOnly(st.Condition, arn)
		}) {
			j.Violate(policy.Path, "the boundary does not deny %s without the boundary", action)
		}
	}
}

// exceptsOnly reports whether a denial's conditions leave out nothing but roles
// that get the boundary. A request without the key is denied: negated operators
// hold where the key is absent.
func exceptsOnly(condition iam.Condition, boundary string) bool {
	if len(condition) == 0 {
		return true
	}
	for operator, keys := range condition {
		operator = strings.TrimSuffix(operator, "IfExists")
		if len(condition) > 1 || len(keys) != 1 || operator != "StringNotEquals" && operator != "ArnNotEquals" {
			return false
		}
		for key, values := range keys {
			if !strings.EqualFold(key, "iam:PermissionsBoundary") || !slices.Equal(values, []string{boundary}) {
				return false
			}
		}
	}
	return true
}

func checkEscapes(j *rule.Judge, r rule.Resource, s rule.Scope) {
	boundary, known := isBoundary(r, s)
	if !known {
		j.Undecided("name")
		return
	}
	if boundary { // a ceiling of everything; checkFence asks for its denials
		return
	}
	for _, policy := range document.IdentityPolicies(r) {
		document.EachAllow(j, policy.Path, policy.Raw, func(st iam.Statement) {
			for _, action := range removals {
				if st.Covers(action) {
					j.ViolateBy(policy.Path, st, "it allows %s", action)
					return
				}
			}
			for _, action := range makings {
				if !st.Covers(action) {
					continue
				}
				if s.BoundaryARN == "" {
					j.Undecided(policy.Path)
				} else if !demandsBoundary(st, s.BoundaryARN) {
					j.ViolateBy(policy.Path, st, "it allows %s without the boundary", action)
					return
				}
			}
			for _, action := range versions {
				if !st.Covers(action) {
					continue
				}
				if s.BoundaryARN == "" {
					j.Undecided(policy.Path)
				} else if st.MayTouch(s.BoundaryARN) {
					j.ViolateBy(policy.Path, st, "it allows %s on the boundary", action)
					return
				}
			}
		})
	}
}

func demandsBoundary(st iam.Statement, arn string) bool {
	return st.Condition.Any(func(operator, key string, values iam.Values) bool {
		_, ok := document.Positive(operator)
		return ok && strings.EqualFold(key, "iam:PermissionsBoundary") && slices.Equal(values, []string{arn})
	})
}

// userTypes are all that belongs to IAM users.
var userTypes = []string{
	"aws:iam/accessKey:AccessKey", "aws:iam/group:Group", "aws:iam/groupMembership:GroupMembership", "aws:iam/groupPolicy:GroupPolicy",
	"aws:iam/groupPolicyAttachment:GroupPolicyAttachment", "aws:iam/serviceSpecificCredential:ServiceSpecificCredential",
	"aws:iam/signingCertificate:SigningCertificate", "aws:iam/sshKey:SshKey", "aws:iam/user:User",
	"aws:iam/userGroupMembership:UserGroupMembership", "aws:iam/userLoginProfile:UserLoginProfile", "aws:iam/userPolicy:UserPolicy",
	"aws:iam/userPolicyAttachment:UserPolicyAttachment",
}

func checkUsers(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	v := r.Values()
	switch r.Type {
	case rule.TypeAWSProvider:
		for _, key := range []string{"accessKey", "secretKey"} {
			if k := v.Get(key); k.Raw != nil {
				j.Violate(k.Path, "the provider has a key of its own")
			}
		}
	case "aws:iam/policyAttachment:PolicyAttachment":
		for _, key := range []string{"users", "groups"} {
			if who := v.Get(key); j.Known(who) && len(who.Each()) > 0 {
				j.Violate(who.Path, "it attaches a policy to users")
			}
		}
	default:
		j.Violate("", "it is of IAM users, of which a data plane has none")
	}
}

// attachmentTypes attach managed policies, by ARN.
var attachmentTypes = []string{
	"aws:iam/policyAttachment:PolicyAttachment", "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
	"aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive", "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
}

// unheardOf is an action that no statement names on purpose.
const unheardOf = "unheard:Of"

func checkEverything(j *rule.Judge, r rule.Resource, s rule.Scope) {
	for _, path := range []string{"policyArn", "policyArns", "managedPolicyArns", "managedPolicyArn"} {
		for _, arn := range r.Values().Get(path).Each() {
			switch {
			case !j.Known(arn):
			case iam.IsAdministrator(arn.Text()):
				j.Violate(arn.Path, "%s allows everything, or all of IAM or of sharing", arn.Text())
			case s.BoundaryARN == "" && !strings.HasPrefix(arn.Text(), "arn:aws:iam::aws:"):
				j.Undecided(arn.Path)
			case arn.Text() == s.BoundaryARN:
				j.Violate(arn.Path, "the boundary is a ceiling of everything: attached as a policy it allows that")
			}
		}
	}
	boundary, known := isBoundary(r, s)
	if !known {
		j.Undecided("name")
		return
	}
	for _, policy := range document.IdentityPolicies(r) {
		document.EachAllow(j, policy.Path, policy.Raw, func(st iam.Statement) {
			if !boundary && st.Covers(unheardOf) {
				j.ViolateBy(policy.Path, st, "it allows actions of every service")
			}
		})
	}
}

func checkKeys(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	rule.VisitInputs(j, r, func(in *rule.Input) {
		found := false
		reading.Visit(in.Text, func(text string) { found = found || holdsAccessKey(text) })
		if found {
			j.Violate(in.Path(), "the value has an access key in it")
		}
	})
}

func holdsAccessKey(text string) bool {
	for _, prefix := range []string{"AKIA", "ASIA"} {
		for i := 0; ; i++ {
			next := strings.Index(text[i:], prefix)
			if next < 0 {
				break
			}
			if i += next; accessKey(text[i:]) && reading.Edge(text, i-1) {
				return true
			}
		}
	}
	return false
}

// accessKey reports whether a text begins with an access key's id: twenty
// capital letters and digits.
func accessKey(text string) bool {
	const length = 20
	if len(text) < length || !reading.Edge(text, length) {
		return false
	}
	return strings.IndexFunc(text[:length], func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) < 0
}
