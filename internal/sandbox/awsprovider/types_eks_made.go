package awsprovider

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/sandbox/store"
)

// clusterCreated makes what EKS makes beside: the cluster's own security group,
// two interfaces in its subnets, the service's role, its log group and the
// creator's access entry.
func clusterCreated(c *Call) error {
	subnets := listAt(mapAt(c.In, "vpcConfig"), "subnetIds")
	subnet, err := c.Find(subnetToken, "id", text(subnets[0]))
	if err != nil {
		return err
	}
	network := text(subnet.Outputs["vpcId"])
	group, err := c.clusterGroup(network)
	if err != nil {
		return err
	}
	vpc := mapAt(c.Out, "vpcConfig")
	vpc["clusterSecurityGroupId"], vpc["vpcId"] = group, network
	c.Out["vpcConfig"] = vpc
	if err := completeCluster(c); err != nil {
		return err
	}
	groups := append([]any{group}, listAt(vpc, "securityGroupIds")...)
	for _, id := range subnets[:2] {
		if _, err := putInterface(c, c.ID, text(id), "Amazon EKS "+c.String("name"), groups); err != nil {
			return err
		}
	}
	if err := c.serviceLinkedRole("eks.amazonaws.com"); err != nil {
		return err
	}
	if err := c.clusterLogs(); err != nil {
		return err
	}
	return c.creatorAccess()
}

func clusterUpdated(c *Call) error {
	vpc, old := mapAt(c.Out, "vpcConfig"), mapAt(c.OldOut, "vpcConfig")
	vpc["clusterSecurityGroupId"], vpc["vpcId"] = old["clusterSecurityGroupId"], old["vpcId"]
	c.Out["vpcConfig"] = vpc
	if err := completeCluster(c); err != nil {
		return err
	}
	return c.clusterLogs()
}

// completeCluster fills in the parts of nested outputs that were not given.
func completeCluster(c *Call) error {
	vpc := mapAt(c.Out, "vpcConfig")
	setDefault(vpc, "endpointPublicAccess", true)
	setDefault(vpc, "endpointPrivateAccess", false)
	setDefault(vpc, "securityGroupIds", []any{})
	if vpc["endpointPublicAccess"] == true {
		setDefault(vpc, "publicAccessCidrs", []any{"0.0.0.0/0"})
	} else {
		setDefault(vpc, "publicAccessCidrs", []any{})
	}
	c.Out["vpcConfig"] = vpc

	row, err := c.Find(vpcToken, "id", text(vpc["vpcId"]))
	if err != nil {
		return err
	}
	services := "10.100.0.0/16"
	if row != nil && prefix(text(row.Outputs["cidrBlock"])).Overlaps(prefix(services)) {
		services = "172.20.0.0/16"
	}
	network := mapAt(c.Out, "kubernetesNetworkConfig")
	setDefault(network, "ipFamily", "ipv4")
	setDefault(network, "serviceIpv4Cidr", services)
	setDefault(network, "elasticLoadBalancing", map[string]any{"enabled": false})
	c.Out["kubernetesNetworkConfig"] = network

	access := mapAt(c.Out, "accessConfig")
	setDefault(access, "authenticationMode", "CONFIG_MAP")
	setDefault(access, "bootstrapClusterCreatorAdminPermissions", true)
	c.Out["accessConfig"] = access
	return nil
}

func setDefault(m map[string]any, key string, value any) {
	if m[key] == nil {
		m[key] = value
	}
}

// clusterGroup makes the security group that EKS puts on every control plane
// interface and managed node.
func (c *Call) clusterGroup(network string) (string, error) {
	hex, err := c.Fresh("hex:17")
	if err != nil {
		return "", err
	}
	digits, err := c.Fresh("digits:9")
	if err != nil {
		return "", err
	}
	id, name := "sg-"+hex, fmt.Sprintf("eks-cluster-sg-%s-%s", c.String("name"), digits)
	everything := func(more map[string]any) []any {
		more["protocol"], more["fromPort"], more["toPort"] = "-1", 0.0, 0.0
		return []any{more}
	}
	return id, c.Put(store.Row{Type: groupToken, ID: id, ARN: c.arn("security-group/" + id), ByCloud: true, Outputs: map[string]any{
		"name": name, "vpcId": network, "ownerId": c.Account,
		"description": "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
		"ingress":     everything(map[string]any{"self": true}),
		"egress":      everything(map[string]any{"cidrBlocks": []any{"0.0.0.0/0"}, "self": false}),
		"tags":        map[string]any{"Name": name, "kubernetes.io/cluster/" + c.String("name"): "owned", "aws:eks:cluster-name": c.String("name")},
	}})
}

// serviceLinkedRole makes a service's own role, once in an account. It stays
// when what it was made for is gone.
func (c *Call) serviceLinkedRole(service string) error {
	name := "AWSServiceRoleFor" + linkedName(service)
	arn := "arn:aws:iam::" + c.Account + ":role/aws-service-role/" + service + "/" + name
	there, err := c.Find(serviceLinkedToken, "id", arn)
	if err != nil || there != nil {
		return err
	}
	return c.Put(store.Row{Type: serviceLinkedToken, ID: arn, ARN: arn, ByCloud: true, Outputs: map[string]any{
		"name": name, "path": "/aws-service-role/" + service + "/", "awsServiceName": service,
	}})
}

// clusterLogs makes the log group that a cluster writes to, if there is none.
func (c *Call) clusterLogs() error {
	if len(listAt(c.In, "enabledClusterLogTypes")) == 0 {
		return nil
	}
	name := "/aws/eks/" + c.String("name") + "/cluster"
	there, err := c.Find(logGroupToken, "id", name)
	if err != nil || there != nil {
		return err
	}
	return c.Put(store.Row{Type: logGroupToken, ID: name, ByCloud: true, Outputs: map[string]any{
		"name": name, "retentionInDays": 0.0, "logGroupClass": "STANDARD",
	}})
}

// clusterDeleted removes the cluster's own security group, after the interfaces
// that were in it.
func clusterDeleted(c *Call) error {
	group, err := c.Find(groupToken, "id", c.String("vpcConfig.clusterSecurityGroupId"))
	if err != nil || group == nil {
		return err
	}
	return c.Drop(*group)
}

// mustTrust gives the refusal unless the role exists and a service may assume it.
func (c *Call) mustTrust(arn, service string, refusal error) error {
	row, err := c.Find(roleToken, "arn", arn)
	if err != nil {
		return err
	}
	if row == nil || !trustsService(text(row.Outputs["assumeRolePolicy"]), service) {
		return refusal
	}
	return nil
}

// trustsService reports whether a trust policy lets a service assume the role.
func trustsService(policy, service string) bool {
	doc, err := document(policy)
	return err == nil && slices.ContainsFunc(doc.Statement, func(s iam.Statement) bool {
		return s.Effect == iam.Allow && s.Principal.Has("Service", service) && s.Covers("sts:AssumeRole")
	})
}

// minor is the number after the dot of a Kubernetes version.
func minor(version string) int {
	_, after, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(after)
	return n
}
