package spec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/spec"
)

const minimal = `org: acme
region: eu-central-1
account:
  email: a@example.com
`

func parse(t *testing.T, document string) spec.Spec {
	t.Helper()
	s, err := spec.Parse("acme.yaml", strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func complete() spec.Spec {
	return spec.Spec{
		APIVersion: "freehold.dev/v1alpha1",
		Kind:       "DataPlane",
		Org:        "acme",
		Region:     "eu-central-1",
		Account:    spec.Account{Mode: spec.AccountVended, Email: "a@example.com", Name: "acme"},
		Network: spec.Network{
			CIDR:                 "10.0.0.0/16",
			Zones:                []spec.Zone{{Name: "eu-central-1a"}, {Name: "eu-central-1b"}, {Name: "eu-central-1c"}},
			NAT:                  spec.NATOne,
			FlowLogRetentionDays: 365,
		},
		Cluster: spec.Cluster{
			Version:  "1.35",
			Endpoint: spec.Endpoint{Access: spec.EndpointPrivate},
			NodePools: []spec.NodePool{{
				Name: "default", InstanceTypes: []string{"m6i.large"}, Capacity: spec.OnDemand,
				Min: 2, Max: 4, Desired: 2, DiskGiB: 50, AMIFamily: spec.AL2023,
			}},
			LogRetentionDays: 365,
		},
		DeletionProtection: true,
		Versions: spec.Versions{
			VPCCNI: "v1.21.1-eksbuild.3", CoreDNS: "v1.13.2-eksbuild.1", KubeProxy: "v1.35.0-eksbuild.2",
			EBSCSI: "v1.54.0-eksbuild.1", PodIdentityAgent: "v1.3.10-eksbuild.1",
		},
	}
}

func TestDefaultsCompleteADocumentOfOrgRegionAndEmail(t *testing.T) {
	if diff := cmp.Diff(complete(), parse(t, minimal)); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestADefaultGivesWayToWhatIsGivenAndFitsIt(t *testing.T) {
	pool := func(change func(*spec.NodePool)) func(*spec.Spec) {
		return func(s *spec.Spec) { change(&s.Cluster.NodePools[0]) }
	}
	q := v1alpha1.MustQuantity
	limits := v1alpha1.Limits{DefaultCPU: q("250m"), DefaultMemory: q("256Mi"), MaxCPU: q("4"), MaxMemory: q("8Gi")}
	quota := v1alpha1.Quota{CPU: q("4"), Memory: q("8Gi"), Storage: q("50Gi"), Pods: 50}
	for reason, c := range map[string]struct {
		add    string
		change func(*spec.Spec)
	}{
		"false is not absent": {
			"deletionProtection: false\n", func(s *spec.Spec) { s.DeletionProtection = false },
		},
		"an identity provider has a prefix, and no groups": {
			"cluster: {identityProvider: {issuerUrl: \"https://login.example.com\", clientId: k8s}}\n", func(s *spec.Spec) {
				s.Cluster.IdentityProvider = spec.IdentityProvider{
					IssuerURL: "https://login.example.com", ClientID: "k8s", UsernameClaim: "sub", UsernamePrefix: "oidc:",
				}
			},
		},
		"an identity provider's groups have a prefix": {
			"cluster: {identityProvider: {issuerUrl: \"https://login.example.com/\", clientId: k8s, groupsClaim: roles, usernamePrefix: \"acme#\"}}\n", func(s *spec.Spec) {
				s.Cluster.IdentityProvider = spec.IdentityProvider{
					IssuerURL: "https://login.example.com/", ClientID: "k8s", UsernameClaim: "sub", UsernamePrefix: "acme#",
					GroupsClaim: "roles", GroupsPrefix: "oidc:",
				}
			},
		},
		"add-ons follow the cluster's version": {
			"cluster: {version: \"1.34\"}\nversions: {coreDns: v9.9.9-eksbuild.9}\n", func(s *spec.Spec) {
				s.Cluster.Version = "1.34"
				s.Versions = spec.Versions{
					VPCCNI: "v1.20.4-eksbuild.2", CoreDNS: "v9.9.9-eksbuild.9", KubeProxy: "v1.34.1-eksbuild.2",
					EBSCSI: "v1.53.0-eksbuild.1", PodIdentityAgent: "v1.3.10-eksbuild.1",
				}
			},
		},
		"max is not below min": {
			"cluster: {nodePools: [{name: default, min: 7}]}\n",
			pool(func(p *spec.NodePool) { p.Min, p.Max, p.Desired = 7, 7, 7 }),
		},
		"max is not below desired": {
			"cluster: {nodePools: [{name: default, desired: 9}]}\n",
			pool(func(p *spec.NodePool) { p.Min, p.Max, p.Desired = 2, 9, 9 }),
		},
		"min is not above max": {
			"cluster: {nodePools: [{name: default, max: 1}]}\n",
			pool(func(p *spec.NodePool) { p.Min, p.Max, p.Desired = 1, 1, 1 }),
		},
		"a pool that is given as empty stays empty": {
			"cluster: {nodePools: [{name: default}, {name: gpu, min: 0}]}\n", func(s *spec.Spec) {
				gpu := s.Cluster.NodePools[0]
				gpu.Name, gpu.Min, gpu.Max, gpu.Desired = "gpu", 0, 4, 0
				s.Cluster.NodePools = append(s.Cluster.NodePools, gpu)
			},
		},
		"Tokyo has no zone b": {
			"", func(s *spec.Spec) {
				s.Region = "ap-northeast-1"
				s.Network.Zones = []spec.Zone{{Name: "ap-northeast-1a"}, {Name: "ap-northeast-1c"}, {Name: "ap-northeast-1d"}}
			},
		},
		"a project's defaults": {
			"projects: [{name: web, egress: [{cidr: 192.0.2.0/24}]}]\n", func(s *spec.Spec) {
				s.Projects = []spec.Project{{Name: "web", ProjectSettings: v1alpha1.ProjectSettings{
					Quota: quota, Limits: limits, PodSecurity: "restricted", DeletionPolicy: "Retain",
					Egress: []v1alpha1.Egress{{CIDR: "192.0.2.0/24", Protocol: "TCP"}},
				}}}
			},
		},
		"a source is asked every minute": {
			"projectSource: {url: \"https://api.example.com\"}\n", func(s *spec.Spec) {
				s.ProjectSource = spec.ProjectSource{URL: "https://api.example.com", Interval: "1m"}
			},
		},
		"limits follow a small quota": {
			"projects: [{name: web, quota: {cpu: 100m, memory: 64Mi}}]\n", func(s *spec.Spec) {
				small := quota
				small.CPU, small.Memory = q("100m"), q("64Mi")
				s.Projects = []spec.Project{{Name: "web", ProjectSettings: v1alpha1.ProjectSettings{
					Quota:       small,
					Limits:      v1alpha1.Limits{DefaultCPU: q("100m"), DefaultMemory: q("64Mi"), MaxCPU: q("100m"), MaxMemory: q("64Mi")},
					PodSecurity: "restricted", DeletionPolicy: "Retain",
				}}}
			},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			want := complete()
			c.change(&want)
			document := strings.Replace(minimal, "eu-central-1", want.Region, 1) + c.add
			if diff := cmp.Diff(want, parse(t, document)); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheDefaultsOfOneDocumentAreNotSharedWithAnother(t *testing.T) {
	parse(t, minimal).Cluster.NodePools[0].InstanceTypes[0] = "changed"
	if diff := cmp.Diff(complete(), parse(t, minimal)); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestNoFieldIsBothRequiredAndDefaulted(t *testing.T) {
	for path, f := range spec.Facets() {
		if f.Required && f.Default != nil {
			t.Errorf("%s is required and has a default", path)
		}
	}
}

// Zero is a value where the default is another: it must be written.
func TestASpecIsTheSameAfterItIsWrittenAndReadAgain(t *testing.T) {
	for reason, add := range map[string]string{
		"all defaults":     "",
		"protection off":   "deletionProtection: false\n",
		"an empty pool":    "cluster: {nodePools: [{name: a}, {name: b, min: 0, desired: 2}]}\n",
		"nobody desired":   "cluster: {nodePools: [{name: a}, {name: b, min: 0, desired: 0}]}\n",
		"a project":        "projects: [{name: a, ttl: 90m, quota: {cpu: \"0.5\", memory: 1024Mi, objects: {nodePorts: 0, jobs: 3}}, hibernate: true}]\n",
		"text like others": "account: {email: a@example.com, name: \"1.0\"}\ntags: {a: \"true\", b: \"=\", c: \"\", \"1\": \"2026-01-01\"}\n",
	} {
		document := minimal + add
		if strings.HasPrefix(add, "account:") {
			document = "org: \"0x10\"\nregion: eu-central-1\n" + add
		}
		s := parse(t, document)
		if diff := cmp.Diff(s, again(t, s)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", reason, diff)
		}
	}
}

// again writes a Spec and reads it back.
func again(t *testing.T, s spec.Spec) spec.Spec {
	t.Helper()
	text, err := yaml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	read, err := spec.Parse("again.yaml", strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return read
}

// Every region is of one kind, and a document can name those of AWS's own partition.
func TestEveryRegionIsOnEverywhereOrIsOptedInToOrIsElsewhere(t *testing.T) {
	kinds := map[spec.Access]int{}
	for _, name := range spec.Facets()["region"].Enum {
		kind := spec.AccessTo(name)
		kinds[kind]++
		if zones := spec.DefaultZones(name); len(zones) == 0 && name != "us-west-1" || kind == spec.Unknown || kind == spec.Elsewhere {
			t.Errorf("%s: kind %d, zones %v", name, kind, zones)
		}
		for _, id := range spec.ZonesWithoutClusters(name) {
			if kind != spec.EveryAccount {
				t.Errorf("%s has %s, and is not on in every account", name, id)
			}
		}
	}
	if diff := cmp.Diff(map[spec.Access]int{spec.EveryAccount: 17, spec.OptIn: 17}, kinds); diff != "" {
		t.Errorf("regions of each kind (-want +got):\n%s", diff)
	}
	for name, want := range map[string]spec.Access{
		"eu-central-1": spec.EveryAccount, "us-east-1": spec.EveryAccount, "eu-central-2": spec.OptIn, "me-central-1": spec.OptIn,
		"cn-north-1": spec.Elsewhere, "us-gov-west-1": spec.Elsewhere, "eu-central-9": spec.Unknown, "": spec.Unknown,
	} {
		if got := spec.AccessTo(name); got != want {
			t.Errorf("%s: kind %d, want %d", name, got, want)
		}
	}
}

func TestAMistakeThatOthersFindHasItsPlace(t *testing.T) {
	const doc = "org: acme\nregion: eu-south-1\naccount:\n  email: a@example.com\n"
	for field, want := range map[string]string{
		"region":        `acme.yaml:2:9: region: is off; want another`,
		"account.email": `acme.yaml:4:10: account.email: is off; want another`,
		"network.zones": `acme.yaml:1:1: network.zones: is off; want another`,
	} {
		err := spec.Refuse("acme.yaml", []byte(doc), field, "is off", "another")
		if err == nil || err.Error() != want || !errors.Is(err, spec.ErrInvalid) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
