package awsprovider

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/internal/sandbox/store"
)

// hangar keeps control planes as the sandbox's supervisor does: one for each
// ARN, made again without harm.
type hangar struct {
	mu     sync.Mutex
	planes map[string]PlaneSpec
	// people are whom the planes believe.
	people map[string]*IdentityProvider
}

func (h *hangar) Create(_ context.Context, c PlaneSpec) (string, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.planes[c.ARN] = c
	return "https://127.0.0.1:6443", "Q0E=", nil
}

func (h *hangar) Update(_ context.Context, c PlaneSpec) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.planes[c.ARN]; !there {
		return fmt.Errorf("no control plane of %s", c.ARN)
	}
	h.planes[c.ARN] = c
	return nil
}

func (h *hangar) Authenticate(_ context.Context, arn string, p *IdentityProvider) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.planes[arn]; !there {
		return fmt.Errorf("no control plane of %s", arn)
	}
	h.people[arn] = p
	return nil
}

func (h *hangar) Delete(_ context.Context, arn string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.planes, arn)
	return nil
}

func (h *hangar) versions() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[string]string{}
	for arn, c := range h.planes {
		all[arn] = c.Version
	}
	return all
}

var issuerForm = regexp.MustCompile(`^https://oidc\.eks\.eu-central-1\.amazonaws\.com/id/[0-9A-F]{32}$`)

const acme = "arn:aws:eks:eu-central-1:100000000001:cluster/acme"

