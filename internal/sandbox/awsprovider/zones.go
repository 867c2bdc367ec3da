package awsprovider

import (
	"fmt"
	"strings"
)

// unusualZones are the regions whose zones are not a, b and c.
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
var unusualZones = map[string]string{
	"us-east-1": "abcdef", "us-west-1": "ac", "us-west-2": "abcd", "ca-central-1": "abd",
	"ap-northeast-1": "acd", "ap-northeast-2": "abcd",
}

// zones returns the names and the ids of a region's availability zones, for
// whoever lists them and for whatever is made in one.
func zones(region string) (names, ids []string) {
	letters, ok := unusualZones[region]
	if !ok {
		letters = "abc"
	}
	for i, letter := range letters {
		names = append(names, region+string(letter))
		ids = append(ids, fmt.Sprintf("%s-az%d", shortRegion(region), i+1))
	}
	return names, ids
}

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
