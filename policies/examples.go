package policies

import "strings"

// object and list are how examples write what JSON calls so.
type (
	object = map[string]any
	list   = []any
)

// The org of the examples, and the one that it must have nothing in common with.
const (
	exampleOrg      = "acme"
	exampleAccount  = "210987654321"
	exampleOther    = "333333333333" // globex's
	exampleManaging = "100000000001"
	exampleARN      = "arn:aws:iam::" + exampleAccount
	exampleOtherARN = "arn:aws:iam::" + exampleOther
	exampleBoundary = exampleARN + ":policy/freehold-acme-boundary"
)

// exampleScope is what is known of the org in a layer whose account is there.
func exampleScope(layer string) Scope {
	return Scope{
		Org: exampleOrg, Layer: layer, Region: "eu-central-1",
		AccountID: exampleAccount, ManagementAccountID: exampleManaging,
		ProvisionerARN: "arn:aws:iam::" + exampleManaging + ":role/freehold-provisioner",
		BoundaryARN:    exampleBoundary,
		AccessRoleARN:  exampleARN + ":role/OrganizationAccountAccessRole",
		ClusterRoles: []string{
			exampleARN + ":role/freehold-acme-provision", exampleARN + ":role/freehold-acme-read",
			exampleARN + ":role/freehold-acme-bootstrap", exampleARN + ":role/freehold-acme-offboard",
			exampleARN + ":role/freehold-acme-node",
		},
		Registry: exampleAccount + ".dkr.ecr.eu-central-1.amazonaws.com",
	}
}

// pinned is the provider of the org's account.
func pinned(account string) Provider {
	return Provider{Package: "aws", Properties: object{
		"allowedAccountIds": []any{account},
		"assumeRole":        object{"roleArn": "arn:aws:iam::" + account + ":role/freehold-acme-provision"},
		"region":            "eu-central-1",
	}}
}

// example is an example of the cluster layer: one resource of the org's provider.
func example(name, typ string, p object) Example {
	return exampleIn(layerCluster, name, typ, p)
}

func exampleIn(layer, name, typ string, p object) Example {
	s := exampleScope(layer)
	return Example{Name: name, Resource: resource(typ, "thing", p, s), Scope: s}
}

func resource(typ, name string, p object, s Scope) Resource {
	return Resource{
		URN: "urn:pulumi:acme." + s.Layer + "::freehold::" + typ + "::" + name, Type: typ, Name: name,
		Properties: p, Provider: pinned(s.home()),
	}
}

// beside adds a resource of the same stack to an example.
func (e Example) beside(typ, name, id string, p object) Example {
	r := resource(typ, name, p, e.Scope)
	r.ID = id
	e.Others = append(e.Others, r)
	return e
}

// orgTags are the tags of the org's resources.
func orgTags() object {
	return object{"freehold.dev/org": exampleOrg, "freehold.dev/layer": "cluster", "freehold.dev/managed-by": "freehold"}
}

// statements is a policy document as JSON text, of statements as JSON texts.
func statements(each ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(each, ",") + "]}"
}

// acme is what is known of the org in the cluster layer.
var acme = exampleScope(layerCluster)

const (
	acmeKey  = "arn:aws:kms:eu-central-1:210987654321:key/1f0c9a52-data"
	otherKey = "arn:aws:kms:eu-central-1:444455556666:key/77aa-data"
)

// shows is an example of acme's: what a colleague would try, with the resources
// beside it.
func shows(name, typ string, in object, others ...Resource) Example {
	r := beside(typ, "it", in)
	r.ID = ""
	return Example{Name: name, Resource: r, Others: others, Scope: acme}
}

// beside is a resource that exists, under an id that is its name, too.
func beside(typ, id string, in object) Resource {
	return Resource{
		URN: "urn:pulumi:acme.cluster::freehold::" + typ + "::" + id, Type: typ, Name: id, ID: id, Properties: in,
	}
}
