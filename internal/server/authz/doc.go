// Package authz decides who may do what in the control plane, by Cedar policies
// that are built in: schema.cedarschema names everything that there is, and
// policies/*.cedar say what is permitted. Whatever they do not permit is refused.
//
// Guard is what each service runs in front of its procedures: it verifies the
// context token that a request brings, decides, writes the decision to the org's
// audit log, and only then lets the request through.
package authz
