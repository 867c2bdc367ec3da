package spec

// Release is one Kubernetes minor version that Freehold runs on EKS.
type Release struct {
	Version string
	// StandardEnds and ExtendedEnds are the days, as 2006-01-02, on which
	// AWS ends its support; between them the control plane costs more.
	StandardEnds string
	ExtendedEnds string
	// Addons are this release's defaults.
	Addons Versions
}

// defaultVersion is the cluster version of a document that names none.
const defaultVersion = "1.35"

// releases are the supported versions, oldest first. 1.32 and older are left
// out: their extended support ends within months.
//
// https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
// https://github.com/endoflife-date/endoflife.date/blob/master/products/amazon-eks.md
// https://docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html
var releases = []Release{
	{
		Version: "1.33", StandardEnds: "2026-07-29", ExtendedEnds: "2027-07-29",
		Addons: Versions{
			VPCCNI:           "v1.20.4-eksbuild.2",
			CoreDNS:          "v1.12.4-eksbuild.1",
			KubeProxy:        "v1.33.5-eksbuild.2",
			EBSCSI:           "v1.53.0-eksbuild.1",
			PodIdentityAgent: "v1.3.10-eksbuild.1",
		},
	},
	{
		Version: "1.34", StandardEnds: "2026-12-02", ExtendedEnds: "2027-12-02",
		Addons: Versions{
			VPCCNI:           "v1.20.4-eksbuild.2",
			CoreDNS:          "v1.12.4-eksbuild.1",
			KubeProxy:        "v1.34.1-eksbuild.2",
			EBSCSI:           "v1.53.0-eksbuild.1",
			PodIdentityAgent: "v1.3.10-eksbuild.1",
		},
	},
	{
		Version: "1.35", StandardEnds: "2027-03-27", ExtendedEnds: "2028-03-27",
		Addons: Versions{
			VPCCNI:           "v1.21.1-eksbuild.3",
			CoreDNS:          "v1.13.2-eksbuild.1",
			KubeProxy:        "v1.35.0-eksbuild.2",
			EBSCSI:           "v1.54.0-eksbuild.1",
			PodIdentityAgent: "v1.3.10-eksbuild.1",
		},
	},
	{
		Version: "1.36", StandardEnds: "2027-08-02", ExtendedEnds: "2028-08-02",
		Addons: Versions{
			VPCCNI:           "v1.22.3-eksbuild.1",
			CoreDNS:          "v1.14.3-eksbuild.3",
			KubeProxy:        "v1.36.0-eksbuild.14",
			EBSCSI:           "v1.63.1-eksbuild.1",
			PodIdentityAgent: "v1.3.10-eksbuild.3",
		},
	},
}

// ReleaseOf returns what is known of a Kubernetes minor version.
func ReleaseOf(version string) (Release, bool) {
	for _, r := range releases {
		if r.Version == version {
			return r, true
		}
	}
	return Release{}, false
}

// Minor returns the 35 of version 1.35, and whether it is such a version.
func Minor(version string) (int, bool) {
	minor := minorOf(version)
	return minor, minor >= 0
}

func releaseVersions() []string {
	var versions []string
	for _, r := range releases {
		versions = append(versions, r.Version)
	}
	return versions
}
