package dataplane

import (
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// AsksForZones reports whether the account has to be asked which zones it has,
// and the account: before there is a control plane, and where the document's
// zones are defaults that may not be those of every account.
func (d DataPlane) AsksForZones() (cloud.Account, bool, error) {
	made := d.has(plan.LayerCluster, awstype.EKSCluster)
	if made && !(d.byDefault() && len(spec.ZonesWithoutClusters(d.Plan.Region)) > 0) {
		return cloud.Account{}, false, nil
	}
	if d.Outputs(plan.LayerAccount) != nil {
		a, err := d.Account()
		return a, err == nil, err
	}
	// What an org brings can be asked before anything is made.
	return d.Brought(), !d.Plan.Account.Vended, nil
}

// byDefault reports whether the plan's zones are those of a document that names none.
func (d DataPlane) byDefault() bool {
	var names []string
	for _, z := range d.Plan.Cluster.Zones {
		names = append(names, z.Name)
	}
	return slices.Equal(names, spec.DefaultZones(d.Plan.Region))
}

// InZones is the data plane in an account's zones: a default zone in which EKS
// makes no control planes gives its place and its ranges to one that the account
// has besides.
func (d DataPlane) InZones(zones []cloud.Zone) DataPlane {
	if len(zones) == 0 || !d.byDefault() {
		return d
	}
	names := spec.DefaultZones(d.Plan.Region)
	for i, name := range names {
		if at := zoneOf(zones, name); at != nil && d.serves(*at) {
			continue
		}
		other := slices.IndexFunc(zones, func(z cloud.Zone) bool { return d.serves(z) && !slices.Contains(names, z.Name) })
		if other >= 0 {
			names[i] = zones[other].Name
		}
	}
	d.Plan = d.Plan.WithZones(names)
	return d
}

func (d DataPlane) serves(z cloud.Zone) bool {
	return !slices.Contains(spec.ZonesWithoutClusters(d.Plan.Region), z.ID)
}

func zoneOf(zones []cloud.Zone, name string) *cloud.Zone {
	for i := range zones {
		if zones[i].Name == name {
			return &zones[i]
		}
	}
	return nil
}

// CheckZones refuses zones that the account does not have, and those in which
// EKS makes no control planes. zones are the account's; empty: it was not asked.
func CheckZones(d DataPlane, zones []cloud.Zone) []Refusal {
	if len(zones) == 0 {
		return nil
	}
	var free []string
	for _, z := range zones {
		if d.serves(z) {
			free = append(free, z.Name)
		}
	}
	next := "choose two or three of " + strings.Join(free, ", ")
	var out []Refusal
	for i, z := range d.Plan.Cluster.Zones {
		field := fmt.Sprintf("network.zones[%d].name", i)
		is := zoneOf(zones, z.Name)
		switch {
		case is == nil:
			out = append(out, Refusal{
				Field: field, Message: fmt.Sprintf("%s %q is not a zone of the org's account in %s", field, z.Name, d.Plan.Region), Next: next,
			})
		case !d.serves(*is):
			out = append(out, Refusal{
				Field: field, Next: next,
				Message: fmt.Sprintf("%s %q is zone %s in the org's account, and EKS makes no control planes there", field, z.Name, is.ID),
			})
		}
	}
	return out
}
