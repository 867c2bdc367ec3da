package iamcalls

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/iam"
)

// orgTag is the tag by which resources and policies of one customer are told.
const orgTag = "freehold.dev/org"

// Guards are the policies that recorded calls put in force: of roles, their
// boundaries, the organization's over accounts, and those of buckets.
type Guards struct {
	// awsManaged returns AWS's own policies, which no call makes.
	awsManaged func(arn string) (iam.Document, error)

	roles    map[string]*guardedRole
	policies map[string]iam.Document // managed policies, by ARN
	buckets  map[string]iam.Document // by name
	aliases  map[string]string       // by the ARN of the key

	orgs     map[string]string          // by account
	central  map[string]*iam.Document   // the organization's policies, by id
	services map[string][]*iam.Document // service control policies, by org
	fences   map[string][]*iam.Document // resource control policies, by org
}

type guardedRole struct {
	boundary string
	inline   map[string]iam.Document
	attached map[string]bool
}

// NewGuards returns guards that know whose account is whose, which they read
// from the tags of all calls, and no policy yet.
func NewGuards(calls []lab.Call, awsManaged func(arn string) (iam.Document, error)) *Guards {
	g := &Guards{
		awsManaged: awsManaged,
		roles:      map[string]*guardedRole{}, policies: map[string]iam.Document{},
		buckets: map[string]iam.Document{}, aliases: map[string]string{},
		orgs: map[string]string{}, central: map[string]*iam.Document{},
		services: map[string][]*iam.Document{}, fences: map[string][]*iam.Document{},
	}
	for _, c := range calls {
		if c.Service == "iam" && c.Action == "CreateRole" {
			if org := formTag(c, orgTag); org != "" {
				g.orgs[c.Account] = org
			}
		}
	}
	return g
}

// OrgOf returns whose the account in an ARN is; "" if no call made a customer's
// role in it.
func (g *Guards) OrgOf(arn string) string { return g.orgs[iam.AccountIn(arn)] }

// Made reports whether a recorded call made the role.
func (g *Guards) Made(roleARN string) bool { return g.roles[roleARN] != nil }

// Roles returns the roles that recorded calls made in an account
// ("arn:aws:iam::210987654321") and whose names end so.
func (g *Guards) Roles(account, suffix string) []string {
	var out []string
	for _, arn := range slices.Sorted(maps.Keys(g.roles)) {
		if strings.HasPrefix(arn, account+":role/") && strings.HasSuffix(arn, suffix) {
			out = append(out, arn)
		}
	}
	return out
}

// Learn takes what a call changed into account. Calls that failed change nothing.
func (g *Guards) Learn(c lab.Call) error {
	if c.Status >= 400 {
		return nil
	}
	k, err := read(c)
	if err != nil {
		return err
	}
	switch c.Service {
	case "iam":
		return g.learnIAM(k)
	case "organizations":
		return g.learnOrganizations(k)
	case "s3":
		return g.learnS3(c)
	case "kms":
		if k.operation == "CreateAlias" || k.operation == "UpdateAlias" {
			g.aliases[keyARN(k, k.param("TargetKeyId"))] = k.param("AliasName")
		}
	}
	return nil
}

func (g *Guards) learnIAM(k call) error {
	arn := iamARN(k, "role", k.param("RoleName"))
	switch k.operation {
	case "CreateRole":
		g.roles[arn] = &guardedRole{boundary: k.param("PermissionsBoundary"), inline: map[string]iam.Document{}, attached: map[string]bool{}}
		return nil
	case "CreatePolicy", "CreatePolicyVersion":
		doc, err := iam.Parse(k.param("PolicyDocument"))
		policy := k.param("PolicyArn")
		if policy == "" {
			policy = iamARN(k, "policy", k.param("PolicyName"))
		}
		g.policies[policy] = doc
		return err
	}
	role := g.roles[arn]
	if role == nil {
		return nil // not made here: the owner's
	}
	switch k.operation {
	case "DeleteRole":
		delete(g.roles, arn)
	case "PutRolePermissionsBoundary":
		role.boundary = k.param("PermissionsBoundary")
	case "DeleteRolePermissionsBoundary":
		role.boundary = ""
	case "PutRolePolicy":
		doc, err := iam.Parse(k.param("PolicyDocument"))
		role.inline[k.param("PolicyName")] = doc
		return err
	case "DeleteRolePolicy":
		delete(role.inline, k.param("PolicyName"))
	case "AttachRolePolicy":
		role.attached[k.param("PolicyArn")] = true
	case "DetachRolePolicy":
		delete(role.attached, k.param("PolicyArn"))
	}
	return nil
}

