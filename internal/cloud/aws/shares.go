package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// sharers list the ways of sharing that no inventory shows, by the names that
// awstype.Ways gives. Each asks the services themselves, whether or not anything
// is tagged.
var sharers = map[string]func(context.Context, *session) ([]cloud.Item, error){
	"policies of IAM users and groups": listUsersPolicies,
	"trust anchors":                    listTrustAnchors,
	"RAM shares":                       listRAMShares,
	"principals and connections of VPC endpoint services":  listEndpointPrincipals,
	"permissions of network interfaces":                    listInterfacePermissions,
	"Route 53 zones":                                       listZones,
	"Route 53 resolver rules and query logs":               listResolver,
	"S3 access points":                                     listAccessPoints,
	"S3 Object Lambda access points":                       listObjectLambda,
	"copies and notifications of S3 buckets":               listBucketCopies,
	"the ECR registry":                                     listRegistry,
	"shared EBS snapshots":                                 listSharedSnapshots,
	"shared machine images":                                listSharedImages,
	"shared RDS snapshots":                                 listDatabaseSnapshots,
	"SNS topics":                                           listTopics,
	"SQS queues":                                           listQueues,
	"EventBridge buses and targets":                        listEvents,
	"destinations and policies of CloudWatch Logs":         listLogs,
	"Kinesis streams":                                      listStreams,
	"Lambda functions and layers":                          listFunctions,
	"REST APIs":                                            listAPIs,
	"secrets":                                              listSecrets,
	"DynamoDB tables":                                      listTables,
	"EFS file systems":                                     listFileSystems,
	"OpenSearch domains":                                   listSearch,
	"S3 Glacier vaults":                                    listGlacier,
	"AWS Backup vaults and plans":                          listBackups,
	"private certificate authorities":                      listAuthorities,
	"the Glue catalog":                                     listCatalog,
	"Glue databases, tables and what reads them":           listCatalogLinks,
	"Lake Formation settings, filters and opt-ins":         listLakeSettings,
	"exports and imports of DynamoDB tables":               listTableCopies,
	"API Gateway domain names":                             listDomainNames,
	"Macie jobs":                                           listMacieJobs,
	"S3 access grants":                                     listAccessGrants,
	"shared directories":                                   listSharedDirectories,
	"alarms":                                               listAlarms,
	"Lake Formation permissions":                           listLake,
	"CodeArtifact domains and repositories":                listPackages,
	"snapshot lifecycle policies":                          listSnapshotLifecycles,
	"Image Builder distributions":                          listImageDistributions,
	"metric streams":                                       listMetricStreams,
	"delivery streams":                                     listDeliveryStreams,
	"EventBridge pipes":                                    listPipes,
	"EventBridge schedules":                                listSchedules,
	"Systems Manager documents":                            listDocuments,
	"Redshift data shares, endpoints and policies":         listWarehouses,
	"S3 table buckets":                                     listTableBuckets,
	"Service Catalog portfolios":                           listPortfolios,
	"CodeBuild projects and report groups":                 listBuilds,
	"MSK clusters":                                         listKafka,
	"Network Firewall rule groups and policies":            listFirewalls,
	"schema registries":                                    listSchemas,
	"SES identities":                                       listMail,
	"response plans":                                       listResponsePlans,
	"X-Ray policies":                                       listTraces,
	"Direct Connect lines and gateways":                    listDirectConnect,
	"VPC Lattice service networks, services and resources": listLattice,
	"Cloud Map namespaces and services":                    listCloudMap,
	"Route 53 profiles":                                    listProfiles,
	"sinks and links of CloudWatch observability":          listObservability,
	"aggregation authorizations of AWS Config":             listConfigAuthorizations,
	"GuardDuty members":                                    listGuardDuty,
	"Macie members":                                        listMacie,
	"Detective members":                                    listDetective,
	"Security Hub members":                                 listSecurityHub,
	"Inspector members":                                    listInspector,
	"Clean Rooms collaborations":                           listCleanRooms,
	"Audit Manager framework shares":                       listFrameworkShares,
	"License Manager grants":                               listLicenseGrants,
	"Global Accelerator attachments":                       listAcceleratorAttachments,
	"Cloud WAN core networks and attachments":              listCloudWAN,
	"S3 Multi-Region Access Points":                        listMultiRegionPoints,
	"public ECR repositories":                              listPublicRepositories,
}

