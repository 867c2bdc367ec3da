package iamcalls

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/iam"
)

// The words of a template that whoever uses it replaces.
const (
	ManagementAccountID = "MANAGEMENT_ACCOUNT_ID"
	AccountID           = "ACCOUNT_ID"
	Region              = "REGION"
)

// placeholders is in this order because one is in another.
var placeholders = []string{ManagementAccountID, AccountID, Region}

// Fill replaces the words of a template.
func Fill(template string, values map[string]string) string {
	for _, p := range placeholders {
		if v, ok := values[p]; ok {
			template = strings.ReplaceAll(template, p, v)
		}
	}
	return template
}

// ErrNoScope is wrapped for a resource that no scope covers.
var ErrNoScope = errors.New("no scope covers it")

// limits are the condition keys that narrow a template. An action that always
// carries one is allowed with the recorded values only.
var limits = []string{
	"iam:AWSServiceName", "iam:PassedToService", "iam:PermissionsBoundary", "iam:PolicyARN", "kms:GrantIsForAWSResource",
}

// Least returns the least policy that allows the calls, which are those of one
// role. Scopes say how a template names resources: ARN patterns with the words
// of Fill, of which the first that covers a recorded ARN takes its place. The
// same calls give the same document, in whatever order they come.
func Least(calls []lab.Call, scopes []string) (iam.Document, error) {
	uses := map[string]*use{}
	roles := RolesOf(calls)
	for _, c := range calls {
		requests, err := Requests(c)
		if err != nil {
			return iam.Document{}, err
		}
		for _, r := range requests {
			r = roles.Complete(r)
			resource, err := scope(r.Resource, scopes)
			if err != nil {
				return iam.Document{}, fmt.Errorf("%s on %s: %w", r.Action, r.Resource, err)
			}
			if uses[r.Action] == nil {
				uses[r.Action] = newUse()
			}
			if err := uses[r.Action].add(resource, r.Context, scopes); err != nil {
				return iam.Document{}, fmt.Errorf("%s: %w", r.Action, err)
			}
		}
	}
	return iam.New(statements(uses)...), nil
}

// scope returns how a template names a resource.
func scope(resource string, scopes []string) (string, error) {
	if resource == "*" {
		return resource, nil
	}
	wild := map[string]string{ManagementAccountID: "*", AccountID: "*", Region: "*"}
	for _, s := range scopes {
		if iam.Match(Fill(s, wild), resource) {
			return s, nil
		}
	}
	return "", ErrNoScope
}

// Roles are the permissions boundaries of roles, by the roles' ARNs.
type Roles map[string]string

// RolesOf returns the roles that the calls made.
func RolesOf(calls []lab.Call) Roles {
	out := Roles{}
	for _, c := range calls {
		if k := (call{Call: c}); c.Service == "iam" && c.Action == "CreateRole" {
			out[iamRole(k)[0]] = k.param("PermissionsBoundary")
		}
	}
	return out
}

