package awsprovider

import (
	"slices"

	"freehold.dev/freehold/internal/sandbox/store"
)

// addonVersion answers aws:eks/getAddonVersion:getAddonVersion: the default
// version for a Kubernetes version, or the newest.
func addonVersion(_ *Backend, _ *store.Tx, _ caller, args map[string]any) (map[string]any, error) {
	addon, kubernetes := text(args["addonName"]), text(args["kubernetesVersion"])
	versions := AddonVersions(addon, kubernetes)
	if len(versions) == 0 || !slices.Contains(eksVersions, kubernetes) {
		return nil, errf("InvalidParameterException", "no versions of add-on %s for Kubernetes %s", addon, kubernetes)
	}
	version, newest := versions[0], args["mostRecent"] == true
	if newest {
		version = slices.MaxFunc(versions, compareVersions)
	}
	return map[string]any{"id": addon, "addonName": addon, "kubernetesVersion": kubernetes, "mostRecent": newest, "version": version}, nil
}

// clusterOf answers aws:eks/getCluster:getCluster, which has lists where the
// resource has objects.
func clusterOf(b *Backend, tx *store.Tx, who caller, args map[string]any) (map[string]any, error) {
	out, err := lookup(clusterToken, "name")(b, tx, who, args)
	if err != nil {
		return nil, err
	}
	for list, object := range map[string]string{
		"accessConfigs": "accessConfig", "certificateAuthorities": "certificateAuthority", "kubernetesNetworkConfigs": "kubernetesNetworkConfig", "upgradePolicies": "upgradePolicy",
	} {
		if o := mapAt(out, object); len(o) > 0 {
			out[list] = []any{o}
		}
		delete(out, object)
	}
	return out, nil
}

// subnetsOf answers aws:ec2/getSubnets:getSubnets for the filters by VPC and by
// zone, and for tags; others are refused.
func subnetsOf(b *Backend, tx *store.Tx, who caller, args map[string]any) (map[string]any, error) {
	c := &Call{Type: byToken[subnetToken], Account: who.account, Region: who.region, Tx: tx, Env: &b.Env}
	rows, err := c.List(subnetToken)
	if err != nil {
		return nil, err
	}
	for _, f := range listAt(args, "filters") {
		filter, _ := f.(map[string]any)
		key := map[string]string{"vpc-id": "vpcId", "availability-zone": "availabilityZone", "subnet-id": "id"}[text(filter["name"])]
		if key == "" {
			return nil, errf("InvalidParameterValue", "the sandbox does not offer the filter %q", text(filter["name"]))
		}
		rows = slices.DeleteFunc(rows, func(r store.Row) bool {
			return !slices.ContainsFunc(listAt(filter, "values"), func(v any) bool { return has(r, key, text(v)) })
		})
	}
	for key, value := range mapAt(args, "tags") {
		rows = slices.DeleteFunc(rows, func(r store.Row) bool { return mapAt(r.Outputs, "tagsAll")[key] != value })
	}
	ids := []any{}
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return map[string]any{"id": who.region, "ids": ids}, nil
}
