package awsprovider

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"

	"freehold.dev/freehold/internal/sandbox/store"
)

const (
	clusterToken       = "aws:eks/cluster:Cluster"
	nodeGroupToken     = "aws:eks/nodeGroup:NodeGroup"
	addonToken         = "aws:eks/addon:Addon"
	accessEntryToken   = "aws:eks/accessEntry:AccessEntry"
	accessPolicyToken  = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	logGroupToken      = "aws:cloudwatch/logGroup:LogGroup"
	serviceLinkedToken = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
	podIdentityToken   = "aws:eks/podIdentityAssociation:PodIdentityAssociation"

	identityProviderToken = "aws:eks/identityProviderConfig:IdentityProviderConfig"
)

// DeletionProtection is the output of a cluster's row that holds EKS's deletion
// protection. The provider lacks it, so it is set by the cloud and not by a program.
const DeletionProtection = "__deletionProtection"

// eksVersions are the versions that EKS runs, oldest first. The last one that
// this sandbox has a control plane of is the default.
// https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
var eksVersions = []string{"1.31", "1.32", "1.33", "1.34", "1.35", "1.36"}

const eksDefaultVersion = "1.35"

// clusterName are the rules for a cluster's name, also where a resource refers to it.
var clusterName = []Rule{length(1, 100), match(regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]*$`))}

// clusterRef requires that a property names a cluster.
var clusterRef = Ref{Path: "clusterName", To: []string{clusterToken}, By: []string{"id"},
	Error: "ResourceNotFoundException: No cluster found for name: {value}."}

var eksTypes = []*Type{
	{
		Token:   clusterToken,
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html",
		Args:    eks.ClusterArgs{},
		State:   eks.Cluster{},
		Noun:    "EKS Cluster",
		Service: "eks",
		API: API{Create: "CreateCluster", Read: "DescribeCluster", Update: "UpdateClusterConfig", Delete: "DeleteCluster",
			Updates: map[string]string{"version": "UpdateClusterVersion", "encryptionConfig": "AssociateEncryptionConfig", "tags": "TagResource"}},
		Takes: Takes{Create: 9 * time.Minute, Update: 4 * time.Minute, Delete: 3 * time.Minute},
		ID:    "{name}",
		ARN:   "arn:aws:eks:{region}:{account}:cluster/{name}",
		Name:  Name{Property: "name", Max: 100},
		Tags:  true,
		Defaults: map[string]any{
			"version": eksDefaultVersion, "status": "ACTIVE", "bootstrapSelfManagedAddons": true,
			"accessConfig":  map[string]any{"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": true},
			"upgradePolicy": map[string]any{"supportType": "EXTENDED"},
		},
		Outputs:  map[string]string{"createdAt": "{now}", "platformVersion": "eks.1"},
		Computed: []string{"kubernetesNetworkConfig"},
		Fields: map[string][]Rule{
			"name":                                    clusterName,
			"roleArn":                                 {isARN("iam")},
			"enabledClusterLogTypes[*]":               {oneOf("api", "audit", "authenticator", "controllerManager", "scheduler")},
			"accessConfig.authenticationMode":         {oneOf("API", "API_AND_CONFIG_MAP", "CONFIG_MAP")},
			"encryptionConfig.resources[*]":           {oneOf("secrets")},
			"encryptionConfig.provider.keyArn":        {isARN("kms")},
			"kubernetesNetworkConfig.ipFamily":        {oneOf("ipv4", "ipv6")},
			"kubernetesNetworkConfig.serviceIpv4Cidr": {cidrSized(12, 24)},
			"vpcConfig.publicAccessCidrs[*]":          {cidr},
			"upgradePolicy.supportType":               {oneOf("STANDARD", "EXTENDED")},
		},
		Unique: []Unique{{Scope: PerRegion, Key: "cluster/{name}", Error: "ResourceInUseException: Cluster already exists with name: {name}"}},
		Refs: []Ref{
			{Path: "vpcConfig.subnetIds[*]", To: []string{subnetToken}, By: []string{"id"}, Error: "InvalidParameterException: The subnet ID '{value}' does not exist"},
			{Path: "vpcConfig.securityGroupIds[*]", To: []string{groupToken, defaultGroupToken}, By: []string{"id"}, Error: "InvalidParameterException: The security group ID '{value}' does not exist"},
			{Path: "encryptionConfig.provider.keyArn", To: []string{keyToken}, By: []string{"arn"}, Error: "InvalidParameterException: The keyArn in encryptionConfig provider {value} is invalid"},
		},
		Quota:       &Quota{Scope: PerRegion, Name: "eks:clusters", Limit: 100, Error: "ResourceLimitExceededException: You have reached your cluster limit."},
		Replace:     []string{"name", "roleArn", "bootstrapSelfManagedAddons", "accessConfig.bootstrapClusterCreatorAdminPermissions", "kubernetesNetworkConfig.ipFamily", "kubernetesNetworkConfig.serviceIpv4Cidr", "outpostConfig"},
		ReplaceGone: []string{"encryptionConfig"},
		Blocks: []Block{{Link: Link{Type: nodeGroupToken, Path: "clusterName", Value: "{name}"},
			Error: "ResourceInUseException: Cluster has nodegroups attached"}},
		Owns: []Link{
			interfacesOf,
			{Type: addonToken, Path: "clusterName"}, {Type: accessPolicyToken, Path: "clusterName"},
			{Type: accessEntryToken, Path: "clusterName"}, {Type: podIdentityToken, Path: "clusterName"},
			{Type: identityProviderToken, Path: "clusterName"},
		},
		Before:  clusterPlane,
		Check:   checkCluster,
		Created: clusterCreated,
		Updated: clusterUpdated,
		Refuse: func(c *Call) error {
			if c.Bool(DeletionProtection) {
				return errf("InvalidRequestException", "Cluster %s has deletion protection enabled. Disable deletion protection and try again.", c.ID)
			}
			return nil
		},
		Deleted: clusterDeleted,
		After:   clusterAfter,
	},
}

// issuer is a cluster's OIDC issuer. AWS draws a new one for each cluster, also
// for one that takes the name of another; here it follows from the ARN and from how
// many have had that before, so that a creation that was cut off is repeated with
// the same one.
// https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html
func issuer(region, arn, before string) string {
	return fmt.Sprintf("https://oidc.eks.%s.amazonaws.com/id/%s", region, strings.ToUpper(generate("hex:32", arn+before)))
}

// clustersBefore is the setting that counts the clusters that an ARN has had.
func clustersBefore(arn string) string { return "clusters before " + arn }

// countCluster notes that an ARN has had one more cluster.
func (c *Call) countCluster(r store.Row) error {
	if r.Type != clusterToken {
		return nil
	}
	before, err := c.Tx.Setting(clustersBefore(r.ARN))
	if err != nil {
		return err
	}
	return c.Tx.Set(clustersBefore(r.ARN), before+"+")
}

// plane is what the cluster's control plane is made from.
func (c *Call) plane() PlaneSpec {
	return PlaneSpec{ARN: c.ARN, Account: c.Account, Region: c.Region, Name: c.String("name"), Version: c.String("version")}
}

// clusterPlane makes the control plane before the cluster is there, so that the
// endpoint is known when it is.
func clusterPlane(ctx context.Context, c *Call) error {
	if c.Verb != Creating {
		return nil
	}
	spec := c.plane()
	before, err := c.Env.Setting(ctx, clustersBefore(c.ARN))
	if err != nil {
		return err
	}
	spec.OIDCIssuer = issuer(c.Region, c.ARN, before)
	endpoint := fmt.Sprintf("https://%s.gr7.%s.eks.amazonaws.com", strings.ToUpper(generate("hex:32", c.ARN)), c.Region)
	ca := base64.StdEncoding.EncodeToString([]byte("no control plane"))
	if c.Env.Planes != nil && slices.Contains(eksVersions, spec.Version) {
		if endpoint, ca, err = c.Env.Planes.Create(ctx, spec); err != nil {
			return fmt.Errorf("control plane of %s: %w", c.ARN, err)
		}
	}
	c.Out["endpoint"], c.Out["certificateAuthority"] = endpoint, map[string]any{"data": ca}
	c.Out["identities"] = []any{map[string]any{"oidcs": []any{map[string]any{"issuer": spec.OIDCIssuer}}}}
	return nil
}

// clusterAfter follows with the control plane once the change is written.
func clusterAfter(ctx context.Context, c *Call) error {
	if c.Env.Planes == nil {
		return nil
	}
	switch c.Verb {
	case Updating:
		if c.String("version") == text(c.OldOut["version"]) {
			return nil
		}
		return c.Env.Planes.Update(ctx, c.plane())
	case Deleting:
		return c.Env.Planes.Delete(ctx, c.ARN)
	default:
		return nil
	}
}

// checkCluster refuses what EKS does about versions, networks, roles and access.
func checkCluster(c *Call) error {
	for _, check := range []func(*Call) error{checkVersion, checkClusterNetwork, checkEndpointAccess, checkMode, checkEncryption} {
		if err := check(c); err != nil {
			return err
		}
	}
	if c.Verb != Creating {
		return nil
	}
	role := c.String("roleArn")
	return c.mustTrust(role, "eks.amazonaws.com",
		errf("InvalidParameterException", "Role with arn: %s, could not be assumed because it does not exist or the trusted entity is not correct", role))
}

// checkVersion lets a version go up by one minor, once the managed nodes have
// the version that the control plane has.
// https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html
// The words: hashicorp/terraform-provider-aws#19478, awsdocs/amazon-eks-user-guide#475.
func checkVersion(c *Call) error {
	want := slices.Index(eksVersions, c.String("version"))
	if want < 0 {
		return errf("InvalidParameterException", "unsupported Kubernetes version %s", c.String("version"))
	}
	if c.Verb == Creating {
		return nil
	}
	is := slices.Index(eksVersions, text(c.OldOut["version"]))
	if want < is || want > is+1 {
		return errf("InvalidParameterException", "Unsupported Kubernetes minor version update from %s to %s", text(c.OldOut["version"]), c.String("version"))
	}
	if want == is {
		return nil
	}
	groups, err := c.List(nodeGroupToken)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.Outputs["clusterName"] == c.Out["name"] && g.Outputs["version"] != c.OldOut["version"] {
			return errf("InvalidParameterException", "Nodegroups %s must be updated to match cluster version %s before updating cluster version",
				text(g.Outputs["nodeGroupName"]), text(c.OldOut["version"]))
		}
	}
	return nil
}

// checkClusterNetwork refuses what EKS does about subnets, and security groups
// that are elsewhere. A cluster stays in the zones that it was created in.
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
// https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html
// The words: awsdocs/amazon-eks-user-guide#795, aws/containers-roadmap#2258.
func checkClusterNetwork(c *Call) error {
	in, networks, err := c.zonesOf(c.In)
	if err != nil {
		return err
	}
	switch {
	case len(in) < 2:
		return errf("InvalidParameterException", "Subnets specified must be in at least two different AZs")
	case len(networks) > 1:
		return errf("InvalidParameterException", "Provided subnets belong to different VPCs")
	}
	if err := c.checkZones(in); err != nil {
		return err
	}
	for _, id := range listAt(mapAt(c.In, "vpcConfig"), "securityGroupIds") {
		group, err := c.Find(groupToken, "id", text(id))
		if err != nil {
			return err
		}
		if group != nil && !networks[text(group.Outputs["vpcId"])] {
			return errf("InvalidParameterException", "Security group(s) [%s] are not in the same VPC as the subnets", group.ID)
		}
	}
	return nil
}

// zonesOf are the zones, in order, and the networks of a cluster's subnets.
func (c *Call) zonesOf(in map[string]any) (zones []string, networks map[string]bool, err error) {
	networks = map[string]bool{}
	for _, id := range listAt(mapAt(in, "vpcConfig"), "subnetIds") {
		subnet, err := c.Find(subnetToken, "id", text(id))
		if err != nil {
			return nil, nil, err
		}
		if subnet != nil {
			zones = append(zones, text(subnet.Outputs["availabilityZone"]))
			networks[text(subnet.Outputs["vpcId"])] = true
		}
	}
	slices.Sort(zones)
	return slices.Compact(zones), networks, nil
}

// checkZones refuses a control plane in a zone that EKS has no room in, and in
// other zones than it was created in.
// The words: https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html
func (c *Call) checkZones(in []string) error {
	if c.Verb != Creating {
		had, _, err := c.zonesOf(c.OldIn)
		if err != nil || len(had) == 0 || slices.Equal(had, in) {
			return err
		}
		return errf("InvalidParameterException", "Provided subnets belong to the AZs '%s'. But they should belong to the exact set of AZs '%s' in which subnets were provided during cluster creation.",
			strings.Join(in, ","), strings.Join(had, ","))
	}
	var room []string
	names, ids := zones(c.Region)
	for i, name := range names {
		if !slices.Contains(withoutEKS, ids[i]) {
			room = append(room, name)
		}
	}
	for _, zone := range in {
		if !slices.Contains(room, zone) {
			return errf("UnsupportedAvailabilityZoneException", "Cannot create cluster '%s' because %s, the targeted availability zone, does not currently have sufficient capacity to support the cluster. Retry and choose from these availability zones: %s",
				c.String("name"), zone, strings.Join(room, ", "))
		}
	}
	return nil
}

// checkEndpointAccess refuses an endpoint that nobody reaches, and allow-lists
// of addresses that are not on the internet.
func checkEndpointAccess(c *Call) error {
	vpc := mapAt(c.In, "vpcConfig")
	if vpc["endpointPublicAccess"] == false && vpc["endpointPrivateAccess"] != true {
		return errf("InvalidParameterException", "Private and public endpoint access cannot be false")
	}
	allowed := listAt(vpc, "publicAccessCidrs")
	if len(allowed) > 40 {
		return errf("InvalidParameterException", "The number of CIDRs in publicAccessCidrs exceeds the limit of 40")
	}
	var private []string
	for _, v := range allowed {
		for _, reserved := range reservedRanges {
			if prefix(text(v)).Overlaps(reserved) && prefix(text(v)).Bits() >= reserved.Bits() {
				private = append(private, text(v))
			}
		}
	}
	if len(private) > 0 {
		return errf("InvalidParameterException", "The following CIDRs are invalid in publicAccessCidrs: [%s]", strings.Join(private, ", "))
	}
	return nil
}

// reservedRanges can never be a caller's address on the internet.
var reservedRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
}

// checkMode lets the authentication mode go forward only.
func checkMode(c *Call) error {
	if c.Verb == Creating {
		return nil
	}
	modes := []string{"CONFIG_MAP", "API_AND_CONFIG_MAP", "API"}
	is, want := text(mapAt(c.OldOut, "accessConfig")["authenticationMode"]), text(mapAt(c.In, "accessConfig")["authenticationMode"])
	if want != "" && slices.Index(modes, want) < slices.Index(modes, is) {
		return errf("InvalidParameterException", "Unsupported authentication mode update from %s to %s", is, want)
	}
	return nil
}

// checkEncryption keeps the key that a cluster has: it can be given one later,
// and never another. The genuine provider plans the change as an update and then
// makes no call, so that the cluster stays on the old key without a word.
// https://docs.aws.amazon.com/eks/latest/APIReference/API_AssociateEncryptionConfig.html
func checkEncryption(c *Call) error {
	old := c.OldIn["encryptionConfig"]
	if c.Verb == Creating || old == nil || equal(old, c.In["encryptionConfig"]) {
		return nil
	}
	return errf("InvalidParameterException", "Encryption config is already associated with the cluster %s", c.ID)
}
