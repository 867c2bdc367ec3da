package dataplane

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/policies"
)

// Facts are all that has to be known to admit a plan. They are gathered once.
type Facts struct {
	// DataPlane is the plan that is asked for, with what is known of the layers.
	DataPlane DataPlane
	// Recorded is the plan that the org was last onboarded with; nil: none that
	// still counts.
	Recorded *plan.Plan
	// Listed are the names of the document's projects, in its order.
	Listed []string
	// Management is the account that the org was onboarded from; empty: not known.
	Management string
	// Now is when the request is made.
	Now time.Time
	// Rules are the isolation rules.
	Rules []policies.Rule
	// Owned are those of the plan's identities that other orgs own.
	Owned []registry.OwnedError
	// EmailOf is the account in the organization that has the plan's e-mail
	// already; empty: none has, or it is the org's own.
	EmailOf string
	// Shut says why the account that the org brings does not let Freehold in;
	// empty: it does, or it was not asked.
	Shut string
	// RegionOff is an account in which the plan's region is off; nil: none was
	// asked, or it is on.
	RegionOff *cloud.Account
	// Zones are those of the org's account; empty: it was not asked.
	Zones []cloud.Zone
	// Running is what the org's cluster runs now, nothing where it has none; nil:
	// it was not asked.
	Running *cloud.Running
	// Unsupported is what of the plan's release the cloud does not have; nil: nothing.
	Unsupported *cloud.UnsupportedError
}

// Refusal is one reason why a request cannot be done. Nothing was touched.
type Refusal struct {
	// Field is the field of the spec that is at fault, "account.email"; empty: none is.
	Field string `json:"field,omitempty"`
	// Message says what is wrong, Next what to do about it.
	Message string `json:"message"`
	Next    string `json:"next"`
	// Outside is true where the request may be right as it is, and somebody else
	// has to act first: the same request can succeed later.
	Outside bool `json:"outside,omitempty"`
	// Owned is the identity that another org has; nil: it is something else.
	Owned *registry.OwnedError `json:"owned,omitempty"`
}

// Admit returns every reason why the plan cannot be carried out, in the order
// of the spec's fields; none means that it can be begun.
func Admit(f Facts) []Refusal {
	return slices.Concat(
		f.caller(), f.region(), f.fixed(), f.email(), f.access(), CheckZones(f.DataPlane, f.Zones), f.version(), f.release(), CheckExceptions(f.DataPlane.Plan, f.Rules, f.Now), f.removals(), f.pulled(), owned(f.DataPlane.Plan.Org, f.Owned),
	)
}

func (f Facts) region() []Refusal {
	if r := CheckRegion(f.DataPlane, f.RegionOff); r != nil {
		return []Refusal{*r}
	}
	return nil
}

// caller refuses credentials of another account than the one that the org was
// onboarded from: to those everything of the org would look gone, and be made
// anew elsewhere.
func (f Facts) caller() []Refusal {
	if r := CheckCaller(f.DataPlane.Caller, f.Management); r != nil {
		return []Refusal{*r}
	}
	return nil
}

// CheckCaller refuses credentials of another account than management; an
// empty one is not known and refuses nobody.
func CheckCaller(caller cloud.Identity, management string) *Refusal {
	if management == "" || management == caller.AccountID {
		return nil
	}
	return &Refusal{
		Message: fmt.Sprintf("the credentials belong to %s, and the org was onboarded from account %s", caller.ARN, management),
		Next:    "sign in to account " + management,
	}
}

func (f Facts) email() []Refusal {
	p := f.DataPlane.Plan
	if f.EmailOf == "" {
		return nil
	}
	return []Refusal{{
		Field:   "account.email",
		Message: fmt.Sprintf("account.email %q is the e-mail of account %s, and AWS accepts each address only once, ever", p.Account.Email, f.EmailOf),
		Next: "choose another account.email, such as aws+" + p.Org + "-2@…; if it is the account that an earlier " +
			"offboarding of the org kept, bring it with account.mode: existing",
	}}
}