// clusterIn are the inputs of a cluster that EKS accepts.
func clusterIn(change props) props {
	in := props{
		"name": "acme", "version": "1.34", "roleArn": "$plane.arn", "enabledClusterLogTypes": []any{"api", "audit"},
		"vpcConfig":        props{"subnetIds": []any{"$a", "$b"}, "endpointPrivateAccess": true},
		"accessConfig":     props{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"encryptionConfig": props{"provider": props{"keyArn": "$key.arn"}, "resources": []any{"secrets"}},
	}
	maps.Copy(in, change)
	return in
}

func nodesIn(change props) props {
	in := props{
		"clusterName": "acme", "nodeGroupName": "pool", "nodeRoleArn": "$node.arn", "subnetIds": []any{"$a", "$b"},
		"instanceTypes": []any{"m6i.large"}, "scalingConfig": props{"minSize": 1.0, "desiredSize": 2.0, "maxSize": 3.0},
	}
	maps.Copy(in, change)
	return in
}

// clusterLab is a lab with a network and what a cluster needs beside.
func clusterLab(t *testing.T) (*lab, *hangar) {
	h := &hangar{planes: map[string]PlaneSpec{}, people: map[string]*IdentityProvider{}}
	l := newLab(t, h)
	l.network()
	l.must("plane", roleToken, props{"name": "plane", "assumeRolePolicy": trustFor("eks.amazonaws.com")})
	l.must("node", roleToken, props{"name": "node", "assumeRolePolicy": trustFor("ec2.amazonaws.com")})
	l.must("pod", roleToken, props{"name": "pod", "assumeRolePolicy": trustFor("pods.eks.amazonaws.com")})
	l.must("key", keyToken, props{})
	return l, h
}

func TestAClusterComesWithWhatEKSMakesAndTakesItAlong(t *testing.T) {
	l, h := clusterLab(t)
	before := map[string]int{}
	tokens := []string{groupToken, interfaceToken, accessEntryToken, accessPolicyToken, scalingGroupToken, nodeGroupToken, addonToken, podIdentityToken, clusterToken}
	for _, token := range tokens {
		before[token] = len(l.rows(token))
	}
	l.must("cluster", clusterToken, clusterIn(nil))

	out := l.made["cluster"].out
	issued := issuer("eu-central-1", acme, "")
	got := props{
		"arn": out["arn"], "endpoint": out["endpoint"], "ca": out["certificateAuthority"], "status": out["status"],
		"identities": out["identities"], "accessConfig": out["accessConfig"], "network": out["kubernetesNetworkConfig"],
		"public": walk(out, "vpcConfig.publicAccessCidrs")[0].value, "vpc": walk(out, "vpcConfig.vpcId")[0].value,
	}
	want := props{
		"arn": acme, "endpoint": "https://127.0.0.1:6443", "ca": props{"data": "Q0E="}, "status": "ACTIVE",
		"identities":   []any{props{"oidcs": []any{props{"issuer": issued}}}},
		"accessConfig": props{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"network":      props{"ipFamily": "ipv4", "serviceIpv4Cidr": "10.100.0.0/16", "elasticLoadBalancing": props{"enabled": false}},
		"public":       []any{"0.0.0.0/0"}, "vpc": l.made["vpc"].id,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if !issuerForm.MatchString(issued) {
		t.Errorf("the issuer %s has not AWS's form", issued)
	}

	l.must("nodes", nodeGroupToken, nodesIn(nil))
	l.must("cni", addonToken, props{"clusterName": "acme", "addonName": "vpc-cni"})
	l.must("identity", podIdentityToken, props{"clusterName": "acme", "namespace": "kube-system", "serviceAccount": "ebs", "roleArn": "$pod.arn"})

	var names []string
	for _, token := range []string{groupToken, interfaceToken, accessEntryToken, accessPolicyToken, scalingGroupToken} {
		for _, r := range l.rows(token)[before[token]:] {
			if !r.ByCloud {
				t.Errorf("%s is not marked as AWS's own", r.ID)
			}
			names = append(names, shorten(r))
		}
	}
	wantNames := []string{
		"eks-cluster-sg-acme", "Amazon EKS acme in " + l.made["a"].id, "Amazon EKS acme in " + l.made["b"].id,
		"acme:" + Provisioner + " STANDARD", "acme:arn:aws:iam::100000000001:role/node EC2_LINUX",
		"acme#" + Provisioner + "#" + accessPolicyPrefix + "AmazonEKSClusterAdminPolicy", "eks-pool",
	}
	if diff := cmp.Diff(wantNames, names); diff != "" {
		t.Errorf("made by EKS (-want +got):\n%s", diff)
	}

	if err := l.delete("cluster"); err == nil || !strings.Contains(err.Error(), "ResourceInUseException: Cluster has nodegroups attached") {
		t.Errorf("deleted with nodes: %v", err)
	}
	if _, there := h.versions()[acme]; !there {
		t.Error("a refused deletion took the control plane")
	}
	var linked []string
	for _, r := range l.rows(serviceLinkedToken) {
		linked = append(linked, text(r.Outputs["name"]))
	}
	if diff := cmp.Diff([]string{"AWSServiceRoleForAmazonEKS", "AWSServiceRoleForAmazonEKSNodegroup"}, linked); diff != "" {
		t.Errorf("service-linked roles (-want +got):\n%s", diff)
	}
	if err := l.delete("nodes"); err != nil {
		t.Fatal(err)
	}
	if rows := l.rows(accessEntryToken); len(rows) != 1 {
		t.Errorf("the nodes' access entry outlives the last of them: %d entries", len(rows))
	}
	if err := l.delete("cluster"); err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if rows := l.rows(token); len(rows) != before[token] {
			t.Errorf("left behind: %v", rows[before[token]:])
		}
	}
	if left := h.versions(); len(left) != 0 {
		t.Errorf("control planes are left: %v", left)
	}

	l.must("cluster", clusterToken, clusterIn(nil))
	again, _ := walk(l.made["cluster"].out, "identities[*].oidcs[*].issuer")[0].value.(string)
	if !issuerForm.MatchString(again) || again == issued || again != h.planes[acme].OIDCIssuer {
		t.Errorf("another cluster of the name has issuer %s, after %s", again, issued)
	}
}

// shorten is a row without what is drawn at random.
func shorten(r store.Row) string {
	switch r.Type {
	case interfaceToken:
		return text(r.Outputs["description"]) + " in " + text(r.Outputs["subnetId"])
	case accessEntryToken:
		return r.ID + " " + text(r.Outputs["type"])
	case accessPolicyToken:
		return r.ID
	}
	// "eks-cluster-sg-acme-<digits>" and "eks-pool-<uuid>"
	parts := strings.Split(text(r.Outputs["name"]), "-")
	if r.Type == groupToken {
		return strings.Join(parts[:4], "-")
	}
	return strings.Join(parts[:2], "-")
}

func TestTheRoleBehindASessionBecomesAdministrator(t *testing.T) {
	l, _ := clusterLab(t)
	l.must("provision", roleToken, props{"name": "provision", "path": "/freehold/",
		"assumeRolePolicy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, Provisioner)})
	role := l.made["provision"].out["arn"].(string)
	l.as(props{"assumeRole": fmt.Sprintf(`{"roleArn":%q,"sessionName":"freehold-acme-cluster"}`, role)}).must("cluster", clusterToken, clusterIn(nil))

	entries := l.rows(accessEntryToken)
	if len(entries) != 1 {
		t.Fatalf("%d entries, want one", len(entries))
	}
	got := props{}
	for _, key := range []string{"principalArn", "type", "userName"} {
		got[key] = entries[0].Outputs[key]
	}
	want := props{"principalArn": role, "type": "STANDARD", "userName": "arn:aws:sts::100000000001:assumed-role/provision/{{SessionName}}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	if arn := entries[0].ARN; !strings.HasPrefix(arn, "arn:aws:eks:eu-central-1:100000000001:access-entry/acme/role/100000000001/provision/") {
		t.Errorf("the entry's ARN is %s", arn)
	}
}

func TestEKSRefusesAsAWSDoes(t *testing.T) {
	clusters := map[string]struct {
		change props
		want   string
	}{
		"a name that is taken":            {props{"name": "there"}, "ResourceInUseException: Cluster already exists with name: there"},
		"a name with a dot":               {props{"name": "a.b"}, "does not match"},
		"a name of 101 characters":        {props{"name": strings.Repeat("a", 101)}, "range (1 - 100)"},
		"a version that EKS ended":        {props{"version": "1.20"}, "InvalidParameterException: unsupported Kubernetes version 1.20"},
		"a role that does not exist":      {props{"roleArn": "arn:aws:iam::100000000001:role/none"}, "InvalidParameterException: Role with arn"},
		"a role that EKS may not assume":  {props{"roleArn": "$node.arn"}, "InvalidParameterException: Role with arn"},
		"subnets of one zone":             {props{"vpcConfig": props{"subnetIds": []any{"$a"}}}, "at least two different AZs"},
		"a subnet that does not exist":    {props{"vpcConfig": props{"subnetIds": []any{"$a", "subnet-1"}}}, "The subnet ID 'subnet-1' does not exist"},
		"an endpoint that nobody reaches": {props{"vpcConfig": props{"subnetIds": []any{"$a", "$b"}, "endpointPublicAccess": false, "endpointPrivateAccess": false}}, "cannot be false"},
		"a private range in the allow-list": {props{"vpcConfig": props{"subnetIds": []any{"$a", "$b"}, "publicAccessCidrs": []any{"10.0.0.0/24"}}},
			"The following CIDRs are invalid in publicAccessCidrs: [10.0.0.0/24]"},
		"a log type that there is not": {props{"enabledClusterLogTypes": []any{"everything"}}, "expected one of"},
		"a mode that there is not":     {props{"accessConfig": props{"authenticationMode": "NONE"}}, "expected one of"},
		"a key that does not exist": {props{"encryptionConfig": props{"provider": props{"keyArn": "arn:aws:kms:eu-central-1:100000000001:key/1"}, "resources": []any{"secrets"}}},
			"InvalidParameterException: The keyArn"},
		"a property that the provider lacks": {props{"deletionProtection": true}, "unknown property"},
	}
	rest := map[string]struct {
		token string
		in    props
		want  string
	}{
		"nodes of no cluster":                 {nodeGroupToken, nodesIn(props{"clusterName": "none"}), "ResourceNotFoundException: No cluster found for name: none."},
		"nodes with min above desired":        {nodeGroupToken, nodesIn(props{"scalingConfig": props{"minSize": 3.0, "desiredSize": 1.0, "maxSize": 3.0}}), "Minimum capacity 3 can't be greater than desired size 1"},
		"nodes with desired above max":        {nodeGroupToken, nodesIn(props{"scalingConfig": props{"minSize": 1.0, "desiredSize": 5.0, "maxSize": 3.0}}), "desired capacity 5 can't be greater than max size 3"},
		"nodes of no known image":             {nodeGroupToken, nodesIn(props{"amiType": "UBUNTU"}), "expected one of"},
		"nodes with the wrong processor":      {nodeGroupToken, nodesIn(props{"instanceTypes": []any{"m7g.large"}}), "[m7g.large] is not a valid instance type for requested amiType AL2023_x86_64_STANDARD"},
		"nodes of no instance type":           {nodeGroupToken, nodesIn(props{"instanceTypes": []any{"huge"}}), "instanceTypes[0]"},
		"nodes of another capacity":           {nodeGroupToken, nodesIn(props{"capacityType": "CHEAP"}), "capacityType"},
		"nodes newer than the cluster":        {nodeGroupToken, nodesIn(props{"version": "1.35"}), "Requested Kubernetes version 1.35 is not supported"},
		"nodes with a role of the wrong kind": {nodeGroupToken, nodesIn(props{"nodeRoleArn": "$plane.arn"}), "[ec2.amazonaws.com] were not found in the trust relationships"},
		"nodes with a taint of no effect":     {nodeGroupToken, nodesIn(props{"taints": []any{props{"key": "a", "effect": "NoSchedule"}}}), "taints[0].effect"},
		"nodes with a reserved label":         {nodeGroupToken, nodesIn(props{"labels": props{"kubernetes.io/os": "x"}}), "reserved prefixes"},
		"nodes with a disk said twice":        {nodeGroupToken, nodesIn(props{"diskSize": 20.0, "launchTemplate": props{"id": "$template", "version": "1"}}), "Disk size must be specified within the launch template."},
		"nodes of no such template version":   {nodeGroupToken, nodesIn(props{"launchTemplate": props{"id": "$template", "version": "7"}}), "Could not find the specified version 7"},
		"an add-on that there is not":         {addonToken, props{"clusterName": "there", "addonName": "istio"}, "Addon istio specified is not supported"},
		"an add-on of another Kubernetes":     {addonToken, props{"clusterName": "there", "addonName": "kube-proxy", "addonVersion": "v1.35.0-eksbuild.2"}, "Addon version specified is not supported"},
		"an add-on that is there":             {addonToken, props{"clusterName": "there", "addonName": "coredns"}, "ResourceInUseException: Addon already exists."},
		"an add-on with broken values":        {addonToken, props{"clusterName": "there", "addonName": "vpc-cni", "configurationValues": "{"}, "invalid JSON"},
		"a driver of unknown settings":        {addonToken, props{"clusterName": "there", "addonName": "aws-ebs-csi-driver", "configurationValues": `{"controller":{"extraTags":{}}}`}, "Json schema validation failed"},
		"a driver of tags that are no text":   {addonToken, props{"clusterName": "there", "addonName": "aws-ebs-csi-driver", "configurationValues": `{"controller":{"extraVolumeTags":{"a":1}}}`}, "Json schema validation failed"},
		"a driver of a nameless tag":          {addonToken, props{"clusterName": "there", "addonName": "aws-ebs-csi-driver", "configurationValues": `{"controller":{"extraVolumeTags":{"":"b"}}}`}, "Json schema validation failed"},
		"a driver with a tag of Kubernetes":   {addonToken, props{"clusterName": "there", "addonName": "aws-ebs-csi-driver", "configurationValues": `{"controller":{"extraVolumeTags":{"kubernetes.io/cluster/x":"owned"}}}`}, "is reserved"},
		"a driver with a tag of its own":      {addonToken, props{"clusterName": "there", "addonName": "aws-ebs-csi-driver", "configurationValues": `{"controller":{"extraVolumeTags":{"CSIVolumeName":"x"}}}`}, "is reserved"},
		"a driver with a comma in a tag":      {addonToken, props{"clusterName": "there", "addonName": "aws-ebs-csi-driver", "configurationValues": `{"controller":{"extraVolumeTags":{"a":"b,c"}}}`}, "malformed pair"},
		"an entry for nobody":                 {accessEntryToken, props{"clusterName": "there", "principalArn": "arn:aws:iam::100000000001:role/none"}, "invalid principal"},
		"an entry that is there":              {accessEntryToken, props{"clusterName": "there", "principalArn": Provisioner}, "ResourceInUseException: The specified access entry resource is already in use on this cluster."},
		"an entry in Kubernetes's own group":  {accessEntryToken, props{"clusterName": "there", "principalArn": "$pod.arn", "kubernetesGroups": []any{"system:masters"}}, "cannot start with system:"},
		"an entry without the API":            {accessEntryToken, props{"clusterName": "old", "principalArn": "$pod.arn"}, "authentication mode must be set to one of [API, API_AND_CONFIG_MAP]"},
		"a policy without an entry":           {accessPolicyToken, props{"clusterName": "there", "principalArn": "$pod.arn", "policyArn": accessPolicyPrefix + "AmazonEKSViewPolicy", "accessScope": props{"type": "cluster"}}, "ResourceNotFoundException: The specified principalArn could not be found"},
		"a policy that there is not":          {accessPolicyToken, props{"clusterName": "there", "principalArn": Provisioner, "policyArn": accessPolicyPrefix + "Root", "accessScope": props{"type": "cluster"}}, "is not a valid access policy"},
		"a policy for no namespace":           {accessPolicyToken, props{"clusterName": "there", "principalArn": Provisioner, "policyArn": accessPolicyPrefix + "AmazonEKSViewPolicy", "accessScope": props{"type": "namespace"}}, "namespaces parameter is required"},
		"a second identity provider":          {identityProviderToken, peopleIn("there", nil), "ResourceInUseException: An identity provider config is already associated"},
		"an identity provider in the clear":   {identityProviderToken, peopleIn("acme", props{"issuerUrl": "http://login.example.com"}), "oidc.issuerUrl"},
		"an identity provider with a query":   {identityProviderToken, peopleIn("acme", props{"issuerUrl": "https://login.example.com?a=b"}), "oidc.issuerUrl"},
		"an identity provider without client": {identityProviderToken, peopleIn("acme", props{"clientId": nil}), "clientId"},
		"people called as Kubernetes's own":   {identityProviderToken, peopleIn("acme", props{"usernamePrefix": "system:"}), "usernamePrefix can't contain system:"},
		"groups called as Kubernetes's own":   {identityProviderToken, peopleIn("acme", props{"groupsPrefix": "x-system:"}), "groupsPrefix can't contain system:"},
		"a required claim without a value":    {identityProviderToken, peopleIn("acme", props{"requiredClaims": props{"hd": ""}}), "oidc.requiredClaims"},
		"a required claim without a name":     {identityProviderToken, peopleIn("acme", props{"requiredClaims": props{"": "x"}}), "required claim"},
		"the cluster's own pods as people":    {identityProviderToken, peopleIn("acme", props{"issuerUrl": issuer("eu-central-1", acme, "")}), "is the cluster's own"},
		"people of no cluster":                {identityProviderToken, peopleIn("none", nil), "No cluster found for name: none."},
		"an identity of another kind of role": {podIdentityToken, props{"clusterName": "there", "namespace": "a", "serviceAccount": "b", "roleArn": "$node.arn"}, "Trust policy of role"},
	}
	l, _ := clusterLab(t)
	l.must("there", clusterToken, clusterIn(props{"name": "there"}))
	l.must("acme", clusterToken, clusterIn(nil))
	l.must("old", clusterToken, clusterIn(props{"name": "old", "accessConfig": props{"authenticationMode": "CONFIG_MAP"}}))
	l.must("dns", addonToken, props{"clusterName": "there", "addonName": "coredns"})
	l.must("people", identityProviderToken, peopleIn("there", nil))
	for name, tc := range clusters {
		t.Run("a cluster with "+name, func(t *testing.T) {
			l.t = t
			l.refused(clusterToken, clusterIn(tc.change), tc.want)
		})
	}
	for name, tc := range rest {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.refused(tc.token, tc.in, tc.want)
		})
	}
}

func (l *lab) refused(token string, in props, want string) {
	l.t.Helper()
	if in["name"] == "acme" && token == clusterToken {
		in["name"] = "refused"
	}
	if err := l.create("refused", token, in); err == nil || !strings.Contains(err.Error(), want) {
		l.t.Errorf("got %v, want %q in it", err, want)
	}
}

// peopleIn are the inputs of an identity provider that EKS accepts.
func peopleIn(cluster string, change props) props {
	oidc := props{
		"identityProviderConfigName": "people", "issuerUrl": "https://login.example.com", "clientId": "kubernetes",
		"usernamePrefix": "oidc:", "groupsClaim": "groups", "groupsPrefix": "oidc:", "requiredClaims": props{"hd": "example.com"},
	}
	for key, v := range change {
		if oidc[key] = v; v == nil {
			delete(oidc, key)
		}
	}
	return props{"clusterName": cluster, "oidc": oidc, "tags": props{"a": "b"}}
}

func TestAClusterBelievesItsIdentityProviderWhileItHasOne(t *testing.T) {
	l, h := clusterLab(t)
	l.must("cluster", clusterToken, clusterIn(nil))
	l.must("people", identityProviderToken, peopleIn("acme", nil))
	if id, status := l.made["people"].id, l.made["people"].out["status"]; id != "acme:people" || status != "ACTIVE" {
		t.Errorf("it is %s, %v", id, status)
	}
	if arn := l.made["people"].out["arn"]; !strings.HasPrefix(fmt.Sprint(arn), "arn:aws:eks:eu-central-1:100000000001:identityproviderconfig/acme/oidc/people/") {
		t.Errorf("its ARN is %v", arn)
	}
	want := &IdentityProvider{
		IssuerURL: "https://login.example.com", ClientID: "kubernetes", UsernamePrefix: "oidc:", GroupsClaim: "groups", GroupsPrefix: "oidc:",
		RequiredClaims: map[string]string{"hd": "example.com"},
	}
	if diff := cmp.Diff(want, h.people[acme]); diff != "" {
		t.Errorf("the control plane believes (-want +got):\n%s", diff)
	}
	if r := l.replaces("people", peopleIn("acme", props{"clientId": "other"})); len(r) == 0 {
		t.Error("another client does not replace it: nothing of it can be changed")
	}
	if err := l.update("people", props{"tags": props{"a": "c"}}); err != nil || h.people[acme] == nil {
		t.Errorf("a tag: %v, and the control plane believes %v", err, h.people[acme])
	}
	if err := l.delete("people"); err != nil || h.people[acme] != nil {
		t.Errorf("without it: %v, and the control plane believes %v", err, h.people[acme])
	}
	l.must("other", identityProviderToken, peopleIn("acme", props{"issuerUrl": "https://login.example.org"}))
	if err := l.delete("cluster"); err != nil {
		t.Fatal(err)
	}
	if left := l.rows(identityProviderToken); len(left) > 0 {
		t.Errorf("left without a cluster: %v", left)
	}
}

func TestAClusterChangesForwardOnly(t *testing.T) {
	l, h := clusterLab(t)
	l.must("cluster", clusterToken, clusterIn(props{"accessConfig": props{"authenticationMode": "API_AND_CONFIG_MAP"}}))
	group := walk(l.made["cluster"].out, "vpcConfig.clusterSecurityGroupId")[0].value
	steps := []struct {
		change props
		want   string
	}{
		{props{"version": "1.36"}, "Unsupported Kubernetes minor version update from 1.34 to 1.36"},
		{props{"version": "1.33"}, "Unsupported Kubernetes minor version update from 1.34 to 1.33"},
		{props{"version": "1.35"}, ""},
		{props{"accessConfig": props{"authenticationMode": "CONFIG_MAP"}}, "Unsupported authentication mode update from API_AND_CONFIG_MAP to CONFIG_MAP"},
		{props{"accessConfig": props{"authenticationMode": "API"}}, ""},
		{props{"vpcConfig": props{"subnetIds": []any{"$a", "$b"}, "endpointPublicAccess": false, "endpointPrivateAccess": true}}, ""},
	}
	for _, s := range steps {
		err := l.update("cluster", s.change)
		if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
			t.Fatalf("%v: got %v, want %q", s.change, err, s.want)
		}
	}
	out := l.made["cluster"].out
	if walk(out, "vpcConfig.clusterSecurityGroupId")[0].value != group || out["endpoint"] != "https://127.0.0.1:6443" {
		t.Errorf("an update lost what EKS had made: %v", out)
	}
	if diff := cmp.Diff(map[string]string{acme: "1.35"}, h.versions()); diff != "" {
		t.Errorf("control planes (-want +got):\n%s", diff)
	}
}

func TestAControlPlaneWaitsForItsNodes(t *testing.T) {
	l, _ := clusterLab(t)
	l.must("cluster", clusterToken, clusterIn(props{"version": "1.33"}))
	l.must("nodes", nodeGroupToken, nodesIn(props{"version": "1.33"}))
	for _, s := range []struct {
		what    string
		version string
		want    string
	}{
		{"cluster", "1.35", "InvalidParameterException: Unsupported Kubernetes minor version update from 1.33 to 1.35"},
		{"nodes", "1.34", "Requested Kubernetes version 1.34 is not supported for the node group"},
		{"cluster", "1.34", ""},
		{"cluster", "1.35", "InvalidParameterException: Nodegroups pool must be updated to match cluster version 1.34 before updating cluster version"},
		{"nodes", "1.34", ""},
		{"cluster", "1.35", ""},
		{"cluster", "1.34", "InvalidParameterException: Unsupported Kubernetes minor version update from 1.35 to 1.34"},
	} {
		err := l.update(s.what, props{"version": s.version})
		if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
			t.Fatalf("%s to %s: got %v, want %q", s.what, s.version, err, s.want)
		}
	}
}

