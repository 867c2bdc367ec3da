package plan

import (
	"slices"
	"strings"
)

// VolumeTags are a data plane's tags, by how the volumes that claims get are given
// them. The EBS driver makes those, and no layer does.
type VolumeTags struct {
	// Driver is what the driver gives to all that it makes: a setting of its add-on,
	// which EKS changes in place.
	Driver map[string]string
	// Class is what only the storage class can say, which has to be made anew for it.
	Class map[string]string
	// Never are the keys of those that a volume cannot have.
	Never []string
}

// TagsOfVolumes splits tags. The layer's own is left out: no layer makes a volume,
// and with the eight that the driver sets itself, two of Freehold's and forty of a
// spec fill the fifty that AWS allows.
//
// The driver reads its setting as key=value pairs between commas, and takes spaces
// around both away; the add-on's schema has known ASCII only, until
// kubernetes-sigs/aws-ebs-csi-driver#2504. What the class says is cut at the first
// "=" too, and nowhere else. Either refuses what is longer in bytes than AWS allows
// in characters, and the keys of its own: the driver then does not even start.
//
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/pkg/driver/validation.go
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md
func TagsOfVolumes(tags map[string]string) VolumeTags {
	out := VolumeTags{Driver: map[string]string{}, Class: map[string]string{}}
	for key, value := range tags {
		switch {
		case key == TagLayer:
		case ofDriver(key) || strings.Contains(key, "=") || len(key) > 128 || len(value) > 256:
			out.Never = append(out.Never, key)
		case plain(key) && plain(value):
			out.Driver[key] = value
		default:
			out.Class[key] = value
		}
	}
	slices.Sort(out.Never)
	return out
}

// ofDriver reports whether the driver keeps a key to itself.
func ofDriver(key string) bool {
	return slices.Contains([]string{"CSIVolumeName", "CSIVolumeSnapshotName", "ebs.csi.aws.com/cluster"}, key) ||
		strings.HasPrefix(key, "kubernetes.io") || strings.HasPrefix(key, "aws:")
}

// plain reports whether the driver's setting can say a text: ASCII without spaces
// around it.
func plain(text string) bool {
	return strings.TrimSpace(text) == text && !strings.ContainsFunc(text, func(r rune) bool { return r > '~' })
}
