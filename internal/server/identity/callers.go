package identity

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/plan"
)

// controller is the subject of the org's namespace controller in its own cluster.
const controller = "system:serviceaccount:" + plan.Namespace + ":namespace-controller"

// awsClaims is the claim under which AWS says more of a role.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
const awsClaims = "https://sts.amazonaws.com/"

// caller is somebody whom an issuer has vouched for.
type caller struct {
	subject string // as delegation.Claims
	name    string
	roles   []string
}

// issuer is one that speaks for an org, or for the operators: how its tokens are
// verified, and who its callers are.
type issuer struct {
	kinds  kinds
	tokens *oidc.IDTokenVerifier
	who    func(token) (caller, error)
}

// signatures is the oidc.KeySet of an issuer. It keeps why a signature was
// refused, which the verifier makes a text of.
type signatures struct {
	all *issuers
	url string
}

type attempt struct {
	token token
	err   error
}

type attemptKey struct{}

// VerifySignature is called by the verifier, with the context that verify gave it.
func (s signatures) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok || a.token.raw != raw {
		return nil, refuse(TokenMalformed, "it is not the token that was read")
	}
	payload, err := s.all.of(s.url).verify(ctx, a.token)
	a.err = err
	return payload, err
}

// verify returns a caller whose token the issuer has signed, for the host and now.
func (i *issuer) verify(ctx context.Context, t token) (caller, error) {
	a := &attempt{token: t}
	_, err := i.tokens.Verify(context.WithValue(ctx, attemptKey{}, a), t.raw)
	if a.err != nil {
		return caller{}, a.err
	}
	if err != nil {
		return caller{}, refuse(TokenMalformed, "%v", err)
	}
	return i.who(t)
}

// build makes the issuers of an org of what is recorded of it.
func (s *Service) build(name string, access plan.Access, cluster, account string) map[string]*issuer {
	host := name + "." + s.hosts.Base
	out := map[string]*issuer{}
	add := func(url string, k kinds, who func(token) (caller, error)) {
		out[url] = s.issuer(url, host, k, who)
	}
	if p := access.People; p != nil {
		add(p.IssuerURL, kinds(p.Tokens), people(*p))
	}
	for _, p := range access.Pipelines {
		// All pipelines of an issuer are one: the subject tells them apart.
		add(p.IssuerURL, plainTokens, pipelines(slices.DeleteFunc(slices.Clone(access.Pipelines), func(o plan.Pipeline) bool {
			return o.IssuerURL != p.IssuerURL
		})))
	}
	if a := access.AWS; a != nil {
		add(a.IssuerURL, plainTokens, roles(*a, account))
	}
	// The last, so that nothing in a spec takes its place.
	if cluster != "" {
		add(cluster, plainTokens, workloads)
	}
	return out
}

// issuer verifies the tokens of an issuer for a host.
func (s *Service) issuer(url, host string, k kinds, who func(token) (caller, error)) *issuer {
	var names []string
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	return &issuer{kinds: k, who: who, tokens: oidc.NewVerifier(url, signatures{s.issuers, url}, &oidc.Config{
		ClientID: host, SupportedSigningAlgs: names,
		// It tolerates nothing for exp, and five minutes for nbf; addressed has
		// judged both, with one tolerance.
		Now: func() time.Time { return s.now().Add(-Skew) },
	})}
}

// people are known by their groups.
func people(p plan.People) func(token) (caller, error) {
	return func(t token) (caller, error) {
		c, err := called("user:", t)
		if err != nil {
			return c, err
		}
		c.name = nameIn(t, p.UsernameClaim)
		var groups []string
		if one, ok := t.claims.text(p.GroupsClaim); ok {
			groups = []string{one}
		} else if !t.claims.read(p.GroupsClaim, &groups) {
			return c, refuse(GroupsMissing, "claim %s is not a list of groups, for %s", shown(p.GroupsClaim), shown(t.subject))
		}
		for _, r := range p.Roles {
			if slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(groups, g) }) {
				c.roles = append(c.roles, r.Role)
			}
		}
		if len(c.roles) == 0 {
			return c, refuse(RoleMissing, "%s is in no group that has a role", shown(t.subject))
		}
		slices.Sort(c.roles)
		c.roles = slices.Compact(c.roles)
		return c, nil
	}
}

// nameIn is what people know somebody by. An address that its issuer has not
// verified could be anybody's.
func nameIn(t token, claim string) string {
	name, ok := t.claims.text(claim)
	if !ok || claim == "email" && t.claims.is("email_verified", "false") || !printable(name, 320) {
		name = t.subject
	}
	if !printable(name, 320) {
		return ""
	}
	return name
}

// pipelines are known by their whole subject.
func pipelines(entries []plan.Pipeline) func(token) (caller, error) {
	return func(t token) (caller, error) {
		c, err := called("workload:", t)
		if err != nil {
			return c, err
		}
		i := slices.IndexFunc(entries, func(p plan.Pipeline) bool { return p.Subject == t.subject })
		if i < 0 {
			return c, refuse(SubjectRefused, "no pipeline has the subject %s", shown(t.subject))
		}
		for _, name := range slices.Sorted(maps.Keys(entries[i].Claims)) {
			if want := entries[i].Claims[name]; !t.claims.is(name, want) {
				return c, refuse(ClaimsDiffer, "%s of pipeline %s is %s, expected %q", name, entries[i].Name, shown(string(t.claims[name])), want)
			}
		}
		c.name, c.roles = entries[i].Name, []string{entries[i].Role}
		return c, nil
	}
}

// roles are IAM roles of the org's own account.
func roles(a plan.AWSAccess, account string) func(token) (caller, error) {
	return func(t token) (caller, error) {
		c, err := called("workload:", t)
		if err != nil {
			return c, err
		}
		var more claims
		if !t.claims.read(awsClaims, &more) {
			return c, refuse(ClaimMissing, "it has no %s", awsClaims)
		}
		if of := iam.AccountIn(t.subject); account == "" || !more.is("aws_account", account) || of != account {
			return c, refuse(AccountDiffers, "it is for account %s and %s, expected %q", shown(string(more["aws_account"])), shown(t.subject), account)
		}
		i := slices.IndexFunc(a.Roles, func(r plan.AWSRole) bool { return r.RoleARN == t.subject })
		if i < 0 {
			return c, refuse(SubjectRefused, "no entry has the role %s", shown(t.subject))
		}
		c.name, c.roles = t.subject[strings.LastIndexByte(t.subject, '/')+1:], []string{a.Roles[i].Role}
		return c, nil
	}
}

// workloads are those of the org's own cluster: the namespace controller alone.
func workloads(t token) (caller, error) {
	c, err := called("workload:", t)
	if err != nil {
		return c, err
	}
	if t.subject != controller {
		return c, refuse(SubjectRefused, "of the org's cluster only %s may call, and not %s", controller, shown(t.subject))
	}
	c.name, c.roles = "namespace-controller", []string{"controller"}
	return c, nil
}

// called is the subject of a caller, which goes into logs and other tokens.
func called(kind string, t token) (caller, error) {
	c := caller{subject: kind + t.issuer + "#" + t.subject}
	// OpenID Connect Core 1.0, section 2: at most 255 characters. AWS has longer ones.
	if !printable(t.subject, 600) || !printable(c.subject, 1024) {
		return c, refuse(SubjectRefused, "its subject is too long, or not text: %s", shown(t.subject))
	}
	return c, nil
}

// printable reports whether a text fits on one line of a log.
func printable(s string, most int) bool {
	return s != "" && len(s) <= most && strings.IndexFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) < 0
}
