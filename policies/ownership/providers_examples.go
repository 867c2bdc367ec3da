package ownership

import (
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// kubernetesProvider is an example of a Kubernetes provider of acme's.
func kubernetesProvider(name string, p object) rule.Example {
	e := example.In(rule.LayerBootstrap, name, "pulumi:providers:kubernetes", p)
	e.Resource.Name, e.Resource.Provider = "cluster", rule.Provider{}
	e.Scope.Owned = []string{example.Endpoint}
	return e
}

func badArguments() []rule.Example {
	aws := func(name, key string, v any) rule.Example {
		return example.AWSProvider(name, object{"allowedAccountIds": list{example.Account}, "region": "eu-central-1", key: v})
	}
	kube := func(name string, cluster, user, exec object) rule.Example {
		return kubernetesProvider(name, object{"kubeconfig": example.Kubeconfig(example.Endpoint, cluster, user, exec)})
	}
	withTags := aws("another org in the tags of everything", "defaultTags", object{"tags": object{rule.OrgTag: "globex"}})
	return []rule.Example{
		example.AWSProvider("a proxy that may read what it passes on", object{"allowedAccountIds": list{example.Account}, "insecure": true, "httpsProxy": "http://proxy.example.com:3128"}),
		aws("a certificate that is not checked", "insecure", true),
		aws("a certificate that is not checked, as text", "insecure", "true"),
		aws("an authority of one's own", "customCaBundle", "/tmp/ca.pem"),
		aws("a proxy for plain HTTP", "httpProxy", "http://proxy.example.com:3128"),
		aws("an endpoint of one's own", "endpoints", list{object{"s3": "https://minio.example.com"}}),
		aws("a metadata service that hands out other credentials", "ec2MetadataServiceEndpoint", "http://10.0.0.1"),
		aws("a profile of whoever runs it", "profile", "globex"),
		aws("a configuration of another machine's", "sharedConfigFiles", list{"/mnt/globex/config"}),
		aws("credentials from a file", "sharedCredentialsFiles", list{"/mnt/globex/credentials"}),
		aws("a key in the program", "secretKey", "not-a-key"),
		aws("a Region that is a host", "region", "attacker.example.com/"),
		aws("a Region of STS that is a host", "stsRegion", "attacker.example.com#"),
		aws("a token of a pipeline's issuer", "assumeRoleWithWebIdentity", object{"roleArn": example.ARN + ":role/r", "webIdentityTokenFile": "/tmp/token"}),
		aws("a tag that the provider does not see", "ignoreTags", object{"keys": list{rule.OrgTag}}),
		aws("all of our tags, not seen", "ignoreTags", object{"keyPrefixes": list{"freehold.dev/"}}),
		aws("an argument of a later version", "sharedEverything", true),
		aws("another major version, whose types the rules do not know", "version", "7.1.0"),
		aws("a plugin from somewhere else", "pluginDownloadURL", "https://plugins.example.com"),
		withTags,
		kubernetesProvider("a kubeconfig by its name", object{"kubeconfig": "/home/ada/.kube/config"}),
		kubernetesProvider("a kubeconfig in which a key is there twice", object{"kubeconfig": "kind: Config\nkind: Config\n"}),
		kubernetesProvider("objects that are only written down", object{"renderYamlToDirectory": "/tmp/out"}),
		kubernetesProvider("releases kept in a database", object{"helmReleaseSettings": object{"driver": "sql"}}),
		kube("a server whose certificate is not checked", object{"insecure-skip-tls-verify": true}, nil, nil),
		kube("a proxy in front of the server", object{"proxy-url": "http://proxy.example.com"}, nil, nil),
		kube("another name for the server's certificate", object{"tls-server-name": "globex.example.com"}, nil, nil),
		kube("an authority from a file", object{"certificate-authority": "/tmp/ca.pem"}, nil, nil),
		kube("a token from a file", nil, object{"tokenFile": "/etc/shadow"}, nil),
		kube("a plugin that nobody knows", nil, nil, object{"command": "sh", "args": list{"-c", "cat ~/.kube/token"}}),
		kube("the AWS CLI, for something else", nil, nil, object{"args": list{"sts", "get-session-token"}}),
		kube("the AWS CLI, which asks somebody else", nil, nil, object{"args": list{"eks", "get-token", "--cluster-name", "acme", "--endpoint-url", "https://sts.example.com"}}),
		kube("a role of another account", nil, nil, object{"args": list{"eks", "get-token", "--cluster-name", "acme", "--role-arn", example.OtherARN + ":role/r"}}),
		kube("a profile of whoever runs it", nil, nil, object{"env": list{object{"name": "AWS_PROFILE", "value": "globex"}}}),
	}
}

func goodArguments() []rule.Example {
	text := "apiVersion: v1\nkind: Config\nclusters: [{name: acme, cluster: {server: \"" + example.Endpoint + "\"}}]\n" +
		"users: [{name: acme, user: {exec: {command: /usr/local/bin/freehold, args: [eks-token, --region, eu-central-1, --cluster, freehold-acme, --role-arn, \"" +
		example.ARN + ":role/freehold-acme-bootstrap\", --external-id, x], env: [{name: FREEHOLD_HOME, value: /home/me}], interactiveMode: Never}}}]\n" +
		"contexts: [{name: acme, context: {cluster: acme, user: acme}}]\ncurrent-context: acme\n"
	return []rule.Example{
		example.AWSProvider("the org's provider, as the SDK makes it", object{
			"allowedAccountIds": list{example.Account}, "region": "eu-central-1", "skipCredentialsValidation": "false", "skipRegionValidation": "true", "version": "6.83.0",
			"assumeRole": object{"roleArn": example.ARN + ":role/freehold-acme-provision", "sessionName": "freehold-acme-cluster"},
		}),
		example.AWSProvider("switches that are off", object{"insecure": false, "httpsProxy": "", "skipRequestingAccountId": false, "endpoints": list{}}),
		example.AWSProvider("tags, retries and the endpoints of FIPS", object{
			"defaultTags": object{"tags": example.OrgTags()}, "maxRetries": 10.0, "retryMode": "adaptive", "useFipsEndpoint": true, "region": "us-gov-west-1",
			"ignoreTags": object{"keyPrefixes": list{"kubernetes.io/"}},
		}),
		example.AWSProvider("the role of a pod's service account", object{"assumeRoleWithWebIdentity": object{
			"roleArn": example.ARN + ":role/r", "webIdentityTokenFile": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
		}}),
		kubernetesProvider("a kubeconfig of Freehold's own", object{"kubeconfig": text, "enableServerSideApply": "true", "clusterIdentifier": "acme", "version": "4.28.0"}),
		kubernetesProvider("a kubeconfig of the AWS CLI's", object{"kubeconfig": example.Kubeconfig(example.Endpoint, nil, nil, nil)}),
		kubernetesProvider("a kubeconfig of the authenticator's", object{"kubeconfig": example.Kubeconfig(example.Endpoint, object{"insecure-skip-tls-verify": false}, nil, object{
			"command": "aws-iam-authenticator", "args": list{"token", "-i", "freehold-acme"}, "env": nil,
		})}),
		example.In(rule.LayerCluster, "the provider of the EKS component", "pulumi:providers:eks", object{"version": "3.9.1"}),
	}
}

func badServers() []rule.Example {
	other := "https://FEDCBA9876543210FEDCBA9876543210.gr7.eu-central-1.eks.amazonaws.com"
	none := kubernetesProvider("a kubeconfig without a server", object{"kubeconfig": "kind: Config\n"})
	second := example.Kubeconfig(example.Endpoint, nil, nil, nil)
	second["clusters"] = append(second["clusters"].(list), object{"name": "other", "cluster": object{"server": "https://kube.example.com"}})
	return []rule.Example{
		none,
		kubernetesProvider("another org's cluster", object{"kubeconfig": example.Kubeconfig(other, nil, nil, nil)}),
		kubernetesProvider("a server that takes what it is given", object{"kubeconfig": example.Kubeconfig("https://kube.example.com", nil, nil, nil)}),
		kubernetesProvider("a server without encryption", object{"kubeconfig": example.Kubeconfig("http"+example.Endpoint[len("https"):], nil, nil, nil)}),
		kubernetesProvider("the org's endpoint as the name of a user", object{"kubeconfig": example.Kubeconfig(example.Endpoint+"@kube.example.com", nil, nil, nil)}),
		kubernetesProvider("a path behind the org's endpoint", object{"kubeconfig": example.Kubeconfig(example.Endpoint+"/../other", nil, nil, nil)}),
		kubernetesProvider("a second server beside the org's", object{"kubeconfig": second}),
	}
}

func goodServers() []rule.Example {
	made := kubernetesProvider("the cluster that the same stack has made", object{"kubeconfig": example.Kubeconfig(example.Endpoint, nil, nil, nil)})
	made.Scope.Owned = nil
	return []rule.Example{
		kubernetesProvider("the org's cluster", object{"kubeconfig": example.Kubeconfig(example.Endpoint, nil, nil, nil)}),
		kubernetesProvider("the org's cluster, with a port and a slash", object{"kubeconfig": example.Kubeconfig(example.Endpoint+":443/", nil, nil, nil)}),
		example.Add(made, rule.TypeCluster, "cluster", "freehold-acme", object{"name": "freehold-acme", "endpoint": example.Endpoint}),
	}
}
