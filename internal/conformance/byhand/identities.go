package byhand

var identities = []Sharing{
	{
		Name: "whom a role trusts", Way: "role-trust",
		Make:   `aws iam create-role --role-name trusts-$N --assume-role-policy-document "$(lets sts:AssumeRole)" $(tags --tags Key=team,Value=lent)`,
		Undo:   `aws iam delete-role --role-name trusts-$N`,
		Ends:   []string{"FH301 trust aws:iam/role:Role trusts-N: assumeRolePolicy -> PARTNER"},
		Breaks: []string{"FH302 aws:iam/role:Role trusts-N"},
	},
	{
		Name: "what a role may do", Way: "role-policy",
		Make: `aws iam put-role-policy --role-name runs-$N --policy-name elsewhere --policy-document "$assume"`,
		Undo: `aws iam delete-role-policy --role-name runs-$N --policy-name elsewhere`,
		Ends: []string{"FH304 policy aws:iam/rolePolicy:RolePolicy runs-N:elsewhere: policy -> PARTNER"},
	},
	{
		Name: "a managed policy", Way: "managed-policy",
		Make: `aws iam create-policy --policy-name reaches-$N --policy-document "$assume" $(tags --tags Key=team,Value=lent)`,
		Undo: `aws iam delete-policy --policy-arn arn:aws:iam::$ACCOUNT:policy/reaches-$N`,
		Ends: []string{"FH304 policy aws:iam/policy:Policy arn:aws:iam::ACCOUNT:policy/reaches-N: policy -> PARTNER"},
	},
	{
		Name: "what a user may do", Way: "user-policy",
		Make: `aws iam create-user --user-name mallory-$N $(tags --tags Key=team,Value=lent)
			aws iam put-user-policy --user-name mallory-$N --policy-name elsewhere --policy-document "$assume"`,
		Undo: `aws iam delete-user-policy --user-name mallory-$N --policy-name elsewhere
			aws iam delete-user --user-name mallory-$N`,
		Ends: []string{"FH304 policy aws:iam/userPolicy:UserPolicy mallory-N:elsewhere: policy -> PARTNER"},
	},
	{
		Name: "what a group may do", Way: "user-policy",
		Make: `aws iam create-group --group-name people-$N
			aws iam put-group-policy --group-name people-$N --policy-name elsewhere --policy-document "$assume"`,
		Undo: `aws iam delete-group-policy --group-name people-$N --policy-name elsewhere
			aws iam delete-group --group-name people-$N`,
		Ends: []string{"FH304 policy aws:iam/groupPolicy:GroupPolicy people-N:elsewhere: policy -> PARTNER"},
	},
	{
		Name: "an OIDC provider", Way: "identity-provider",
		Make: `aws iam create-open-id-connect-provider --url https://token-$N.partner.example --client-id-list sts.amazonaws.com $(tags --tags Key=team,Value=lent)`,
		Undo: `aws iam delete-open-id-connect-provider --open-id-connect-provider-arn arn:aws:iam::$ACCOUNT:oidc-provider/token-$N.partner.example`,
		Ends: []string{"FH306 trust aws:iam/openIdConnectProvider:OpenIdConnectProvider arn:aws:iam::ACCOUNT:oidc-provider/token-N.partner.example: url -> https://token-N.partner.example"},
	},
	{
		Name: "a SAML provider", Way: "identity-provider",
		Make: `aws iam create-saml-provider --name people-$N --saml-metadata-document "$(printf '<EntityDescriptor>%01000d</EntityDescriptor>' 0)" $(tags --tags Key=team,Value=lent)`,
		Undo: `aws iam delete-saml-provider --saml-provider-arn arn:aws:iam::$ACCOUNT:saml-provider/people-$N`,
		Ends: []string{"FH306 trust aws:iam/samlProvider:SamlProvider arn:aws:iam::ACCOUNT:saml-provider/people-N: name -> people-N"},
	},
	{
		Name: "who gets into a cluster", Way: "cluster-access", Cluster: true,
		Make: `aws eks create-access-entry --cluster-name $CLUSTER --principal-arn arn:aws:iam::$PARTNER:role/enters-$N $(tags --tags team=lent)`,
		Undo: `aws eks delete-access-entry --cluster-name $CLUSTER --principal-arn arn:aws:iam::$PARTNER:role/enters-$N`,
		Ends: []string{"FH802 grant aws:eks/accessEntry:AccessEntry *: principalArn -> PARTNER"},
	},
	{
		Name: "whose tokens a cluster believes", Way: "cluster-issuer", Cluster: true, Single: true,
		Make: `aws eks describe-identity-provider-config --cluster-name $CLUSTER --identity-provider-config type=oidc,name=$CLUSTER --query 'identityProviderConfig.oidc.{clusterName:clusterName,tags:tags,oidc:{identityProviderConfigName:identityProviderConfigName,issuerUrl:issuerUrl,clientId:clientId,usernameClaim:usernameClaim,usernamePrefix:usernamePrefix,groupsClaim:groupsClaim,groupsPrefix:groupsPrefix,requiredClaims:requiredClaims}}' > issuer.json
			aws eks disassociate-identity-provider-config --cluster-name $CLUSTER --identity-provider-config type=oidc,name=$CLUSTER
			aws eks associate-identity-provider-config --cluster-name $CLUSTER --oidc identityProviderConfigName=mallory,issuerUrl=https://login.mallory.example,clientId=kubernetes`,
		Undo: `aws eks disassociate-identity-provider-config --cluster-name $CLUSTER --identity-provider-config type=oidc,name=mallory
			aws eks associate-identity-provider-config --cli-input-json file://issuer.json`,
		Ends: []string{"FH803 trust aws:eks/identityProviderConfig:IdentityProviderConfig *: oidc.issuerUrl -> https://login.mallory.example"},
	},
	{
		Name: "a key's policy", Way: "key-policy",
		Make: `aws kms put-key-policy --key-id "$KEY" --policy-name default --policy '{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::'$ACCOUNT':root"},"Action":"kms:*","Resource":"*"},
				{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::'$PARTNER':root"},"Action":"kms:Decrypt","Resource":"*"}]}'`,
		Ends: []string{"FH305 policy aws:kms/key:Key *: policy -> PARTNER"},
	},
	{
		Name: "a key's grant", Way: "key-grant",
		Make: `aws kms create-grant --key-id "$KEY" --grantee-principal arn:aws:iam::$PARTNER:root --operations Decrypt --query GrantId --output text`,
		Undo: `aws kms revoke-grant --key-id "$KEY" --grant-id "$MADE"`,
		Ends: []string{"FH307 grant aws:kms/grant:Grant *: granteePrincipal -> PARTNER"},
	},
}
