package lab

import (
	"net/http"
	"strings"
)

// gap is a call that only lists, which the emulator does not know: the front
// answers that there is nothing, as AWS does in an account in which nobody made
// any of it. What is made all the same is not lost on the emulator: it cannot
// make any of it either.
type gap struct {
	service string
	// by is the action, or the method and the path of a REST call.
	by       string
	body     string
	xml, rpc bool
}

var gaps = []gap{
	{service: "rolesanywhere", by: "GET /trustanchors", body: `{"trustAnchors":[]}`},
	{service: "ec2", by: "DescribeNetworkInterfacePermissions", xml: true,
		body: `<DescribeNetworkInterfacePermissionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><networkInterfacePermissions/></DescribeNetworkInterfacePermissionsResponse>`},
	{service: "s3", by: "GET /v20180820/accesspointforobjectlambda", xml: true,
		body: `<ListAccessPointsForObjectLambdaResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><ObjectLambdaAccessPointList/></ListAccessPointsForObjectLambdaResult>`},
	{service: "ecr", by: "DescribePullThroughCacheRules", body: `{"pullThroughCacheRules":[]}`},
	// An empty map of CBOR.
	{service: "acm-pca", by: "POST /service/ACMPrivateCA/operation/ListCertificateAuthorities", body: "\xa0", rpc: true},
	{service: "glue", by: "GetResourcePolicies", body: `{}`},
	{service: "codeartifact", by: "POST /v1/domains", body: `{"domains":[]}`},
	{service: "codeartifact", by: "POST /v1/repositories", body: `{"repositories":[]}`},
	{service: "ram", by: "POST /getresourceshareinvitations", body: `{"resourceShareInvitations":[]}`},
}

// gapOf is the gap that a call falls into. Of the shares that others give, the
// emulator has none, where it answers about the account's own.
func gapOf(c Call) (gap, bool) {
	if c.Service == "ram" && strings.EqualFold(c.Path, "/getresourceshares") && strings.Contains(string(c.Body), "OTHER-ACCOUNTS") {
		return gap{body: `{"resourceShares":[]}`}, true
	}
	for _, g := range gaps {
		if g.service == c.Service && (g.by == c.Action || g.by == c.Method+" "+c.Path) {
			return g, true
		}
	}
	return gap{}, false
}

func (g gap) answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case g.xml:
		w.Header().Set("Content-Type", "application/xml")
	case g.rpc:
		w.Header().Set("Content-Type", "application/cbor")
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	_, _ = w.Write([]byte(g.body))
}
