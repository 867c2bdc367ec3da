package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	clientauthv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"freehold.dev/freehold/internal/cloud"
)

func TestATokenIsARequestToSTSForOneClusterAndAMinute(t *testing.T) {
	c, asked := answers{}.cloud(t)
	text, err := c.Token(t.Context(), "freehold-acme", "eu-west-1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	var credential clientauthv1.ExecCredential
	if err := json.Unmarshal(text, &credential); err != nil {
		t.Fatal(err)
	}
	if got, want := credential.Status.ExpirationTimestamp.UTC(), time.Date(2026, 11, 25, 12, 14, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("kubectl may keep it until %s, want %s: EKS takes it for 15 minutes", got, want)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(credential.Status.Token, "k8s-aws-v1."))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := url.Parse(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	q := signed.Query()
	if q.Get("Action") != "GetCallerIdentity" || q.Get("X-Amz-Expires") != "60" || q.Get("X-Amz-SignedHeaders") != "host;x-k8s-aws-id" {
		t.Errorf("EKS takes no such request: %s", q)
	}
	if !strings.Contains(q.Get("X-Amz-Credential"), "/eu-west-1/sts/") {
		t.Errorf("it is signed for %s, want the cluster's region", q.Get("X-Amz-Credential"))
	}
	if strings.Contains(string(raw), "secret-of-the-test") {
		t.Error("it holds the secret key")
	}
	if len(asked()) > 0 {
		t.Errorf("asked for %v: signing needs no call", asked())
	}
}

func TestATokenIsNotKeptLongerThanTheSessionThatSignedIt(t *testing.T) {
	c, _ := answers{}.cloud(t)
	ends := c.o.Now().Add(3 * time.Minute)
	c.base.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIATEST", SecretAccessKey: "s", SessionToken: "t", CanExpire: true, Expires: ends}, nil
	})
	text, err := c.Token(t.Context(), "freehold-acme", "eu-west-1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	var credential clientauthv1.ExecCredential
	if err := json.Unmarshal(text, &credential); err != nil {
		t.Fatal(err)
	}
	if got := credential.Status.ExpirationTimestamp.UTC(); !got.Equal(ends) {
		t.Errorf("kubectl may keep it until %s, want %s", got, ends)
	}
}

func TestAKubeconfigNamesThePluginAndHoldsNothingElse(t *testing.T) {
	c, _ := answers{}.cloud(t)
	c.o.Env = map[string]string{"FREEHOLD_HOME": "/h"}
	cluster := cloud.Cluster{
		Account: cloud.Account{ID: "444455556666", Region: "eu-west-1", ExternalID: "x-1"},
		Name:    "freehold-acme", Endpoint: "https://acme.eks.example", CA: base64.StdEncoding.EncodeToString([]byte("ca")),
	}
	text, err := c.Kubeconfig(t.Context(), cluster, "arn:aws:iam::444455556666:role/r")
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	user := config.AuthInfos[config.Contexts[config.CurrentContext].AuthInfo]
	want := []string{
		"eks-token", "--region", "eu-west-1", "--cluster", "freehold-acme",
		"--role-arn", "arn:aws:iam::444455556666:role/r", "--external-id", "x-1",
	}
	env := []api.ExecEnvVar{{Name: "FREEHOLD_HOME", Value: "/h"}}
	if user.Exec == nil || user.Exec.Command != "freehold" || !slices.Equal(user.Exec.Args, want) || !slices.Equal(user.Exec.Env, env) {
		t.Errorf("plugin: %+v, want freehold %v with %v", user.Exec, want, env)
	}
	if user.Token != "" || len(user.ClientKeyData) > 0 || user.Password != "" {
		t.Errorf("the kubeconfig holds a secret: %+v", user)
	}
	cluster.Endpoint = ""
	if _, err := c.Kubeconfig(t.Context(), cluster, "r"); err == nil {
		t.Error("a kubeconfig for a cluster that has no endpoint yet")
	}
}
