package lifecycletest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/internal/unknown"
)

// Cloud is the cloud of a World, as a process reaches it.
type Cloud struct{ p *Process }

func cloudAccount(id, roleARN, externalID string) cloud.Account {
	return cloud.Account{ID: id, RoleARN: roleARN, ExternalID: externalID}
}

// Name is the name of one of the two clouds that there are.
func (c *Cloud) Name() string { return "sandbox" }

// ProviderEnv adds nothing: the engine over a World has no providers.
func (c *Cloud) ProviderEnv(context.Context, cloud.May) (map[string]string, error) {
	return map[string]string{}, c.p.read(func() error { return nil })
}

// Identity is the provisioner in the management account.
func (c *Cloud) Identity(context.Context) (cloud.Identity, error) {
	return cloud.Identity{AccountID: ManagementAccount, ARN: ProvisionerARN}, c.p.guard(Identity, "")
}

// kubernetesVersions are those that this cloud has. Of add-ons it has every
// version but those of 0.0.
var kubernetesVersions = []string{"1.35", "1.34", "1.33"}

// CheckRelease refuses versions that nobody has.
func (c *Cloud) CheckRelease(_ context.Context, r cloud.Release) error {
	if err := c.p.guard(CheckRelease, ""); err != nil {
		return err
	}
	if !slices.Contains(kubernetesVersions, r.Kubernetes) {
		return &cloud.UnsupportedError{Asked: r.Kubernetes, Has: kubernetesVersions}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Addons)) {
		if v := r.Addons[name]; strings.HasPrefix(v, "v0.0.") {
			return &cloud.UnsupportedError{Addon: name, Asked: v, Has: []string{"v1.2.3-eksbuild.1"}}
		}
	}
	return nil
}

// quotas are those that a data plane needs room in.
var quotas = []struct {
	service, code, name, typ string
	management               bool
	limit                    int
}{
	{"organizations", "L-29A0C5DF", "Default maximum number of accounts", accountType, true, 1000},
	{"ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", addressType, false, 100},
	{"vpc", "L-F678F1CE", "VPCs per Region", vpcType, false, 100},
	{"eks", "L-1194D53C", "Clusters", clusterType, false, 100},
}

// Quotas returns the quotas of an account, and how much of each is used.
func (c *Cloud) Quotas(_ context.Context, a cloud.Account) ([]cloud.Quota, error) {
	if err := c.p.guard(Quotas, ""); err != nil {
		return nil, err
	}
	var out []cloud.Quota
	err := c.p.read(func() error {
		where, err := c.p.w.enter(a)
		if err != nil {
			return err
		}
		for _, q := range quotas {
			if q.management != (where == ManagementAccount) {
				continue
			}
			limit, set := c.p.w.data.Quotas[q.typ]
			if !set {
				limit = q.limit
			}
			used := 0
			for _, t := range c.p.w.data.Things {
				if t.Where == where && t.Type == q.typ {
					used++
				}
			}
			out = append(out, cloud.Quota{Service: q.service, Code: q.code, Name: q.name, Region: a.Region, Type: q.typ, Limit: limit, Used: used})
		}
		return nil
	})
	return out, err
}

