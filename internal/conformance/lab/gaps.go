package lab

import (
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

// gap is a call that only lists, which the emulator does not know: the front
// answers that there is nothing, as AWS does in an account in which nobody made
// any of it. What is made all the same is not lost on the emulator: it cannot
// make any of it either (see package byhand). Where the emulator can make one, and
// tell it by another call, the front asks that one.
type gap struct {
	service string
	// by is the action, or the method and the path of a REST call, in which "*" is any
	// part.
	by       string
	body     string
	xml, rpc bool
	// refused is the code by which AWS says that there is none, with status 404.
	refused string
	// one is what the emulator is asked instead: the last part of the path, or the
	// action; many is the list that its answer is put into.
	one, many string
}

var gaps = []gap{
	{service: "rolesanywhere", by: "GET /trustanchors", body: `{"trustAnchors":[]}`},
	{service: "ec2", by: "DescribeNetworkInterfacePermissions", xml: true,
		body: `<DescribeNetworkInterfacePermissionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><networkInterfacePermissions/></DescribeNetworkInterfacePermissionsResponse>`},
	{service: "ec2", by: "DescribeVpcEndpointConnections", xml: true,
		body: `<DescribeVpcEndpointConnectionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><vpcEndpointConnectionSet/></DescribeVpcEndpointConnectionsResponse>`},
	{service: "route53", by: "GET /2013-04-01/hostedzone/*/authorizevpcassociation", xml: true,
		body: `<ListVPCAssociationAuthorizationsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZoneId/><VPCs/></ListVPCAssociationAuthorizationsResponse>`},
	{service: "s3", by: "GET /v20180820/accesspointforobjectlambda", xml: true,
		body: `<ListAccessPointsForObjectLambdaResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><ObjectLambdaAccessPointList/></ListAccessPointsForObjectLambdaResult>`},
	{service: "ecr", by: "DescribePullThroughCacheRules", body: `{"pullThroughCacheRules":[]}`},
	// An empty map of CBOR.
	{service: "acm-pca", by: "POST /service/ACMPrivateCA/operation/ListCertificateAuthorities", body: "\xa0", rpc: true},
	{service: "backup", by: "GET /backup-vaults/*/access-policy", refused: "ResourceNotFoundException"},
	{service: "es", by: "GET /2021-01-01/opensearch/domain/*/listVpcEndpointAccess", body: `{"AuthorizedPrincipalList":[]}`},
	{service: "glue", by: "GetResourcePolicies", one: "GetResourcePolicy", many: "GetResourcePoliciesResponseList"},
	{service: "lambda", by: "GET /2021-10-31/functions/*/urls", one: "url", many: "FunctionUrlConfigs"},
	{service: "codeartifact", by: "POST /v1/domains", body: `{"domains":[]}`},
	{service: "codeartifact", by: "POST /v1/repositories", body: `{"repositories":[]}`},
	{service: "ram", by: "POST /getresourceshareinvitations", body: `{"resourceShareInvitations":[]}`},
	{service: "redshift", by: "DescribeDataShares", xml: true, body: `<DescribeDataSharesResponse><DescribeDataSharesResult/></DescribeDataSharesResponse>`},
	{service: "redshift", by: "DescribeEndpointAccess", xml: true, body: `<DescribeEndpointAccessResponse><DescribeEndpointAccessResult/></DescribeEndpointAccessResponse>`},
	{service: "redshift", by: "DescribeEndpointAuthorization", xml: true, body: `<DescribeEndpointAuthorizationResponse><DescribeEndpointAuthorizationResult/></DescribeEndpointAuthorizationResponse>`},
	{service: "redshift-serverless", by: "ListSnapshots", body: `{"snapshots":[]}`},
	{service: "redshift-serverless", by: "ListNamespaces", body: `{"namespaces":[]}`},
	{service: "monitoring", by: "POST /service/GraniteServiceVersion20100801/operation/ListMetricStreams", body: "\xa0", rpc: true},
	{service: "s3tables", by: "GET /buckets", body: `{"tableBuckets":[]}`},
	{service: "ses", by: "POST /v2/email/list-identities", body: `{"EmailIdentities":[]}`},
	{service: "dlm", by: "GET /policies", body: `{"Policies":[]}`},
	{service: "imagebuilder", by: "POST /ListDistributionConfigurations", body: `{"distributionConfigurationSummaryList":[]}`},
	{service: "servicecatalog", by: "ListAcceptedPortfolioShares", body: `{"PortfolioDetails":[]}`},
	{service: "vpc-lattice", by: "GET /resourceconfigurations", body: `{"items":[]}`},
	{service: "route53profiles", by: "GET /profiles", body: `{"ProfileSummaries":[]}`},
	{service: "route53profiles", by: "GET /profileassociations", body: `{"ProfileAssociations":[]}`},
	{service: "directconnect", by: "DescribeVirtualInterfaces", body: `{"virtualInterfaces":[]}`},
	{service: "directconnect", by: "DescribeDirectConnectGateways", body: `{"directConnectGateways":[]}`},
	{service: "directconnect", by: "DescribeDirectConnectGatewayAssociations", body: `{"directConnectGatewayAssociations":[]}`},
	{service: "directconnect", by: "DescribeDirectConnectGatewayAssociationProposals", body: `{"directConnectGatewayAssociationProposals":[]}`},
	{service: "xray", by: "POST /ListResourcePolicies", body: `{"ResourcePolicies":[]}`},
	{service: "codebuild", by: "ListReportGroups", body: `{"reportGroups":[]}`},
	{service: "network-firewall", by: "ListFirewallPolicies", body: `{"FirewallPolicies":[]}`},
	{service: "network-firewall", by: "ListRuleGroups", body: `{"RuleGroups":[]}`},
	{service: "schemas", by: "GET /v1/registries", body: `{"Registries":[]}`},
	{service: "oam", by: "POST /ListSinks", body: `{"Items":[]}`},
	{service: "oam", by: "POST /ListLinks", body: `{"Items":[]}`},
	{service: "guardduty", by: "GET /invitation", body: `{"invitations":[]}`},
	{service: "detective", by: "POST /graphs/list", body: `{"GraphList":[]}`},
	{service: "detective", by: "POST /invitations/list", body: `{"Invitations":[]}`},
	{service: "securityhub", by: "GET /invitations", body: `{"Invitations":[]}`},
	{service: "inspector2", by: "POST /delegatedadminaccounts/get", body: `{}`},
	{service: "cleanrooms", by: "GET /collaborations", body: `{"collaborationList":[]}`},
	{service: "auditmanager", by: "GET /assessmentFrameworkShareRequests", body: `{"assessmentFrameworkShareRequests":[]}`},
	{service: "license-manager", by: "ListDistributedGrants", body: `{"Grants":[]}`},
	{service: "license-manager", by: "ListReceivedGrants", body: `{"Grants":[]}`},
	{service: "globalaccelerator", by: "ListCrossAccountAttachments", body: `{"CrossAccountAttachments":[]}`},
	{service: "globalaccelerator", by: "ListCrossAccountResourceAccounts", body: `{"ResourceOwnerAwsAccountIds":[]}`},
	{service: "ssm-incidents", by: "POST /listReplicationSets", body: `{"replicationSetArns":[]}`},
	{service: "networkmanager", by: "GET /attachments", body: `{"Attachments":[]}`},
	{service: "networkmanager", by: "GET /peerings", body: `{"Peerings":[]}`},
	{service: "glue", by: "ListDataQualityRulesets", body: `{"Rulesets":[]}`},
	{service: "glue", by: "GetMLTransforms", body: `{"Transforms":[]}`},
	{service: "lakeformation", by: "POST /ListLakeFormationOptIns", body: `{"LakeFormationOptInsInfoList":[]}`},
	{service: "dynamodb", by: "ListImports", body: `{"ImportSummaryList":[]}`},
	// The emulator lists those of one table, and fails where none is named.
	{service: "dynamodb", by: "ListExports", body: `{"ExportSummaries":[]}`},
	{service: "glacier", by: "GET /*/vaults/*/lock-policy", refused: "ResourceNotFoundException"},
	{service: "macie2", by: "POST /jobs/list", body: `{"items":[]}`},
	{service: "es", by: "POST /2021-01-01/opensearch/cc/outboundConnection/search", body: `{"Connections":[]}`},
	{service: "s3", by: "GET /v20180820/accessgrantsinstances", xml: true, body: `<ListAccessGrantsInstancesResult/>`},
	{service: "monitoring", by: "POST /service/GraniteServiceVersion20100801/operation/DescribeAlarms", body: "\xa0", rpc: true},
	{service: "cloudcontrolapi", by: "ListResources", body: `{"ResourceDescriptions":[]}`},
	{service: "ecr-public", by: "DescribeRepositories", body: `{"repositories":[]}`},
}

// gapOf is the gap that a call falls into. Of the shares that others give, the
// emulator has none, where it answers about the account's own.
func gapOf(c Call) (gap, bool) {
	if c.Service == "ram" && strings.EqualFold(c.Path, "/getresourceshares") && strings.Contains(string(c.Body), "OTHER-ACCOUNTS") {
		return gap{body: `{"resourceShares":[]}`}, true
	}
	for _, g := range gaps {
		if g.service != c.Service {
			continue
		}
		if is, err := path.Match(g.by, c.Method+" "+c.Path); g.by == c.Action || err == nil && is {
			return g, true
		}
	}
	return gap{}, false
}

func (g gap) answer(w http.ResponseWriter, c Call) {
	if g.refused != "" {
		writeError(w, c, g.refused, "there is none")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case g.xml:
		w.Header().Set("Content-Type", "application/xml")
	case g.rpc:
		w.Header().Set("Content-Type", "application/cbor")
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	_, _ = w.Write([]byte(g.body))
}

func (g gap) status() int {
	if g.refused != "" {
		return http.StatusNotFound
	}
	return http.StatusOK
}

// askForOne turns the call for a list into that for the one thing that may be in it.
func (g gap) askForOne(r *http.Request) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		r.Header.Set("X-Amz-Target", strings.TrimSuffix(target, g.by)+g.one)
		return
	}
	r.URL.Path = path.Dir(r.URL.Path) + "/" + g.one
	r.URL.RawPath = ""
}

// list is the answer about one thing, or that there is none, as that about all.
func (g gap) list(resp *http.Response, one []byte) []byte {
	switch {
	case resp.StatusCode < 300:
	case resp.StatusCode == http.StatusNotFound, strings.Contains(string(one), "NotFoundException"):
		one, resp.StatusCode, resp.Status = nil, http.StatusOK, "200 OK"
	default:
		return one
	}
	return []byte(`{"` + g.many + `":[` + string(one) + `]}`)
}

// writtenDate is a date of Lambda's that the emulator writes as text, where AWS
// writes a number, and the SDK reads nothing else.
var writtenDate = regexp.MustCompile(`("LastModified": ?)"([^"]+)"`)

// corrected is an answer of the emulator's as AWS writes it.
func corrected(c Call, answer []byte) []byte {
	if c.Service != "lambda" || !strings.Contains(c.Path, "/event-invoke-config") {
		return answer
	}
	return writtenDate.ReplaceAllFunc(answer, func(field []byte) []byte {
		parts := writtenDate.FindSubmatch(field)
		at, err := time.Parse(time.RFC3339, string(parts[2]))
		if err != nil {
			return field
		}
		return fmt.Appendf(nil, "%s%d", parts[1], at.Unix())
	})
}