func TestAControlPlaneStaysInItsZones(t *testing.T) {
	l, _ := clusterLab(t)
	l.must("c", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.77.0/24", "availabilityZone": "eu-central-1c"})
	l.must("a2", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.78.0/24", "availabilityZone": "eu-central-1a"})
	l.must("cluster", clusterToken, clusterIn(nil))
	in := func(subnets ...any) props { return props{"vpcConfig": props{"subnetIds": subnets}} }
	for reason, tc := range map[string]struct {
		change props
		want   string
	}{
		"one zone more": {in("$a", "$b", "$c"), "InvalidParameterException: Provided subnets belong to the AZs 'eu-central-1a,eu-central-1b,eu-central-1c'. " +
			"But they should belong to the exact set of AZs 'eu-central-1a,eu-central-1b' in which subnets were provided during cluster creation."},
		"another zone":               {in("$a", "$c"), "But they should belong to the exact set of AZs 'eu-central-1a,eu-central-1b'"},
		"one zone":                   {in("$a", "$a2"), "Subnets specified must be in at least two different AZs"},
		"another subnet of the zone": {in("$a2", "$b"), ""},
	} {
		err := l.update("cluster", tc.change)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", reason, err, tc.want)
		}
	}
}

func TestEKSHasNoControlPlanesInSomeZones(t *testing.T) {
	w := newWorld(t, "none")
	id, _ := w.vended("zones")
	for region, zone := range map[string]string{"us-east-1": "e", "eu-central-1": ""} {
		l := w.provider(props{"region": region, "assumeRole": props{"roleArn": "arn:aws:iam::" + id + ":role/" + VendedRole}})
		role := "plane-" + region
		l.must("plane", roleToken, props{"name": role, "assumeRolePolicy": trustFor("eks.amazonaws.com")})
		l.must("key", keyToken, props{})
		l.must("vpc", vpcToken, props{"cidrBlock": "10.0.0.0/16"})
		l.must("a", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.1.0/24", "availabilityZone": region + "a"})
		second := "b"
		if zone != "" {
			second = zone
		}
		l.must("b", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.2.0/24", "availabilityZone": region + second})
		err := l.create("cluster", clusterToken, clusterIn(nil))
		want := "UnsupportedAvailabilityZoneException: Cannot create cluster 'acme' because us-east-1e, the targeted availability zone, does not currently have sufficient capacity to support the cluster. " +
			"Retry and choose from these availability zones: us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1f"
		if zone == "" && err != nil || zone != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v", region, err)
		}
	}
}

func TestDeletionProtectionKeepsACluster(t *testing.T) {
	l, _ := clusterLab(t)
	l.must("cluster", clusterToken, clusterIn(nil))
	protect := func(on bool) {
		err := l.backend.Store.Write(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.List(store.Filter{Type: clusterToken})
			if err != nil {
				return err
			}
			rows[0].Outputs[DeletionProtection] = on
			keys, err := tx.Keys(rows[0])
			if err != nil {
				return err
			}
			return tx.Put(rows[0], keys...)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	protect(true)
	if err := l.delete("cluster"); err == nil || !strings.Contains(err.Error(), "InvalidRequestException") {
		t.Fatalf("deleted: %v", err)
	}
	protect(false)
	if err := l.delete("cluster"); err != nil {
		t.Fatal(err)
	}
}

func TestChangesThatMakeANewCluster(t *testing.T) {
	l, _ := clusterLab(t)
	l.must("cluster", clusterToken, clusterIn(nil))
	l.must("acme", nodeGroupToken, nodesIn(props{"launchTemplate": props{"id": "$template", "version": "1"}}))
	l.must("entry", accessEntryToken, props{"clusterName": "acme", "principalArn": "$pod.arn"})
	cases := map[string]struct {
		name   string
		change props
		want   []string
	}{
		"a cluster's name":          {"cluster", props{"name": "x"}, []string{"name"}},
		"a cluster's role":          {"cluster", props{"roleArn": "$node.arn"}, []string{"roleArn"}},
		"a cluster's version":       {"cluster", props{"version": "1.35"}, nil},
		"a cluster's logs":          {"cluster", props{"enabledClusterLogTypes": []any{"api"}}, nil},
		"a cluster's key":           {"cluster", props{"encryptionConfig": props{"provider": props{"keyArn": "arn"}, "resources": []any{"secrets"}}}, nil}, // planned as an update, and refused then
		"a cluster without its key": {"cluster", props{"encryptionConfig": nil}, []string{"encryptionConfig"}},
		"nodes' subnets":            {"acme", props{"subnetIds": []any{"$a"}}, []string{"subnetIds[1]"}},
		"nodes' instance types":     {"acme", props{"instanceTypes": []any{"m6i.xlarge"}}, []string{"instanceTypes[0]"}},
		"nodes' image":              {"acme", props{"amiType": "BOTTLEROCKET_x86_64"}, []string{"amiType"}},
		"nodes' capacity":           {"acme", props{"capacityType": "SPOT"}, []string{"capacityType"}},
		"nodes' role":               {"acme", props{"nodeRoleArn": "$plane.arn"}, []string{"nodeRoleArn"}},
		"nodes' number":             {"acme", props{"scalingConfig": props{"minSize": 2.0, "desiredSize": 2.0, "maxSize": 9.0}}, nil},
		"nodes' template's version": {"acme", props{"launchTemplate": props{"id": "$template", "version": "2"}}, nil},
		"an entry's groups":         {"entry", props{"kubernetesGroups": []any{"x"}}, nil},
		"an entry's principal":      {"entry", props{"principalArn": "$node.arn"}, []string{"principalArn"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l.t = t
			if diff := cmp.Diff(tc.want, l.replaces(tc.name, tc.change)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheNewestAddonVersionIsFound(t *testing.T) {
	l := newLab(t, nil)
	cases := map[string]struct {
		args props
		want string
	}{
		"the newest for 1.36":       {props{"addonName": "vpc-cni", "kubernetesVersion": "1.36", "mostRecent": true}, "v1.22.3-eksbuild.1"},
		"the newest for 1.35":       {props{"addonName": "kube-proxy", "kubernetesVersion": "1.35", "mostRecent": true}, "v1.35.0-eksbuild.2"},
		"the default for 1.35":      {props{"addonName": "vpc-cni", "kubernetesVersion": "1.35"}, "v1.19.6-eksbuild.7"},
		"none of an unknown add-on": {props{"addonName": "istio", "kubernetesVersion": "1.35"}, ""},
		"none for an old cluster":   {props{"addonName": "coredns", "kubernetesVersion": "1.20"}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			args, err := write("args", tc.args, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:eks/getAddonVersion:getAddonVersion", Args: args})
			if version := got.GetReturn().GetFields()["version"].GetStringValue(); version != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("got %q, %v; want %q", version, err, tc.want)
			}
		})
	}
}
