package awsprovider

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"

	"freehold.dev/freehold/internal/sandbox/store"
)

var eksIdentityTypes = []*Type{{
	Token:   identityProviderToken,
	Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_AssociateIdentityProviderConfig.html",
	Args:    eks.IdentityProviderConfigArgs{},
	State:   eks.IdentityProviderConfig{},
	Noun:    "EKS Identity Provider Config",
	Service: "eks",
	API: API{Create: "AssociateIdentityProviderConfig", Read: "DescribeIdentityProviderConfig", Delete: "DisassociateIdentityProviderConfig",
		Updates: map[string]string{"tags": "TagResource"}},
	Takes:    Takes{Create: 12 * time.Minute, Delete: 8 * time.Minute},
	ID:       "{clusterName}:{oidc.identityProviderConfigName}",
	ARN:      "arn:aws:eks:{region}:{account}:identityproviderconfig/{clusterName}/oidc/{oidc.identityProviderConfigName}/{uuid}",
	Tags:     true,
	Defaults: map[string]any{"status": "ACTIVE"},
	Fields: map[string][]Rule{
		"clusterName":                     clusterName,
		"oidc.identityProviderConfigName": {notEmpty},
		"oidc.clientId":                   {notEmpty},
		"oidc.issuerUrl":                  {httpsURL},
		"oidc.usernameClaim":              {notEmpty},
		"oidc.usernamePrefix":             {notEmpty},
		"oidc.groupsClaim":                {notEmpty},
		"oidc.groupsPrefix":               {notEmpty},
		"oidc.requiredClaims[*]":          {length(1, 253)},
	},
	Refs:    []Ref{clusterRef},
	Replace: []string{"clusterName", "oidc"},
	Check:   checkIdentityProvider,
	After: func(ctx context.Context, c *Call) error {
		if c.Env.Planes == nil || c.Verb == Updating { // of tags
			return nil
		}
		provider := identityProviderIn(c.Out)
		if c.Verb == Deleting {
			provider = nil
		}
		return c.Env.Planes.Authenticate(ctx, "arn:aws:eks:"+c.Region+":"+c.Account+":cluster/"+c.String("clusterName"), provider)
	},
}}

func httpsURL(v any) string {
	u, err := url.Parse(text(v))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" {
		return "must be a URL with https, a host and no query"
	}
	return ""
}

// checkIdentityProvider refuses what EKS does: prefixes by which a token could
// be somebody of Kubernetes, the cluster's own issuer, and one beside another.
// https://docs.aws.amazon.com/eks/latest/userguide/authenticate-oidc-identity-provider.html
func checkIdentityProvider(c *Call) error {
	if c.Verb == Creating {
		others, err := c.List(identityProviderToken)
		if err != nil {
			return err
		}
		cluster := c.String("clusterName")
		if slices.ContainsFunc(others, func(r store.Row) bool { return text(r.Outputs["clusterName"]) == cluster }) {
			return errf("ResourceInUseException", "An identity provider config is already associated with cluster %s", cluster)
		}
	}
	for _, prefix := range []string{"usernamePrefix", "groupsPrefix"} {
		if strings.Contains(c.String("oidc."+prefix), "system:") {
			return errf("InvalidParameterException", "%s can't contain system:", prefix)
		}
	}
	for key := range mapAt(mapAt(c.In, "oidc"), "requiredClaims") {
		if key == "" || len(key) > 63 {
			return errf("InvalidParameterException", "The required claim %q is not of 1 to 63 characters", key)
		}
	}
	cluster, err := c.Find(clusterToken, "id", c.String("clusterName"))
	if err != nil || cluster == nil {
		return err
	}
	url := c.String("oidc.issuerUrl")
	if own := walk(cluster.Outputs, "identities[*].oidcs[*].issuer"); len(own) == 1 && url == own[0].value {
		return errf("InvalidParameterException", "The issuer %s is the cluster's own", url)
	}
	return nil
}

// IdentityProviderOf returns what a row of an identity provider says.
func IdentityProviderOf(r store.Row) *IdentityProvider { return identityProviderIn(r.Outputs) }

func identityProviderIn(outputs map[string]any) *IdentityProvider {
	oidc := mapAt(outputs, "oidc")
	p := &IdentityProvider{
		IssuerURL: text(oidc["issuerUrl"]), ClientID: text(oidc["clientId"]),
		UsernameClaim: text(oidc["usernameClaim"]), UsernamePrefix: text(oidc["usernamePrefix"]),
		GroupsClaim: text(oidc["groupsClaim"]), GroupsPrefix: text(oidc["groupsPrefix"]),
	}
	for key, value := range mapAt(oidc, "requiredClaims") {
		if p.RequiredClaims == nil {
			p.RequiredClaims = map[string]string{}
		}
		p.RequiredClaims[key] = text(value)
	}
	return p
}
