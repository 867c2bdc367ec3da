package awsprovider

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ebsSettings are the settings of the EBS driver's add-on that the sandbox knows.
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/charts/aws-ebs-csi-driver/values.schema.json
type ebsSettings struct {
	Controller struct {
		ExtraVolumeTags map[string]string `json:"extraVolumeTags"`
	} `json:"controller"`
}

// checkEBSSettings refuses what EKS does by the add-on's schema, and what the
// driver does when it starts (pkg/driver/validation.go, ValidateDriverOptions):
// then its pods never run, and the add-on is never healthy.
func (c *Call) checkEBSSettings() error {
	given := c.String("configurationValues")
	if c.String("addonName") != "aws-ebs-csi-driver" || given == "" {
		return nil
	}
	var s ebsSettings
	dec := json.NewDecoder(strings.NewReader(given))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return schemaRefuses(err.Error())
	}
	// The chart joins the tags by commas, and the driver's flag takes them apart.
	read := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(s.Controller.ExtraVolumeTags)) {
		value := s.Controller.ExtraVolumeTags[key]
		switch n := utf8.RuneCountInString(key); {
		case n < 1 || n > 128:
			return schemaRefuses("$.controller.extraVolumeTags: property name " + key + " must be 1 to 128 characters long")
		case utf8.RuneCountInString(value) > 256:
			return schemaRefuses("$.controller.extraVolumeTags." + key + ": must be at most 256 characters long")
		}
		for pair := range strings.SplitSeq(key+"="+value, ",") {
			k, v, is := strings.Cut(pair, "=")
			if !is {
				return unhealthy("malformed pair, expect string=string")
			}
			read[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	for k, v := range read {
		if why := refusedTag(k, v); why != "" {
			return unhealthy("Invalid extra tags: " + why)
		}
	}
	if len(read) > 50 {
		return unhealthy("Invalid extra tags: Too many tags")
	}
	return nil
}

// refusedTag is why the driver does not start with a tag; empty: it does.
func refusedTag(key, value string) string {
	switch {
	case key == "" || len(key) > 128:
		return "Tag key " + key + " is too long or empty"
	case len(value) > 256:
		return "Tag value too long"
	case slices.Contains([]string{"CSIVolumeName", "CSIVolumeSnapshotName", "ebs.csi.aws.com/cluster"}, key):
		return "Tag key '" + key + "' is reserved"
	case strings.HasPrefix(key, "kubernetes.io") || strings.HasPrefix(key, "aws:"):
		return "Tag key prefix of '" + key + "' is reserved"
	}
	return ""
}

func schemaRefuses(why string) error {
	return errf("InvalidParameterException", "ConfigurationValue provided in request is not supported: Json schema validation failed with error: [%s]", why)
}

func unhealthy(why string) error {
	return errf("InsufficientNumberOfReplicas", "The add-on is unhealthy because all deployments have all pods unscheduled or failed: %s", why)
}
