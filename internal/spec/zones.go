package spec

import "slices"

// withoutClusters are the availability zones, by id, in which EKS makes no
// control planes. A zone's name says nothing of it: us-east-1e is use1-az3 in
// one account, and another zone in the next.
//
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html
var withoutClusters = map[string][]string{
	"us-east-1":    {"use1-az3"},
	"us-west-1":    {"usw1-az2"},
	"ca-central-1": {"cac1-az3"},
}

// ZonesWithoutClusters are the ids of a region's zones in which EKS makes no
// control planes.
func ZonesWithoutClusters(region string) []string { return slices.Clone(withoutClusters[region]) }

// DefaultZones are the names of the zones of a document that names none, none
// where an account's zones cannot be told.
func DefaultZones(region string) []string {
	var names []string
	for _, z := range defaultZones(region) {
		names = append(names, z.Name)
	}
	return names
}
