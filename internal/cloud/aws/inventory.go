package aws

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// atOnce bounds how many lists are read at the same time: more are throttled.
const atOnce = 8

// listers list what there may be in an account, by the names that the rows of
// awstype give. One may list several types, each before what it is a part of.
var listers = map[string]func(context.Context, *session) ([]cloud.Item, error){
	awstype.Tagged:              listTagged,
	"EKS clusters":              listClusters,
	"load balancers":            listLoadBalancers,
	"target groups":             listTargetGroups,
	"instances":                 listInstances,
	"launch templates":          listLaunchTemplates,
	"images":                    listImages,
	"snapshots":                 listSnapshots,
	"volumes":                   listVolumes,
	"key pairs":                 listKeyPairs,
	"flow logs":                 listFlowLogs,
	"VPC endpoints":             listEndpoints,
	"VPC endpoint services":     listEndpointServices,
	"transit gateways":          listTransitGateways,
	"VPC peering connections":   listPeerings,
	"NAT gateways":              listNATGateways,
	"elastic IP addresses":      listAddresses,
	"network interfaces":        listInterfaces,
	"routes":                    listRoutes,
	"route tables":              listRouteTables,
	"network ACLs":              listNetworkACLs,
	"security group rules":      listGroupRules,
	"security groups":           listGroups,
	"subnets":                   listSubnets,
	"internet gateways":         listInternetGateways,
	"VPCs":                      listVPCs,
	"DHCP options":              listDHCPOptions,
	"ECR repositories":          listRepositories,
	"CloudTrail trails":         listTrails,
	"Access Analyzer analyzers": listAnalyzers,
	"log groups":                listLogGroups,
	"S3 buckets":                listBuckets,
	"settings of the account":   listSettings,
	"KMS aliases":               listAliases,
	"KMS keys":                  listKeys,
	"IAM instance profiles":     listInstanceProfiles,
	"IAM roles":                 listRoles,
	"IAM users":                 listUsers,
	"IAM groups":                listUserGroups,
	"IAM policies":              listPolicies,
	"IAM identity providers":    listIdentityProviders,
}

// Inventory lists everything that can be listed in the account and region,
// what uses another before it. One list that cannot be read fails it: "could
// not read" is never "nothing there".
func (c *Cloud) Inventory(ctx context.Context, a cloud.Account) ([]cloud.Item, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s, err := c.session(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("inventory: %w", err)
	}
	names := awstype.Lists()
	lists := make([][]cloud.Item, len(names))
	slots := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			var err error
			if lists[i], err = listers[name](ctx, s); err != nil {
				// The first failure ends the others; theirs are only its echo.
				cancel(fmt.Errorf("inventory of account %s in %s: list of %s: %w", s.account, s.region, name, err))
			}
		})
	}
	wait.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	items := slices.Concat(lists...)
	for i := range items {
		items[i].ByWorkload = ofWorkload(items[i])
	}
	return items, nil
}

// thing is an item whose name is in its tags, as EC2's are.
func thing(typ, id string, tags map[string]string) cloud.Item {
	return cloud.Item{Type: typ, ID: id, Name: tags["Name"], Tags: tags}
}

// slot is the place with room for one that a thing with these inputs fills;
// empty: none.
func slot(typ string, inputs map[string]any) string {
	s, _ := awstype.Slot(typ, inputs)
	return s
}

// named is an item that AWS knows by a name.
func named(typ, id, name, arn string) cloud.Item {
	return cloud.Item{Type: typ, ID: id, Name: name, ARN: arn}
}
