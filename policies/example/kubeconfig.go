package example

import "maps"

// Kubeconfig is a kubeconfig that gets its tokens from the AWS CLI, with
// something else said of its cluster, its user or its plugin.
func Kubeconfig(server string, cluster, user, exec Object) Object {
	with := func(base, more Object) Object {
		maps.Copy(base, more)
		return base
	}
	return Object{
		"apiVersion": "v1", "kind": "Config", "current-context": "aws",
		"clusters": List{Object{"name": "acme", "cluster": with(Object{"server": server, "certificate-authority-data": "Q0E="}, cluster)}},
		"contexts": List{Object{"name": "aws", "context": Object{"cluster": "acme", "user": "aws"}}},
		"users": List{Object{"name": "aws", "user": with(Object{"exec": with(Object{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws",
			"args": List{"--region", "eu-central-1", "eks", "get-token", "--cluster-name", "freehold-acme", "--output", "json", "--role", ARN + ":role/freehold-acme-bootstrap"},
			"env":  List{Object{"name": "KUBERNETES_EXEC_INFO", "value": "{}"}},
		}, exec)}, user)}},
	}
}
