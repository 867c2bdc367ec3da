package awsprovider

import (
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
)

const templateToken = "aws:ec2/launchTemplate:LaunchTemplate"

// instanceType is the form of one; which there are differs by region and week.
var instanceType = regexp.MustCompile(`^[a-z]+[0-9]*[a-z]*[0-9]*[a-z-]*\.(nano|micro|small|medium|large|xlarge|\d+xlarge|metal(-\d+xl)?)$`)

var ec2TemplateTypes = []*Type{
	{
		Token:    templateToken,
		Source:   "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html",
		Args:     ec2.LaunchTemplateArgs{},
		State:    ec2.LaunchTemplate{},
		Noun:     "EC2 Launch Template",
		Service:  "ec2",
		API:      API{Create: "CreateLaunchTemplate", Read: "DescribeLaunchTemplates", Update: "CreateLaunchTemplateVersion", Delete: "DeleteLaunchTemplate", Updates: map[string]string{"tags": "CreateTags", "defaultVersion": "ModifyLaunchTemplate"}},
		ID:       "lt-{hex:17}",
		ARN:      "arn:aws:ec2:{region}:{account}:launch-template/{id}",
		Name:     Name{Property: "name", Prefix: "namePrefix", Max: 128},
		Tags:     true,
		Renews:   []string{"latestVersion", "defaultVersion"},
		Defaults: map[string]any{"latestVersion": 1.0, "defaultVersion": 1.0},
		Fields: map[string][]Rule{
			"name":                                           {length(3, 128), match(regexp.MustCompile(`^[a-zA-Z0-9().\-/_]+$`))},
			"description":                                    {length(0, 255)},
			"instanceType":                                   {match(instanceType)},
			"metadataOptions.httpTokens":                     {oneOf("optional", "required")},
			"metadataOptions.httpEndpoint":                   {oneOf("enabled", "disabled")},
			"metadataOptions.instanceMetadataTags":           {oneOf("enabled", "disabled")},
			"metadataOptions.httpProtocolIpv6":               {oneOf("enabled", "disabled")},
			"metadataOptions.httpPutResponseHopLimit":        {between(1, 64)},
			"blockDeviceMappings[*].ebs.volumeType":          {oneOf("standard", "io1", "io2", "gp2", "sc1", "st1", "gp3")},
			"blockDeviceMappings[*].ebs.encrypted":           {oneOf("", "true", "false")},
			"blockDeviceMappings[*].ebs.deleteOnTermination": {oneOf("", "true", "false")},
			"blockDeviceMappings[*].ebs.volumeSize":          {between(0, 65536)},
			"blockDeviceMappings[*].ebs.kmsKeyId":            {isARN("kms")},
			"blockDeviceMappings[*].ebs.throughput":          {between(125, 2000)},
			"tagSpecifications[*].resourceType":              {oneOf("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu")},
			"instanceInitiatedShutdownBehavior":              {oneOf("stop", "terminate")},
			"networkInterfaces[*].securityGroups[*]":         {match(regexp.MustCompile(`^sg-`))},
		},
		Conflicts: [][]string{{"defaultVersion", "updateDefaultVersion"}, {"securityGroupNames", "vpcSecurityGroupIds"}, {"instanceType", "instanceRequirements"}},
		Unique: []Unique{{Scope: PerRegion, Key: "launch-template/{name}",
			Error: "InvalidLaunchTemplateName.AlreadyExistsException: Launch template name already in use."}},
		Refs:    []Ref{groupRef("vpcSecurityGroupIds[*]"), groupRef("networkInterfaces[*].securityGroups[*]")},
		Replace: []string{"name", "namePrefix"},
		Check: func(c *Call) error {
			for _, m := range listAt(c.In, "blockDeviceMappings") {
				m, _ := m.(map[string]any)
				ebs := mapAt(m, "ebs")
				if text(ebs["kmsKeyId"]) != "" && text(ebs["encrypted"]) != "true" {
					return errf("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
				}
			}
			return nil
		},
		Updated: templateUpdated,
	},
}

// templateUpdated makes a new version of what has versions. Tags have none.
func templateUpdated(c *Call) error {
	same := true
	for _, m := range []struct{ a, b map[string]any }{{c.In, c.OldIn}, {c.OldIn, c.In}} {
		for key, value := range m.a {
			switch key {
			case "tags", "updateDefaultVersion", "defaultVersion", "name", "namePrefix":
			default:
				same = same && equal(value, m.b[key])
			}
		}
	}
	if same {
		return nil
	}
	latest, _ := c.OldOut["latestVersion"].(float64)
	c.Out["latestVersion"] = latest + 1
	if c.Bool("updateDefaultVersion") {
		c.Out["defaultVersion"] = latest + 1
	}
	return nil
}