// learnOrganizations keeps policies in force that were detached: it is
// stricter, and simpler than to follow who is a target of what.
func (g *Guards) learnOrganizations(k call) error {
	if k.operation != "CreatePolicy" && k.operation != "UpdatePolicy" {
		return nil
	}
	var doc iam.Document
	if text := k.param("Content"); text != "" { // an update of the name alone has none
		var err error
		if doc, err = iam.Parse(text); err != nil {
			return err
		}
	}
	if k.operation == "UpdatePolicy" {
		at, known := g.central[k.param("PolicyId")]
		switch {
		case !known:
			return fmt.Errorf("policy %s of the organization was changed, and nobody was seen making it", k.param("PolicyId"))
		case len(doc.Statement) > 0:
			*at = doc
		}
		return nil
	}
	var answer struct {
		Policy struct {
			PolicySummary struct {
				ID string `json:"Id"`
			}
		}
	}
	if err := json.Unmarshal(k.Answer, &answer); err != nil {
		return fmt.Errorf("read the id of a policy of the organization: %w", err)
	}
	g.central[answer.Policy.PolicySummary.ID] = &doc
	org := bodyTag(k, orgTag)
	switch kind := k.param("Type"); kind {
	case "SERVICE_CONTROL_POLICY":
		g.services[org] = append(g.services[org], &doc)
	case "RESOURCE_CONTROL_POLICY":
		g.fences[org] = append(g.fences[org], &doc)
	default:
		return fmt.Errorf("policies of type %s are not known", kind)
	}
	return nil
}

func (g *Guards) learnS3(c lab.Call) error {
	if strings.HasPrefix(c.Path, s3Control) || !c.Query.Has("policy") {
		return nil
	}
	bucket, _, err := s3Names(c)
	if err != nil {
		return err
	}
	switch c.Method {
	case "PUT":
		doc, err := iam.Parse(string(c.Body))
		g.buckets[bucket] = doc
		return err
	case "DELETE":
		delete(g.buckets, bucket)
	}
	return nil
}

// ErrRefused is wrapped when AWS would refuse a request.
var ErrRefused = errors.New("refused")

// Check asks every policy that has a say: those of the role and its boundary,
// if a recorded call made the role; the organization's over the role's account
// and over the resource's; and the bucket's own. A role that no call made is
// taken to be allowed everything by its own policies.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (g *Guards) Check(r iam.Request) error {
	r = g.aliased(r)
	if role := g.roles[r.Principal]; role != nil {
		if err := g.checkRole(role, r); err != nil {
			return err
		}
	}
	for _, doc := range g.services[g.orgs[iam.AccountIn(r.Principal)]] {
		if err := denial("service control policy", *doc, r); err != nil {
			return err
		}
	}
	for _, doc := range g.fences[g.orgs[r.Context["aws:ResourceAccount"]]] {
		if err := denial("resource control policy", *doc, r); err != nil {
			return err
		}
	}
	on, err := iam.ParseARN(r.Resource)
	if err != nil || on.Service != "s3" {
		return nil
	}
	bucket, _, _ := strings.Cut(on.Resource, "/")
	return denial("bucket's policy", g.buckets[bucket], r)
}

func (g *Guards) checkRole(role *guardedRole, r iam.Request) error {
	docs := slices.Collect(maps.Values(role.inline))
	for _, arn := range slices.Sorted(maps.Keys(role.attached)) {
		doc, err := g.policy(arn)
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	allowed := false
	for _, doc := range docs {
		if err := denial("role's policy", doc, r); err != nil {
			return err
		}
		allowed = allowed || doc.Evaluate(r) == iam.Allowed
	}
	if !allowed {
		return fmt.Errorf("%w: no policy of the role allows it", ErrRefused)
	}
	if role.boundary == "" {
		return nil
	}
	boundary, err := g.policy(role.boundary)
	if err != nil {
		return err
	}
	if err := denial("permissions boundary", boundary, r); err != nil {
		return err
	}
	if boundary.Evaluate(r) != iam.Allowed {
		return fmt.Errorf("%w: the permissions boundary does not allow it", ErrRefused)
	}
	return nil
}

func (g *Guards) policy(arn string) (iam.Document, error) {
	if doc, ok := g.policies[arn]; ok {
		return doc, nil
	}
	if iam.AccountIn(arn) != "aws" {
		return iam.Document{}, fmt.Errorf("%s: no recorded call made it", arn)
	}
	doc, err := g.awsManaged(arn)
	if err != nil {
		return iam.Document{}, fmt.Errorf("%s: %w", arn, err)
	}
	g.policies[arn] = doc
	return doc, nil
}

// aliased adds the names of a key, by which policies know it.
func (g *Guards) aliased(r iam.Request) iam.Request {
	alias, ok := g.aliases[r.Resource]
	if !ok {
		return r
	}
	r.Context = maps.Clone(r.Context)
	r.Context["kms:ResourceAliases"] = alias
	return r
}

// denial refuses a request that a policy denies, and one that it may deny.
func denial(policy string, doc iam.Document, r iam.Request) error {
	by, denied := doc.Denial(r)
	switch denied {
	case iam.Yes:
		return fmt.Errorf("%w: the %s denies it by %s", ErrRefused, policy, by.Sid)
	case iam.CannotTell:
		return fmt.Errorf("%w: the %s may deny it by %s", ErrRefused, policy, by)
	default:
		return nil
	}
}

// formTag returns a tag of a call of the query protocol.
func formTag(c lab.Call, key string) string {
	for i := 1; ; i++ {
		n := "Tags.member." + strconv.Itoa(i)
		switch c.Form.Get(n + ".Key") {
		case "":
			return ""
		case key:
			return c.Form.Get(n + ".Value")
		}
	}
}

// bodyTag returns a tag of a call of the JSON protocol.
func bodyTag(k call, key string) string {
	tags, _ := k.body["Tags"].([]any)
	for _, tag := range tags {
		if fields, _ := tag.(map[string]any); fields["Key"] == key {
			value, _ := fields["Value"].(string)
			return value
		}
	}
	return ""
}
