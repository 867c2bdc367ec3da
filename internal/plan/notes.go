package plan

import (
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/spec"
)

// notes are what an operator should know before running the plan. They are
// facts with dates, and not warnings from a clock: a Plan must not change
// while nobody changes its Spec.
func notes(s spec.Spec) []string {
	var all []string
	note := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }

	if s.Account.Mode == spec.AccountExisting {
		note("the account is the customer's: no service or resource control policy guards it, and offboarding does not close it")
	} else if s.Account.OrganizationalUnit == "" {
		note("no organizational unit is given: the account is put under the organization's root")
	}
	switch s.Network.NAT {
	case spec.NATOne:
		note("one NAT gateway serves all zones: nodes lose their way out while its zone is down")
	case spec.NATNone:
		note("there is no way out to the internet: nodes reach AWS through interface endpoints, and nothing else")
		if s.ProjectSource.URL != "" {
			note("the project source must be reachable inside of the VPC or of a network that is joined to it: there is no other way to it")
		}
	case spec.NATPerZone:
	}
	for _, id := range spec.ZonesWithoutClusters(s.Region) {
		note("EKS makes no control planes in zone %s: which name it has is the account's, and onboard looks before it makes a network", id)
	}
	if s.Cluster.Endpoint.Access == spec.EndpointPrivate {
		note("the cluster's API endpoint is private: bootstrap and kubectl must run in the VPC or in a network that reaches it")
	}
	if p := s.Cluster.IdentityProvider; p.IssuerURL != "" {
		note("EKS asks %s for its keys over the internet: it must be public, under a certificate that everybody trusts", p.IssuerURL)
	}
	if never := TagsOfVolumes(s.Tags).Never; len(never) > 0 {
		note("volumes of claims do not get the tags %s: their driver has such keys for itself, or cannot be told them", strings.Join(never, ", "))
	}
	if r, ok := spec.ReleaseOf(s.Cluster.Version); ok {
		note("AWS ends standard support of Kubernetes %s on %s; extended support ends on %s and costs more",
			r.Version, r.StandardEnds, r.ExtendedEnds)
	}
	if !s.DeletionProtection {
		note("deletion protection is off: offboard removes the data plane and its data")
	}
	return all
}
