package awsprovider

import (
	"fmt"
	"slices"
	"strings"
)

// unusualZones are the regions whose zones are not a, b and c with the ids 1, 2
// and 3: the number of each zone's id, by its letter. AWS gives each account a
// mapping of its own in the oldest regions, and of three zones in Northern
// California two; this is the most common one.
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html
var unusualZones = map[string][]struct {
	letter string
	id     int
}{
	"us-east-1":      {{"a", 6}, {"b", 1}, {"c", 2}, {"d", 4}, {"e", 3}, {"f", 5}},
	"us-west-1":      {{"a", 3}, {"c", 1}},
	"us-west-2":      {{"a", 2}, {"b", 1}, {"c", 3}, {"d", 4}},
	"ca-central-1":   {{"a", 1}, {"b", 2}, {"d", 4}},
	"ap-northeast-1": {{"a", 4}, {"c", 1}, {"d", 2}},
	"ap-northeast-2": {{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}},
}

// withoutEKS are the zones, by id, in which EKS makes no control plane.
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
var withoutEKS = []string{"use1-az3", "usw1-az2", "cac1-az3"}

// zones returns the names and the ids of a region's availability zones, for
// whoever lists them and for whatever is made in one.
func zones(region string) (names, ids []string) {
	unusual, is := unusualZones[region]
	for _, z := range unusual {
		names = append(names, region+z.letter)
		ids = append(ids, fmt.Sprintf("%s-az%d", shortRegion(region), z.id))
	}
	if is {
		return names, ids
	}
	for i, letter := range "abc" {
		names = append(names, region+string(letter))
		ids = append(ids, fmt.Sprintf("%s-az%d", shortRegion(region), i+1))
	}
	return names, ids
}

// Regions are those that an account can use: nobody opts in to another one here.
func Regions() []string { return slices.Clone(regions) }

// Zones are the names of a region's availability zones, in order, and their ids.
func Zones(region string) (names, ids []string) { return zones(region) }

// shortRegion is a region as zone ids write it: "euc1" for eu-central-1.
func shortRegion(region string) string {
	parts := strings.Split(region, "-")
	if len(parts) != 3 {
		return region
	}
	var direction strings.Builder
	direction.WriteString(parts[1][:1])
	for _, second := range []string{"east", "west"} {
		if parts[1] != second && strings.HasSuffix(parts[1], second) {
			direction.WriteString(second[:1])
		}
	}
	return parts[0] + direction.String() + parts[2]
}
