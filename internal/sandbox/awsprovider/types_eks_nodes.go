package awsprovider

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"

	"freehold.dev/freehold/internal/sandbox/store"
)

const scalingGroupToken = "aws:autoscaling/group:Group"

// amiTypes are what a managed node group can run, with the processor of each.
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html
var amiTypes = map[string]string{
	"AL2_x86_64": "x86_64", "AL2_x86_64_GPU": "x86_64", "AL2_ARM_64": "arm64", "CUSTOM": "",
	"AL2023_x86_64_STANDARD": "x86_64", "AL2023_ARM_64_STANDARD": "arm64", "AL2023_x86_64_NEURON": "x86_64",
	"AL2023_x86_64_NVIDIA": "x86_64", "AL2023_ARM_64_NVIDIA": "arm64",
	"BOTTLEROCKET_ARM_64": "arm64", "BOTTLEROCKET_x86_64": "x86_64", "BOTTLEROCKET_ARM_64_FIPS": "arm64", "BOTTLEROCKET_x86_64_FIPS": "x86_64",
	"BOTTLEROCKET_ARM_64_NVIDIA": "arm64", "BOTTLEROCKET_x86_64_NVIDIA": "x86_64",
	"WINDOWS_CORE_2019_x86_64": "x86_64", "WINDOWS_FULL_2019_x86_64": "x86_64", "WINDOWS_CORE_2022_x86_64": "x86_64", "WINDOWS_FULL_2022_x86_64": "x86_64",
}

