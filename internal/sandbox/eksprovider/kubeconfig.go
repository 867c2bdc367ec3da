package eksprovider

import (
	"encoding/json"
	"fmt"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"

	"freehold.dev/freehold/internal/iam"
)

// kubeconfig is a cluster's kubeconfig in its three forms. The one with the
// profile is for this program; the others are for everybody, whose profiles
// have names of their own.
type kubeconfig struct {
	withProfile pulumi.StringOutput
	text        pulumi.StringOutput
	object      pulumi.AnyOutput
}

func kubeconfigOf(c *awseks.Cluster, credentials eks.KubeconfigOptionsPtrInput) kubeconfig {
	given := eks.KubeconfigOptionsArgs{}.ToKubeconfigOptionsOutput()
	if credentials != nil {
		given = credentials.ToKubeconfigOptionsPtrOutput().ApplyT(func(o *eks.KubeconfigOptions) eks.KubeconfigOptions {
			return deref(o)
		}).(eks.KubeconfigOptionsOutput)
	}
	form := func(profile bool) pulumi.StringOutput {
		return pulumi.All(c.Name, c.Endpoint, c.CertificateAuthority.Data(), c.Arn, given).ApplyT(func(all []any) (string, error) {
			options := all[4].(eks.KubeconfigOptions)
			if !profile {
				options.ProfileName = nil
			}
			return kubeconfigText(all[0].(string), all[1].(string), deref(all[2].(*string)), all[3].(string), options)
		}).(pulumi.StringOutput)
	}
	k := kubeconfig{withProfile: form(true), text: form(false)}
	k.object = k.text.ApplyT(func(text string) (any, error) {
		var object any
		err := json.Unmarshal([]byte(text), &object)
		return object, err
	}).(pulumi.AnyOutput)
	return k
}

// kubeconfigText is a kubeconfig that gets its tokens from "aws eks get-token".
func kubeconfigText(name, endpoint, ca, arn string, options eks.KubeconfigOptions) (string, error) {
	cluster, err := iam.ParseARN(arn)
	if err != nil {
		return "", err
	}
	args := []string{"--region", cluster.Region, "eks", "get-token", "--cluster-name", name, "--output", "json"}
	if role := deref(options.RoleArn); role != "" {
		args = append(args, "--role", role)
	}
	if profile := deref(options.ProfileName); profile != "" {
		args = append(args, "--profile", profile)
	}
	type object = map[string]any
	text, err := json.Marshal(object{
		"apiVersion": "v1",
		"kind":       "Config",
		"clusters": []object{{
			"name":    "kubernetes",
			"cluster": object{"server": endpoint, "certificate-authority-data": ca},
		}},
		"contexts":        []object{{"name": "aws", "context": object{"cluster": "kubernetes", "user": "aws"}}},
		"current-context": "aws",
		"users": []object{{
			"name": "aws",
			"user": object{"exec": object{
				"apiVersion": "client.authentication.k8s.io/v1beta1",
				"command":    "aws",
				"args":       args,
				"env":        []object{{"name": "KUBERNETES_EXEC_INFO", "value": `{"apiVersion": "client.authentication.k8s.io/v1beta1"}`}},
			}},
		}},
	})
	return string(text), err
}

// callKubeconfig answers Cluster.getKubeconfig.
func callKubeconfig(call provider.CallArgs) (*provider.CallResult, error) {
	var args struct {
		ProfileName pulumi.StringPtrInput `pulumi:"profileName"`
		RoleARN     pulumi.StringPtrInput `pulumi:"roleArn"`
	}
	self, err := call.CopyTo(&args)
	if err != nil {
		return nil, err
	}
	c, ok := self.(*eks.Cluster)
	if !ok {
		return nil, fmt.Errorf("%s: called on %T, want a cluster", kubeconfigToken, self)
	}
	options := eks.KubeconfigOptionsArgs{ProfileName: args.ProfileName, RoleArn: args.RoleARN}
	text := c.EksCluster.ApplyT(func(c *awseks.Cluster) pulumi.StringOutput {
		return kubeconfigOf(c, options).withProfile
	}).(pulumi.StringOutput)
	return provider.NewCallResult(&struct {
		Result pulumi.StringOutput `pulumi:"result"`
	}{text})
}
