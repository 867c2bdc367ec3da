package example

import (
	"strings"

	"freehold.dev/freehold/policies/rule"
)

// Object and List are how examples write what JSON calls so.
type (
	Object = map[string]any
	List   = []any
)

// The org of the examples, and the one that it must have nothing in common with.
const (
	Org               = "acme"
	Account           = "210987654321"
	OtherAccount      = "333333333333" // globex's
	ManagementAccount = "100000000001"
	ARN               = "arn:aws:iam::" + Account
	OtherARN          = "arn:aws:iam::" + OtherAccount
	Boundary          = ARN + ":policy/freehold-acme-boundary"
	Registry          = Account + ".dkr.ecr.eu-central-1.amazonaws.com"
	Endpoint          = "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"

	// What signs the tokens of the org's pods, and of another's.
	Issuer      = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
	OtherIssuer = "oidc.eks.eu-central-1.amazonaws.com/id/FEDCBA9876543210FEDCBA9876543210"

	// A key of the org's, and of another.
	KeyARN      = "arn:aws:kms:eu-central-1:210987654321:key/1f0c9a52-data"
	OtherKeyARN = "arn:aws:kms:eu-central-1:444455556666:key/77aa-data"
)

// ScopeIn is what is known of the org in a layer whose account is there.
func ScopeIn(layer string) rule.Scope {
	return rule.Scope{
		Org: Org, Layer: layer, Region: "eu-central-1",
		AccountID: Account, ManagementAccountID: ManagementAccount,
		ProvisionerARN: "arn:aws:iam::" + ManagementAccount + ":role/freehold-provisioner",
		BoundaryARN:    Boundary,
		AccessRoleARN:  ARN + ":role/OrganizationAccountAccessRole",
		ClusterRoles: []string{
			ARN + ":role/freehold-acme-provision", ARN + ":role/freehold-acme-read",
			ARN + ":role/freehold-acme-bootstrap", ARN + ":role/freehold-acme-offboard",
			ARN + ":role/freehold-acme-node",
		},
		Registry: Registry,
	}
}

// Pinned is a provider that works in one account only.
func Pinned(account string) rule.Provider {
	return rule.Provider{Package: "aws", Properties: Object{
		"allowedAccountIds": []any{account},
		"assumeRole":        Object{"roleArn": "arn:aws:iam::" + account + ":role/freehold-acme-provision"},
		"region":            "eu-central-1",
	}}
}

// Of is an example of the cluster layer: one resource of the org's provider.
func Of(name, typ string, p Object) rule.Example {
	return In(rule.LayerCluster, name, typ, p)
}

// In is one of another layer.
func In(layer, name, typ string, p Object) rule.Example {
	s := ScopeIn(layer)
	return rule.Example{Name: name, Resource: ResourceOf(typ, "thing", p, s), Scope: s}
}

// ResourceOf is a resource of the org's provider in the layer of a scope.
func ResourceOf(typ, name string, p Object, s rule.Scope) rule.Resource {
	return rule.Resource{
		URN: "urn:pulumi:acme." + s.Layer + "::freehold::" + typ + "::" + name, Type: typ, Name: name,
		Properties: p, Provider: Pinned(s.Home()),
	}
}

// Add adds a resource of the same stack to an example.
func Add(e rule.Example, typ, name, id string, p Object) rule.Example {
	r := ResourceOf(typ, name, p, e.Scope)
	r.ID = id
	e.Others = append(e.Others, r)
	return e
}

// OrgTags are the tags of the org's resources.
func OrgTags() Object {
	return Object{"freehold.dev/org": Org, "freehold.dev/layer": "cluster", "freehold.dev/managed-by": "freehold"}
}

// Statements is a policy document as JSON text, of statements as JSON texts.
func Statements(each ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(each, ",") + "]}"
}

// Shows is an example of acme's: what a colleague would try, with the resources
// beside it.
func Shows(name, typ string, in Object, others ...rule.Resource) rule.Example {
	r := Beside(typ, "it", in)
	r.ID = ""
	return rule.Example{Name: name, Resource: r, Others: others, Scope: ScopeIn(rule.LayerCluster)}
}

// Beside is a resource that exists, under an id that is its name, too.
func Beside(typ, id string, in Object) rule.Resource {
	return rule.Resource{
		URN: "urn:pulumi:acme.cluster::freehold::" + typ + "::" + id, Type: typ, Name: id, ID: id, Properties: in,
	}
}

// AWSProvider is an example of the org's AWS provider itself.
func AWSProvider(name string, p Object) rule.Example {
	e := Of(name, rule.TypeAWSProvider, p)
	e.Resource.Name, e.Resource.Provider = "org", rule.Provider{}
	return e
}

// Permission is an example of a role's policy of some statements.
func Permission(name string, list ...string) rule.Example {
	return Of(name, "aws:iam/rolePolicy:RolePolicy", Object{"role": "freehold-acme-shop", "policy": Statements(list...)})
}