func (f Facts) access() []Refusal {
	p := f.DataPlane.Plan
	if f.Shut == "" {
		return nil
	}
	return []Refusal{{
		Field:   "account.roleArn",
		Outside: true,
		Message: fmt.Sprintf("account %s does not let us in: %s", iam.AccountIn(p.Account.RoleARN), f.Shut),
		Next: fmt.Sprintf("correct account.roleArn and account.externalId, or let the trust policy of %s allow %s with that external id",
			p.Account.RoleARN, f.DataPlane.Caller.ARN),
	}}
}

// addonFields are the fields of the spec that choose an add-on's version.
var addonFields = map[string]string{
	"vpc-cni":                "versions.vpcCni",
	"coredns":                "versions.coreDns",
	"kube-proxy":             "versions.kubeProxy",
	"aws-ebs-csi-driver":     "versions.ebsCsi",
	"eks-pod-identity-agent": "versions.podIdentityAgent",
}

func (f Facts) release() []Refusal {
	u := f.Unsupported
	if u == nil {
		return nil
	}
	if u.Addon == "" {
		return []Refusal{{
			Field:   "cluster.version",
			Message: fmt.Sprintf("cluster.version %s: %v", strconv.Quote(f.DataPlane.Plan.Cluster.Version), u),
			Next:    "set cluster.version to one that this cloud runs",
		}}
	}
	name := cmp.Or(addonFields[u.Addon], u.Addon)
	next := "set " + name + " to one that this cloud has"
	if len(u.Has) > 0 {
		next += ", such as " + u.Has[0]
	}
	return []Refusal{{Field: name, Message: fmt.Sprintf("%s %q: %v", name, u.Asked, u), Next: next}}
}

// Release is what the cloud has to be asked about before the plan is run. What
// the org runs already is not asked about again: AWS withdraws versions, and a
// cluster that has one keeps it.
func Release(d DataPlane, recorded *plan.Plan) cloud.Release {
	c := d.Plan.Cluster
	out := cloud.Release{Region: d.Plan.Region, Kubernetes: c.Version, Addons: map[string]string{}}
	for _, a := range c.Addons {
		out.Addons[a.Name] = a.Version
	}
	if recorded == nil || d.Outputs(plan.LayerCluster) == nil || recorded.Cluster.Version != c.Version {
		return out
	}
	for _, a := range recorded.Cluster.Addons {
		if out.Addons[a.Name] == a.Version {
			delete(out.Addons, a.Name)
		}
	}
	return out
}

// CheckExceptions refuses exceptions that answer for nothing: to a rule that
// does not exist, to one that allows none, and past their last day.
func CheckExceptions(p plan.Plan, rules []policies.Rule, now time.Time) []Refusal {
	var out []Refusal
	today := now.UTC().Format(time.DateOnly)
	for i, e := range p.Exceptions {
		field := fmt.Sprintf("exceptions[%d]", i)
		at := slices.IndexFunc(rules, func(r policies.Rule) bool { return r.ID == e.Rule })
		switch {
		case at < 0:
			out = append(out, Refusal{
				Field: field + ".rule", Message: fmt.Sprintf("%s.rule: there is no rule %s", field, e.Rule),
				Next: "take the rule's id from the finding; docs/policies.md lists them all",
			})
		case rules[at].NoException:
			out = append(out, Refusal{
				Field: field, Message: fmt.Sprintf("%s: rule %s (%s) allows no exception", field, e.Rule, rules[at].Title),
				Next: rules[at].Fix,
			})
		case e.Expires < today:
			out = append(out, Refusal{
				Field:   field + ".expires",
				Message: fmt.Sprintf("%s: the exception of %s for %q has expired on %s", field, e.Rule, e.Resource, e.Expires),
				Next:    rules[at].Fix + "; or have " + e.Approver + " answer for it until another day",
			})
		}
	}
	return out
}

