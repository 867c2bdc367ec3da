// Package sandbox is the embedded cloud: the same stacks, engine and policies
// run on it as on AWS, without an account and without the network. It serves
// the providers aws, eks and kubernetes to the engine from inside the process;
// its state is one file, and several processes may use it at once.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/controlplane"
	"freehold.dev/freehold/internal/sandbox/store"
	"freehold.dev/freehold/internal/unknown"
)

// Options are what a sandbox is opened with.
type Options struct {
	// Dir is where everything is kept; required.
	Dir string
	// Clock is required.
	Clock func() time.Time
	// Latency is "none" (also when empty), "realistic" or "realistic/60".
	Latency string
	// Faults are injected failures, "service:Action=kind[:count]".
	Faults []string
	// Quotas replace service quotas, by name: "organizations:accounts".
	Quotas map[string]int
	// Log gets retries; nil: nothing does.
	Log *slog.Logger
	// Executable serves clusters ("sandbox serve-cluster --dir DIR --idle D")
	// and credentials ("sandbox token --dir DIR --as WHO"); empty: clusters
	// have an endpoint that nobody answers.
	Executable string
	// Args are put before the executable's own when it serves a cluster, and Env
	// is in its environment when a kubeconfig asks it for credentials: what makes
	// it find this sandbox.
	Args []string
	Env  map[string]string
	// Idle is after how long without use a control plane stops; zero: its default.
	Idle time.Duration
}

// Cloud is an open sandbox.
type Cloud struct {
	store    *store.Store
	backend  *awsprovider.Backend
	clusters *controlplane.Manager // nil: none
	root     string                // of the clusters' directories
	o        Options
}

