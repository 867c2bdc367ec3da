// Package cloudtest holds what every cloud must do, as one suite: what
// the sandbox promises, AWS keeps, or the sandbox is wrong.
package cloudtest

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/cloud"
)

// Nobody's are identities that no cloud of a test has.
const (
	nobodysAccount = "999999999999"
	nobodysRole    = "arn:aws:iam::999999999999:role/nobody"
	nobodysRegion  = "eu-west-1"
)

// Cloud is all that a cloud must offer beside Pulumi's resources. Every call is
// safe to repeat.
type Cloud interface {
	Providers
	Management
	Accounts
	Clusters
}

// Providers are how the engine reaches a cloud.
type Providers interface {
	// Name is "aws" or "sandbox".
	Name() string
	// ProviderEnv returns environment variables by which the engine reaches this
	// cloud's providers, and serves them until ctx ends if they are served from
	// this process. Those ask may before each change; nil: they may always.
	ProviderEnv(ctx context.Context, may cloud.May) (map[string]string, error)
}

// Management is what is asked of the management account.
type Management interface {
	// Identity says who the process is. It is the first call that needs credentials.
	Identity(ctx context.Context) (cloud.Identity, error)
	// CheckRelease reports whether the cloud makes clusters of a release; when
	// not, it returns a *cloud.UnsupportedError, which says what it does have.
	CheckRelease(ctx context.Context, r cloud.Release) error
	// CloseAccount closes a vended account. Closing a closed account does nothing.
	CloseAccount(ctx context.Context, accountID string) error
}

// Accounts are the orgs' accounts.
type Accounts interface {
	// Find looks up a resource that a creation may have left behind without
	// being recorded, by what identifies it among inputs (a name, an e-mail,
	// Freehold's tags). It wraps cloud.ErrNotFound when there is none, and fails
	// when more than one fits.
	Find(ctx context.Context, in cloud.Account, typ string, inputs map[string]any) (id string, err error)
	// Usable probes once what the next layers need of the account; it wraps
	// cloud.ErrNotUsable and says which probe failed.
	Usable(ctx context.Context, a cloud.Account) error
	// RegionEnabled reports whether the account can use a region. It asks in a
	// region that every account has.
	RegionEnabled(ctx context.Context, a cloud.Account, region string) (bool, error)
	// Zones are the availability zones that the account has in its region, in
	// the order of their names.
	Zones(ctx context.Context, a cloud.Account) ([]cloud.Zone, error)
	// Quotas returns the service quotas of an account and region that a data
	// plane needs room in, and how much of each is used.
	Quotas(ctx context.Context, a cloud.Account) ([]cloud.Quota, error)
	// Inventory lists everything that can be listed in the account and region.
	Inventory(ctx context.Context, a cloud.Account) ([]cloud.Item, error)
	// Shares lists what shares something of the account and is in no inventory.
	Shares(ctx context.Context, a cloud.Account) ([]cloud.Item, error)
	// Remove deletes one item of an inventory.
	Remove(ctx context.Context, a cloud.Account, item cloud.Item) error
}

// Clusters are the orgs' clusters, beside what Pulumi makes of them.
type Clusters interface {
	// Running says what a cluster of the account runs now, and all node groups in
	// it. It wraps cloud.ErrNotFound when there is no such cluster.
	Running(ctx context.Context, a cloud.Account, cluster string) (cloud.Running, error)
	// ProtectCluster sets EKS deletion protection, which the provider lacks. It
	// wraps cloud.ErrNotFound when there is no such cluster.
	ProtectCluster(ctx context.Context, c cloud.Cluster, on bool) error
	// NodeGroup reads the size of a node group. It wraps cloud.ErrNotFound when
	// there is none, or no such cluster.
	NodeGroup(ctx context.Context, in cloud.Account, cluster, name string) (cloud.NodeGroup, error)
	// StaleEntries are those of the principals that have no access entry in the
	// cluster, or one that was made for an earlier role of the name.
	StaleEntries(ctx context.Context, in cloud.Account, cluster string, principals []string) ([]cloud.Entry, error)
	// RenewEntry makes the access entry of a role anew, with all that it gave; of
	// a role of nodes also where there is none.
	RenewEntry(ctx context.Context, in cloud.Account, cluster, principal string, nodes bool) error
	// Kubeconfig returns a kubeconfig that reaches the cluster as roleARN by an
	// exec plugin. It holds no token and can be kept.
	Kubeconfig(ctx context.Context, c cloud.Cluster, roleARN string) ([]byte, error)
}

