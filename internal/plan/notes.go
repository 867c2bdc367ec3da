package plan

import (
	"fmt"

	"freehold.dev/freehold/internal/spec"
)

// notes tell what an operator should know before running the plan. They are
// facts with dates, and not warnings from a clock: a Plan must not change
// while nobody changes its Spec.
func notes(s spec.Spec) []string {
	var told []string
	tell := func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }

	if s.Account.Mode == spec.AccountExisting {
		tell("the account is the customer's: no service or resource control policy guards it, and offboarding does not close it")
	} else if s.Account.OrganizationalUnit == "" {
		tell("no organizational unit is given: the account is put under the organization's root")
	}
	switch s.Network.NAT {
	case spec.NATOne:
		tell("one NAT gateway serves all zones: nodes lose their way out while its zone is down")
	case spec.NATNone:
		tell("there is no way out to the internet: nodes reach AWS through interface endpoints, and nothing else")
		if s.ProjectSource.URL != "" {
			tell("the project source must be reachable inside of the VPC or of a network that is joined to it: there is no other way to it")
		}
	case spec.NATPerZone:
	}
	if s.Cluster.Endpoint.Access == spec.EndpointPrivate {
		tell("the cluster's API endpoint is private: bootstrap and kubectl must run in the VPC or in a network that reaches it")
	}
	if p := s.Cluster.IdentityProvider; p.IssuerURL != "" {
		tell("EKS asks %s for its keys over the internet: it must be public, under a certificate that everybody trusts", p.IssuerURL)
	}
	if r, ok := spec.ReleaseOf(s.Cluster.Version); ok {
		tell("AWS ends standard support of Kubernetes %s on %s; extended support ends on %s and costs more",
			r.Version, r.StandardEnds, r.ExtendedEnds)
	}
	if !s.DeletionProtection {
		tell("deletion protection is off: offboard removes the data plane and its data")
	}
	return told
}
