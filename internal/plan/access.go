package plan

import (
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/spec"
)

// Access says who may call Freehold's API for the org.
type Access struct {
	People    *People    `json:"people,omitempty"` // nil: nobody
	Pipelines []Pipeline `json:"pipelines,omitempty"`
	AWS       *AWSAccess `json:"aws,omitempty"` // nil: no role
}

// People are those who log in at an OpenID Connect provider.
type People struct {
	IssuerURL     string      `json:"issuerUrl"`
	Tokens        string      `json:"tokens"` // id | access
	UsernameClaim string      `json:"usernameClaim"`
	GroupsClaim   string      `json:"groupsClaim"`
	Roles         []GroupRole `json:"roles"`
}

// GroupRole gives one role to groups.
type GroupRole struct {
	Role   string   `json:"role"`
	Groups []string `json:"groups"`
}

// Pipeline is one kind of job of a CI service.
type Pipeline struct {
	Name      string            `json:"name"`
	IssuerURL string            `json:"issuerUrl"`
	Subject   string            `json:"subject"` // exact
	Claims    map[string]string `json:"claims,omitempty"`
	Role      string            `json:"role"`
}

// AWSAccess lets in roles of the org's AWS account.
type AWSAccess struct {
	IssuerURL string    `json:"issuerUrl"`
	Roles     []AWSRole `json:"roles"`
}

// AWSRole is one IAM role of the org's account.
type AWSRole struct {
	RoleARN string `json:"roleArn"`
	Role    string `json:"role"`
}

func access(a spec.APIAccess) *Access {
	if a.People.IssuerURL == "" && len(a.Pipelines) == 0 && a.AWS.IssuerURL == "" {
		return nil
	}
	var out Access
	if p := a.People; p.IssuerURL != "" {
		out.People = &People{IssuerURL: p.IssuerURL, Tokens: string(p.Tokens), UsernameClaim: p.UsernameClaim, GroupsClaim: p.GroupsClaim}
		for _, r := range p.Roles {
			out.People.Roles = append(out.People.Roles, GroupRole{Role: string(r.Role), Groups: slices.Clone(r.Groups)})
		}
	}
	for _, p := range a.Pipelines {
		out.Pipelines = append(out.Pipelines, Pipeline{
			Name: p.Name, IssuerURL: p.IssuerURL, Subject: p.Subject, Claims: maps.Clone(p.Claims), Role: string(p.Role),
		})
	}
	if a.AWS.IssuerURL != "" {
		out.AWS = &AWSAccess{IssuerURL: a.AWS.IssuerURL}
		for _, r := range a.AWS.Roles {
			out.AWS.Roles = append(out.AWS.Roles, AWSRole{RoleARN: r.RoleARN, Role: string(r.Role)})
		}
	}
	return &out
}

func accessRows(a *Access, row func(...string)) {
	if p := a.People; p != nil {
		kind := "with ID or access tokens"
		if p.Tokens == string(spec.TokensAccess) {
			kind = "with access tokens"
		}
		row("people", p.IssuerURL+", "+kind)
		row("", "a user is <"+p.UsernameClaim+">, in groups <"+p.GroupsClaim+">")
		for _, r := range p.Roles {
			row("", r.Role+": groups "+strings.Join(r.Groups, ", "))
		}
	}
	for _, p := range a.Pipelines {
		row("pipeline "+p.Name, p.Role+": "+p.Subject+" of "+p.IssuerURL)
		for _, k := range slices.Sorted(maps.Keys(p.Claims)) {
			row("", "whose "+k+" is "+p.Claims[k])
		}
	}
	if a.AWS != nil {
		row("AWS", a.AWS.IssuerURL)
		for _, r := range a.AWS.Roles {
			row("", r.Role+": "+r.RoleARN)
		}
	}
}