// Exercise runs the suite. open returns the cloud under test, each time anew
// and each time the same cloud: what one value did, the next one sees.
func Exercise(t *testing.T, open func() Cloud) {
	nowhere := cloud.Account{ID: nobodysAccount, Region: nobodysRegion, RoleARN: nobodysRole}
	management := cloud.Account{Region: nobodysRegion}

	t.Run("it has a name", func(t *testing.T) {
		if n := open().Name(); n != "aws" && n != "sandbox" {
			t.Errorf("got %q", n)
		}
	})
	t.Run("it knows who we are, and says the same each time", func(t *testing.T) {
		first, err := open().Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^\d{12}$`).MatchString(first.AccountID) {
			t.Errorf("account %q is not 12 digits", first.AccountID)
		}
		// A trust policy names a role, never a session of it.
		if !regexp.MustCompile(`^arn:aws[a-z-]*:iam::` + first.AccountID + `:(role|user)/.+$`).MatchString(first.ARN) {
			t.Errorf("%q is not the ARN of a principal of the account", first.ARN)
		}
		second, err := open().Identity(t.Context())
		if err != nil || first != second {
			t.Errorf("then it says %v (%v), first %v", second, err, first)
		}
	})
	t.Run("it serves its providers as the engine is told", func(t *testing.T) {
		env, err := open().ProviderEnv(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for k := range env {
			if !regexp.MustCompile(`^(PULUMI|AWS)_[A-Z0-9_]+$`).MatchString(k) {
				t.Errorf("%s is no variable of the engine or of AWS", k)
			}
		}
	})
	t.Run("what nobody made is not found", func(t *testing.T) {
		for typ, inputs := range map[string]map[string]any{
			"aws:organizations/account:Account": {"name": "nobody", "email": "nobody-at-all@freehold.invalid"},
			"aws:organizations/policy:Policy":   {"name": "freehold-cloudtest-nobody", "type": "SERVICE_CONTROL_POLICY"},
			"aws:kms/key:Key":                   {"tags": map[string]any{"Name": "nobody", "freehold.dev/org": "nobody", "freehold.dev/layer": "boundary"}},
		} {
			if id, err := open().Find(t.Context(), management, typ, inputs); !errors.Is(err, cloud.ErrNotFound) {
				t.Errorf("%s: got %q, %v; want ErrNotFound", typ, id, err)
			}
		}
	})
	t.Run("an account that is not there is not usable, and says which probe failed", func(t *testing.T) {
		err := open().Usable(t.Context(), nowhere)
		if !errors.Is(err, cloud.ErrNotUsable) || !strings.Contains(err.Error(), ":") {
			t.Errorf("got %v, want ErrNotUsable", err)
		}
	})
	t.Run("nobody can look into an account that does not let them", func(t *testing.T) {
		if items, err := open().Inventory(t.Context(), nowhere); err == nil {
			t.Errorf("got %d items", len(items))
		}
		if items, err := open().Shares(t.Context(), nowhere); err == nil {
			t.Errorf("got %d ways to share", len(items))
		}
	})
	t.Run("an inventory names what it lists", func(t *testing.T) {
		items, err := open().Inventory(t.Context(), management)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			if !strings.HasPrefix(it.Type, "aws:") || strings.Count(it.Type, ":") != 2 || it.ID == "" {
				t.Errorf("%+v has no type or no id", it)
			}
		}
	})
	t.Run("a release that nobody has is refused, and says what there is", func(t *testing.T) {
		for _, r := range []cloud.Release{
			{Region: nobodysRegion, Kubernetes: "1.99"},
			{Region: nobodysRegion, Kubernetes: "1.35", Addons: map[string]string{"coredns": "v0.0.1-eksbuild.1"}},
		} {
			err := open().CheckRelease(t.Context(), r)
			if _, says := errors.AsType[*cloud.UnsupportedError](err); !says || !errors.Is(err, cloud.ErrUnsupported) || !strings.Contains(err.Error(), "1.") {
				t.Errorf("%+v: got %v, want ErrUnsupported and what there is", r, err)
			}
		}
		if err := open().CheckRelease(t.Context(), cloud.Release{Region: nobodysRegion, Kubernetes: "1.35"}); err != nil {
			t.Errorf("Kubernetes 1.35: %v", err)
		}
	})
	t.Run("a quota has a name, a limit and how it is raised, and its use is counted", func(t *testing.T) {
		quotas, err := open().Quotas(t.Context(), management)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range quotas {
			if q.Service == "" || q.Code == "" || q.Name == "" || q.Region == "" || !strings.HasPrefix(q.Type, "aws:") || q.Limit <= 0 || q.Used < 0 {
				t.Errorf("%+v", q)
			}
		}
	})
	t.Run("a region that every account has is enabled, and nobody says so for nobody", func(t *testing.T) {
		if on, err := open().RegionEnabled(t.Context(), management, nobodysRegion); err != nil || !on {
			t.Errorf("%s: %v, %v", nobodysRegion, on, err)
		}
		if on, err := open().RegionEnabled(t.Context(), nowhere, nobodysRegion); err == nil {
			t.Errorf("in nobody's account: %v", on)
		}
	})
	t.Run("an account has zones, each under a name of the region and an id", func(t *testing.T) {
		zones, err := open().Zones(t.Context(), management)
		if err != nil {
			t.Fatal(err)
		}
		if len(zones) < 2 {
			t.Errorf("got %+v", zones)
		}
		last := ""
		for _, z := range zones {
			if !strings.HasPrefix(z.Name, nobodysRegion) || !regexp.MustCompile(`^[a-z0-9]+-az[0-9]+$`).MatchString(z.ID) || z.Name <= last {
				t.Errorf("%+v after %q", z, last)
			}
			last = z.Name
		}
	})
	t.Run("nobody's zones are not to be had", func(t *testing.T) {
		if zones, err := open().Zones(t.Context(), nowhere); err == nil {
			t.Errorf("got %+v", zones)
		}
	})
	t.Run("nobody's quotas are not to be had", func(t *testing.T) {
		if quotas, err := open().Quotas(t.Context(), nowhere); err == nil {
			t.Errorf("got %+v", quotas)
		}
	})
	t.Run("an account that is not there cannot be closed", func(t *testing.T) {
		if err := open().CloseAccount(t.Context(), nobodysAccount); !errors.Is(err, cloud.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
	t.Run("the management account is never closed", func(t *testing.T) {
		id, err := open().Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := open().CloseAccount(t.Context(), id.AccountID); err == nil {
			t.Error("it was")
		}
	})
	t.Run("a cluster that is not there runs nothing", func(t *testing.T) {
		if got, err := open().Running(t.Context(), management, "nobody"); !errors.Is(err, cloud.ErrNotFound) {
			t.Errorf("got %+v, %v, want ErrNotFound", got, err)
		}
	})
	t.Run("a cluster that is not there is protected from nothing", func(t *testing.T) {
		c := cloud.Cluster{Account: management, Name: "nobody", ARN: "arn:aws:eks:eu-west-1:999999999999:cluster/nobody"}
		if err := open().ProtectCluster(t.Context(), c, true); !errors.Is(err, cloud.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
	t.Run("a node group of a cluster that is not there is not found", func(t *testing.T) {
		if _, err := open().NodeGroup(t.Context(), management, "nobody", "nobody"); !errors.Is(err, cloud.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
	t.Run("removing what is not there does nothing", func(t *testing.T) {
		it := cloud.Item{Type: "aws:iam/role:Role", ID: "freehold-cloudtest-nobody"}
		if err := open().Remove(t.Context(), management, it); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

// Kubeconfig holds a kubeconfig to its promise: it can be kept, because it has
// an exec plugin that is there, and no token, key or password.
func Kubeconfig(t *testing.T, kubeconfig []byte, read func([]byte) (users []map[string]any, err error)) {
	t.Helper()
	users, err := read(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		plugin, is := u["exec"].(map[string]any)
		if !is {
			t.Errorf("user without an exec plugin: %v", u)
			continue
		}
		command, _ := plugin["command"].(string)
		if _, err := exec.LookPath(command); err != nil && !filepath.IsAbs(command) {
			t.Errorf("the plugin %q is not to be found: %v", command, err)
		}
		delete(u, "exec")
		if rest, _ := json.Marshal(u); string(rest) != "{}" {
			t.Errorf("the kubeconfig holds more than a plugin: %s", rest)
		}
	}
}