// Shares lists what of the account and region lets others in, or leads out of
// it, beside what an inventory shows. A list that cannot be read, because a
// policy refuses it or there is no such host, is an error of its own: it is not
// empty. What the others found is returned with it.
func (c *Cloud) Shares(ctx context.Context, a cloud.Account) ([]cloud.Item, error) {
	s, err := c.session(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("shares: %w", err)
	}
	names := awstype.SharingLists()
	lists, failed := make([][]cloud.Item, len(names)), make([]error, len(names))
	slots := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if failed[i] = ctx.Err(); failed[i] != nil {
				return
			}
			var err error
			if lists[i], err = s.shared(ctx, name); err != nil {
				failed[i] = fmt.Errorf("shares of account %s in %s: list of %s: %w", s.account, s.region, name, err)
			}
		})
	}
	wait.Wait()
	return slices.Concat(lists...), errors.Join(failed...)
}

// shared is one of the lists. It is empty where the region has no such host and
// AWS documents that the service is not there; either alone says nothing.
func (s *session) shared(ctx context.Context, list string) ([]cloud.Item, error) {
	items, err := s.listOf(ctx, list)
	if dns, is := errors.AsType[*net.DNSError](err); is && dns.IsNotFound && awstype.Absent(list, s.region) {
		return nil, nil
	}
	return items, err
}

// listOf asks for one of the lists, by a function of its own or through Cloud Control.
func (s *session) listOf(ctx context.Context, list string) ([]cloud.Item, error) {
	if w, is := awstype.ControlOf(list); is {
		return controlled(ctx, s, w)
	}
	return sharers[list](ctx, s)
}

// together bounds how many things of one list are asked about at the same time.
const together = 4

// eachOf asks what more there is of each of some things, and returns it in their
// order. What is gone since it was listed has nothing more. The first failure
// ends it: a policy that refuses one refuses all.
func eachOf[T any](ctx context.Context, all []T, ask func(context.Context, T) ([]cloud.Item, error)) ([]cloud.Item, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	found := make([][]cloud.Item, len(all))
	slots := make(chan struct{}, together)
	var wait sync.WaitGroup
	for i, thing := range all {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			items, err := ask(ctx, thing)
			if err != nil && !gone(err) {
				cancel(called(err))
				return
			}
			found[i] = items
		})
	}
	wait.Wait()
	return slices.Concat(found...), context.Cause(ctx)
}

// pages reads all pages of a list for which the SDK has no paginator.
func pages[T any](page func(token *string) ([]T, *string, error)) ([]T, error) {
	var all []T
	var token *string
	for {
		some, next, err := page(token)
		if err != nil {
			return all, called(err)
		}
		all = append(all, some...)
		if next == nil || *next == "" {
			return all, nil
		}
		token = next
	}
}

// walk reads all pages of a list by the call itself. A paginator of the SDK keeps
// its client as an interface, for which the linker keeps every operation of the
// service. Of most services here we need two or three.
func walk[I, O, X, T any](
	ctx context.Context, call func(context.Context, *I, ...func(*X)) (*O, error), in func(next *string) *I, of func(*O) ([]T, *string),
) ([]T, error) {
	return pages(func(next *string) ([]T, *string, error) {
		out, err := call(ctx, in(next))
		if err != nil {
			return nil, nil, err
		}
		some, next := of(out)
		return some, next, nil
	})
}

// accountOf is the account of an ARN, and "" for one that has none.
func accountOf(name string) string {
	a, err := arn.Parse(name)
	if err != nil {
		return ""
	}
	return a.AccountID
}

// policyItem is the policy of a thing, and nothing where it has none.
func policyItem(typ, id, property, policy string) []cloud.Item {
	if policy == "" {
		return nil
	}
	return []cloud.Item{{Type: typ, ID: id, Name: id, Properties: map[string]any{property: policy}}}
}

// shared is an item of an audit: what it is and whom it names. What is empty is left out.
func shared(typ, id string, properties map[string]any) cloud.Item {
	for k, v := range properties {
		if v == "" {
			delete(properties, k)
		}
	}
	return cloud.Item{Type: typ, ID: id, Name: id, Properties: properties}
}

// both are the results of one list after the other; one that fails leaves out none of the others.
func both(ctx context.Context, s *session, lists ...func(context.Context, *session) ([]cloud.Item, error)) ([]cloud.Item, error) {
	var items []cloud.Item
	var failed []error
	for _, list := range lists {
		some, err := list(ctx, s)
		items = append(items, some...)
		if err != nil {
			failed = append(failed, err)
		}
	}
	return items, errors.Join(failed...)
}
