package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
)

// AccessRole says what a caller of Freehold's API may do for the org.
type AccessRole string

// The roles that a spec can give. What each of them may call is decided by the
// server's policies.
const (
	AccessViewer   AccessRole = "viewer"   // reads everything that is recorded of the org
	AccessOperator AccessRole = "operator" // also plans, onboards, runs drift and changes projects
	AccessPipeline AccessRole = "pipeline" // the same, for a job
	AccessAdmin    AccessRole = "admin"    // also decides who has access
)

// Tokens says which kind of token people show.
type Tokens string

// The kinds of tokens.
const (
	// TokensID are ID tokens, as the command line gets them; access tokens are
	// accepted too.
	TokensID Tokens = "id"
	// TokensAccess are access tokens of RFC 9068 alone ("typ": "at+jwt").
	TokensAccess Tokens = "access"
)

// APIAccess says who may call Freehold's API for the org. Every token is for the
// org's own host: that host name is its only audience.
type APIAccess struct {
	// People are those who log in at the org's OpenID Connect provider. Default: nobody.
	People People `json:"people,omitzero"`
	// Pipelines are jobs of a CI service that issues tokens for them. Default: none.
	Pipelines []Pipeline `json:"pipelines,omitempty"`
	// AWS are roles of the org's AWS account. Default: none.
	AWS AWSAccess `json:"aws,omitzero"`
}

// People are those who log in at the org's OpenID Connect provider.
type People struct {
	// IssuerURL is the "iss" of the tokens, to the letter: https, without a user,
	// a query and a fragment. No pipeline may have the same one.
	IssuerURL string `json:"issuerUrl"`
	// Tokens is the kind of token: id, which includes access tokens, or access,
	// for access tokens of RFC 9068 alone. Default: id.
	Tokens Tokens `json:"tokens,omitempty"`
	// UsernameClaim is the claim by which the audit log names somebody. Default: sub.
	UsernameClaim string `json:"usernameClaim,omitempty"`
	// GroupsClaim is the claim that lists the groups of somebody. Default: groups.
	GroupsClaim string `json:"groupsClaim,omitempty"`
	// Roles say which groups have which role. Somebody in none of them is refused.
	Roles []GroupRole `json:"roles"`
}

// GroupRole gives one role to groups.
type GroupRole struct {
	// Role is what members of the groups may do.
	Role AccessRole `json:"role"`
	// Groups are names of groups, exactly as the tokens have them; each once.
	Groups []string `json:"groups"`
}

// Pipeline is one kind of job of a CI service.
type Pipeline struct {
	// Name is what the audit log calls it: a DNS label.
	Name string `json:"name"`
	// IssuerURL is the "iss" of the job's token, to the letter.
	IssuerURL string `json:"issuerUrl"`
	// Subject is the "sub" of the job's token, to the letter: there are no
	// wildcards. With GitHub it begins with "repo:", with GitLab with "project_path:".
	Subject string `json:"subject"`
	// Claims are further claims that the token must have, with these values.
	Claims map[string]string `json:"claims,omitempty"`
	// Role is what the job may do. Default: pipeline.
	Role AccessRole `json:"role,omitempty"`
}

// AWSAccess lets in roles of the org's AWS account, by IAM outbound identity
// federation.
type AWSAccess struct {
	// IssuerURL is the issuer that AWS gave the account when the federation was
	// enabled.
	IssuerURL string `json:"issuerUrl"`
	// Roles are roles of the account, and what each may do.
	Roles []AWSRole `json:"roles"`
}

// AWSRole is one IAM role of the org's account.
type AWSRole struct {
	// RoleARN is the role, with its path. Another account's is refused.
	RoleARN string `json:"roleArn"`
	// Role is what the role may do.
	Role AccessRole `json:"role"`
}

// accessRoles are all of them.
var accessRoles = []string{string(AccessViewer), string(AccessOperator), string(AccessAdmin), string(AccessPipeline)}

// accountIssuer is the issuer of an AWS account's own tokens.
var accountIssuer = regexp.MustCompile(`(?i)^https://[^/]*\.tokens\.sts\.[^/]*$|(?i)^https://[^/]*\.tokens\.sts\.[^/]*/`)

// checkAccessIssuer keeps the issuers of clusters and of AWS accounts out of
// places where nothing would hold them to the org's own cluster and account.
func checkAccessIssuer(value string) string {
	if accountIssuer.MatchString(value) {
		return "is the issuer of an AWS account, which belongs into access.aws"
	}
	return checkIssuer(value)
}

// checkPinned refuses wildcards: compared to the letter, they would match
// nothing, and whoever wrote one meant more than this.
func checkPinned(value string) string {
	if strings.ContainsAny(value, "*?") {
		return "has a wildcard"
	}
	return ""
}

// ciService is an issuer that everybody gets tokens of, and how its subjects begin.
type ciService struct {
	name, begins, example string
	issuer                *regexp.Regexp
}

