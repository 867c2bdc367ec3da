package table_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/policies/table"
)

// suggests is what the name of a property suggests that it holds.
var suggests = map[table.Column]*regexp.Regexp{
	table.Public:       regexp.MustCompile(`(?i)public|anonym|unauthenticat|^visibility$|^scheme$|^internal$|auth(?:entication|orization)?type|networkaccess|endpointtype|internet|guest|everyone`),
	table.Organization: regexp.MustCompile(`(?i)organi[sz]ation|orgunit|delegat|allaccounts|crossaccount|linkedaccount|memberaccount`),
}

// innocent are the properties whose names suggest a switch, and why they are none.
var innocent = map[string]string{
	"aws:alb/loadBalancer:LoadBalancer internal":                                               "what reaches a load balancer is judged in its security groups, and public addresses by the subnets",
	"aws:elb/loadBalancer:LoadBalancer internal":                                               "what reaches a load balancer is judged in its security groups, and public addresses by the subnets",
	"aws:lb/loadBalancer:LoadBalancer internal":                                                "what reaches a load balancer is judged in its security groups, and public addresses by the subnets",
	"aws:apigatewayv2/route:Route authorizationType":                                           "a web site's API is for everybody; what it calls is judged in the integration",
	"aws:appsync/graphQLApi:GraphQLApi visibility":                                             "who calls it is judged by authenticationType",
	"aws:vpclattice/service:Service authType":                                                  "FH407 keeps services in the account",
	"aws:vpclattice/serviceNetwork:ServiceNetwork authType":                                    "FH407 keeps networks of services in the account",
	"aws:sagemaker/domain:Domain appNetworkAccessType":                                         "it is by which way notebooks reach the internet, and lets nobody in",
	"aws:ec2/vpcBlockPublicAccessOptions:VpcBlockPublicAccessOptions internetGatewayBlockMode": "it is off by default, and what it would block is judged by routes and groups",
	"aws:eks/cluster:Cluster vpcConfig.endpointPublicAccess":                                   "FH604 judges it together with the ranges that it answers",
	"aws:ec2/flowLog:FlowLog deliverCrossAccountRole":                                          "FH201 judges whose role it is",
	"aws:grafana/workspaceSamlConfiguration:WorkspaceSamlConfiguration allowedOrganizations":   "it is a claim of the workspace's own provider of identities",
}

// harmless are names that suggest a switch and hold none in any type.
//
// blockPublic… and restrictPublic… keep the internet out, and FH601 wants them on.
var harmless = regexp.MustCompile(`^(?:(?:block|ignore|restrict)Public(?:Acls|Policy|Buckets)|public(?:Keys?|KeyId|Ip|IpSource)|clusterPublicKey|hsmServerPublicCertificate|` +
	`anomalyVisibilityTime|visibilityTimeoutSeconds|onUnauthenticatedRequest|clientPasswordAuthType|scheme|(?:custom|hec|resolver|vpc)?[eE]ndpointType|` +
	`isPublic|delegationSetId|organizationRoleName|organization(?:alUnit(?:DistinguishedName)?)?)$`)

// credentials are types in whose authentication the account signs in elsewhere.
var credentials = []string{
	"aws:bedrock/", "aws:codebuild/sourceCredential", "aws:appsync/dataSource", "aws:cloudwatch/eventConnection", "aws:datasync/", "aws:msk/", "aws:mskconnect/",
	"aws:glue/", "aws:redshift", "aws:dms/", "aws:appflow/", "aws:elasticache/", "aws:memorydb/", "aws:kinesis/", "aws:rds/", "aws:docdb/", "aws:lambda/", "aws:transfer/",
}

func TestAPropertyWhoseNameSuggestsASwitchIsOneOrSaysWhyNot(t *testing.T) {
	met := map[string]bool{}
	for _, row := range table.All() {
		for _, c := range []table.Column{table.Plain, table.Number} {
			for _, path := range row.Paths(c) {
				name := path[strings.LastIndexByte(path, '.')+1:]
				for _, column := range []table.Column{table.Public, table.Organization} {
					if !suggests[column].MatchString(name) || harmless.MatchString(name) {
						continue
					}
					key := row.Type + " " + path
					if met[key] = true; innocent[key] != "" {
						continue
					}
					if regexp.MustCompile(`(?i)auth(?:entication|orization)?type$`).MatchString(name) &&
						slices.ContainsFunc(credentials, func(p string) bool { return strings.HasPrefix(row.Type, p) }) {
						continue
					}
					t.Errorf("%s: the name suggests column %s: place it there, or say why it is none", key, column)
				}
			}
		}
	}
	for key := range innocent {
		if !met[key] {
			t.Errorf("%s is not a property whose name suggests anything", key)
		}
	}
}
