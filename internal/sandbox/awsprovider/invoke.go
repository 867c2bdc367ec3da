package awsprovider

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"freehold.dev/freehold/internal/sandbox/store"
)

// function is one data source.
type function struct {
	service, action string
	answer          func(b *Backend, tx *store.Tx, who caller, args map[string]any) (map[string]any, error)
}

// functions are the data sources by token.
var functions = map[string]function{
	"aws:index/getCallerIdentity:getCallerIdentity":       {"sts", "GetCallerIdentity", callerIdentity},
	"aws:index/getRegion:getRegion":                       {"ec2", "DescribeRegions", region},
	"aws:index/getPartition:getPartition":                 {"sts", "GetCallerIdentity", partition},
	"aws:index/getAvailabilityZones:getAvailabilityZones": {"ec2", "DescribeAvailabilityZones", availabilityZones},
	"aws:organizations/getOrganization:getOrganization":   {"organizations", "DescribeOrganization", organization},
	"aws:iam/getPolicyDocument:getPolicyDocument":         {"iam", "GetPolicyDocument", policyDocument},
	"aws:iam/getRole:getRole":                             {"iam", "GetRole", lookup(roleToken, "name")},
	"aws:kms/getKey:getKey":                               {"kms", "DescribeKey", lookup(keyToken, "keyId")},
	"aws:ec2/getVpc:getVpc":                               {"ec2", "DescribeVpcs", lookup(vpcToken, "id")},
	"aws:ec2/getSubnets:getSubnets":                       {"ec2", "DescribeSubnets", subnetsOf},
	"aws:eks/getCluster:getCluster":                       {"eks", "DescribeCluster", clusterOf},
	"aws:eks/getAddonVersion:getAddonVersion":             {"eks", "DescribeAddonVersions", addonVersion},
}

func (s *server) Invoke(ctx context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	f, known := functions[req.GetTok()]
	if !known {
		return nil, status.Errorf(codes.Unimplemented, "the sandbox cloud has no %s%s", req.GetTok(), suggest(req.GetTok(), slices.Collect(maps.Keys(functions))))
	}
	ctx, cancel, conn, who, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	args, _, err := read("args", req.GetArgs())
	if err != nil {
		return nil, err
	}
	var out map[string]any
	r := &request{caller: who, service: f.service, action: f.action, takes: ordinary[Reading], token: req.GetTok(), warn: conn.warn(ctx, ""), reads: true}
	if err := s.backend.do(ctx, r, nil); err != nil {
		return nil, status.Errorf(codes.Unknown, "invoking %s: %v", req.GetTok(), err)
	}
	err = s.backend.Store.Read(ctx, func(tx *store.Tx) error {
		out, err = f.answer(s.backend, tx, who, args)
		return err
	})
	if err != nil {
		return nil, status.Errorf(codes.Unknown, "invoking %s: %v", req.GetTok(), err)
	}
	ret, err := write("result", out, nil)
	return &pulumirpc.InvokeResponse{Return: ret}, err
}

func callerIdentity(_ *Backend, _ *store.Tx, who caller, _ map[string]any) (map[string]any, error) {
	return map[string]any{"id": who.account, "accountId": who.account, "arn": who.arn, "userId": "AROA" + generate("upper:17", who.arn) + ":" + who.arn[strings.LastIndex(who.arn, "/")+1:]}, nil
}

func region(_ *Backend, _ *store.Tx, who caller, args map[string]any) (map[string]any, error) {
	name := first(text(args["name"]), who.region)
	if name == "" {
		return nil, errf("MissingRegion", "Invalid Configuration: Missing Region")
	}
	return map[string]any{"id": name, "name": name, "endpoint": "ec2." + name + ".amazonaws.com", "description": name}, nil
}