// ofBoundedRole are the actions on a role that AWS lets policies narrow by the
// boundary that the role has, which no call of theirs says.
var ofBoundedRole = []string{"iam:AttachRolePolicy", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy"}

// Complete adds to a request what IAM knows of the role that it works on.
func (roles Roles) Complete(r iam.Request) iam.Request {
	boundary := roles[r.Resource]
	if boundary == "" || !slices.Contains(ofBoundedRole, r.Action) {
		return r
	}
	r.Context = maps.Clone(r.Context)
	r.Context["iam:PermissionsBoundary"] = boundary
	return r
}

// use is how one action was used.
type use struct {
	resources map[string]bool
	limits    map[string]map[string]bool // by condition key
	times     int
	carried   map[string]int // how many times each key was there
}

func newUse() *use {
	return &use{resources: map[string]bool{}, limits: map[string]map[string]bool{}, carried: map[string]int{}}
}

func (u *use) add(resource string, context map[string]string, scopes []string) error {
	u.resources[resource] = true
	u.times++
	for _, key := range limits {
		v, ok := context[key]
		if !ok {
			continue
		}
		if strings.HasPrefix(v, "arn:") {
			scoped, err := scope(v, scopes)
			if err != nil {
				return fmt.Errorf("%s %s: %w", key, v, err)
			}
			v = scoped
		}
		if u.limits[key] == nil {
			u.limits[key] = map[string]bool{}
		}
		u.limits[key][v] = true
		u.carried[key]++
	}
	return nil
}

// condition narrows to the values that were always there.
func (u *use) condition() iam.Condition {
	var out iam.Condition
	for _, key := range limits {
		if u.carried[key] == 0 || u.carried[key] < u.times {
			continue
		}
		operator := "StringEquals"
		switch key {
		case "kms:GrantIsForAWSResource":
			operator = "Bool"
		case "iam:PermissionsBoundary", "iam:PolicyARN":
			operator = "ArnLike"
		}
		if out == nil {
			out = iam.Condition{}
		}
		if out[operator] == nil {
			out[operator] = map[string]iam.Values{}
		}
		out[operator][key] = slices.Sorted(maps.Keys(u.limits[key]))
	}
	return out
}

// statements puts the actions of a service together that have the same
// resources and conditions.
func statements(uses map[string]*use) []iam.Statement {
	var out []iam.Statement
	at := map[string]int{}
	for _, action := range slices.Sorted(maps.Keys(uses)) {
		service, _, _ := strings.Cut(action, ":")
		s := iam.Statement{
			Effect:    iam.Allow,
			Resource:  widest(slices.Sorted(maps.Keys(uses[action].resources))),
			Condition: uses[action].condition(),
		}
		group := service + iam.New(s).String()
		i, there := at[group]
		if !there {
			i = len(out)
			at[group] = i
			out = append(out, s)
		}
		out[i].Action = append(out[i].Action, action)
	}
	seen := map[string]int{}
	for i := range out {
		name := sid(out[i])
		seen[name]++
		if n := seen[name]; n > 1 {
			name += strconv.Itoa(n)
		}
		out[i].Sid = name
	}
	return out
}

// widest leaves out the resources that another covers.
func widest(resources []string) iam.Values {
	return slices.DeleteFunc(slices.Clone(resources), func(r string) bool {
		return slices.ContainsFunc(resources, func(wider string) bool { return wider != r && iam.Match(wider, r) })
	})
}

// sid names a statement after its service, what it works on and what narrows
// it: "IamRoleIfPolicyARN".
func sid(s iam.Statement) string {
	service, _, _ := strings.Cut(s.Action[0], ":")
	words := []string{title(service)}
	for _, r := range s.Resource {
		words = append(words, title(kind(r)))
	}
	words = slices.Compact(words)
	for _, key := range limits {
		for _, keys := range s.Condition {
			if keys[key] != nil {
				_, name, _ := strings.Cut(key, ":")
				words = append(words, "If"+title(name))
			}
		}
	}
	return strings.Join(words, "")
}

// kind is the resource type in an ARN, "bucket" and "object" for S3's, which
// say none; "" for "*".
func kind(name string) string {
	arn, err := iam.ParseARN(name)
	switch {
	case err != nil:
		return ""
	case arn.Service == "s3" && strings.Contains(arn.Resource, "/"):
		return "object"
	case arn.Service == "s3":
		return "bucket"
	case strings.HasPrefix(arn.Resource, "role/aws-service-role/"):
		return "service-linked-role"
	}
	kind, _, _ := strings.Cut(arn.Resource, "/")
	return kind
}

// title writes a name as a word of a Sid, which is of letters and digits only.
func title(name string) string {
	var b strings.Builder
	up := true
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			up = true
			continue
		}
		if up {
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
		up = false
	}
	return b.String()
}
