package awstype

// partWays are ways of which another's listing shows all that leads elsewhere.
var partWays = []Way{
	partOf("mesh-member", "What is in a mesh of another account", RAMAccepter,
		"a mesh of another account is there by a share that the account took, and by nothing else",
		"https://docs.aws.amazon.com/app-mesh/latest/userguide/sharing.html", []string{"FH406", "FH417"},
		"aws:appmesh/gatewayRoute:GatewayRoute", "aws:appmesh/route:Route", "aws:appmesh/virtualGateway:VirtualGateway", "aws:appmesh/virtualNode:VirtualNode",
		"aws:appmesh/virtualRouter:VirtualRouter", "aws:appmesh/virtualService:VirtualService"),
	partOf("audit-manager", "What Audit Manager has beside shared frameworks", AuditFrameworkShare,
		"a framework reaches another account by a share of it",
		"https://docs.aws.amazon.com/audit-manager/latest/userguide/share-custom-framework.html", []string{"FH418"}, "aws:auditmanager/*"),
	partOf("detective-graph", "Graphs of Detective, and what is set of them", DetectiveMember,
		"a graph has the logs of no account but its own and its members'",
		"https://docs.aws.amazon.com/detective/latest/userguide/accounts.html", []string{"FH418"}, "aws:detective/*"),
	partOf("catalog-product", "What is in a portfolio of Service Catalog", PortfolioShare,
		"a portfolio, and what is in it, reaches another account by a share of the portfolio",
		"https://docs.aws.amazon.com/servicecatalog/latest/adminguide/catalogs_portfolios_sharing_how-to-share.html", []string{"FH418"}, "aws:servicecatalog/*"),
	partOf("guardduty-feature", "What GuardDuty watches for of a member", GuardDutyMember,
		"it is set of a member, and of nobody else",
		"https://docs.aws.amazon.com/guardduty/latest/APIReference/API_UpdateMemberDetectors.html", []string{"FH418"},
		"aws:guardduty/memberDetectorFeature:MemberDetectorFeature"),
	partOf("inspector-enabler", "What Inspector scans in other accounts", InspectorMember,
		"it scans another account only as a member",
		"https://docs.aws.amazon.com/inspector/v2/APIReference/API_Enable.html", []string{"FH417"}, "aws:inspector2/enabler:Enabler"),
	partOf("cluster-snapshot-copy", "Copies of snapshots of RDS clusters", RDSClusterSnapshot,
		"a copy is a snapshot, and is listed as one, with whom it is shared",
		"https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBClusterSnapshot.html", []string{"FH417"},
		"aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy"),
	partOf("serverless-endpoint", "Endpoints of Redshift Serverless for a workgroup of another account", EC2Endpoint,
		"it is a VPC endpoint, which is listed with the service that it leads to",
		"https://docs.aws.amazon.com/redshift/latest/mgmt/managing-cluster-cross-vpc.html", []string{"FH417"},
		"aws:redshiftserverless/endpointAccess:EndpointAccess"),
}

// partOf is a way that the listing of a type shows, because of what is said.
func partOf(id, title, by, because, source string, rules []string, also ...string) Way {
	return Way{ID: id, Title: title, Source: source, Rules: rules, Also: also, ShownBy: by, Because: because}
}