func partition(_ *Backend, _ *store.Tx, _ caller, _ map[string]any) (map[string]any, error) {
	return map[string]any{"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}, nil
}

func availabilityZones(_ *Backend, _ *store.Tx, who caller, _ map[string]any) (map[string]any, error) {
	if who.region == "" {
		return nil, errf("MissingRegion", "Invalid Configuration: Missing Region")
	}
	names, ids := zones(who.region)
	return map[string]any{"id": who.region, "names": anys(names), "zoneIds": anys(ids), "groupNames": []any{who.region}}, nil
}

func anys(words []string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}

// organization answers in any account of the organization; what only the
// management account sees is left out for the others.
func organization(_ *Backend, tx *store.Tx, who caller, _ map[string]any) (map[string]any, error) {
	out := map[string]any{
		"id": OrganizationID, "arn": "arn:aws:organizations::" + ManagementAccount + ":organization/" + OrganizationID, "featureSet": "ALL",
		"masterAccountId": ManagementAccount, "masterAccountName": "management", "masterAccountEmail": "management@freehold.example",
		"masterAccountArn": "arn:aws:organizations::" + ManagementAccount + ":account/" + OrganizationID + "/" + ManagementAccount,
		"accounts":         []any{}, "nonMasterAccounts": []any{}, "roots": []any{}, "awsServiceAccessPrincipals": []any{}, "enabledPolicyTypes": []any{},
	}
	if who.account != ManagementAccount {
		return out, nil
	}
	types := []any{serviceControlType, resourceControlType}
	accounts := []any{map[string]any{"id": ManagementAccount, "arn": out["masterAccountArn"], "email": out["masterAccountEmail"], "name": "management", "status": active}}
	rows, err := tx.List(store.Filter{Type: accountToken})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		accounts = append(accounts, map[string]any{"id": r.ID, "arn": r.ARN, "email": r.Outputs["email"], "name": r.Outputs["name"], "status": r.Outputs["status"]})
	}
	out["accounts"], out["nonMasterAccounts"] = accounts, accounts[1:]
	out["enabledPolicyTypes"] = types
	out["awsServiceAccessPrincipals"] = []any{"cloudtrail.amazonaws.com", "sso.amazonaws.com"}
	var enabled []any
	for _, t := range types {
		enabled = append(enabled, map[string]any{"type": t, "status": "ENABLED"})
	}
	out["roots"] = []any{map[string]any{"id": RootID, "name": "Root", "policyTypes": enabled,
		"arn": "arn:aws:organizations::" + ManagementAccount + ":root/" + OrganizationID + "/" + RootID}}
	return out, nil
}

// policyDocument makes a document from statements; the genuine provider makes
// it without asking AWS, too.
func policyDocument(_ *Backend, _ *store.Tx, _ caller, args map[string]any) (map[string]any, error) {
	doc := map[string]any{"Version": first(text(args["version"]), "2012-10-17")}
	if id := text(args["policyId"]); id != "" {
		doc["Id"] = id
	}
	var out []any
	for _, v := range list(args["statements"]) {
		in, _ := v.(map[string]any)
		s := map[string]any{"Effect": first(text(in["effect"]), "Allow")}
		if sid := text(in["sid"]); sid != "" {
			s["Sid"] = sid
		}
		for from, to := range map[string]string{"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"} {
			if l := list(in[from]); len(l) == 1 {
				s[to] = l[0]
			} else if len(l) > 1 {
				s[to] = l
			}
		}
		for from, to := range map[string]string{"principals": "Principal", "notPrincipals": "NotPrincipal"} {
			m := map[string]any{}
			for _, p := range list(in[from]) {
				p, _ := p.(map[string]any)
				if text(p["type"]) == "*" {
					s[to] = "*"
				}
				m[text(p["type"])] = p["identifiers"]
			}
			if len(m) > 0 && s[to] == nil {
				s[to] = m
			}
		}
		conditions := map[string]any{}
		for _, c := range list(in["conditions"]) {
			c, _ := c.(map[string]any)
			keys, _ := conditions[text(c["test"])].(map[string]any)
			if keys == nil {
				keys = map[string]any{}
			}
			keys[text(c["variable"])] = c["values"]
			conditions[text(c["test"])] = keys
		}
		if len(conditions) > 0 {
			s["Condition"] = conditions
		}
		out = append(out, s)
	}
	doc["Statement"] = out
	long, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, err
	}
	short, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": generate("digits:10", string(short)), "json": string(long), "minifiedJson": string(short)}, nil
}

// lookup answers a data source by the row that one argument names.
func lookup(token, argument string) func(*Backend, *store.Tx, caller, map[string]any) (map[string]any, error) {
	return func(b *Backend, tx *store.Tx, who caller, args map[string]any) (map[string]any, error) {
		t := byToken[token]
		c := &Call{Type: t, Account: who.account, Region: who.region, Tx: tx, Env: &b.Env}
		for _, by := range []string{"id", "arn"} {
			row, err := c.Find(token, by, text(args[argument]))
			if err != nil {
				return nil, err
			}
			if row != nil {
				out := cloneMap(row.Outputs)
				out["id"] = row.ID
				return out, nil
			}
		}
		return nil, notThere(t, text(args[argument]))
	}
}
