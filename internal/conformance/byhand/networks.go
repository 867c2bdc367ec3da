package byhand

var networks = []Sharing{
	{
		Name: "a RAM share", Way: "ram-share",
		Make: `aws ram create-resource-share --name network-$N --principals $PARTNER --allow-external-principals $(tags --tags key=team,value=lent) --query resourceShare.resourceShareArn --output text`,
		Undo: `aws ram delete-resource-share --resource-share-arn "$MADE"`,
		Ends: []string{"FH401 grant aws:ram/principalAssociation:PrincipalAssociation *,PARTNER: principal -> PARTNER"},
	},
	{
		Name: "a peering", Way: "vpc-peering",
		Make: `aws ec2 create-vpc-peering-connection --vpc-id "$VPC" --peer-vpc-id "$PEER_VPC" --peer-owner-id $PARTNER $(tagged vpc-peering-connection) --query VpcPeeringConnection.VpcPeeringConnectionId --output text`,
		Undo: `aws ec2 delete-vpc-peering-connection --vpc-peering-connection-id "$MADE"`,
		Ends: []string{"FH402 peering aws:ec2/vpcPeeringConnection:VpcPeeringConnection *: peerOwnerId -> PARTNER"},
	},
	{
		Name: "a peering of transit gateways", Way: "transit-gateway",
		Make: `aws ec2 create-transit-gateway-peering-attachment --transit-gateway-id "$GATEWAY" --peer-transit-gateway-id tgw-0123456789abcdef0 --peer-account-id $PARTNER --peer-region $AWS_REGION $(tagged transit-gateway-attachment) --query TransitGatewayPeeringAttachment.TransitGatewayAttachmentId --output text`,
		Undo: `aws ec2 delete-transit-gateway-peering-attachment --transit-gateway-attachment-id "$MADE"`,
		Ends: []string{"FH403 association aws:ec2transitgateway/peeringAttachment:PeeringAttachment *: peerAccountId -> PARTNER"},
	},
	{
		Name: "whom an endpoint service lets in", Way: "endpoint-service",
		Make: `balancer=$(aws elbv2 create-load-balancer --name lent-$N --type network --subnets "$SUBNET" --query 'LoadBalancers[0].LoadBalancerArn' --output text)
			service=$(aws ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns "$balancer" $(tagged vpc-endpoint-service) --query ServiceConfiguration.ServiceId --output text)
			aws ec2 modify-vpc-endpoint-service-permissions --service-id "$service" --add-allowed-principals arn:aws:iam::$PARTNER:root
			echo "$service $balancer"`,
		Undo: `aws ec2 delete-vpc-endpoint-service-configurations --service-ids "${MADE% *}"
			aws elbv2 delete-load-balancer --load-balancer-arn "${MADE#* }"`,
		Ends: []string{"FH405 grant aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple */arn:aws:iam::PARTNER:root: principalArn -> PARTNER"},
	},
	{
		Name: "an endpoint", Way: "endpoint",
		Make: `aws ec2 create-vpc-endpoint --vpc-id "$VPC" --vpc-endpoint-type Interface --service-name com.amazonaws.vpce.$AWS_REGION.vpce-svc-0123456789abcdef0 $(tagged vpc-endpoint) --query VpcEndpoint.VpcEndpointId --output text`,
		Undo: `aws ec2 delete-vpc-endpoints --vpc-endpoint-ids "$MADE"`,
		Ends: []string{"FH406 association aws:ec2/vpcEndpoint:VpcEndpoint *: serviceName -> com.amazonaws.vpce.REGION.vpce-svc-0123456789abcdef0"},
	},
	{
		Name: "a private zone's networks", Way: "private-zone",
		Make: `zone=$(aws route53 create-hosted-zone --name lent-$N.internal --caller-reference $N --vpc VPCRegion=$AWS_REGION,VPCId=$VPC --hosted-zone-config PrivateZone=true --query HostedZone.Id --output text)
			aws route53 associate-vpc-with-hosted-zone --hosted-zone-id "$zone" --vpc VPCRegion=$AWS_REGION,VPCId=$PEER_VPC
			echo "$zone"`,
		Undo: `aws route53 delete-hosted-zone --id "$MADE"`,
		Ends: []string{"FH407 association aws:route53/zone:Zone *: vpcs[1].vpcId -> vpc-*"},
	},
	{
		Name: "queries of names", Way: "resolver-query-log", Lasting: true,
		Make: `aws route53resolver create-resolver-query-log-config --name queries-$N --destination-arn "$(beyond logs log-group:queries)" --creator-request-id $N $(tags --tags Key=team,Value=lent) --query ResolverQueryLogConfig.Id --output text`,
		Ends: []string{"FH412 reference aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig *: destinationArn -> PARTNER"},
	},
	{
		Name: "flow logs", Way: "flow-log",
		Make: `aws ec2 create-flow-logs --resource-type VPC --resource-ids "$VPC" --traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::partner-in-$N $(tagged vpc-flow-log) --query 'FlowLogIds[0]' --output text`,
		Undo: `aws ec2 delete-flow-logs --flow-log-ids "$MADE"`,
		Ends: []string{"FH412 reference aws:ec2/flowLog:FlowLog *: logDestination -> arn:aws:s3:::partner-in-N"},
	},
}
