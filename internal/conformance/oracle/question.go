package oracle

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
)

// Question is a request with every policy that has a say in it.
type Question struct {
	iam.Request
	// Owner is the account that the resource is in.
	Owner string
	// Identity are the policies of the caller, and Boundary its permissions boundary.
	Identity []iam.Document
	Boundary *iam.Document
	// ServiceControl are the organization's policies over the caller's account, and
	// ResourceControl those over the resource's, level by level from the root.
	ServiceControl, ResourceControl [][]iam.Document
	// Resources is the policy of the resource: of a bucket, a key, a role's trust.
	Resources *iam.Document
}

// Decide answers a question by internal/iam, document by document, joined as AWS
// joins them. Denied is more than the others: nothing that may allow the request is
// left, so who relies on a denial asks for it. Where AWS's services differ in which
// of two policies they want, the answer is Undecided.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func (q Question) Decide() iam.Verdict {
	denied := anyOf(q.all(), func(d iam.Document) iam.Answer { _, a := d.Denial(q.Request); return a })
	if q.Boundary != nil && q.Resources != nil {
		denied = max(denied, q.exceptsTheBounded())
	}
	allowed := min(q.own(), q.controlled())
	switch {
	case denied == iam.Yes || allowed == iam.No:
		return iam.Denied
	case denied == iam.CannotTell || allowed == iam.CannotTell:
		return iam.Undecided
	default:
		return iam.Allowed
	}
}

func (q Question) all() []iam.Document {
	docs := slices.Clone(q.Identity)
	for _, level := range slices.Concat(q.ServiceControl, q.ResourceControl) {
		docs = append(docs, level...)
	}
	for _, d := range []*iam.Document{q.Boundary, q.Resources} {
		if d != nil {
			docs = append(docs, *d)
		}
	}
	return docs
}

// own answers whether the policies of the caller and of the resource allow the
// request: one of the two in an account of its own, and both of two accounts.
func (q Question) own() iam.Answer {
	identity := anyOf(q.Identity, func(d iam.Document) iam.Answer { return allows(d, q.Request) })
	if q.Principal == "" {
		identity = iam.No
	}
	bounded := iam.Yes
	if q.Boundary != nil {
		bounded = allows(*q.Boundary, q.Request)
	}
	resources, direct := iam.No, iam.No
	if q.Resources != nil {
		resources, direct = allows(*q.Resources, q.Request), allows(withoutAccounts(*q.Resources), q.Request)
	}
	switch {
	case q.Principal == "":
		return resources
	case iam.AccountIn(q.Principal) != q.Owner:
		return min(identity, bounded, resources)
	case q.wantsResources():
		return max(min(identity, bounded, resources), min(direct, max(bounded, iam.CannotTell)))
	default:
		// A role that a resource's policy names is held by its boundary, and a
		// session of the role that it names is not.
		return max(min(identity, bounded), min(direct, max(bounded, iam.CannotTell)))
	}
}

// wantsResources reports whether the resource's own policy has to let its account's
// policies decide: a key's and a role's trust.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
func (q Question) wantsResources() bool {
	service, _, _ := strings.Cut(q.Action, ":")
	return service == "kms" || service == "sts"
}

// controlled answers whether each level of the organization allows the request.
// Resource control policies only deny: AWS adds one to each level that allows all.
func (q Question) controlled() iam.Answer {
	a := iam.Yes
	for _, docs := range q.ServiceControl {
		a = min(a, anyOf(docs, func(d iam.Document) iam.Answer { return allows(d, q.Request) }))
	}
	return a
}

// exceptsTheBounded is Yes where a denial of the resource's policy excepts somebody
// by NotPrincipal: it denies everybody who has a boundary.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (q Question) exceptsTheBounded() iam.Answer {
	d := *q.Resources
	d.Statement = nil
	for _, s := range q.Resources.Statement {
		if s.NotPrincipal != nil && s.Effect == iam.Deny {
			s.NotPrincipal, s.Principal = nil, iam.Anyone()
			d.Statement = append(d.Statement, s)
		}
	}
	_, a := d.Denial(q.Request)
	return a
}

// allows is whether a document allows, whatever it denies.
func allows(d iam.Document, r iam.Request) iam.Answer {
	d.Statement = slices.DeleteFunc(slices.Clone(d.Statement), func(s iam.Statement) bool { return s.Effect == iam.Deny })
	switch d.Evaluate(r) {
	case iam.Allowed:
		return iam.Yes
	case iam.Undecided:
		return iam.CannotTell
	default:
		return iam.No
	}
}

// withoutAccounts leaves out the principals that are whole accounts: such a
// statement leaves the decision to the account's own policies.
func withoutAccounts(d iam.Document) iam.Document {
	d.Statement = slices.Clone(d.Statement)
	for i, s := range d.Statement {
		if s.Principal == nil {
			continue
		}
		p := *s.Principal
		p.AWS = slices.DeleteFunc(slices.Clone(p.AWS), func(id string) bool {
			a, err := iam.ParseARN(id)
			return iam.IsAccount(id) || err == nil && a.Service == "iam" && a.Resource == "root"
		})
		d.Statement[i].Principal = &p
	}
	return d
}

func anyOf(docs []iam.Document, is func(iam.Document) iam.Answer) iam.Answer {
	a := iam.No
	for _, d := range docs {
		a = max(a, is(d))
	}
	return a
}