// ciServices are known by their issuers: of GitHub also those of its enterprises.
// GitLab of one's own has a host of one's own, and is not known.
//
// https://docs.github.com/en/actions/reference/security/oidc
// https://docs.gitlab.com/ci/secrets/id_token_authentication/
var ciServices = []ciService{
	{"GitHub", "repo:", "repo:acme/platform:ref:refs/heads/main", regexp.MustCompile(`^https://token\.actions\.([a-z0-9-]+\.)?(githubusercontent\.com|ghe\.com)(/|$)|^https://[^/]+/_services/token$`)},
	{"GitLab", "project_path:", "project_path:acme/platform:ref_type:branch:ref:main", regexp.MustCompile(`^https://gitlab\.com(/|$)`)},
}

func serviceOf(issuer string) (ciService, bool) {
	i := slices.IndexFunc(ciServices, func(s ciService) bool { return s.issuer.MatchString(strings.ToLower(issuer)) })
	if i < 0 {
		return ciService{}, false
	}
	return ciServices[i], true
}

// ownClaims are compared with more than a value of the spec.
var ownClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "azp", "jti"}

func (d *decoder) fillAccess(a *APIAccess) {
	if d.given("access.people") {
		orElse(&a.People.Tokens, TokensID)
		orElse(&a.People.UsernameClaim, "sub")
		orElse(&a.People.GroupsClaim, "groups")
	}
}

func (d *decoder) validateAccess(s Spec) {
	a := s.Access
	d.validatePeople(a.People)
	d.unique("access.pipelines", len(a.Pipelines), ".name", func(i int) string { return a.Pipelines[i].Name })
	subjects := map[string]int{}
	for i, p := range a.Pipelines {
		path := fmt.Sprintf("access.pipelines[%d]", i)
		d.validatePipeline(p, path, a.People.IssuerURL)
		if !d.ok(path+".issuerUrl", path+".subject") || p.Subject == "" {
			continue
		}
		who := p.IssuerURL + " " + p.Subject
		if first, again := subjects[who]; again {
			d.complain(path+".subject", fmt.Sprintf("%s is also the subject of access.pipelines[%d], of the same issuer", quote(p.Subject), first),
				"one entry for each subject: it has one role", path)
			continue
		}
		subjects[who] = i
	}
	d.unique("access.aws.roles", len(a.AWS.Roles), ".roleArn", func(i int) string { return a.AWS.Roles[i].RoleARN })
	if s.Account.Mode != AccountExisting || !d.ok("account", "account.roleArn") {
		return
	}
	own := iam.AccountIn(s.Account.RoleARN)
	for i, r := range a.AWS.Roles {
		path := fmt.Sprintf("access.aws.roles[%d].roleArn", i)
		if account := iam.AccountIn(r.RoleARN); d.given(path) && d.ok(path) && account != own {
			d.complain(path, "belongs to account "+account, "a role of the org's own account, "+own)
		}
	}
}

func (d *decoder) validatePeople(p People) {
	const people = "access.people"
	if field := people + ".issuerUrl"; d.given(field) && d.ok(field) {
		if service, known := serviceOf(p.IssuerURL); known {
			d.complain(field, "is the issuer of "+service.name+"'s jobs, which are not people", "the jobs in access.pipelines, each with its subject")
		}
	}
	d.unique(people+".roles", len(p.Roles), ".role", func(i int) string { return string(p.Roles[i].Role) })
	first := map[string]string{}
	for i, r := range p.Roles {
		for j, group := range r.Groups {
			path := fmt.Sprintf("%s.roles[%d].groups[%d]", people, i, j)
			if !d.ok(path) {
				continue
			}
			if other := first[group]; other != "" {
				d.complain(path, quote(group)+" is also "+other, "each group once: it has one role")
				continue
			}
			first[group] = path
		}
	}
}

func (d *decoder) validatePipeline(p Pipeline, path, people string) {
	for _, key := range slices.Sorted(maps.Keys(p.Claims)) {
		switch {
		case len(key) > 128 || !patterns[visibleASCII].MatchString(key):
			d.complainOfKey(join(path+".claims", key), quote(key)+" is not the name of a claim", "1 to 128 letters, digits and signs")
		case slices.Contains(ownClaims, key):
			d.complainOfKey(join(path+".claims", key), quote(key)+" is checked by Freehold itself", "claims other than "+strings.Join(ownClaims, ", "))
		}
	}
	if !d.given(path+".issuerUrl") || !d.ok(path+".issuerUrl") {
		return
	}
	if p.IssuerURL == people && d.ok("access.people.issuerUrl") {
		d.complain(path+".issuerUrl", "is also access.people.issuerUrl", "an issuer of its own: a token of an issuer is either a person's or a job's")
	}
	service, known := serviceOf(p.IssuerURL)
	if field := path + ".subject"; known && d.given(field) && d.ok(field) && !strings.HasPrefix(p.Subject, service.begins) {
		d.complain(field, quote(p.Subject)+" is not a subject of "+service.name, "a subject that begins with "+service.begins+", such as "+service.example)
	}
}
