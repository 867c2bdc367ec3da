package eksprovider

import (
	"bytes"
	"encoding/json"
	"strings"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// overwrite is what the component does about an add-on's conflicts by default:
// the self-managed add-ons that EKS puts into a new cluster are in the way.
const overwrite = "OVERWRITE"

func (c *cluster) makeKubeProxy() error {
	options := c.in.KubeProxyAddonOptions
	if options != nil && options.Enabled != nil && !*options.Enabled {
		return nil
	}
	return c.makeAddon("kube-proxy", options)
}

// makeCoreDNS makes the add-on only if it is asked for: without a default node
// group the component does not know that there will be nodes to run it.
func (c *cluster) makeCoreDNS() error {
	options := c.in.CorednsAddonOptions
	if options == nil || (!deref(options.Enabled) && options.ConfigurationValues == nil) {
		return nil
	}
	return c.makeAddon("coredns", options)
}

func (c *cluster) makeAddon(addon string, options *addonOptions) error {
	if options == nil {
		options = &addonOptions{}
	}
	args := &awseks.AddonArgs{
		ClusterName:              c.eks.Name,
		AddonName:                pulumi.String(addon),
		AddonVersion:             c.addonVersion(addon, options.Version, c.parent),
		Preserve:                 pulumi.Bool(true),
		Tags:                     c.in.Tags,
		ResolveConflictsOnCreate: pulumi.String(orOverwrite(options.ResolveConflictsOnCreate)),
		ResolveConflictsOnUpdate: pulumi.String(orOverwrite(options.ResolveConflictsOnUpdate)),
	}
	if options.ConfigurationValues != nil {
		args.ConfigurationValues = options.ConfigurationValues.ToMapOutput().ApplyT(configurationText).(pulumi.StringOutput)
	}
	_, err := awseks.NewAddon(c.ctx, c.name+"-"+addon, args, pulumi.Parent(c.parent))
	return err
}

// addonVersion is the one given, or the newest for the cluster's version.
func (c *cluster) addonVersion(addon string, given pulumi.StringPtrInput, parent pulumi.Resource) pulumi.StringPtrInput {
	if given != nil {
		return given
	}
	return awseks.GetAddonVersionOutput(c.ctx, awseks.GetAddonVersionOutputArgs{
		AddonName:         pulumi.String(addon),
		KubernetesVersion: c.eks.Version,
		MostRecent:        pulumi.Bool(true),
	}, pulumi.Parent(parent)).Version()
}

// configurationText is JSON with sorted keys, so that it only differs when the values do.
func configurationText(values map[string]any) (string, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(values); err != nil {
		return "", err
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

// orOverwrite is how conflicts are resolved: as given, or as the component does.
func orOverwrite(given *string) string {
	if given == nil {
		return overwrite
	}
	return *given
}
