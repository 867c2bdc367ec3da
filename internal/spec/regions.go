package spec

import (
	"maps"
	"slices"
)

// regionZones are the commercial regions where EKS runs, with the letters of
// the zones that every account has there. Letters are not the same everywhere:
// Tokyo gives new accounts no b, Central Canada has a, b and d, and in Northern
// California an account has two of a, b and c, but which two differs.
// China and GovCloud are other partitions, with organizations of their own.
//
// https://docs.aws.amazon.com/general/latest/gr/eks.html
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html
var regionZones = map[string]string{
	"af-south-1":     "abc",
	"ap-east-1":      "abc",
	"ap-east-2":      "abc",
	"ap-northeast-1": "acd",
	"ap-northeast-2": "abc",
	"ap-northeast-3": "abc",
	"ap-south-1":     "abc",
	"ap-south-2":     "abc",
	"ap-southeast-1": "abc",
	"ap-southeast-2": "abc",
	"ap-southeast-3": "abc",
	"ap-southeast-4": "abc",
	"ap-southeast-5": "abc",
	"ap-southeast-6": "abc",
	"ap-southeast-7": "abc",
	"ca-central-1":   "abd",
	"ca-west-1":      "abc",
	"eu-central-1":   "abc",
	"eu-central-2":   "abc",
	"eu-north-1":     "abc",
	"eu-south-1":     "abc",
	"eu-south-2":     "abc",
	"eu-west-1":      "abc",
	"eu-west-2":      "abc",
	"eu-west-3":      "abc",
	"il-central-1":   "abc",
	"me-central-1":   "abc",
	"me-south-1":     "abc",
	"mx-central-1":   "abc",
	"sa-east-1":      "abc",
	"us-east-1":      "abc",
	"us-east-2":      "abc",
	"us-west-1":      "",
	"us-west-2":      "abc",
}

func regions() []string { return slices.Sorted(maps.Keys(regionZones)) }

// defaultZones returns the zones of a document that names none.
func defaultZones(region string) []Zone {
	var zones []Zone
	for _, letter := range regionZones[region] {
		zones = append(zones, Zone{Name: region + string(letter)})
	}
	return zones
}
