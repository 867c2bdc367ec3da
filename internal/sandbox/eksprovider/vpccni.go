package eksprovider

import (
	"errors"
	"maps"
	"strconv"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// makeVpcCni makes an eks:index:VpcCniAddon unless the cluster keeps the one
// that EKS puts into it.
func (c *cluster) makeVpcCni() error {
	if deref(c.in.UseDefaultVpcCni) {
		return nil
	}
	options := c.in.VpcCniOptions
	if options == nil {
		options = &vpcCniOptions{}
	}
	name := c.name + "-vpc-cni"
	c.vpcCni = &eks.VpcCniAddon{}
	if err := c.ctx.RegisterComponentResource("eks:index:VpcCniAddon", name, c.vpcCni,
		pulumi.Parent(c.parent), pulumi.Providers(c.k8s)); err != nil {
		return err
	}
	addon, err := awseks.NewAddon(c.ctx, name, &awseks.AddonArgs{
		ClusterName:              c.eks.Name,
		AddonName:                pulumi.String("vpc-cni"),
		AddonVersion:             c.addonVersion("vpc-cni", options.AddonVersion, c.vpcCni),
		Preserve:                 pulumi.Bool(true),
		Tags:                     c.in.Tags,
		ConfigurationValues:      options.configuration(),
		ServiceAccountRoleArn:    options.ServiceAccountRoleARN,
		ResolveConflictsOnCreate: pulumi.String(orOverwrite(options.ResolveConflictsOnCreate)),
		ResolveConflictsOnUpdate: pulumi.String(orOverwrite(options.ResolveConflictsOnUpdate)),
	}, pulumi.Parent(c.vpcCni))
	if err != nil {
		return err
	}
	return c.ctx.RegisterResourceOutputs(c.vpcCni, pulumi.Map{"addon": addon})
}

// cniSettings are the options, known.
type cniSettings struct {
	flags  map[string]bool // set or not
	texts  map[string]string
	counts map[string]*int
	policy *bool
	values map[string]any
}

// configuration is the add-on's configuration: the values given, the network
// policy switch, and the environment that the other options stand for. What
// values say wins.
func (o *vpcCniOptions) configuration() pulumi.StringOutput {
	flags := map[string]pulumi.BoolPtrInput{
		"rpfilter": o.CniConfigureRpfilter, "cniCustom": o.CniCustomNetworkCfg, "cniSnat": o.CniExternalSnat,
		"custom": o.CustomNetworkConfig, "demux": o.DisableTCPEarlyDemux, "podEni": o.EnablePodEni,
		"prefix": o.EnablePrefixDelegation, "snat": o.ExternalSnat, "nodePort": o.NodePortSupport,
	}
	texts := map[string]pulumi.StringPtrInput{
		"label": o.EniConfigLabelDef, "file": o.LogFile, "level": o.LogLevel, "veth": o.VethPrefix,
	}
	counts := map[string]pulumi.IntPtrInput{
		"mtu": o.EniMtu, "warmEni": o.WarmEniTarget, "warmIp": o.WarmIPTarget, "warmPrefix": o.WarmPrefixTarget,
	}
	known := pulumi.Map{}
	for name, in := range flags {
		if in != nil {
			known["flag."+name] = in
		}
	}
	for name, in := range texts {
		if in != nil {
			known["text."+name] = in
		}
	}
	for name, in := range counts {
		if in != nil {
			known["count."+name] = in
		}
	}
	if o.EnableNetworkPolicy != nil {
		known["policy"] = o.EnableNetworkPolicy
	}
	if o.ConfigurationValues != nil {
		known["values"] = o.ConfigurationValues
	}
	return known.ToMapOutput().ApplyT(func(m map[string]any) (string, error) {
		s := cniSettings{flags: map[string]bool{}, texts: map[string]string{}, counts: map[string]*int{}}
		for name := range flags {
			s.flags[name] = deref(boolIn(m["flag."+name]))
		}
		for name := range texts {
			s.texts[name] = stringIn(m["text."+name])
		}
		for name := range counts {
			s.counts[name] = intIn(m["count."+name])
		}
		s.policy = boolIn(m["policy"])
		s.values, _ = m["values"].(map[string]any)
		merged, err := s.merge()
		if err != nil {
			return "", err
		}
		return configurationText(merged)
	}).(pulumi.StringOutput)
}

// merge writes the settings as the add-on's schema wants them.
func (s cniSettings) merge() (map[string]any, error) {
	if s.flags["cniSnat"] && s.flags["snat"] {
		return nil, errors.New("please specify one of `cniExternalSnat` or `externalSnat` in your VpcCniOptions")
	}
	env := map[string]any{
		"WARM_ENI_TARGET":                    "1",
		"AWS_VPC_K8S_CNI_LOGLEVEL":           textDefault(s.texts["level"], "DEBUG"),
		"AWS_VPC_K8S_CNI_LOG_FILE":           textDefault(s.texts["file"], "/host/var/log/aws-routed-eni/ipamd.log"),
		"AWS_VPC_K8S_CNI_VETHPREFIX":         textDefault(s.texts["veth"], "eni"),
		"AWS_VPC_ENI_MTU":                    "9001",
		"AWS_VPC_K8S_PLUGIN_LOG_LEVEL":       "DEBUG",
		"AWS_VPC_K8S_PLUGIN_LOG_FILE":        "/var/log/aws-routed-eni/plugin.log",
		"ENABLE_POD_ENI":                     strconv.FormatBool(s.flags["podEni"]),
		"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": strconv.FormatBool(s.flags["cniCustom"]),
		"AWS_VPC_K8S_CNI_EXTERNALSNAT":       strconv.FormatBool(s.flags["snat"] || s.flags["cniSnat"]),
	}
	// The genuine component sets customNetworkConfig first and lets
	// cniCustomNetworkCfg, false by default, write over it. So does this one.
	for flag, name := range map[string]string{
		"nodePort": "AWS_VPC_CNI_NODE_PORT_SUPPORT", "prefix": "ENABLE_PREFIX_DELEGATION", "rpfilter": "AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER",
	} {
		if s.flags[flag] {
			env[name] = "true"
		}
	}
	if n := s.counts["warmEni"]; n != nil {
		env["WARM_ENI_TARGET"] = strconv.Itoa(*n)
	}
	for count, name := range map[string]string{
		"mtu": "AWS_VPC_ENI_MTU", "warmIp": "WARM_IP_TARGET", "warmPrefix": "WARM_PREFIX_TARGET",
	} {
		if n := s.counts[count]; n != nil && *n != 0 {
			env[name] = strconv.Itoa(*n)
		}
	}
	if label := s.texts["label"]; label != "" {
		env["ENI_CONFIG_LABEL_DEF"] = label
	}

	config := map[string]any{}
	maps.Copy(config, s.values)
	if _, given := config["enableNetworkPolicy"]; !given && s.policy != nil {
		config["enableNetworkPolicy"] = strconv.FormatBool(*s.policy)
	}
	config["env"] = over(env, config["env"])
	init, _ := config["init"].(map[string]any)
	init = maps.Clone(init)
	if init == nil {
		init = map[string]any{}
	}
	init["env"] = over(map[string]any{"DISABLE_TCP_EARLY_DEMUX": strconv.FormatBool(s.flags["demux"])}, init["env"])
	config["init"] = init
	return config, nil
}

// over puts the values given, if they are an object, over the computed ones.
func over(computed map[string]any, given any) map[string]any {
	if object, ok := given.(map[string]any); ok {
		maps.Copy(computed, object)
	}
	return computed
}

func textDefault(s, absent string) string {
	if s == "" {
		return absent
	}
	return s
}

func boolIn(v any) *bool {
	switch v := v.(type) {
	case bool:
		return &v
	case *bool:
		return v
	}
	return nil
}

func stringIn(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case *string:
		return deref(v)
	}
	return ""
}

func intIn(v any) *int {
	switch v := v.(type) {
	case int:
		return &v
	case *int:
		return v
	}
	return nil
}
