package conformance_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// componentRow is one set of inputs of a component of the package eks.
type componentRow struct {
	name   string
	typ    string // "Cluster", "ManagedNodeGroup"
	inputs props
	// refused is in what the official component says, a regular expression; empty:
	// it makes something.
	refused string
	// lacks is in what the sandbox says where it does not implement an input that
	// the official component takes, or takes to refuse it in its own words.
	lacks string
}

// given is a resource that a component is handed.
type given string

func (g given) reference(id string) resource.PropertyValue {
	return resource.MakeCustomResourceReference(resource.URN(g), resource.ID(id), "6.0.0")
}

// valuesOf puts references in the place of given resources.
func valuesOf(in any) resource.PropertyValue {
	switch v := in.(type) {
	case given:
		return v.reference("given")
	case props:
		out := resource.PropertyMap{}
		for k, e := range v {
			out[resource.PropertyKey(k)] = valuesOf(e)
		}
		return resource.NewProperty(out)
	case []any:
		out := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			out[i] = valuesOf(e)
		}
		return resource.NewProperty(out)
	default:
		return resource.NewPropertyValue(v)
	}
}

// recorded is what the official component made of each row when it was asked
// last: with it the sandbox is held to the component where that is not to be had.
const recorded = "testdata/eks-component.json"

