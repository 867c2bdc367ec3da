package plan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// recordedOf is a plan as the registry returns it.
func recordedOf(t *testing.T, p plan.Plan) (was plan.Plan) {
	t.Helper()
	text, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(text, &was)
	}
	if err != nil {
		t.Fatal(err)
	}
	return was
}

func TestTheSameInOtherWordsIsNoChange(t *testing.T) {
	for reason, c := range map[string]struct{ was, is string }{
		"an address in another case":   {"account: {email: AWS+Acme@Example.com}", "account: {email: aws+acme@example.com}"},
		"spaces in an account's name":  {"account: {email: a@example.com, name: Acme Inc}", "account: {email: a@example.com, name: ' Acme  Inc '}"},
		"an allow-list's order":        {"cluster: {endpoint: {access: public, allow: [203.0.113.0/24, 198.51.100.7/32]}}", "cluster: {endpoint: {access: public, allow: [198.51.100.7/32, 203.0.113.0/24]}}"},
		"tags' order":                  {"tags: {a: b, c: d}", "tags: {c: d, a: b}"},
		"the order of zones":           {"network: {zones: [{name: eu-central-1a}, {name: eu-central-1b}, {name: eu-central-1c}]}", "network: {zones: [{name: eu-central-1c}, {name: eu-central-1a}, {name: eu-central-1b}]}"},
		"the default zones, in words":  {"", "network: {zones: [{name: eu-central-1c}, {name: eu-central-1b}, {name: eu-central-1a}]}"},
		"the order of pools":           {"cluster: {nodePools: [{name: a}, {name: b, min: 1}]}", "cluster: {nodePools: [{name: b, min: 1}, {name: a}]}"},
		"the order of taints":          {"cluster: {nodePools: [{name: a}, {name: b, taints: [{key: x, effect: NoSchedule}, {key: y, effect: NoSchedule}]}]}", "cluster: {nodePools: [{name: a}, {name: b, taints: [{key: y, effect: NoSchedule}, {key: x, effect: NoSchedule}]}]}"},
		"alternatives of a spot pool":  {"cluster: {nodePools: [{name: a, capacity: spot, instanceTypes: [m6i.large, m5.large]}]}", "cluster: {nodePools: [{name: a, capacity: spot, instanceTypes: [m5.large, m6i.large]}]}"},
		"quantities":                   {"projects: [{name: a, quota: {cpu: '1', memory: 1Gi}, limits: {maxCpu: 500m}}]", "projects: [{name: a, quota: {cpu: 1000m, memory: 1024Mi}, limits: {maxCpu: '0.5'}}]"},
		"the order of projects":        {"projects: [{name: a}, {name: b}]", "projects: [{name: b}, {name: a}]"},
		"the order of a project's own": {"projects: [{name: a, registries: [quay.io/x, quay.io/y], members: [{user: u, role: viewer}, {group: g, role: admin}], egress: [{cidr: 192.0.2.0/24, ports: [80, 443]}, {cidr: 198.51.100.0/24}]}]", "projects: [{name: a, registries: [quay.io/y, quay.io/x], members: [{group: g, role: admin}, {user: u, role: viewer}], egress: [{cidr: 198.51.100.0/24}, {cidr: 192.0.2.0/24, ports: [443, 80]}]}]"},
		"the order of callers":         {"projects: [{name: a, ingress: [{project: b, ports: [80, 81]}, {project: c}]}, {name: b}, {name: c}]", "projects: [{name: c}, {name: a, ingress: [{project: c}, {project: b, ports: [81, 80]}]}, {name: b}]"},
		"the order of roles": {
			"projects: [{name: a, serviceAccounts: [{name: x, podIdentity: {policies: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess', 'arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess']}}, {name: y, podIdentity: {policies: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']}}]}]",
			"projects: [{name: a, serviceAccounts: [{name: y, podIdentity: {policies: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']}}, {name: x, podIdentity: {policies: ['arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess', 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']}}]}]",
		},
		"times":              {"projects: [{name: a, ttl: 90m}]", "projects: [{name: a, ttl: 1h30m}]"},
		"a source's address": {"projectSource: {url: 'https://example.com/x', interval: 60s}", "projectSource: {url: 'https://EXAMPLE.com:443/x', interval: 1m}"},
		"exceptions' order":  {"exceptions: [{rule: FH101, resource: a, reason: because it is so, approver: ada, expires: '2027-01-01'}, {rule: FH102, resource: a, reason: because it is so, approver: ada, expires: '2027-01-01'}]", "exceptions: [{rule: FH102, resource: a, reason: because it is so, approver: ada, expires: '2027-01-01'}, {rule: FH101, resource: a, reason: because it is so, approver: ada, expires: '2027-01-01'}]"},
		"the order of access": {
			"access: {people: {issuerUrl: 'https://a.example', roles: [{role: viewer, groups: [a, b]}, {role: admin, groups: [c]}]}, pipelines: [{name: a, issuerUrl: 'https://b.example', subject: x}, {name: b, issuerUrl: 'https://b.example', subject: y}]}",
			"access: {people: {issuerUrl: 'https://a.example', tokens: id, roles: [{role: admin, groups: [c]}, {role: viewer, groups: [b, a]}]}, pipelines: [{name: b, issuerUrl: 'https://b.example', subject: y}, {name: a, issuerUrl: 'https://b.example', subject: x, role: pipeline}]}",
		},
		"the same words":      {"cluster: {version: '1.34'}", "cluster: {version: '1.34'}"},
		"a default, in words": {"", "network: {nat: one, cidr: 10.0.0.0/16}"},
	} {
		t.Run(reason, func(t *testing.T) {
			was := recordedOf(t, plan.Build(parse(t, minimalWith(c.was))))
			if diff := cmp.Diff(was, recordedOf(t, plan.Again(parse(t, minimalWith(c.is)), was))); diff != "" {
				t.Errorf("(-was +is):\n%s", diff)
			}
		})
	}
}