var eksNodeTypes = []*Type{
	{
		Token:   nodeGroupToken,
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html",
		Args:    eks.NodeGroupArgs{},
		State:   eks.NodeGroup{},
		Noun:    "EKS Node Group",
		Service: "eks",
		API: API{Create: "CreateNodegroup", Read: "DescribeNodegroup", Update: "UpdateNodegroupConfig", Delete: "DeleteNodegroup",
			Updates: map[string]string{"version": "UpdateNodegroupVersion", "releaseVersion": "UpdateNodegroupVersion", "launchTemplate": "UpdateNodegroupVersion", "tags": "TagResource"}},
		Takes: Takes{Create: 110 * time.Second, Update: 90 * time.Second, Delete: 3 * time.Minute},
		ID:    "{clusterName}:{nodeGroupName}",
		ARN:   "arn:aws:eks:{region}:{account}:nodegroup/{clusterName}/{nodeGroupName}/{uuid}",
		Name:  Name{Property: "nodeGroupName", Prefix: "nodeGroupNamePrefix", Max: 63},
		Tags:  true,
		Defaults: map[string]any{
			"amiType": "AL2023_x86_64_STANDARD", "capacityType": "ON_DEMAND", "status": "ACTIVE",
			"updateConfig": map[string]any{"maxUnavailable": 1.0}, "nodeRepairConfig": map[string]any{"enabled": false},
		},
		Computed: []string{"version", "releaseVersion", "diskSize", "instanceTypes"},
		Required: []string{"subnetIds"},
		Fields: map[string][]Rule{
			"clusterName":                           clusterName,
			"launchTemplate.id":                     {length(1, 255), match(regexp.MustCompile(`^lt-[a-z0-9]+$`))},
			"launchTemplate.version":                {length(1, 255)},
			"nodeGroupName":                         {length(1, 63), match(regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]*$`))},
			"amiType":                               {oneOf(amiTypeNames()...)},
			"capacityType":                          {oneOf("ON_DEMAND", "SPOT", "CAPACITY_BLOCK")},
			"instanceTypes[*]":                      {match(instanceType)},
			"instanceTypes":                         {count(0, 20)},
			"diskSize":                              {between(1, 16384)},
			"nodeRoleArn":                           {isARN("iam")},
			"scalingConfig.minSize":                 {between(0, 1e9)},
			"scalingConfig.desiredSize":             {between(0, 1e9)},
			"scalingConfig.maxSize":                 {between(1, 1e9)},
			"taints":                                {count(0, 50)},
			"taints[*].key":                         {length(1, 63)},
			"taints[*].value":                       {length(0, 63)},
			"taints[*].effect":                      {oneOf("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")},
			"labels[*]":                             {length(0, 63)},
			"updateConfig.maxUnavailable":           {between(1, 100)},
			"updateConfig.maxUnavailablePercentage": {between(1, 100)},
		},
		Conflicts: [][]string{
			{"nodeGroupName", "nodeGroupNamePrefix"}, {"launchTemplate.id", "launchTemplate.name"},
			{"updateConfig.maxUnavailable", "updateConfig.maxUnavailablePercentage"},
		},
		Unique: []Unique{{Scope: PerRegion, Key: "nodegroup/{clusterName}/{nodeGroupName}",
			Error: "ResourceInUseException: NodeGroup already exists with name {nodeGroupName} and cluster name {clusterName}"}},
		Refs: []Ref{
			clusterRef,
			{Path: "subnetIds[*]", To: []string{subnetToken}, By: []string{"id"}, Error: "InvalidParameterException: The subnet ID '{value}' does not exist"},
			{Path: "launchTemplate.id", To: []string{templateToken}, By: []string{"id"}, Error: "InvalidParameterException: The launch template {value} does not exist"},
			{Path: "launchTemplate.name", To: []string{templateToken}, By: []string{"name"}, Error: "InvalidParameterException: The launch template {value} does not exist"},
		},
		Replace: []string{
			"amiType", "capacityType", "clusterName", "diskSize", "instanceTypes", "launchTemplate.id", "launchTemplate.name",
			"nodeGroupName", "nodeGroupNamePrefix", "nodeRoleArn", "remoteAccess", "subnetIds",
		},
		Check:   checkNodeGroup,
		Created: nodeGroupCreated,
		Updated: nodeGroupOutputs,
		Deleted: nodeGroupDeleted,
	},
}

func amiTypeNames() []string {
	var names []string
	for name := range amiTypes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkNodeGroup refuses what EKS does before it starts an instance.
func checkNodeGroup(c *Call) error {
	scaling := mapAt(c.In, "scalingConfig")
	least, want, most := number(scaling["minSize"]), number(scaling["desiredSize"]), number(scaling["maxSize"])
	switch {
	case want > most:
		return errf("InvalidParameterException", "desired capacity %v can't be greater than max size %v", want, most)
	case least > want:
		return errf("InvalidParameterException", "Minimum capacity %v can't be greater than desired size %v", least, want)
	}
	for _, check := range []func(*Call) error{checkNodeLabels, checkNodeTemplate, checkNodeVersion} {
		if err := check(c); err != nil {
			return err
		}
	}
	if c.Verb != Creating {
		return nil
	}
	if err := checkNodeNetwork(c); err != nil {
		return err
	}
	if err := checkNodeArchitecture(c); err != nil {
		return err
	}
	role := c.String("nodeRoleArn")
	return c.mustTrust(role, "ec2.amazonaws.com",
		errf("InvalidParameterException", "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole %s", role))
}

func number(v any) float64 {
	n, _ := v.(float64)
	return n
}

func checkNodeLabels(c *Call) error {
	for key := range mapAt(c.In, "labels") {
		if len(key) > 316 || !labelKey.MatchString(key) {
			return errf("InvalidParameterException", "Label key %q is invalid", key)
		}
		for _, reserved := range []string{"kubernetes.io/", "k8s.io/", "eks.amazonaws.com/"} {
			if strings.HasPrefix(key, reserved) {
				return errf("InvalidParameterException", "Label cannot contain reserved prefixes [kubernetes.io/, k8s.io/, eks.amazonaws.com/]")
			}
		}
	}
	seen := map[string]bool{}
	for _, t := range listAt(c.In, "taints") {
		taint, _ := t.(map[string]any)
		key := text(taint["key"]) + "/" + text(taint["effect"])
		if seen[key] {
			return errf("InvalidParameterException", "Duplicate taint %s with effect %s", text(taint["key"]), text(taint["effect"]))
		}
		seen[key] = true
	}
	return nil
}

var labelKey = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

// checkNodeTemplate refuses what a launch template and its node group both say.
// https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
func checkNodeTemplate(c *Call) error {
	given := mapAt(c.In, "launchTemplate")
	if len(given) == 0 {
		return nil
	}
	by, value := "id", text(given["id"])
	if value == "" {
		by, value = "name", text(given["name"])
	}
	template, err := c.Find(templateToken, by, value)
	if err != nil || template == nil {
		return err
	}
	version := text(given["version"])
	if n := numbers(version); version != "$Latest" && version != "$Default" && (len(n) != 1 || n[0] < 1 || float64(n[0]) > number(template.Outputs["latestVersion"])) {
		return errf("InvalidParameterException", "Could not find the specified version %s for the launch template with ID %s.", version, template.ID)
	}
	switch {
	case c.In["diskSize"] != nil:
		return errf("InvalidParameterException", "Disk size must be specified within the launch template.")
	case c.In["remoteAccess"] != nil:
		return errf("InvalidParameterException", "Remote access configuration cannot be specified with a launch template.")
	case len(listAt(c.In, "instanceTypes")) > 0 && text(template.Outputs["instanceType"]) != "":
		return errf("InvalidParameterException", "Instance type must be specified in either the launch template or the node group, not in both")
	case text(template.Outputs["imageId"]) != "" && c.In["amiType"] != nil:
		return errf("InvalidParameterException", "You cannot specify an AMI Type when specifying an image id within the launch template.")
	case text(template.Outputs["imageId"]) != "" && (c.In["version"] != nil || c.In["releaseVersion"] != nil):
		return errf("InvalidParameterException", "You cannot specify the field kubernetesVersion when using custom AMIs.")
	case text(mapAt(template.Outputs, "iamInstanceProfile")["name"]) != "":
		return errf("InvalidParameterException", "Launch template should not specify an instance profile. The noderole in your request will be used to construct an instance profile.")
	}
	return nil
}

// checkNodeVersion keeps nodes at the control plane's version or a little behind.
func checkNodeVersion(c *Call) error {
	cluster, err := c.Find(clusterToken, "id", c.String("clusterName"))
	if err != nil || cluster == nil {
		return err
	}
	plane, want := text(cluster.Outputs["version"]), text(c.In["version"])
	if want != "" && want != plane && (!slices.Contains(eksVersions, want) || minor(want) > minor(plane) || minor(plane)-minor(want) > 3) {
		return errf("InvalidParameterException", "Requested Kubernetes version %s is not supported for the node group. Allowed kubernetes version is %s", want, plane)
	}
	if old := text(c.OldOut["version"]); c.Verb == Updating && want != "" && minor(want) < minor(old) {
		return errf("InvalidParameterException", "Node group version %s can't be lower than the current version %s", want, old)
	}
	if strings.HasPrefix(c.String("amiType"), "AL2_") && minor(plane) > 32 {
		return errf("InvalidParameterException", "AMI Type %s is only supported for kubernetes versions 1.32 or earlier", c.String("amiType"))
	}
	return nil
}

func checkNodeNetwork(c *Call) error {
	cluster, err := c.Find(clusterToken, "id", c.String("clusterName"))
	if err != nil || cluster == nil {
		return err
	}
	for _, id := range listAt(c.In, "subnetIds") {
		subnet, err := c.Find(subnetToken, "id", text(id))
		if err != nil {
			return err
		}
		if subnet != nil && subnet.Outputs["vpcId"] != mapAt(cluster.Outputs, "vpcConfig")["vpcId"] {
			return errf("InvalidParameterException", "Subnet %s is not in the VPC of cluster %s", subnet.ID, cluster.ID)
		}
	}
	return nil
}

func checkNodeArchitecture(c *Call) error {
	var wrong []string
	want := amiTypes[c.String("amiType")]
	for _, t := range listAt(c.In, "instanceTypes") {
		is := "x86_64"
		if graviton.MatchString(text(t)) {
			is = "arm64"
		}
		if want != "" && is != want {
			wrong = append(wrong, text(t))
		}
	}
	if len(wrong) > 0 {
		return errf("InvalidParameterException", "[%s] is not a valid instance type for requested amiType %s", strings.Join(wrong, ", "), c.String("amiType"))
	}
	return nil
}

// graviton matches instance types with Arm processors: m7g, c6gn, g5g, a1.
var graviton = regexp.MustCompile(`^(a1|[a-z]+\d+g[a-z]*(-[a-z]+)?)\.`)

// nodeGroupCreated makes the scaling group of the nodes and lets them join.
func nodeGroupCreated(c *Call) error {
	uuid, err := c.Fresh("uuid")
	if err != nil {
		return err
	}
	name := fmt.Sprintf("eks-%s-%s", c.String("nodeGroupName"), uuid)
	c.Out["resources"] = []any{map[string]any{"autoscalingGroups": []any{map[string]any{"name": name}}}}
	if err := nodeGroupOutputs(c); err != nil {
		return err
	}
	if err := c.serviceLinkedRole("eks-nodegroup.amazonaws.com"); err != nil {
		return err
	}
	arn := fmt.Sprintf("arn:aws:autoscaling:%s:%s:autoScalingGroup:%s:autoScalingGroupName/%s", c.Region, c.Account, uuid, name)
	if err := c.Put(store.Row{Type: scalingGroupToken, ID: name, ARN: arn, ByCloud: true, Outputs: map[string]any{
		"name": name, "arn": arn, "vpcZoneIdentifiers": listAt(c.In, "subnetIds"),
		"tags": []any{map[string]any{"key": "eks:cluster-name", "value": c.String("clusterName"), "propagateAtLaunch": true}},
	}}); err != nil {
		return err
	}
	return c.nodeAccess()
}

// nodeGroupOutputs fills in the versions and sizes that were not given.
func nodeGroupOutputs(c *Call) error {
	cluster, err := c.Find(clusterToken, "id", c.String("clusterName"))
	if err != nil || cluster == nil {
		return err
	}
	for _, key := range []string{"version", "releaseVersion", "diskSize", "instanceTypes", "resources"} {
		if c.Out[key] == nil && c.OldOut[key] != nil {
			c.Out[key] = c.OldOut[key]
		}
	}
	setDefault(c.Out, "version", cluster.Outputs["version"])
	if text(c.In["releaseVersion"]) == "" {
		c.Out["releaseVersion"] = c.String("version") + ".0-20260801"
		if strings.HasPrefix(c.String("amiType"), "BOTTLEROCKET_") {
			c.Out["releaseVersion"] = "1.49.0-713f44ce"
		}
	}
	if c.In["launchTemplate"] == nil {
		setDefault(c.Out, "diskSize", 20.0)
	} else {
		c.Out["diskSize"] = 0.0
		template := mapAt(c.Out, "launchTemplate")
		row, err := c.Find(templateToken, "id", text(template["id"]))
		if err != nil {
			return err
		}
		if row == nil {
			row, err = c.Find(templateToken, "name", text(template["name"]))
			if err != nil {
				return err
			}
		}
		if row != nil {
			template["id"], template["name"] = row.ID, row.Outputs["name"]
			c.Out["launchTemplate"] = template
		}
	}
	setDefault(c.Out, "instanceTypes", []any{"t3.medium"})
	return nil
}

// nodeAccess makes the nodes' access entry, which EKS does for managed groups.
func (c *Call) nodeAccess() error {
	cluster, err := c.Find(clusterToken, "id", c.String("clusterName"))
	if err != nil || cluster == nil || !usesEntries(cluster) {
		return err
	}
	role := c.String("nodeRoleArn")
	there, err := c.Find(accessEntryToken, "id", cluster.ID+":"+role)
	if err != nil || there != nil {
		return err
	}
	return c.putEntry(cluster.ID, role, "EC2_LINUX")
}

// nodeGroupDeleted removes the scaling group, and the access entry with the
// last group that has the role.
func nodeGroupDeleted(c *Call) error {
	for _, found := range walk(c.Out, "resources[*].autoscalingGroups[*].name") {
		group, err := c.Find(scalingGroupToken, "id", text(found.value))
		if err != nil {
			return err
		}
		if group != nil {
			if err := c.Drop(*group); err != nil {
				return err
			}
		}
	}
	others, err := c.List(nodeGroupToken)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID != c.ID && other.Outputs["clusterName"] == c.Out["clusterName"] && other.Outputs["nodeRoleArn"] == c.Out["nodeRoleArn"] {
			return nil
		}
	}
	entry, err := c.Find(accessEntryToken, "id", c.String("clusterName")+":"+c.String("nodeRoleArn"))
	if err != nil || entry == nil || !entry.ByCloud {
		return err
	}
	return c.Drop(*entry)
}