// TestYesManComponent holds the sandbox's eks components against the official
// ones: of each set of inputs both make the same children, or both refuse it.
// Where the official plugin is not on the PATH, what it made earlier stands for
// it; with -update it is recorded again.
func TestYesManComponent(t *testing.T) {
	t.Parallel()
	theirs, ours := officialComponents(t), sandboxComponents(t)
	was := map[string]constructed{}
	if raw, err := os.ReadFile(recorded); err == nil {
		if err := json.Unmarshal(raw, &was); err != nil {
			t.Fatal(err)
		}
	}
	if theirs == nil {
		t.Log("NOT ASKED: pulumi-resource-eks is not on the PATH, so what the official component made earlier stands for it")
	}
	now := map[string]constructed{}
	for _, r := range componentRows {
		t.Run(r.name, func(t *testing.T) {
			inputs := valuesOf(r.inputs).ObjectValue()
			sum := sha256.Sum256([]byte(r.name))
			name := "c" + hex.EncodeToString(sum[:3])
			want, known := was[r.name]
			if theirs != nil {
				got := theirs.construct(t, "eks:index:"+r.typ, name, inputs)
				if got.Refused != "" {
					// The words are held below; the rest is where in its files it was said.
					got = constructed{Refused: got.Refused[:min(len(got.Refused), 300)]}
				}
				if want, known = got, true; *update {
					now[r.name] = got
				}
			}
			if !known {
				t.Fatalf("%s has nothing of it: run the test with -update and the official plugin on the PATH", recorded)
			}
			if (r.refused != "") != (want.Refused != "") || !regexp.MustCompile("(?is)"+r.refused).MatchString(want.Refused) {
				t.Errorf("the official component: %q, want %q", want.Refused, r.refused)
			}
			got := ours.construct(t, "eks:index:"+r.typ, name, inputs)
			switch {
			case r.lacks != "":
				if !regexp.MustCompile("(?is)" + r.lacks).MatchString(got.Refused) {
					t.Errorf("the sandbox: %q, want %q", got.Refused, r.lacks)
				}
			case want.Refused != "":
				if !regexp.MustCompile("(?is)" + r.refused).MatchString(got.Refused) {
					t.Errorf("the sandbox: %q, want %q", got.Refused, r.refused)
				}
			default:
				if got.Refused != "" {
					t.Errorf("the sandbox refuses it: %s", got.Refused)
				} else if d := cmp.Diff(want, got); d != "" {
					t.Errorf("children (-official +sandbox):\n%s", d)
				}
			}
		})
	}
	if *update && theirs != nil {
		// One row a line: a change of one shows as one.
		var lines []string
		for _, name := range slices.Sorted(maps.Keys(now)) {
			key, err := json.Marshal(name)
			row, err2 := json.Marshal(now[name])
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(key)+": "+string(row))
		}
		text := "{\n" + strings.Join(lines, ",\n") + "\n}\n"
		if err := errors.Join(os.MkdirAll(filepath.Dir(recorded), 0o750), os.WriteFile(recorded, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// with is a set of inputs with others over it.
func with(base props, more props) props {
	out := props{}
	for _, m := range []props{base, more} {
		maps.Copy(out, m)
	}
	return out
}

var (
	// least is the least of a cluster that the sandbox makes.
	least = props{
		"vpcId": "vpc-1", "privateSubnetIds": []any{"subnet-1", "subnet-2"}, "skipDefaultNodeGroup": true, "authenticationMode": "API",
	}
	// ownCluster is what the cluster layer asks for.
	ownCluster = with(least, props{
		"name": "freehold-acme", "version": "1.35", "endpointPrivateAccess": true, "endpointPublicAccess": false,
		"skipDefaultSecurityGroups": true, "serviceRole": given(givenRole), "encryptionConfigKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/k",
		"enabledClusterLogTypes": []any{"api", "audit", "authenticator", "controllerManager", "scheduler"},
		"accessEntries": props{"read": props{
			"principalArn": "arn:aws:iam::111122223333:role/r", "kubernetesGroups": []any{"freehold:readers"}, "tags": props{"a": "b"},
			"accessPolicies": props{"cluster": props{"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", "accessScope": props{"type": "cluster"}}},
		}},
		"providerCredentialOpts": props{"roleArn": "arn:aws:iam::111122223333:role/p"}, "createOidcProvider": false,
		"vpcCniOptions": props{
			"addonVersion": "v1", "enableNetworkPolicy": true, "configurationValues": props{"env": props{"NETWORK_POLICY_ENFORCING_MODE": "standard"}},
		},
		"kubeProxyAddonOptions": props{"version": "v2", "resolveConflictsOnCreate": "OVERWRITE", "resolveConflictsOnUpdate": "OVERWRITE"},
		"corednsAddonOptions":   props{"enabled": false},
		"tags":                  props{"freehold.dev/org": "acme"}, "clusterTags": props{"Name": "freehold-acme"},
	})
	// core is what a node group is told of a cluster.
	core = props{"cluster": given(givenCluster), "subnetIds": []any{"subnet-1", "subnet-2"}, "vpcId": "vpc-1", "instanceRoles": []any{}}
	// leastNodes is the least of a node group.
	leastNodes    = props{"cluster": core, "nodeRoleArn": "arn:aws:iam::111122223333:role/n"}
	leastTemplate = props{"id": "lt-1", "version": "3"}
)

var componentRows = []componentRow{
	{name: "the least of a cluster", typ: "Cluster", inputs: least},
	{name: "what the cluster layer asks for", typ: "Cluster", inputs: ownCluster},
	{name: "an authentication mode that there is not", typ: "Cluster", inputs: with(least, props{"authenticationMode": "IAM"}), refused: "invalid value for authenticationMode: IAM"},
	{name: "an instance role and instance roles", typ: "Cluster", inputs: with(least, props{"instanceRole": given(givenRole), "instanceRoles": []any{}}), refused: "instanceRole and instanceRoles are mutually exclusive"},
	{name: "subnets and private subnets", typ: "Cluster", inputs: with(least, props{"subnetIds": []any{"subnet-1", "subnet-2"}}), refused: "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive"},
	{name: "instance roles where entries say who joins", typ: "Cluster", inputs: with(least, props{"instanceRoles": []any{given(givenRole)}}), refused: "'instanceRoles' property does not support non-empty values when 'authenticationMode' is set to 'API'"},
	{name: "role mappings where entries say who is let in", typ: "Cluster", inputs: with(least, props{"roleMappings": []any{props{"roleArn": "a", "username": "u", "groups": []any{"g"}}}}),
		refused: "'roleMappings' property does not support non-empty values", lacks: "does not implement .*roleMappings"},
	{name: "entries where a config map says who is let in", typ: "Cluster", inputs: with(least, props{"authenticationMode": "CONFIG_MAP", "accessEntries": props{"a": props{"principalArn": "p"}}}),
		refused: "'accessEntries' property is not supported when 'authenticationMode' is set to 'CONFIG_MAP'", lacks: "does not implement .*authenticationMode"},
	{name: "node group options twice", typ: "Cluster", inputs: with(least, props{"nodeGroupOptions": props{"minSize": 1.0}, "minSize": 1.0}),
		refused: "Setting nodeGroupOptions, and any set of singular node group option", lacks: "does not implement .*(minSize|nodeGroupOptions)"},
	{name: "source addresses of pods said twice", typ: "Cluster", inputs: with(least, props{"vpcCniOptions": props{"cniExternalSnat": true, "externalSnat": true}}), refused: "please specify one of `cniExternalSnat` or `externalSnat`"},
	{name: "no CNI of its own", typ: "Cluster", inputs: with(least, props{"useDefaultVpcCni": true})},
	{name: "no kube-proxy", typ: "Cluster", inputs: with(least, props{"kubeProxyAddonOptions": props{"enabled": false}})},
	{name: "kube-proxy with a configuration", typ: "Cluster", inputs: with(least, props{"kubeProxyAddonOptions": props{"configurationValues": props{"b": 1.0, "a": "x"}, "resolveConflictsOnUpdate": "PRESERVE"}})},
	{name: "CoreDNS, asked for", typ: "Cluster", inputs: with(least, props{"corednsAddonOptions": props{"enabled": true, "version": "v9"}})},
	{name: "CoreDNS, by its configuration", typ: "Cluster", inputs: with(least, props{"corednsAddonOptions": props{"configurationValues": props{"replicaCount": 3.0}}})},
	{name: "CoreDNS, neither asked for nor refused", typ: "Cluster", inputs: with(least, props{"corednsAddonOptions": props{"version": "v9"}})},
	{name: "a public endpoint with a list", typ: "Cluster", inputs: with(least, props{"endpointPublicAccess": true, "publicAccessCidrs": []any{"203.0.113.0/24"}})},
	{name: "a list, and nothing of an endpoint", typ: "Cluster", inputs: with(least, props{"publicAccessCidrs": []any{"203.0.113.0/24"}})},
	{name: "public and private subnets", typ: "Cluster", inputs: with(least, props{"publicSubnetIds": []any{"subnet-9"}})},
	{name: "a range for services", typ: "Cluster", inputs: with(least, props{"kubernetesServiceIpAddressRange": "172.20.0.0/16"})},
	{name: "IPv6, for which AWS chooses the services' range", typ: "Cluster", inputs: with(least, props{"ipFamily": "ipv6", "kubernetesServiceIpAddressRange": "172.20.0.0/16"})},
	{name: "an instance role to be made", typ: "Cluster", inputs: with(least, props{"createInstanceRole": true})},
	{name: "an instance role that is given", typ: "Cluster", inputs: with(least, props{"instanceRole": given(givenRole)})},
	{name: "tags of everything", typ: "Cluster", inputs: with(least, props{"tags": props{"Name": "t", "a": "b"}, "clusterTags": props{"Name": "c"}, "clusterSecurityGroupTags": props{"Name": "s"}, "nodeSecurityGroupTags": props{"Name": "n"}})},
	{name: "a profile that is this machine's", typ: "Cluster", inputs: with(least, props{"providerCredentialOpts": props{"profileName": "dev", "roleArn": "r"}, "enableConfigMapMutable": true})},
	{name: "add-ons of EKS to be removed", typ: "Cluster", inputs: with(least, props{"defaultAddonsToRemove": []any{"coredns"}})},
	{name: "an entry with a name and a type", typ: "Cluster", inputs: with(least, props{"accessEntries": props{"a": props{"principalArn": "p", "username": "u", "type": "STANDARD"}}})},
	{name: "every option of the CNI", typ: "Cluster", inputs: with(least, props{"vpcCniOptions": props{
		"nodePortSupport": true, "customNetworkConfig": true, "enablePodEni": true, "enablePrefixDelegation": true, "disableTcpEarlyDemux": true,
		"cniConfigureRpfilter": true, "eniMtu": 1500.0, "warmEniTarget": 0.0, "warmIpTarget": 4.0, "warmPrefixTarget": 2.0, "logLevel": "INFO",
		"logFile": "stdout", "vethPrefix": "v", "eniConfigLabelDef": "zone", "serviceAccountRoleArn": "r", "enableNetworkPolicy": false,
	}})},

	{name: "the least of a node group", typ: "ManagedNodeGroup", inputs: leastNodes},
	{name: "what the cluster layer asks of a pool", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{
		"nodeGroupName": "freehold-acme-default", "clusterName": "freehold-acme", "subnetIds": []any{"subnet-7"}, "amiType": "AL2023_x86_64_STANDARD",
		"version": "1.35", "capacityType": "SPOT", "instanceTypes": []any{"m6i.large"}, "labels": props{"a": "b"}, "ignoreScalingChanges": true,
		"taints": []any{props{"key": "k", "effect": "NO_SCHEDULE"}}, "scalingConfig": props{"minSize": 1.0, "maxSize": 4.0, "desiredSize": 2.0},
		"launchTemplate": leastTemplate, "tags": props{"Name": "freehold-acme-default"},
	})},
	{name: "a size that is not left to an autoscaler", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"ignoreScalingChanges": false, "scalingConfig": props{"minSize": 1.0, "maxSize": 4.0, "desiredSize": 2.0}})},
	{name: "a template, and no version", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"launchTemplate": leastTemplate})},
	{name: "a role and the ARN of one", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"nodeRole": given(givenRole)}), refused: "you cannot specify both nodeRole and nodeRoleArn"},
	{name: "no role", typ: "ManagedNodeGroup", inputs: props{"cluster": core}, refused: "an IAM role, or role ARN must be provided"},
	{name: "a role that is given", typ: "ManagedNodeGroup", inputs: props{"cluster": core, "nodeRole": given(givenRole)}},
	{name: "a template, and what belongs into it", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"launchTemplate": leastTemplate, "enableIMDSv2": true}), refused: "if you provide a custom launch template, you cannot provide any of"},
	{name: "metadata by token", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"enableIMDSv2": true})},
	{name: "metadata without a token, and a disk", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"enableIMDSv2": false, "diskSize": 50.0, "amiType": "BOTTLEROCKET_ARM_64"})},
	{name: "a disk, and nothing for a template", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"diskSize": 50.0})},
	{name: "an image and a kind of image", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"amiId": "ami-1", "amiType": "AL2023_x86_64_STANDARD"}),
		refused: "you cannot specify both amiId and amiType", lacks: "does not implement .*amiId"},
	{name: "user data and what makes it", typ: "ManagedNodeGroup", inputs: with(leastNodes, props{"userData": "#!/bin/sh", "kubeletExtraArgs": "--v=1"}),
		refused: "if you provide custom userData, you cannot provide any of", lacks: "does not implement .*(kubeletExtraArgs|userData)"},
}
