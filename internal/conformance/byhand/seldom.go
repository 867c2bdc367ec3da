package byhand

// seldom are of services that a data plane seldom has.
var seldom = []Sharing{
	{
		Name: "where a pipe leads", Way: "event-pipe",
		Make: `aws pipes create-pipe --name away-$N --source "$(at sqs in)" --target "$(beyond sqs in)" --role-arn "$ROLE" $(tags --tags team=lent)`,
		Undo: `aws pipes delete-pipe --name away-$N`,
		Ends: []string{"FH412 reference aws:pipes/pipe:Pipe away-N: target -> PARTNER"},
	},
	{
		Name: "whom a schedule calls", Way: "event-schedule",
		Make: `aws scheduler create-schedule --name away-$N --schedule-expression 'rate(1 day)' --flexible-time-window Mode=OFF --target "Arn=$(beyond sqs in),RoleArn=$ROLE"`,
		Undo: `aws scheduler delete-schedule --name away-$N`,
		Ends: []string{"FH412 reference aws:scheduler/schedule:Schedule default/away-N: target.arn -> PARTNER"},
	},
	{
		Name: "a document", Way: "document-share",
		Make: `aws ssm create-document --name lent-$N --document-type Command --content '{"schemaVersion":"2.2","description":"lent","mainSteps":[{"action":"aws:runShellScript","name":"run","inputs":{"runCommand":["true"]}}]}' $(tags --tags Key=team,Value=lent)
			aws ssm modify-document-permission --name lent-$N --permission-type Share --account-ids-to-add $PARTNER`,
		Undo: `aws ssm modify-document-permission --name lent-$N --permission-type Share --account-ids-to-remove $PARTNER
			aws ssm delete-document --name lent-$N`,
		Ends: []string{"FH308 grant aws:ssm/document:Document lent-N: permissions.account_ids -> PARTNER"},
	},
	{
		Name: "who may aggregate the configuration", Way: "config-authorization",
		Make:   `aws configservice put-aggregation-authorization --authorized-account-id $PARTNER --authorized-aws-region $AWS_REGION $(tags --tags Key=team,Value=lent)`,
		Undo:   `aws configservice delete-aggregation-authorization --authorized-account-id $PARTNER --authorized-aws-region $AWS_REGION`,
		Ends:   []string{"FH308 grant aws:cfg/aggregateAuthorization:AggregateAuthorization PARTNER:REGION: accountId -> PARTNER"},
		Breaks: []string{"FH418 aws:cfg/aggregateAuthorization:AggregateAuthorization PARTNER:REGION"},
	},
	{
		// The emulator fails at the removal of the network itself, and of a service.
		Name: "a service network's policy", Way: "service-network", Lasting: true,
		Make: `net=$(aws vpc-lattice create-service-network --name lent-$N --auth-type AWS_IAM $(tags --tags team=lent) --query arn --output text)
			aws vpc-lattice put-auth-policy --resource-identifier "$net" --policy "$(lets vpc-lattice-svcs:Invoke '*')"
			echo "$net"`,
		Undo: `aws vpc-lattice delete-auth-policy --resource-identifier "$MADE"`,
		Ends: []string{"FH305 policy aws:vpclattice/authPolicy:AuthPolicy *: policy -> PARTNER"},
	},
	{
		Name: "a service's policy", Way: "service-network", Lasting: true,
		Make: `service=$(aws vpc-lattice create-service --name served-$N --auth-type AWS_IAM $(tags --tags team=lent) --query arn --output text)
			aws vpc-lattice put-resource-policy --resource-arn "$service" --policy "$(lets vpc-lattice:CreateServiceNetworkServiceAssociation "$service")"
			echo "$service"`,
		Undo: `aws vpc-lattice delete-resource-policy --resource-arn "$MADE"`,
		Ends: []string{"FH305 policy aws:vpclattice/resourcePolicy:ResourcePolicy *: policy -> PARTNER"},
	},
	{
		Name: "a Kafka cluster's policy", Way: "kafka-policy",
		Make: `cluster=$(aws kafka create-cluster-v2 --cluster-name lent-$N --serverless 'VpcConfigs=[{SubnetIds=['$SUBNET']}]' $(tags --tags team=lent) --query ClusterArn --output text)
			aws kafka put-cluster-policy --cluster-arn "$cluster" --policy "$(lets kafka:CreateVpcConnection "$cluster")"
			echo "$cluster"`,
		Undo: `aws kafka delete-cluster --cluster-arn "$MADE"`,
		Ends: []string{"FH305 policy aws:msk/clusterPolicy:ClusterPolicy *: policy -> PARTNER"},
	},
}
