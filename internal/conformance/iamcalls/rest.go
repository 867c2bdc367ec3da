package iamcalls

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/conformance/lab"
)

// endpoint is one operation of a REST API. A part of its path in braces is a
// parameter.
type endpoint struct{ method, path, operation string }

// routes are the REST APIs whose operations have IAM's names. S3, whose
// operations have others, is in s3.go.
//
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations.html
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_Operations.html
var routes = map[string][]endpoint{
	"access-analyzer": {
		{"PUT", "/analyzer", "CreateAnalyzer"},
		{"GET", "/analyzer", "ListAnalyzers"},
		{"GET", "/analyzer/{analyzerName}", "GetAnalyzer"},
		{"PUT", "/analyzer/{analyzerName}", "UpdateAnalyzer"},
		{"DELETE", "/analyzer/{analyzerName}", "DeleteAnalyzer"},
		{"GET", "/tags/{resourceArn}", "ListTagsForResource"},
		{"POST", "/tags/{resourceArn}", "TagResource"},
		{"DELETE", "/tags/{resourceArn}", "UntagResource"},
	},
	"eks": {
		{"POST", "/clusters", "CreateCluster"},
		{"GET", "/clusters", "ListClusters"},
		{"GET", "/clusters/{name}", "DescribeCluster"},
		{"DELETE", "/clusters/{name}", "DeleteCluster"},
		{"POST", "/clusters/{name}/update-config", "UpdateClusterConfig"},
		{"POST", "/clusters/{name}/updates", "UpdateClusterVersion"},
		{"GET", "/clusters/{name}/updates", "ListUpdates"},
		{"GET", "/clusters/{name}/updates/{updateId}", "DescribeUpdate"},
		{"POST", "/clusters/{name}/encryption-config/associate", "AssociateEncryptionConfig"},
		{"POST", "/clusters/{name}/node-groups", "CreateNodegroup"},
		{"GET", "/clusters/{name}/node-groups", "ListNodegroups"},
		{"GET", "/clusters/{name}/node-groups/{nodegroupName}", "DescribeNodegroup"},
		{"DELETE", "/clusters/{name}/node-groups/{nodegroupName}", "DeleteNodegroup"},
		{"POST", "/clusters/{name}/node-groups/{nodegroupName}/update-config", "UpdateNodegroupConfig"},
		{"POST", "/clusters/{name}/node-groups/{nodegroupName}/update-version", "UpdateNodegroupVersion"},
		{"POST", "/clusters/{name}/addons", "CreateAddon"},
		{"GET", "/clusters/{name}/addons", "ListAddons"},
		{"GET", "/clusters/{name}/addons/{addonName}", "DescribeAddon"},
		{"DELETE", "/clusters/{name}/addons/{addonName}", "DeleteAddon"},
		{"POST", "/clusters/{name}/addons/{addonName}/update", "UpdateAddon"},
		{"POST", "/clusters/{name}/access-entries", "CreateAccessEntry"},
		{"GET", "/clusters/{name}/access-entries", "ListAccessEntries"},
		{"GET", "/clusters/{name}/access-entries/{principalArn}", "DescribeAccessEntry"},
		{"POST", "/clusters/{name}/access-entries/{principalArn}", "UpdateAccessEntry"},
		{"DELETE", "/clusters/{name}/access-entries/{principalArn}", "DeleteAccessEntry"},
		{"POST", "/clusters/{name}/access-entries/{principalArn}/access-policies", "AssociateAccessPolicy"},
		{"GET", "/clusters/{name}/access-entries/{principalArn}/access-policies", "ListAssociatedAccessPolicies"},
		{"DELETE", "/clusters/{name}/access-entries/{principalArn}/access-policies/{policyArn}", "DisassociateAccessPolicy"},
		{"POST", "/clusters/{name}/pod-identity-associations", "CreatePodIdentityAssociation"},
		{"GET", "/clusters/{name}/pod-identity-associations", "ListPodIdentityAssociations"},
		{"GET", "/clusters/{name}/pod-identity-associations/{associationId}", "DescribePodIdentityAssociation"},
		{"POST", "/clusters/{name}/pod-identity-associations/{associationId}", "UpdatePodIdentityAssociation"},
		{"DELETE", "/clusters/{name}/pod-identity-associations/{associationId}", "DeletePodIdentityAssociation"},
		{"GET", "/clusters/{name}/fargate-profiles", "ListFargateProfiles"},
		{"GET", "/clusters/{name}/fargate-profiles/{fargateProfileName}", "DescribeFargateProfile"},
		{"DELETE", "/clusters/{name}/fargate-profiles/{fargateProfileName}", "DeleteFargateProfile"},
		{"GET", "/clusters/{name}/identity-provider-configs", "ListIdentityProviderConfigs"},
		{"POST", "/clusters/{name}/identity-provider-configs/associate", "AssociateIdentityProviderConfig"},
		{"POST", "/clusters/{name}/identity-provider-configs/describe", "DescribeIdentityProviderConfig"},
		{"POST", "/clusters/{name}/identity-provider-configs/disassociate", "DisassociateIdentityProviderConfig"},
		{"GET", "/addons/supported-versions", "DescribeAddonVersions"},
		{"GET", "/addons/configuration-schemas", "DescribeAddonConfiguration"},
		{"GET", "/cluster-versions", "DescribeClusterVersions"},
		{"GET", "/access-policies", "ListAccessPolicies"},
		{"GET", "/tags/{resourceArn}", "ListTagsForResource"},
		{"POST", "/tags/{resourceArn}", "TagResource"},
		{"DELETE", "/tags/{resourceArn}", "UntagResource"},
	},
}

// route finds the operation of a REST call, and what its path names.
func route(c lab.Call) (string, map[string]string, error) {
	for _, e := range append(slices.Clone(routes[c.Service]), sharingRoutes[c.Service]...) {
		if e.method != c.Method {
			continue
		}
		params, ok, err := matchPath(e.path, c.Path)
		if err != nil {
			return "", nil, err
		}
		if ok {
			return e.operation, params, nil
		}
	}
	return "", nil, ErrUnknown
}

// matchPath compares part by part before it decodes: an ARN in a path has
// slashes of its own, which are escaped.
func matchPath(pattern, path string) (map[string]string, bool, error) {
	want, got := strings.Split(pattern, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(want) != len(got) {
		return nil, false, nil
	}
	params := map[string]string{}
	for i, part := range want {
		name, isParam := strings.CutPrefix(part, "{")
		if !isParam {
			if part != got[i] {
				return nil, false, nil
			}
			continue
		}
		v, err := url.PathUnescape(got[i])
		if err != nil {
			return nil, false, fmt.Errorf("its path: %w", err)
		}
		params[strings.TrimSuffix(name, "}")] = v
	}
	return params, true, nil
}