// Find looks a resource up by its name, or by its tags where AWS knows none.
func (c *Cloud) Find(_ context.Context, in cloud.Account, typ string, inputs map[string]any) (string, error) {
	if err := c.p.guard(Find, ""); err != nil {
		return "", err
	}
	var ids []string
	if unknown.Hidden(inputs) {
		// AWS has patterns for ids, and answers what does not fit them so.
		return "", fmt.Errorf("find %s: InvalidInputException: You provided invalid values for one or more parameters: %v", typ, inputs)
	}
	err := c.p.read(func() error {
		where, err := c.p.w.enter(in)
		if err != nil {
			return err
		}
		for _, t := range c.p.w.data.Things {
			// Every name of a bucket is in one list, and yet it is found in its own account only.
			if t.Type == typ && t.Where == where && !t.ByCloud && fits(t, inputs) {
				ids = append(ids, t.ID)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", fmt.Errorf("find %s: %w", typ, cloud.ErrNotFound)
	case len(ids) > 1:
		return "", fmt.Errorf("find %s: more than one fits: %q", typ, ids)
	}
	return ids[0], nil
}

// fits reports whether a thing is what such inputs would make. Without a name
// it is known by Freehold's tags, all of which have to be there.
func fits(t *Thing, inputs map[string]any) bool {
	if once := kinds[t.Type].once; once != nil {
		return once(t.Inputs) == once(inputs)
	}
	want, _ := inputs["tags"].(map[string]any)
	have, _ := t.Inputs["tags"].(map[string]any)
	for _, key := range []string{"Name", "freehold.dev/org", "freehold.dev/layer"} {
		if want[key] == nil || fmt.Sprint(want[key]) != fmt.Sprint(have[key]) {
			return false
		}
	}
	return true
}

// Usable probes an account once.
func (c *Cloud) Usable(_ context.Context, a cloud.Account) error {
	if err := c.p.guard(Usable, ""); err != nil {
		return err
	}
	return c.p.read(func() error {
		if _, err := c.p.w.enter(a); err != nil {
			return fmt.Errorf("%w: %w", cloud.ErrNotUsable, err)
		}
		probes := c.p.w.data.Probes
		if len(probes) == 0 {
			return nil
		}
		c.p.w.data.Probes = probes[1:]
		if !probes[0] {
			return fmt.Errorf("account %s: ec2:DescribeVpcs: OptInRequired: %w", a.ID, cloud.ErrNotUsable)
		}
		return nil
	})
}

// Inventory lists what is in an account.
func (c *Cloud) Inventory(_ context.Context, a cloud.Account) ([]cloud.Item, error) {
	if err := c.p.guard(Inventory, ""); err != nil {
		return nil, err
	}
	var out []cloud.Item
	err := c.p.read(func() error {
		where, err := c.p.w.enter(a)
		if err != nil {
			return err
		}
		for _, t := range c.p.w.data.Things {
			if t.Where != where || kubernetes(t.Type) || onlyShared(t.Type) {
				continue
			}
			it := cloud.Item{
				Type: t.Type, ID: t.ID, Name: t.Name, ARN: t.ARN, Tags: map[string]string{}, ByCloud: t.ByCloud, ByWorkload: t.ByWorkload, WayIn: t.WayIn,
			}
			it.Slot, _ = awstype.Slot(t.Type, t.Inputs)
			tags, _ := t.Inputs["tags"].(map[string]any)
			for k, v := range tags {
				it.Tags[k] = fmt.Sprint(v)
			}
			out = append(out, it)
		}
		return nil
	})
	return out, err
}

// Shares lists what no inventory shows, with all that was put into it.
func (c *Cloud) Shares(_ context.Context, a cloud.Account) ([]cloud.Item, error) {
	if err := c.p.guard(Shares, ""); err != nil {
		return nil, err
	}
	var out []cloud.Item
	err := c.p.read(func() error {
		where, err := c.p.w.enter(a)
		if err != nil {
			return err
		}
		for _, t := range c.p.w.data.Things {
			if t.Where == where && onlyShared(t.Type) {
				out = append(out, cloud.Item{Type: t.Type, ID: t.ID, Name: t.Name, ARN: t.ARN, ByCloud: t.ByCloud, Properties: t.Inputs})
			}
		}
		return nil
	})
	return out, err
}

// onlyShared reports whether only a list of what is shared shows a type.
func onlyShared(typ string) bool {
	w, is := awstype.WayOf(typ)
	return is && slices.Contains(awstype.SharingLists(), w.List)
}

// Remove deletes one item; what is not there is gone already.
func (c *Cloud) Remove(_ context.Context, a cloud.Account, it cloud.Item) error {
	if err := c.p.guard(Remove, ""); err != nil {
		return err
	}
	gone := fmt.Errorf("remove %s %s: %w", it.Type, it.ID, cloud.ErrNotFound)
	err := c.p.write(Write{"cloud", "remove", it.Type, it.ID}, func() error {
		where, err := c.p.w.enter(a)
		if err != nil {
			return err
		}
		if it.Type == awstype.EKSAccessEntry {
			_, principal, _ := strings.Cut(it.ID, ":")
			delete(c.p.w.data.Stale, principal)
		}
		t := c.p.w.find(where, it.Type, it.ID)
		if t == nil {
			return gone
		}
		return c.p.w.remove(t)
	})
	if err == gone { //nolint:errorlint // it is this very value
		return nil
	}
	return err
}

// Limits are the world's: see SetLimits.
func (c *Cloud) Limits() cloud.Limits {
	c.p.w.mu.Lock()
	defer c.p.w.mu.Unlock()
	return c.p.w.data.Limits
}

// CloseAccount closes an account; a closed one stays closed.
func (c *Cloud) CloseAccount(_ context.Context, accountID string) error {
	if err := c.p.guard(CloseAccount, ""); err != nil {
		return err
	}
	return c.p.write(Write{"cloud", "close", accountType, accountID}, func() error {
		a, ok := c.p.w.data.Accounts[accountID]
		switch {
		case !ok:
			return fmt.Errorf("close account %s: AccountNotFoundException: %w", accountID, cloud.ErrNotFound)
		case accountID == ManagementAccount:
			return fmt.Errorf("close account %s: ConstraintViolationException: it is the management account", accountID)
		}
		a.Status = accountSuspended
		return nil
	})
}

// RegionEnabled reports whether somebody has opted an account in: see OptIn.
func (c *Cloud) RegionEnabled(_ context.Context, a cloud.Account, region string) (on bool, err error) {
	if err := c.p.guard(RegionEnabled, ""); err != nil {
		return false, err
	}
	err = c.p.read(func() error {
		where, err := c.p.w.enter(a)
		on = spec.AccessTo(region) == spec.EveryAccount || slices.Contains(c.p.w.data.OptIns[where], region)
		return err
	})
	return on, err
}

// Zones are a, b and c of the region, unless SetZones says something else.
func (c *Cloud) Zones(_ context.Context, a cloud.Account) (out []cloud.Zone, err error) {
	if err := c.p.guard(Zones, ""); err != nil {
		return nil, err
	}
	err = c.p.read(func() error {
		if _, err := c.p.w.enter(a); err != nil {
			return err
		}
		if out = slices.Clone(c.p.w.data.Zones); len(out) > 0 {
			return nil
		}
		for i, letter := range []string{"a", "b", "c"} {
			out = append(out, cloud.Zone{Name: a.Region + letter, ID: fmt.Sprintf("x-az%d", i+1)})
		}
		return nil
	})
	return out, err
}

// Running says which version a cluster has. There are no node groups here.
func (c *Cloud) Running(_ context.Context, a cloud.Account, cluster string) (out cloud.Running, err error) {
	if err := c.p.guard(Running, ""); err != nil {
		return out, err
	}
	err = c.p.read(func() error {
		where, err := c.p.w.enter(a)
		if err != nil {
			return err
		}
		t := c.p.w.find(where, clusterType, cluster)
		if t == nil {
			return fmt.Errorf("what cluster %s runs: ResourceNotFoundException: %w", cluster, cloud.ErrNotFound)
		}
		out.Kubernetes, out.Protected = text(t.Inputs, "version"), t.Inputs["deletionProtection"] == true
		authority, _ := t.Outputs["certificateAuthority"].(map[string]any)
		out.Endpoint, out.CA = text(t.Outputs, "endpoint"), text(authority, "data")
		return nil
	})
	return out, err
}

// ProtectCluster sets EKS's deletion protection.
func (c *Cloud) ProtectCluster(_ context.Context, cl cloud.Cluster, on bool) error {
	if err := c.p.guard(ProtectCluster, ""); err != nil {
		return err
	}
	return c.p.write(Write{"cloud", "protect", clusterType, fmt.Sprint(on)}, func() error {
		where, err := c.p.w.enter(cl.Account)
		if err != nil {
			return err
		}
		t := c.p.w.find(where, clusterType, cl.Name)
		if t == nil {
			return fmt.Errorf("protect cluster %s: ResourceNotFoundException: %w", cl.Name, cloud.ErrNotFound)
		}
		t.Inputs["deletionProtection"] = on
		return nil
	})
}

// NodeGroup reads the size of a node group.
func (c *Cloud) NodeGroup(_ context.Context, in cloud.Account, cluster, name string) (cloud.NodeGroup, error) {
	var out cloud.NodeGroup
	if err := c.p.guard(NodeGroup, ""); err != nil {
		return out, err
	}
	err := c.p.read(func() error {
		where, err := c.p.w.enter(in)
		if err != nil {
			return err
		}
		t := c.p.w.find(where, nodeGroupType, cluster+":"+name)
		if t == nil {
			return fmt.Errorf("node group %s: ResourceNotFoundException: %w", name, cloud.ErrNotFound)
		}
		scaling, _ := t.Inputs["scalingConfig"].(map[string]any)
		number := func(key string) int {
			n, _ := strconv.Atoi(fmt.Sprint(scaling[key]))
			return n
		}
		out = cloud.NodeGroup{Name: name, Min: number("minSize"), Max: number("maxSize"), Size: number("desiredSize")}
		return nil
	})
	return out, err
}

// StaleEntries are of roles that somebody has made anew, and which nobody has
// let in since.
func (c *Cloud) StaleEntries(_ context.Context, in cloud.Account, _ string, principals []string) ([]cloud.Entry, error) {
	if err := c.p.guard(StaleEntries, ""); err != nil {
		return nil, err
	}
	var out []cloud.Entry
	err := c.p.read(func() error {
		if _, err := c.p.w.enter(in); err != nil {
			return err
		}
		for _, p := range principals {
			if c.p.w.data.Stale[p] || c.p.w.data.Shut[p] {
				out = append(out, cloud.Entry{Principal: p, Missing: c.p.w.data.Shut[p]})
			}
		}
		return nil
	})
	return out, err
}

// RenewEntry lets a role in again.
func (c *Cloud) RenewEntry(_ context.Context, in cloud.Account, cluster, principal string, _ bool) error {
	return c.p.write(Write{"cloud", "renew", cluster, principal}, func() error {
		_, err := c.p.w.enter(in)
		delete(c.p.w.data.Stale, principal)
		delete(c.p.w.data.Shut, principal)
		return err
	})
}

// Kubeconfig returns a kubeconfig that reaches the cluster as this process.
func (c *Cloud) Kubeconfig(_ context.Context, cl cloud.Cluster, roleARN string) ([]byte, error) {
	if err := c.p.guard(Kubeconfig, ""); err != nil {
		return nil, err
	}
	var out []byte
	err := c.p.read(func() error {
		has := func(typ, arn string) bool {
			return slices.ContainsFunc(c.p.w.data.Things, func(t *Thing) bool { return t.Type == typ && t.ARN == arn })
		}
		switch {
		case !has(clusterType, cl.ARN):
			return fmt.Errorf("kubeconfig of %s: ResourceNotFoundException: %w", cl.Name, cloud.ErrNotFound)
		case !has(roleType, roleARN):
			return fmt.Errorf("kubeconfig of %s: there is no role %s", cl.Name, roleARN)
		}
		out = c.p.kubeconfig(cl.ARN)
		return nil
	})
	return out, err
}