// removals refuses to take out of the plan what would take data along without
// anybody having named it.
func (f Facts) removals() []Refusal {
	if f.Recorded == nil || !f.DataPlane.Made(plan.LayerBootstrap) {
		return nil
	}
	p := f.DataPlane.Plan
	var out []Refusal
	for _, was := range f.Recorded.Bootstrap.Projects {
		if was.DeletionPolicy != v1alpha1.DeletionDelete ||
			slices.ContainsFunc(p.Bootstrap.Projects, func(is plan.ProjectPlan) bool { return is.Name == was.Name }) {
			continue
		}
		out = append(out, Refusal{
			Field: "projects",
			Message: fmt.Sprintf("the spec no longer has project %s, whose deletionPolicy is Delete: its namespace would be lost with all that is in it",
				was.Name),
			Next: fmt.Sprintf("remove it by name with freehold projects remove %s %s; or put it back, onboard it with deletionPolicy: Retain, and take it out then",
				p.Org, was.Name),
		})
	}
	return out
}

// pulled refuses a document that takes the name of a pulled project, drops what
// one of them needs, or leaves nobody to pull them.
func (f Facts) pulled() []Refusal {
	if f.Recorded == nil {
		return nil
	}
	org := f.DataPlane.Plan.Org
	pulled := f.Recorded.Bootstrap.Pulled()
	var out []Refusal
	for i, name := range f.Listed {
		if is, recorded := f.Recorded.Bootstrap.Project(name); recorded && is.Pulled {
			out = append(out, Refusal{
				Field: fmt.Sprintf("projects[%d].name", i), Message: fmt.Sprintf("project %s already exists: it was added through Freehold's API", name),
				Next: fmt.Sprintf("choose another name, or remove that one first with freehold projects remove %s %s", org, name),
			})
		}
	}
	for _, was := range f.Recorded.Bootstrap.Declared().Projects {
		by, needed := letsIn(pulled, was.Name)
		if _, kept := f.DataPlane.Plan.Bootstrap.Project(was.Name); needed && !kept {
			out = append(out, Refusal{
				Field: "projects", Message: fmt.Sprintf("the spec no longer has project %s, which project %s lets in: that one was added through Freehold's API", was.Name, by),
				Next: "change the ingress of project " + by + " through the API first, or keep project " + was.Name + " in the spec",
			})
		}
	}
	if f.DataPlane.Plan.Bootstrap.ProjectSource == nil && len(pulled) > 0 {
		out = append(out, Refusal{
			Field:   "projectSource",
			Message: fmt.Sprintf("the spec no longer has a projectSource, and the org has projects that its cluster pulls from there: %s", names(pulled)),
			Next:    fmt.Sprintf("keep projectSource in the spec, or remove them first with freehold projects remove %s NAME", org),
		})
	}
	return out
}

func names(projects []plan.ProjectPlan) string {
	out := make([]string, len(projects))
	for i, p := range projects {
		out[i] = p.Name
	}
	return strings.Join(out, ", ")
}

func owned(org string, by []registry.OwnedError) []Refusal {
	var out []Refusal
	for _, o := range by {
		out = append(out, Owned(org, o))
	}
	return out
}

// Owned refuses an identity that another org has.
func Owned(org string, o registry.OwnedError) Refusal {
	r := Refusal{Message: o.Error(), Owned: &o, Next: "find out whose it is; freehold audit --all shows what two orgs share"}
	switch o.Kind {
	case KindEmail, KindAccessRole, KindAccount:
		r.Field = "account"
		r.Next = "give the org an account of its own: another account.email, such as aws+" + org + "@…, or another account.roleArn"
		if o.Kind == KindEmail {
			r.Next += "; if org " + o.Owner + " was a slip of the pen and never made anything, freehold claims release " + o.Owner + " gives the address free"
		}
	case KindIdentityClient:
		r.Field = "cluster.identityProvider.clientId"
		r.Next = "give the org's cluster a client of its own at the identity provider: another cluster.identityProvider.clientId"
	case KindAccountIssuer:
		r.Field = "access.aws.issuerUrl"
		r.Next = "set access.aws.issuerUrl to the issuer of the org's own account: aws iam get-outbound-web-identity-federation-info, run in that account, prints it"
	}
	return r
}

// Identities are the values of identities, as the ledger is asked for them.
func Identities(ids []finding.Identity) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Value
	}
	return out
}
