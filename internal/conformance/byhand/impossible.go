package byhand

// Impossibles are what the emulator cannot make, so that an audit of the lane
// cannot find it. The sandbox has each of these ways.
var Impossibles = []Impossible{
	{"a share that another account gives", "ram-share", `aws ram get-resource-share-invitations`, ""},
	{"an attachment to the partner's transit gateway", "transit-gateway", `aws ec2 create-transit-gateway-vpc-attachment --vpc-id "$VPC" --subnet-ids "$SUBNET" --transit-gateway-id "$PEER_GATEWAY"`, "Transit Gateway"},
	{"a rule for the partner's group", "group-reference", `aws ec2 authorize-security-group-ingress --group-id "$GROUP" --ip-permissions "IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{UserId=$PARTNER,GroupId=$PEER_GROUP}]"`, "InvalidGroup.NotFound"},
	{"a permission for an interface", "interface-permission", `aws ec2 create-network-interface-permission --network-interface-id eni-0123456789abcdef0 --aws-account-id $PARTNER --permission INSTANCE-ATTACH`, ""},
	{"an authorization for a private zone", "zone-authorization", `aws route53 create-vpc-association-authorization --hosted-zone-id Z0123456789 --vpc VPCRegion=$AWS_REGION,VPCId=$PEER_VPC`, "404"},
	{"a connection to an endpoint service", "endpoint-service", `aws ec2 describe-vpc-endpoint-connections`, ""},
	{"a resolver rule of the partner's", "resolver-rule", `aws route53resolver associate-resolver-rule --resolver-rule-id "$PEER_RULE" --vpc-id "$VPC"`, "does not exist"},
	{"object lambda", "object-lambda", `aws s3control create-access-point-for-object-lambda --account-id $ACCOUNT --name lent-$N --configuration 'SupportingAccessPoint=x,TransformationConfigurations=[{Actions=[GetObject],ContentTransformation={AwsLambda={FunctionArn=x}}}]'`, "404"},
	{"analytics of a bucket", "bucket-copy", `aws s3api put-bucket-analytics-configuration --bucket $ACCOUNT-lent-$N --id all --analytics-configuration '{"Id":"all","StorageClassAnalysis":{"DataExport":{"OutputSchemaVersion":"V_1","Destination":{"S3BucketDestination":{"Format":"CSV","BucketAccountId":"'$PARTNER'","Bucket":"arn:aws:s3:::partner-reports"}}}}}'`, "IllegalLocationConstraintException"},
	{"a cache of images", "image-copy", `aws ecr create-pull-through-cache-rule --ecr-repository-prefix partner --upstream-registry-url $PARTNER.dkr.ecr.$AWS_REGION.amazonaws.com`, ""},
	{"endpoints of a search domain", "search-endpoint", `aws opensearch authorize-vpc-endpoint-access --domain-name lent-$N --account $PARTNER`, "404"},
	{"an archive's policy", "archive-policy", `aws glacier set-vault-access-policy --account-id - --vault-name lent-$N --policy '{"Policy":"{}"}'`, "404"},
	{"a backup vault's policy", "backup-policy", `aws backup put-backup-vault-access-policy --backup-vault-name away-$N --policy "$(lets backup:CopyIntoBackupVault '*')"`, "404"},
	{"a package domain", "package-domain-policy", `aws codeartifact create-domain --domain lent-$N`, ""},
	{"a package repository", "package-repository-policy", `aws codeartifact create-repository --domain lent-$N --repository tools`, ""},
	{"a trust anchor", "trust-anchor", `aws rolesanywhere create-trust-anchor --name factory --source 'sourceType=CERTIFICATE_BUNDLE,sourceData={x509CertificateData=x}'`, ""},
	{"what a function of ours reads of the partner's", "function-copy", `aws lambda create-event-source-mapping --function-name lent-$N --event-source-arn "$(beyond sqs out)"`, "Invalid EventSourceArn"},
	{"access logs of a bucket", "bucket-copy", `aws s3api put-bucket-logging --bucket $ACCOUNT-lent-$N --bucket-logging-status '{"LoggingEnabled":{"TargetBucket":"partner-in-'$N'","TargetPrefix":"x"}}'`, "The target bucket for logging does not exist"},
	// These it makes, and forgets whose they are.
	{"an access point of the partner's bucket", "access-point", `aws s3control create-access-point --account-id $ACCOUNT --name borrowed-$N --bucket partner-bucket --bucket-account-id $PARTNER
		owner=$(aws s3control get-access-point --account-id $ACCOUNT --name borrowed-$N --query BucketAccountId --output text)
		aws s3control delete-access-point --account-id $ACCOUNT --name borrowed-$N
		[ "$owner" = $PARTNER ] || { echo "it is of $owner" >&2; exit 1; }`, "it is of None"},
	{"a route to the partner's transit gateway", "route", `aws ec2 create-route --route-table-id "$TABLE" --destination-cidr-block 10.99.0.0/16 --transit-gateway-id "$PEER_GATEWAY"
		to=$(aws ec2 describe-route-tables --route-table-ids "$TABLE" --query "RouteTables[0].Routes[?DestinationCidrBlock=='10.99.0.0/16'].TransitGatewayId" --output text)
		aws ec2 delete-route --route-table-id "$TABLE" --destination-cidr-block 10.99.0.0/16
		[ "$to" = "$PEER_GATEWAY" ] || { echo "it leads to ${to:-nobody}" >&2; exit 1; }`, "it leads to"},
	{"a private zone of the partner's", "private-zone", `owner=$(aws route53 list-hosted-zones-by-vpc --vpc-id "$VPC" --vpc-region $AWS_REGION --query "HostedZoneSummaries[?contains(Name,'theirs')].Owner.OwningAccount" --output text)
		[ "$owner" = $PARTNER ] || { echo "it is of ${owner:-nobody}" >&2; exit 1; }`, "it is of nobody"},
	// Those it makes, but the SDK asks for them in a protocol that it does not speak.
	{"a private authority", "authority-policy", `code=$(curl -s -o answer -w '%{http_code}' -X POST -H 'Smithy-Protocol: rpc-v2-cbor' \
			-H "Authorization: AWS4-HMAC-SHA256 Credential=$AWS_ACCESS_KEY_ID/20260101/$AWS_REGION/acm-pca/aws4_request, SignedHeaders=host, Signature=x" \
			"$AWS_ENDPOINT_URL/service/ACMPrivateCA/operation/ListCertificateAuthorities")
		[ "$code" = 200 ] || { echo "the SDK is answered $code" >&2; exit 1; }`, "the SDK is answered"},
}
