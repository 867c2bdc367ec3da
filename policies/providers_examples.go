package policies

import "maps"

const exampleEndpoint = "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"

// kubernetesProvider is an example of a Kubernetes provider of acme's.
func kubernetesProvider(name string, p object) Example {
	e := exampleIn(layerBootstrap, name, "pulumi:providers:kubernetes", p)
	e.Resource.Name, e.Resource.Provider = "cluster", Provider{}
	e.Scope.Owned = []string{exampleEndpoint}
	return e
}

// exampleKubeconfig is a kubeconfig that gets its tokens from the AWS CLI, with
// something else said of its cluster, its user or its plugin.
func exampleKubeconfig(server string, cluster, user, exec object) object {
	with := func(base, more object) object {
		maps.Copy(base, more)
		return base
	}
	return object{
		"apiVersion": "v1", "kind": "Config", "current-context": "aws",
		"clusters": list{object{"name": "acme", "cluster": with(object{"server": server, "certificate-authority-data": "Q0E="}, cluster)}},
		"contexts": list{object{"name": "aws", "context": object{"cluster": "acme", "user": "aws"}}},
		"users": list{object{"name": "aws", "user": with(object{"exec": with(object{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws",
			"args": list{"--region", "eu-central-1", "eks", "get-token", "--cluster-name", "freehold-acme", "--output", "json", "--role", exampleARN + ":role/freehold-acme-bootstrap"},
			"env":  list{object{"name": "KUBERNETES_EXEC_INFO", "value": "{}"}},
		}, exec)}, user)}},
	}
}

func badArguments() []Example {
	aws := func(name, key string, v any) Example {
		return provider(name, object{"allowedAccountIds": list{exampleAccount}, "region": "eu-central-1", key: v})
	}
	kube := func(name string, cluster, user, exec object) Example {
		return kubernetesProvider(name, object{"kubeconfig": exampleKubeconfig(exampleEndpoint, cluster, user, exec)})
	}
	withTags := aws("another org in the tags of everything", "defaultTags", object{"tags": object{tagOrg: "globex"}})
	return []Example{
		provider("a proxy that may read what it passes on", object{"allowedAccountIds": list{exampleAccount}, "insecure": true, "httpsProxy": "http://proxy.example.com:3128"}),
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
		aws("a token of a pipeline's issuer", "assumeRoleWithWebIdentity", object{"roleArn": exampleARN + ":role/r", "webIdentityTokenFile": "/tmp/token"}),
		aws("a tag that the provider does not see", "ignoreTags", object{"keys": list{tagOrg}}),
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
		kube("a role of another account", nil, nil, object{"args": list{"eks", "get-token", "--cluster-name", "acme", "--role-arn", exampleOtherARN + ":role/r"}}),
		kube("a profile of whoever runs it", nil, nil, object{"env": list{object{"name": "AWS_PROFILE", "value": "globex"}}}),
	}
}

func goodArguments() []Example {
	text := "apiVersion: v1\nkind: Config\nclusters: [{name: acme, cluster: {server: \"" + exampleEndpoint + "\"}}]\n" +
		"users: [{name: acme, user: {exec: {command: /usr/local/bin/freehold, args: [eks-token, --region, eu-central-1, --cluster, freehold-acme, --role-arn, \"" +
		exampleARN + ":role/freehold-acme-bootstrap\", --external-id, x], env: [{name: FREEHOLD_HOME, value: /home/me}], interactiveMode: Never}}}]\n" +
		"contexts: [{name: acme, context: {cluster: acme, user: acme}}]\ncurrent-context: acme\n"
	return []Example{
		provider("the org's provider, as the SDK makes it", object{
			"allowedAccountIds": list{exampleAccount}, "region": "eu-central-1", "skipCredentialsValidation": "false", "skipRegionValidation": "true", "version": "6.83.0",
			"assumeRole": object{"roleArn": exampleARN + ":role/freehold-acme-provision", "sessionName": "freehold-acme-cluster"},
		}),
		provider("switches that are off", object{"insecure": false, "httpsProxy": "", "skipRequestingAccountId": false, "endpoints": list{}}),
		provider("tags, retries and the endpoints of FIPS", object{
			"defaultTags": object{"tags": orgTags()}, "maxRetries": 10.0, "retryMode": "adaptive", "useFipsEndpoint": true, "region": "us-gov-west-1",
			"ignoreTags": object{"keyPrefixes": list{"kubernetes.io/"}},
		}),
		provider("the role of a pod's service account", object{"assumeRoleWithWebIdentity": object{
			"roleArn": exampleARN + ":role/r", "webIdentityTokenFile": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
		}}),
		kubernetesProvider("a kubeconfig of Freehold's own", object{"kubeconfig": text, "enableServerSideApply": "true", "clusterIdentifier": "acme", "version": "4.28.0"}),
		kubernetesProvider("a kubeconfig of the AWS CLI's", object{"kubeconfig": exampleKubeconfig(exampleEndpoint, nil, nil, nil)}),
		kubernetesProvider("a kubeconfig of the authenticator's", object{"kubeconfig": exampleKubeconfig(exampleEndpoint, object{"insecure-skip-tls-verify": false}, nil, object{
			"command": "aws-iam-authenticator", "args": list{"token", "-i", "freehold-acme"}, "env": nil,
		})}),
		exampleIn(layerCluster, "the provider of the EKS component", "pulumi:providers:eks", object{"version": "3.9.1"}),
	}
}

func badServers() []Example {
	other := "https://FEDCBA9876543210FEDCBA9876543210.gr7.eu-central-1.eks.amazonaws.com"
	none := kubernetesProvider("a kubeconfig without a server", object{"kubeconfig": "kind: Config\n"})
	second := exampleKubeconfig(exampleEndpoint, nil, nil, nil)
	second["clusters"] = append(second["clusters"].(list), object{"name": "other", "cluster": object{"server": "https://kube.example.com"}})
	return []Example{
		none,
		kubernetesProvider("another org's cluster", object{"kubeconfig": exampleKubeconfig(other, nil, nil, nil)}),
		kubernetesProvider("a server that takes what it is given", object{"kubeconfig": exampleKubeconfig("https://kube.example.com", nil, nil, nil)}),
		kubernetesProvider("a server without encryption", object{"kubeconfig": exampleKubeconfig("http"+exampleEndpoint[len("https"):], nil, nil, nil)}),
		kubernetesProvider("the org's endpoint as the name of a user", object{"kubeconfig": exampleKubeconfig(exampleEndpoint+"@kube.example.com", nil, nil, nil)}),
		kubernetesProvider("a path behind the org's endpoint", object{"kubeconfig": exampleKubeconfig(exampleEndpoint+"/../other", nil, nil, nil)}),
		kubernetesProvider("a second server beside the org's", object{"kubeconfig": second}),
	}
}

func goodServers() []Example {
	made := kubernetesProvider("the cluster that the same stack has made", object{"kubeconfig": exampleKubeconfig(exampleEndpoint, nil, nil, nil)})
	made.Scope.Owned = nil
	return []Example{
		kubernetesProvider("the org's cluster", object{"kubeconfig": exampleKubeconfig(exampleEndpoint, nil, nil, nil)}),
		kubernetesProvider("the org's cluster, with a port and a slash", object{"kubeconfig": exampleKubeconfig(exampleEndpoint+":443/", nil, nil, nil)}),
		made.beside(typeCluster, "cluster", "freehold-acme", object{"name": "freehold-acme", "endpoint": exampleEndpoint}),
	}
}
