package awstype

import "slices"

// absent are, by list, the regions of every account in which AWS documents no
// endpoint of the service that the list asks.
// https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
var absent = map[string][]string{
	listCodeArtifact:                 {"ap-northeast-2", "ap-northeast-3", "ca-central-1", "sa-east-1", "us-west-1"},
	"Audit Manager framework shares": {"ap-northeast-2", "ap-northeast-3", "eu-north-1", "eu-west-3", "sa-east-1"},
	"Clean Rooms collaborations":     {"ap-northeast-3", "ap-south-1", "ca-central-1", "eu-west-3", "sa-east-1", "us-west-1"},
	"Detective members":              {"ap-northeast-3"},
	"response plans":                 {"ap-northeast-3"},
}

// Absent reports whether AWS documents that the service of a list of SharingLists
// is not in a region. AWS opens regions: it explains that there is no such host,
// and is no reason not to ask.
func Absent(list, region string) bool { return slices.Contains(absent[list], region) }
