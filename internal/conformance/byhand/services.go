package byhand

var services = []Sharing{
	{
		Name: "a topic's policy", Way: "topic-policy",
		Make: `topic=$(aws sns create-topic --name lent-$N $(tags --tags Key=team,Value=lent) --query TopicArn --output text)
			aws sns set-topic-attributes --topic-arn "$topic" --attribute-name Policy --attribute-value "$(lets sns:Subscribe "$topic")"`,
		Undo: `aws sns delete-topic --topic-arn "$(at sns lent-$N)"`,
		Ends: []string{"FH305 policy aws:sns/topicPolicy:TopicPolicy arn:aws:sns:REGION:ACCOUNT:lent-N: policy -> PARTNER"},
	},
	{
		Name: "a subscriber of a topic", Way: "topic-subscription",
		Make: `topic=$(aws sns create-topic --name read-$N $(tags --tags Key=team,Value=lent) --query TopicArn --output text)
			aws sns subscribe --topic-arn "$topic" --protocol sqs --notification-endpoint "$(beyond sqs in)" --query SubscriptionArn --output text`,
		Undo: `aws sns unsubscribe --subscription-arn "$MADE"
			aws sns delete-topic --topic-arn "$(at sns read-$N)"`,
		Ends: []string{"FH412 reference aws:sns/topicSubscription:TopicSubscription arn:aws:sns:REGION:ACCOUNT:read-N:*: endpoint -> PARTNER"},
	},
	{
		Name: "a subscription to the partner's topic", Way: "topic-subscription",
		Make: `aws sns subscribe --topic-arn "$(beyond sns out-$N)" --protocol sqs --notification-endpoint "$(at sqs in)" --query SubscriptionArn --output text`,
		Undo: `aws sns unsubscribe --subscription-arn "$MADE"`,
		Ends: []string{"FH412 reference aws:sns/topicSubscription:TopicSubscription arn:aws:sns:REGION:PARTNER:out-N:*: topic -> PARTNER"},
	},
	{
		Name: "a queue's policy", Way: "queue-policy",
		Make: `aws sqs --endpoint-url "$AWS_ENDPOINT_URL" create-queue --queue-name lent-$N --attributes "{\"Policy\":\"$(lets sqs:ReceiveMessage '*' | quoted)\"}" $(tags --tags team=lent) --query QueueUrl --output text`,
		Undo: `aws sqs --endpoint-url "$AWS_ENDPOINT_URL" delete-queue --queue-url "$MADE"`,
		Ends: []string{"FH305 policy aws:sqs/queuePolicy:QueuePolicy *ACCOUNT/lent-N: policy -> PARTNER"},
	},
	{
		Name: "a bus's policy", Way: "bus-policy",
		Make: `bus=$(aws events create-event-bus --name lent-$N $(tags --tags Key=team,Value=lent) --query EventBusArn --output text)
			aws events put-permission --event-bus-name lent-$N --policy "$(lets events:PutEvents "$bus")"`,
		Undo: `aws events delete-event-bus --name lent-$N`,
		Ends: []string{"FH305 policy aws:cloudwatch/eventBusPolicy:EventBusPolicy lent-N: policy -> PARTNER"},
	},
	{
		Name: "a permission of the bus", Way: "bus-permission", Single: true,
		Make: `aws events put-permission --action events:PutEvents --principal $PARTNER --statement-id partner`,
		Undo: `aws events remove-permission --statement-id partner`,
		Ends: []string{"FH305 policy aws:cloudwatch/eventBusPolicy:EventBusPolicy default: policy -> PARTNER"},
	},
	{
		Name: "a target of events", Way: "event-target",
		Make: `aws events put-rule --name away-$N --event-pattern '{"source":["orders"]}' $(tags --tags Key=team,Value=lent)
			aws events put-targets --rule away-$N --targets Id=partner,Arn="$(beyond events event-bus/default)"`,
		Undo: `aws events remove-targets --rule away-$N --ids partner
			aws events delete-rule --name away-$N`,
		Ends: []string{"FH412 reference aws:cloudwatch/eventTarget:EventTarget away-N-partner: arn -> PARTNER"},
	},
	{
		Name: "a destination of logs", Way: "log-destination-policy",
		Make: `aws logs put-destination --destination-name lent-$N --target-arn "$(at kinesis stream/in)" --role-arn "$ROLE" $(tags --tags team=lent)
			aws logs put-destination-policy --destination-name lent-$N --access-policy "$(lets logs:PutSubscriptionFilter '*')"`,
		Undo: `aws logs delete-destination --destination-name lent-$N`,
		Ends: []string{"FH305 policy aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy lent-N: accessPolicy -> PARTNER"},
	},
	{
		Name: "where a destination of logs writes", Way: "log-copy",
		Make: `aws logs put-destination --destination-name away-$N --target-arn "$(beyond kinesis stream/in)" --role-arn "$ROLE" $(tags --tags team=lent)`,
		Undo: `aws logs delete-destination --destination-name away-$N`,
		Ends: []string{"FH412 reference aws:cloudwatch/logDestination:LogDestination away-N: targetArn -> PARTNER"},
	},
	{
		Name: "a resource policy of logs", Way: "log-resource-policy",
		Make: `aws logs put-resource-policy --policy-name lent-$N --policy-document "$(lets logs:PutLogEvents '*')"`,
		Undo: `aws logs delete-resource-policy --policy-name lent-$N`,
		Ends: []string{"FH305 policy aws:cloudwatch/logResourcePolicy:LogResourcePolicy lent-N: policyDocument -> PARTNER"},
	},
	{
		Name: "a delivery of logs", Way: "log-delivery-policy",
		Make: `aws logs create-log-group --log-group-name delivered-$N
			aws logs put-delivery-destination --name lent-$N --delivery-destination-configuration destinationResourceArn="$(at logs log-group:delivered-$N)" $(tags --tags team=lent)
			aws logs put-delivery-destination-policy --delivery-destination-name lent-$N --delivery-destination-policy "$(lets logs:CreateDelivery '*')"`,
		Undo: `aws logs delete-delivery-destination-policy --delivery-destination-name lent-$N
			aws logs delete-delivery-destination --name lent-$N
			aws logs delete-log-group --log-group-name delivered-$N`,
		Ends: []string{"FH305 policy aws:cloudwatch/logDeliveryDestinationPolicy:LogDeliveryDestinationPolicy lent-N: deliveryDestinationPolicy -> PARTNER"},
	},
	{
		Name: "a copy of logs", Way: "log-copy",
		Make: `aws logs create-log-group --log-group-name copied-$N $(tags --tags team=lent)
			aws logs put-subscription-filter --log-group-name copied-$N --filter-name away --filter-pattern '' --destination-arn "$(beyond logs destination:central-$N)"`,
		Undo: `aws logs delete-log-group --log-group-name copied-$N`,
		Ends: []string{"FH412 reference aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter copied-N:away: destinationArn -> PARTNER"},
	},
	{
		Name: "a trail", Way: "trail-copy",
		Make: `aws cloudtrail create-trail --name away-$N --s3-bucket-name partner-in-$N $(tags --tags-list Key=team,Value=lent)`,
		Undo: `aws cloudtrail delete-trail --name away-$N`,
		Ends: []string{"FH414 reference aws:cloudtrail/trail:Trail arn:aws:cloudtrail:REGION:ACCOUNT:trail/away-N: s3BucketName -> partner-in-N"},
	},
	{
		Name: "a stream's policy", Way: "stream-policy",
		Make: `aws kinesis create-stream --stream-name lent-$N --shard-count 1 $(tags --tags team=lent)
			aws kinesis put-resource-policy --resource-arn "$(at kinesis stream/lent-$N)" --policy "$(lets kinesis:GetRecords "$(at kinesis stream/lent-$N)")"`,
		Undo: `aws kinesis delete-stream --stream-name lent-$N --enforce-consumer-deletion`,
		Ends: []string{"FH305 policy aws:kinesis/resourcePolicy:ResourcePolicy arn:aws:kinesis:REGION:ACCOUNT:stream/lent-N: policy -> PARTNER"},
	},
	{
		Name: "a function's permission", Way: "function-permission",
		Make: `aws lambda create-function --function-name lent-$N --runtime python3.12 --handler x.y --role "$ROLE" --zip-file fileb://lent-$N.zip $(tags --tags team=lent)
			aws lambda add-permission --function-name lent-$N --statement-id partner --action lambda:InvokeFunction --principal $PARTNER`,
		Undo: `aws lambda delete-function --function-name lent-$N`,
		Ends: []string{"FH309 grant aws:lambda/permission:Permission lent-N/partner: principal -> PARTNER"},
	},
	{
		Name: "a function's URL", Way: "function-url",
		Make: `aws lambda create-function-url-config --function-name lent-$N --auth-type NONE`,
		Undo: `aws lambda delete-function-url-config --function-name lent-$N`,
		Ends: []string{"FH309 grant aws:lambda/functionUrl:FunctionUrl lent-N: authorizationType -> anybody"},
	},
	{
		Name: "where a function's results go", Way: "function-copy",
		Make: `aws lambda put-function-event-invoke-config --function-name lent-$N --destination-config "OnFailure={Destination=$(beyond sqs in)}"`,
		Undo: `aws lambda delete-function-event-invoke-config --function-name lent-$N`,
		Ends: []string{"FH412 reference aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig arn:aws:lambda:REGION:ACCOUNT:function:lent-N: destinationConfig.onFailure.destination -> PARTNER"},
	},
	{
		Name: "where go what a function could not read", Way: "function-copy",
		Make: `aws kinesis create-stream --stream-name feeds-$N --shard-count 1 $(tags --tags team=lent)
			aws lambda create-event-source-mapping --function-name lent-$N --event-source-arn "$(at kinesis stream/feeds-$N)" --starting-position LATEST --destination-config "OnFailure={Destination=$(beyond sqs in)}" --query UUID --output text`,
		Undo: `aws lambda delete-event-source-mapping --uuid "$MADE"
			aws kinesis delete-stream --stream-name feeds-$N --enforce-consumer-deletion`,
		Ends: []string{"FH412 reference aws:lambda/eventSourceMapping:EventSourceMapping *: destinationConfig.onFailure.destinationArn -> PARTNER"},
	},
	{
		Name: "a layer's permission", Way: "layer-permission",
		Make: `aws lambda publish-layer-version --layer-name lent-$N --zip-file fileb://lent-$N.zip
			aws lambda add-layer-version-permission --layer-name lent-$N --version-number 1 --statement-id partner --action lambda:GetLayerVersion --principal $PARTNER`,
		Undo: `aws lambda delete-layer-version --layer-name lent-$N --version-number 1`,
		Ends: []string{"FH308 grant aws:lambda/layerVersionPermission:LayerVersionPermission lent-N,1/partner: principal -> PARTNER"},
	},
	{
		Name: "an API's policy", Way: "api-policy",
		Make: `aws apigateway create-rest-api --name lent-$N --policy "$(lets execute-api:Invoke '*')" $(tags --tags team=lent) --query id --output text`,
		Undo: `aws apigateway delete-rest-api --rest-api-id "$MADE"`,
		Ends: []string{"FH305 policy aws:apigateway/restApi:RestApi *: policy -> PARTNER"},
	},
}