// Open opens the sandbox in a directory, and makes one if there is none.
func Open(ctx context.Context, o Options) (*Cloud, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	latency, err := awsprovider.ParseLatency(o.Latency)
	if err != nil {
		return nil, err
	}
	var faults []awsprovider.Fault
	for _, s := range o.Faults {
		f, err := awsprovider.ParseFault(s)
		if err != nil {
			return nil, err
		}
		faults = append(faults, f)
	}
	c := &Cloud{o: o, root: filepath.Join(o.Dir, "clusters")}
	env := awsprovider.Env{Now: o.Clock}
	if o.Executable != "" {
		c.clusters = controlplane.NewManager(controlplane.Options{
			Root: c.root, Executable: o.Executable, ServeArgs: append(slices.Clone(o.Args), "sandbox", "serve-cluster"),
			Idle: o.Idle, Now: o.Clock,
		})
		env.Planes = planes{c.clusters}
	}
	if c.store, err = store.Open(ctx, o.Dir); err != nil {
		return nil, err
	}
	c.backend, err = awsprovider.New(ctx, awsprovider.Options{Store: c.store, Env: env, Latency: latency, Faults: faults, Log: o.Log})
	for name, limit := range o.Quotas {
		if err == nil {
			err = c.backend.SetQuota(ctx, name, limit)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sandbox %s: %w", o.Dir, err), c.store.Close())
	}
	return c, nil
}

// Close closes the database; control planes stay up until they are idle.
func (c *Cloud) Close() error { return c.store.Close() }

// Name is "sandbox".
func (c *Cloud) Name() string { return "sandbox" }

// Identity is the provisioner of the management account.
func (c *Cloud) Identity(context.Context) (cloud.Identity, error) {
	return cloud.Identity{AccountID: awsprovider.ManagementAccount, ARN: awsprovider.Provisioner}, nil
}

// Journal returns every API call after a number, oldest first.
func (c *Cloud) Journal(ctx context.Context, after int64) ([]store.Entry, error) {
	return c.store.Entries(ctx, after)
}

// as assumes an account's role.
func (c *Cloud) as(ctx context.Context, a cloud.Account) (awsprovider.Caller, error) {
	who, err := c.backend.As(ctx, a.Region, a.RoleARN, a.ExternalID)
	if err != nil {
		return who, fmt.Errorf("account %s: %w", a.ID, err)
	}
	if a.ID != "" && a.RoleARN == "" && a.ID != awsprovider.ManagementAccount {
		return who, fmt.Errorf("account %s: a role must be named to act in it", a.ID)
	}
	return who, nil
}

// Find looks a resource up by what identifies it.
func (c *Cloud) Find(ctx context.Context, in cloud.Account, typ string, inputs map[string]any) (string, error) {
	who, err := c.as(ctx, in)
	if err != nil {
		return "", err
	}
	// AWS has patterns for ids and names, and refuses what does not fit them:
	// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListTargetsForPolicy.html
	if unknown.Hidden(inputs) {
		return "", fmt.Errorf("find %s: InvalidInputException: You provided invalid values for one or more parameters: %v", typ, inputs)
	}
	ids, err := c.backend.Lookup(ctx, who, typ, inputs)
	switch {
	case err != nil:
		return "", fmt.Errorf("find %s: %w", typ, err)
	case len(ids) == 0:
		return "", fmt.Errorf("find %s: %w", typ, cloud.ErrNotFound)
	case len(ids) > 1:
		return "", fmt.Errorf("find %s: more than one fits: %q", typ, ids)
	}
	return ids[0], nil
}

// Usable probes the role, and whether services answer in the account yet.
func (c *Cloud) Usable(ctx context.Context, a cloud.Account) error {
	status, usable, err := c.backend.Account(ctx, a.ID)
	switch {
	case err != nil:
		return err
	case status == "":
		return fmt.Errorf("account %s: organizations:DescribeAccount: AccountNotFoundException: %w", a.ID, cloud.ErrNotUsable)
	case status != "ACTIVE":
		return fmt.Errorf("account %s: organizations:DescribeAccount: the account is %s: %w", a.ID, status, cloud.ErrNotUsable)
	}
	if _, err := c.as(ctx, a); err != nil {
		return fmt.Errorf("%w: sts:AssumeRole: %w", cloud.ErrNotUsable, err)
	}
	if c.o.Clock().Before(usable) {
		return fmt.Errorf("account %s: ec2:DescribeVpcs: OptInRequired: You are not subscribed to this service: %w", a.ID, cloud.ErrNotUsable)
	}
	return nil
}

// Inventory lists everything in the account, in its region and in none.
func (c *Cloud) Inventory(ctx context.Context, a cloud.Account) ([]cloud.Item, error) {
	who, err := c.as(ctx, a)
	if err != nil {
		return nil, err
	}
	rows, err := c.backend.Rows(ctx, store.Filter{Account: who.Account()})
	if err != nil {
		return nil, fmt.Errorf("inventory of %s: %w", a.ID, err)
	}
	var items []cloud.Item
	for _, r := range rows {
		if r.Type == awsprovider.OutsideAccount || r.Region != store.Global && r.Region != a.Region {
			continue
		}
		if it, shown := listed(item(r)); shown {
			items = append(items, it)
		}
	}
	markWayIn(items, a.RoleARN)
	markNodeEntries(items)
	return items, nil
}

// RegionEnabled reports whether a region is on in every account.
func (c *Cloud) RegionEnabled(ctx context.Context, a cloud.Account, region string) (bool, error) {
	if _, err := c.as(ctx, a); err != nil {
		return false, err
	}
	return slices.Contains(awsprovider.Regions(), region), nil
}

// markNodeEntries marks the access entries of nodes as EKS's own, whoever made
// them: it has one for the role of each node group.
func markNodeEntries(items []cloud.Item) {
	runs := map[string]bool{}
	for _, it := range items {
		if it.Type == awstype.EKSNodeGroup {
			runs[text(it.Properties, "clusterName")+":"+text(it.Properties, "nodeRoleArn")] = true
		}
	}
	for i := range items {
		it := &items[i]
		if it.Type == awstype.EKSAccessEntry && text(it.Properties, "type") == "EC2_LINUX" && runs[it.ID] {
			it.ByCloud = true
		}
	}
}

// markWayIn marks the role by which we came, in an account that the customer
// brought, with all that is there for it and nothing else.
func markWayIn(items []cloud.Item, roleARN string) {
	i := slices.IndexFunc(items, func(it cloud.Item) bool { return it.Type == awstype.IAMRole && it.ARN == roleARN && it.ByCloud })
	if i < 0 || items[i].Name == awsprovider.VendedRole {
		return
	}
	role := items[i].Name
	its := map[string]bool{text(items[i].Properties, "permissionsBoundary"): true}
	others := map[string]bool{}
	for _, it := range items {
		arn := text(it.Properties, "policyArn")
		switch {
		case it.Type == awstype.IAMRoleAttachment && text(it.Properties, "role") == role:
			its[arn] = true
		case arn != "":
			others[arn] = true
		case it.Type == awstype.IAMRole && it.ARN != roleARN:
			others[text(it.Properties, "permissionsBoundary")] = true
		}
	}
	for i := range items {
		it := &items[i]
		switch it.Type {
		case awstype.IAMRole:
			it.WayIn = it.ARN == roleARN
		case awstype.IAMRoleAttachment, awstype.IAMRolePolicy:
			if it.WayIn = text(it.Properties, "role") == role; it.WayIn {
				it.ByCloud = true
			}
		case awstype.IAMPolicy:
			if it.WayIn = its[it.ARN]; it.WayIn && !others[it.ARN] {
				it.ByCloud = true
			}
		}
	}
}

func text(in map[string]any, key string) string {
	s, _ := in[key].(string)
	return s
}

// Zones are those in which EC2 makes subnets.
func (c *Cloud) Zones(ctx context.Context, a cloud.Account) ([]cloud.Zone, error) {
	if _, err := c.as(ctx, a); err != nil {
		return nil, err
	}
	names, ids := awsprovider.Zones(a.Region)
	zones := make([]cloud.Zone, len(names))
	for i := range names {
		zones[i] = cloud.Zone{Name: names[i], ID: ids[i]}
	}
	return zones, nil
}

// Quotas tells the quotas that the sandbox has, with their use.
func (c *Cloud) Quotas(ctx context.Context, a cloud.Account) ([]cloud.Quota, error) {
	who, err := c.as(ctx, a)
	if err != nil {
		return nil, err
	}
	usages, err := c.backend.Usages(ctx, who)
	if err != nil {
		return nil, fmt.Errorf("quotas of %s: %w", a.ID, err)
	}
	var out []cloud.Quota
	for _, u := range usages {
		service, _, _ := strings.Cut(u.Name, ":")
		out = append(out, cloud.Quota{Service: service, Code: u.Name, Name: u.Name, Region: a.Region, Type: u.Token, Limit: u.Limit, Used: u.Used})
	}
	return out, nil
}

func item(r store.Row) cloud.Item {
	properties := awsprovider.Public(r)
	slot, _ := awstype.Slot(r.Type, properties)
	return cloud.Item{
		Type: r.Type, ID: r.ID, Name: nameOf(r), ARN: r.ARN, Tags: tagsOf(r), ByCloud: r.ByCloud, Slot: slot, Properties: properties,
	}
}

func tagsOf(r store.Row) map[string]string {
	tags, _ := r.Outputs["tags"].(map[string]any)
	out := map[string]string{}
	for k, v := range tags {
		out[k], _ = v.(string)
	}
	return out
}

// nameOf is what people call a resource.
func nameOf(r store.Row) string {
	var property string
	if t := awsprovider.TypeOf(r.Type); t != nil {
		property = t.Name.Property
	}
	for _, p := range []string{property, "name", "bucket", "clusterName"} {
		if s, ok := r.Outputs[p].(string); ok && s != "" {
			return s
		}
	}
	return tagsOf(r)["Name"]
}

// Remove deletes one item. A bucket is emptied first.
func (c *Cloud) Remove(ctx context.Context, a cloud.Account, it cloud.Item) error {
	who, err := c.as(ctx, a)
	if err != nil {
		return err
	}
	t := awsprovider.TypeOf(it.Type)
	if t == nil {
		return fmt.Errorf("remove %s %s: the sandbox cloud has no such type", it.Type, it.ID)
	}
	if err := c.backend.Empty(ctx, who, t, it.ID); err != nil {
		return fmt.Errorf("remove %s %s: %w", it.Type, it.ID, err)
	}
	return c.backend.Delete(ctx, who, t, "", it.ID, nil)
}

// Limits are how many accounts AWS creates and closes at once. How fast it is
// asked does not matter here: what it would throttle, it takes no time for.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
func (*Cloud) Limits() cloud.Limits {
	return cloud.Limits{Create: cloud.Limit{AtOnce: 5}, Close: cloud.Limit{AtOnce: awsprovider.ClosedAtOnce}}
}

// CloseAccount closes a vended account.
func (c *Cloud) CloseAccount(ctx context.Context, accountID string) error {
	if err := c.backend.Settle(ctx); err != nil {
		return err
	}
	found, err := c.backend.CloseAccount(ctx, accountID)
	if errors.Is(err, awsprovider.ErrCloseQueue) {
		err = &cloud.PendingError{Reason: event.CloseQueue, After: 15 * time.Minute, Err: err}
	}
	if err != nil {
		return fmt.Errorf("close account %s: %w", accountID, err)
	}
	if !found {
		return fmt.Errorf("close account %s: AccountNotFoundException: %w", accountID, cloud.ErrNotFound)
	}
	return nil
}

// Types are the types that the sandbox knows.
func (c *Cloud) Types() []string {
	return slices.Clone(awsprovider.Tokens())
}
