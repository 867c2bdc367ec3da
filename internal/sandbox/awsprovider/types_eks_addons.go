package awsprovider

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
)

// addonCatalogue has, for each add-on, its versions oldest first, by the newest
// Kubernetes minor that they are for; "" stands for every one. AWS has many
// more; these are the ends of what a cluster of the last year would run.
// https://docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html
var addonCatalogue = map[string]map[string][]string{
	"vpc-cni": {
		"":     {"v1.19.6-eksbuild.7", "v1.20.1-eksbuild.3", "v1.20.4-eksbuild.2", "v1.21.1-eksbuild.1", "v1.21.1-eksbuild.3"},
		"1.36": {"v1.22.3-eksbuild.1"},
	},
	"coredns": {
		"1.31": {"v1.11.3-eksbuild.1", "v1.11.4-eksbuild.24"},
		"1.32": {"v1.11.3-eksbuild.1", "v1.11.4-eksbuild.24"},
		"1.33": {"v1.12.1-eksbuild.2", "v1.12.4-eksbuild.1"},
		"1.34": {"v1.12.3-eksbuild.1", "v1.12.4-eksbuild.1"},
		"1.35": {"v1.13.1-eksbuild.1", "v1.13.2-eksbuild.1"},
		"1.36": {"v1.14.2-eksbuild.4", "v1.14.3-eksbuild.3"},
	},
	"kube-proxy": {
		"1.31": {"v1.31.3-eksbuild.2", "v1.31.13-eksbuild.2"},
		"1.32": {"v1.32.0-eksbuild.2", "v1.32.9-eksbuild.2"},
		"1.33": {"v1.33.3-eksbuild.6", "v1.33.5-eksbuild.2"},
		"1.34": {"v1.34.0-eksbuild.2", "v1.34.1-eksbuild.2"},
		"1.35": {"v1.35.0-eksbuild.2"},
		"1.36": {"v1.36.0-eksbuild.14"},
	},
	"aws-ebs-csi-driver":              {"": {"v1.48.0-eksbuild.2", "v1.53.0-eksbuild.1", "v1.54.0-eksbuild.1", "v1.63.1-eksbuild.1"}},
	"eks-pod-identity-agent":          {"": {"v1.3.8-eksbuild.2", "v1.3.10-eksbuild.1", "v1.3.10-eksbuild.3"}},
	"aws-efs-csi-driver":              {"": {"v2.1.11-eksbuild.1"}},
	"aws-mountpoint-s3-csi-driver":    {"": {"v2.0.0-eksbuild.1"}},
	"snapshot-controller":             {"": {"v8.3.0-eksbuild.1"}},
	"metrics-server":                  {"": {"v0.8.0-eksbuild.2"}},
	"eks-node-monitoring-agent":       {"": {"v1.4.0-eksbuild.2"}},
	"amazon-cloudwatch-observability": {"": {"v4.4.0-eksbuild.1"}},
	"adot":                            {"": {"v0.117.0-eksbuild.1"}},
}

// KubernetesVersions are the versions that EKS makes clusters of.
func KubernetesVersions() []string { return slices.Clone(eksVersions) }

// AddonVersions are the versions of an add-on for a Kubernetes version, oldest
// first; an unknown add-on has none.
func AddonVersions(addon, kubernetes string) []string {
	known := addonCatalogue[addon]
	return append(slices.Clone(known[""]), known[kubernetes]...)
}

