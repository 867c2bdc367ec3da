package byhand

var stores = []Sharing{
	{
		Name: "a bucket's policy", Way: "bucket-policy",
		Make: `aws s3api put-bucket-policy --bucket $ACCOUNT-lent-$N --policy "$(lets s3:GetObject arn:aws:s3:::$ACCOUNT-lent-$N/*)"`,
		Undo: `aws s3api delete-bucket-policy --bucket $ACCOUNT-lent-$N`,
		Ends: []string{"FH305 policy aws:s3/bucketPolicy:BucketPolicy ACCOUNT-lent-N: policy -> PARTNER"},
	},
	{
		Name: "an access point", Way: "access-point",
		Make: `aws s3control create-access-point --account-id $ACCOUNT --name lent-$N --bucket $ACCOUNT-lent-$N
			aws s3control put-access-point-policy --account-id $ACCOUNT --name lent-$N --policy "$(lets s3:GetObject "$(at s3 accesspoint/lent-$N/object/*)")"`,
		Undo:   `aws s3control delete-access-point --account-id $ACCOUNT --name lent-$N`,
		Ends:   []string{"FH305 policy aws:s3/accessPoint:AccessPoint ACCOUNT:lent-N: policy -> PARTNER"},
		Breaks: []string{"FH310 aws:s3/accessPoint:AccessPoint ACCOUNT:lent-N"},
	},
	{
		Name: "replication of a bucket", Way: "bucket-copy",
		Make: `aws s3api put-bucket-versioning --bucket $ACCOUNT-lent-$N --versioning-configuration Status=Enabled
			aws s3api put-bucket-replication --bucket $ACCOUNT-lent-$N --replication-configuration '{"Role":"'$ROLE'","Rules":[{"ID":"away","Status":"Enabled","Prefix":"","Destination":{"Bucket":"arn:aws:s3:::partner-copies","Account":"'$PARTNER'"}}]}'`,
		Undo: `aws s3api delete-bucket-replication --bucket $ACCOUNT-lent-$N`,
		Ends: []string{
			"FH414 reference aws:s3/bucketReplicationConfig:BucketReplicationConfig ACCOUNT-lent-N: rules[0].destination.account -> PARTNER",
			"FH414 reference aws:s3/bucketReplicationConfig:BucketReplicationConfig ACCOUNT-lent-N: rules[0].destination.bucket -> arn:aws:s3:::partner-copies",
		},
	},
	{
		Name: "notifications of a bucket", Way: "bucket-copy",
		Make: `aws s3api put-bucket-notification-configuration --bucket $ACCOUNT-lent-$N --notification-configuration '{"QueueConfigurations":[{"QueueArn":"'$(beyond sqs in)'","Events":["s3:ObjectCreated:*"]}]}'`,
		Undo: `aws s3api put-bucket-notification-configuration --bucket $ACCOUNT-lent-$N --notification-configuration '{}'`,
		Ends: []string{"FH412 reference aws:s3/bucketNotification:BucketNotification ACCOUNT-lent-N: queues[0].queueArn -> PARTNER"},
	},
	{
		Name: "reports of a bucket", Way: "bucket-copy",
		Make: `aws s3api put-bucket-inventory-configuration --bucket $ACCOUNT-lent-$N --id all --inventory-configuration '{"Id":"all","IsEnabled":true,"IncludedObjectVersions":"All","Schedule":{"Frequency":"Daily"},"Destination":{"S3BucketDestination":{"AccountId":"'$PARTNER'","Bucket":"arn:aws:s3:::partner-reports","Format":"CSV"}}}'`,
		// The emulator takes the call that removes it for one that removes the bucket.
		Undo: `:`,
		Ends: []string{
			"FH414 reference aws:s3/inventory:Inventory ACCOUNT-lent-N:all: destination.bucket.accountId -> PARTNER",
			"FH414 reference aws:s3/inventory:Inventory ACCOUNT-lent-N:all: destination.bucket.bucketArn -> arn:aws:s3:::partner-reports",
		},
	},
	{
		Name: "a repository's policy", Way: "repository-policy",
		Make: `aws ecr create-repository --repository-name lent-$N $(tags --tags Key=team,Value=lent)
			aws ecr set-repository-policy --repository-name lent-$N --policy-text "$(lets ecr:BatchGetImage)"`,
		Undo: `aws ecr delete-repository --repository-name lent-$N --force`,
		Ends: []string{"FH305 policy aws:ecr/repositoryPolicy:RepositoryPolicy lent-N: policy -> PARTNER"},
	},
	{
		Name: "the registry's policy", Way: "registry-policy", Single: true,
		Make: `aws ecr put-registry-policy --policy-text "$(lets ecr:ReplicateImage "$(at ecr 'repository/*')")"`,
		Undo: `aws ecr delete-registry-policy`,
		Ends: []string{"FH305 policy aws:ecr/registryPolicy:RegistryPolicy ACCOUNT: policy -> PARTNER"},
	},
	{
		Name: "copies of images", Way: "image-copy", Single: true,
		Make: `aws ecr put-replication-configuration --replication-configuration '{"rules":[{"destinations":[{"region":"'$AWS_REGION'","registryId":"'$PARTNER'"}]}]}'`,
		Undo: `aws ecr put-replication-configuration --replication-configuration '{"rules":[]}'`,
		Ends: []string{"FH416 reference aws:ecr/replicationConfiguration:ReplicationConfiguration ACCOUNT: replicationConfiguration.rules[0].destinations[0].registryId -> PARTNER"},
	},
	{
		Name: "a snapshot", Way: "snapshot-share",
		Make: `volume=$(aws ec2 create-volume --availability-zone ${AWS_REGION}a --size 1 --query VolumeId --output text)
			snapshot=$(aws ec2 create-snapshot --volume-id "$volume" $(tagged snapshot) --query SnapshotId --output text)
			aws ec2 modify-snapshot-attribute --snapshot-id "$snapshot" --attribute createVolumePermission --operation-type add --user-ids $PARTNER
			echo "$snapshot $volume"`,
		Undo: `aws ec2 delete-snapshot --snapshot-id "${MADE% *}"
			aws ec2 delete-volume --volume-id "${MADE#* }"`,
		Ends: []string{"FH308 grant aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission *-PARTNER: accountId -> PARTNER"},
	},
	{
		Name: "a machine image", Way: "image-share",
		Make: `image=$(aws ec2 register-image --name lent-$N --root-device-name /dev/sda1 $(tagged image) --query ImageId --output text)
			aws ec2 modify-image-attribute --image-id "$image" --launch-permission "Add=[{UserId=$PARTNER}]"
			echo "$image"`,
		// The emulator makes a snapshot for it, and leaves that.
		Undo: `snapshots=$(aws ec2 describe-images --image-ids "$MADE" --query 'Images[].BlockDeviceMappings[].Ebs.SnapshotId' --output text)
			aws ec2 deregister-image --image-id "$MADE"
			for s in $snapshots; do aws ec2 delete-snapshot --snapshot-id "$s"; done`,
		Ends: []string{"FH308 grant aws:ec2/amiLaunchPermission:AmiLaunchPermission PARTNER-*: accountId -> PARTNER"},
	},
	{
		Name: "a database's snapshot", Way: "database-snapshot",
		Make: `aws rds create-db-instance --db-instance-identifier db-$N --db-instance-class db.t3.micro --engine postgres --allocated-storage 20 --master-username root --master-user-password hunter2hunter2
			aws rds create-db-snapshot --db-instance-identifier db-$N --db-snapshot-identifier lent-$N $(tags --tags Key=team,Value=lent)
			aws rds modify-db-snapshot-attribute --db-snapshot-identifier lent-$N --attribute-name restore --values-to-add $PARTNER`,
		Undo: `aws rds delete-db-snapshot --db-snapshot-identifier lent-$N
			aws rds delete-db-instance --db-instance-identifier db-$N --skip-final-snapshot`,
		Ends: []string{"FH308 grant aws:rds/snapshot:Snapshot lent-N: sharedAccounts[0] -> PARTNER"},
	},
	{
		Name: "a database cluster's snapshot", Way: "database-snapshot",
		Make: `aws rds create-db-cluster --db-cluster-identifier cluster-$N --engine aurora-postgresql --master-username root --master-user-password hunter2hunter2
			aws rds create-db-cluster-snapshot --db-cluster-identifier cluster-$N --db-cluster-snapshot-identifier clustered-$N $(tags --tags Key=team,Value=lent)
			aws rds modify-db-cluster-snapshot-attribute --db-cluster-snapshot-identifier clustered-$N --attribute-name restore --values-to-add $PARTNER`,
		Undo: `aws rds delete-db-cluster-snapshot --db-cluster-snapshot-identifier clustered-$N
			aws rds delete-db-cluster --db-cluster-identifier cluster-$N --skip-final-snapshot`,
		Ends: []string{"FH308 grant aws:rds/clusterSnapshot:ClusterSnapshot clustered-N: sharedAccounts[0] -> PARTNER"},
	},
	{
		Name: "a secret's policy", Way: "secret-policy",
		Make: `aws secretsmanager create-secret --name lent-$N --secret-string x $(tags --tags Key=team,Value=lent)
			aws secretsmanager put-resource-policy --secret-id lent-$N --resource-policy "$(lets secretsmanager:GetSecretValue '*')"`,
		Undo: `aws secretsmanager delete-secret --secret-id lent-$N --force-delete-without-recovery`,
		Ends: []string{"FH305 policy aws:secretsmanager/secretPolicy:SecretPolicy arn:aws:secretsmanager:REGION:ACCOUNT:secret:lent-N*: policy -> PARTNER"},
	},
	{
		Name: "a table's policy", Way: "table-policy",
		Make: `table=$(aws dynamodb create-table --table-name lent-$N --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST $(tags --tags Key=team,Value=lent) --query TableDescription.TableArn --output text)
			aws dynamodb put-resource-policy --resource-arn "$table" --policy "$(lets dynamodb:GetItem "$table")"`,
		Undo: `aws dynamodb delete-table --table-name lent-$N`,
		Ends: []string{"FH305 policy aws:dynamodb/resourcePolicy:ResourcePolicy arn:aws:dynamodb:REGION:ACCOUNT:table/lent-N: policy -> PARTNER"},
	},
	{
		Name: "a file system's policy", Way: "file-system-policy",
		Make: `files=$(aws efs create-file-system --creation-token lent-$N $(tags --tags Key=team,Value=lent) --query FileSystemId --output text)
			aws efs put-file-system-policy --file-system-id "$files" --policy "$(lets elasticfilesystem:ClientMount)"
			echo "$files"`,
		Undo: `aws efs delete-file-system --file-system-id "$MADE"`,
		Ends: []string{"FH305 policy aws:efs/fileSystemPolicy:FileSystemPolicy *: policy -> PARTNER"},
	},
	{
		Name: "a search domain's policy", Way: "search-policy",
		Make: `aws opensearch create-domain --domain-name lent-$N --access-policies "$(lets es:ESHttpGet '*')" $(tags --tag-list Key=team,Value=lent)`,
		Undo: `aws opensearch delete-domain --domain-name lent-$N`,
		Ends: []string{"FH305 policy aws:opensearch/domainPolicy:DomainPolicy lent-N: accessPolicies -> PARTNER"},
	},
	{
		Name: "copies of backups", Way: "backup-copy",
		Make: `aws backup create-backup-vault --backup-vault-name away-$N $(tags --backup-vault-tags team=lent)
			aws backup create-backup-plan --backup-plan '{"BackupPlanName":"away-'$N'","Rules":[{"RuleName":"away","TargetBackupVaultName":"away-'$N'","CopyActions":[{"DestinationBackupVaultArn":"'$(beyond backup backup-vault:in)'"}]}]}' $(tags --backup-plan-tags team=lent) --query BackupPlanId --output text`,
		Undo: `aws backup delete-backup-plan --backup-plan-id "$MADE"
			aws backup delete-backup-vault --backup-vault-name away-$N`,
		Ends: []string{"FH413 reference aws:backup/plan:Plan *: rules[0].copyActions[0].destinationVaultArn -> PARTNER"},
	},
	{
		Name: "the catalog's policy", Way: "catalog-policy", Single: true,
		Make: `aws glue put-resource-policy --policy-in-json "$(lets glue:GetTable '*')"`,
		Undo: `aws glue delete-resource-policy`,
		Ends: []string{"FH305 policy aws:glue/resourcePolicy:ResourcePolicy ACCOUNT/*: policy -> PARTNER"},
	},
	{
		Name: "a permission on a lake", Way: "lake-permission",
		Make: `aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier=$PARTNER --resource '{"Database":{"Name":"lent-'$N'"}}' --permissions DESCRIBE`,
		Undo: `aws lakeformation revoke-permissions --principal DataLakePrincipalIdentifier=$PARTNER --resource '{"Database":{"Name":"lent-'$N'"}}' --permissions DESCRIBE`,
		Ends: []string{"FH308 grant aws:lakeformation/permissions:Permissions PARTNER lent-N: principal -> PARTNER"},
	},
}