// minimalWith is a document with a field more, or in the place of the account.
func minimalWith(field string) string {
	if strings.HasPrefix(field, "account:") {
		return "org: acme\nregion: eu-central-1\n" + field + "\n"
	}
	return minimal + field + "\n"
}

func TestWhatMeansSomethingElseIsAChange(t *testing.T) {
	for reason, c := range map[string]struct{ was, is string }{
		"another address":                       {"account: {email: a@example.com}", "account: {email: b@example.com}"},
		"another range":                         {"cluster: {endpoint: {access: public, allow: [203.0.113.0/24]}}", "cluster: {endpoint: {access: public, allow: [203.0.113.0/25]}}"},
		"a range more":                          {"cluster: {endpoint: {access: public, allow: [203.0.113.0/24]}}", "cluster: {endpoint: {access: public, allow: [198.51.100.7/32, 203.0.113.0/24]}}"},
		"the first choice of instances":         {"cluster: {nodePools: [{name: a, instanceTypes: [m6i.large, m5.large]}]}", "cluster: {nodePools: [{name: a, instanceTypes: [m5.large, m6i.large]}]}"},
		"another quantity":                      {"projects: [{name: a, quota: {cpu: '1'}}]", "projects: [{name: a, quota: {cpu: 1001m}}]"},
		"a role of another path":                {"account: {mode: existing, roleArn: 'arn:aws:iam::123456789012:role/freehold', externalId: abc}", "account: {mode: existing, roleArn: 'arn:aws:iam::123456789012:role/x/freehold', externalId: abc}"},
		"zones whose ranges are exchanged":      {"network: {zones: [{name: eu-central-1a, privateCidr: 10.0.0.0/19}, {name: eu-central-1b, privateCidr: 10.0.32.0/19}]}", "network: {zones: [{name: eu-central-1a, privateCidr: 10.0.32.0/19}, {name: eu-central-1b, privateCidr: 10.0.0.0/19}]}"},
		"a source under a path of its own":      {"projectSource: {url: 'https://example.com/x'}", "projectSource: {url: 'https://example.com/X'}"},
		"a tag in another case":                 {"tags: {team: Red}", "tags: {team: red}"},
		"a project more":                        {"projects: [{name: a}]", "projects: [{name: b}, {name: a}]"},
		"two entries that were one":             {"projects: [{name: a, egress: [{cidr: 192.0.2.0/24, ports: [80, 443]}]}]", "projects: [{name: a, egress: [{cidr: 192.0.2.0/24, ports: [80]}, {cidr: 192.0.2.0/24, ports: [443]}]}]"},
		"an issuer, which counts to the letter": {"cluster: {identityProvider: {issuerUrl: 'https://login.example.com', clientId: k8s}}", "cluster: {identityProvider: {issuerUrl: 'https://login.example.com/', clientId: k8s}}"},
	} {
		t.Run(reason, func(t *testing.T) {
			was := plan.Build(parse(t, minimalWith(c.was)))
			if got := plan.Again(parse(t, minimalWith(c.is)), recordedOf(t, was)); got.Hash == was.Hash {
				t.Error("no change")
			}
		})
	}
}

func TestAChangeKeepsTheWordsOfTheRest(t *testing.T) {
	was := recordedOf(t, plan.Build(parse(t, minimal+"projects: [{name: a, quota: {cpu: '1'}}, {name: b}]\n")))
	is := plan.Again(parse(t, minimal+"projects: [{name: c}, {name: b, displayName: Bee}, {name: a, quota: {cpu: 1000m}}]\n"), was)
	var names []string
	for _, p := range is.Bootstrap.Projects {
		names = append(names, p.Name+" "+p.DisplayName+" "+p.Quota.CPU.Text)
	}
	if diff := cmp.Diff([]string{"a  1", "b Bee 4", "c  4"}, names); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
	if is.Hash == was.Hash {
		t.Error("the hash is the one of before")
	}
}

// What was onboarded by an earlier Freehold stays as it is.
func TestARecordedPlanIsDecidedAgainAsItWas(t *testing.T) {
	for _, name := range []string{"full", "acme", "globex", "existing-account", "private", "minimal"} {
		s, err := spec.ParseFile("../../docs/examples/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		p := plan.Build(s)
		if diff := cmp.Diff(p, plan.Again(s, recordedOf(t, p))); diff != "" {
			t.Errorf("%s (-built +again):\n%s", name, diff)
		}
	}
}