var eksAddonTypes = []*Type{
	{
		Token:    addonToken,
		Source:   "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAddon.html",
		Args:     eks.AddonArgs{},
		State:    eks.Addon{},
		Noun:     "EKS Add-On",
		Service:  "eks",
		API:      API{Create: "CreateAddon", Read: "DescribeAddon", Update: "UpdateAddon", Delete: "DeleteAddon", Updates: map[string]string{"tags": "TagResource"}},
		Takes:    Takes{Create: 25 * time.Second, Update: 25 * time.Second, Delete: 10 * time.Second},
		ID:       "{clusterName}:{addonName}",
		ARN:      "arn:aws:eks:{region}:{account}:addon/{clusterName}/{addonName}/{uuid}",
		Tags:     true,
		Outputs:  map[string]string{"createdAt": "{now}", "modifiedAt": "{now}"},
		Computed: []string{"addonVersion"},
		Fields: map[string][]Rule{
			"clusterName":              clusterName,
			"addonName":                {notEmpty},
			"resolveConflicts":         {oneOf("NONE", "OVERWRITE", "PRESERVE")},
			"resolveConflictsOnCreate": {oneOf("NONE", "OVERWRITE")},
			"resolveConflictsOnUpdate": {oneOf("NONE", "OVERWRITE", "PRESERVE")},
			"configurationValues":      {jsonText},
			"serviceAccountRoleArn":    {isARN("iam")},
			"addonVersion":             {match(regexp.MustCompile(`^v\d+\.\d+\.\d+-eksbuild\.\d+$`))},
		},
		Conflicts: [][]string{{"resolveConflicts", "resolveConflictsOnCreate"}, {"resolveConflicts", "resolveConflictsOnUpdate"}},
		Unique:    []Unique{{Scope: PerRegion, Key: "addon/{clusterName}/{addonName}", Error: "ResourceInUseException: Addon already exists."}},
		Refs: []Ref{
			clusterRef,
			{Path: "serviceAccountRoleArn", To: []string{roleToken}, By: []string{"arn"}, Error: "InvalidParameterException: The service account role {value} does not exist"},
			{Path: "podIdentityAssociations[*].roleArn", To: []string{roleToken}, By: []string{"arn"}, Error: "InvalidParameterException: The role {value} does not exist"},
		},
		Replace: []string{"addonName", "clusterName"},
		Check:   checkAddon,
		Created: func(c *Call) error {
			if c.String("addonVersion") == "" {
				versions, err := c.addonVersions()
				if err != nil {
					return err
				}
				c.Out["addonVersion"] = versions[0] // AWS's default is seldom the newest
			}
			if c.Out["configurationValues"] == nil {
				c.Out["configurationValues"] = ""
			}
			return nil
		},
		Updated: func(c *Call) error {
			c.Out["modifiedAt"] = c.Env.Now().UTC().Format(time.RFC3339)
			setDefault(c.Out, "configurationValues", "")
			setDefault(c.Out, "addonVersion", c.OldOut["addonVersion"])
			return nil
		},
	},
}

// addonVersions are the versions of the call's add-on for its cluster.
func (c *Call) addonVersions() ([]string, error) {
	cluster, err := c.Find(clusterToken, "id", c.String("clusterName"))
	if err != nil || cluster == nil {
		return nil, err
	}
	return AddonVersions(c.String("addonName"), text(cluster.Outputs["version"])), nil
}

func checkAddon(c *Call) error {
	if _, known := addonCatalogue[c.String("addonName")]; !known {
		return errf("InvalidParameterException", "Addon %s specified is not supported", c.String("addonName"))
	}
	versions, err := c.addonVersions()
	if err != nil {
		return err
	}
	if v := text(c.In["addonVersion"]); v != "" && text(c.OldIn["addonVersion"]) != v && !slices.Contains(versions, v) {
		return errf("InvalidParameterException", "Addon version specified is not supported: %s %s; supported are %s", c.String("addonName"), v, strings.Join(versions, ", "))
	}
	return c.checkEBSSettings()
}

// compareVersions orders "v1.20.4-eksbuild.2".
func compareVersions(a, b string) int {
	return slices.Compare(numbers(a), numbers(b))
}

var digits = regexp.MustCompile(`\d+`)

func numbers(version string) []int {
	var all []int
	for _, s := range digits.FindAllString(version, -1) {
		n, _ := strconv.Atoi(s)
		all = append(all, n)
	}
	return all
}
