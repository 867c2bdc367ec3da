package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"freehold.dev/freehold/internal/iam"

	"freehold.dev/freehold/internal/sandbox/store"
)

// caller is who a call is made as, and where.
type caller struct {
	account string
	region  string // empty: none configured
	arn     string // as sts:GetCallerIdentity answers it
	role    string // the role that was assumed; empty: none was
}

// root is the caller that an operator of the sandbox is: each account's owner.
func root(account, region string) caller {
	return caller{account: account, region: region, arn: "arn:aws:iam::" + account + ":root"}
}

// provisioner is who the process is before it assumes anything.
func provisioner(region string) caller {
	return caller{account: ManagementAccount, region: region, arn: Provisioner}
}

// assumption is what a provider's assumeRole says.
type assumption struct {
	roleARN, externalID, session string
}

// assume answers sts:AssumeRole: the account must be there and open, the role
// must be in it and its trust policy must allow the caller.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (b *Backend) assume(ctx context.Context, who caller, a assumption, warn func(string)) (caller, error) {
	refused := errf("AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.arn, a.roleARN)
	role, err := iam.ParseARN(a.roleARN)
	if err != nil || role.Role() == "" || !iam.IsAccount(role.Account) {
		return caller{}, errf("ValidationError", "%s is invalid", a.roleARN)
	}
	session := first(a.session, "pulumi")
	target := caller{account: role.Account, region: who.region, role: a.roleARN,
		arn: fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", role.Account, role.Role(), session)}
	r := &request{caller: target, service: "sts", action: "AssumeRole", takes: ordinary[Reading], id: a.roleARN, warn: warn, reads: true}
	if err := b.do(ctx, r, nil); err != nil {
		return caller{}, err
	}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		acct, err := accountOf(tx, target.account)
		if errors.Is(err, errNoAccount) || err == nil && acct.status != active {
			return refused
		}
		if err != nil {
			return err
		}
		roles, err := tx.List(store.Filter{Account: target.account, Type: roleToken, ARN: a.roleARN})
		if err != nil {
			return err
		}
		if len(roles) == 0 {
			return refused
		}
		doc, err := document(roles[0].Outputs["assumeRolePolicy"])
		if err != nil {
			return err
		}
		if doc.Evaluate(b.asksToAssume(who, a, session)) != iam.Allowed {
			return refused
		}
		return nil
	})
	return target, err
}

// asksToAssume is the request that a role's trust policy answers. The sandbox
// does not know every key (from which network, with which tags). A denial by one
// that it does not know holds, and an allowance by one does not.
func (b *Backend) asksToAssume(who caller, a assumption, session string) iam.Request {
	now := b.Env.Now().UTC()
	r := iam.Request{
		Action: "sts:AssumeRole", Principal: who.arn,
		Context: map[string]string{
			"aws:CurrentTime": now.Format(time.RFC3339), "aws:EpochTime": strconv.FormatInt(now.Unix(), 10), "aws:SecureTransport": "true",
			"sts:RoleSessionName": session,
		},
		Lists: map[string]iam.Values{ // absent: no AWS service calls here
			"aws:SourceAccount": nil, "aws:SourceArn": nil, "aws:SourceOrgID": nil, "aws:SourceOrgPaths": nil,
			"aws:PrincipalServiceName": nil, "aws:PrincipalServiceNamesList": nil,
		},
		Unknown: []string{"*"},
	}
	if who.role != "" {
		r.Principal, r.Session = who.role, who.arn
	}
	if a.externalID == "" {
		r.Lists["sts:ExternalId"] = nil
	} else {
		r.Context["sts:ExternalId"] = a.externalID
	}
	if who.region != "" {
		r.Context["aws:RequestedRegion"] = who.region
	}
	if who.account == ManagementAccount {
		r.Context["aws:PrincipalOrgID"] = OrganizationID
	}
	return r
}

// seed makes what a cloud has before anybody asks for it.
func seed(tx *store.Tx, now time.Time) error {
	if done, err := tx.Setting("seeded"); err != nil || done != "" {
		return err
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	in := map[string]any{"name": "freehold-provisioner", "path": "/", "assumeRolePolicy": trust, "maxSessionDuration": 3600.0}
	out := cloneMap(in)
	out["arn"], out["uniqueId"], out["tagsAll"] = Provisioner, "AROA"+generate("upper:17", Provisioner), map[string]any{}
	if err := tx.Put(store.Row{Account: ManagementAccount, Type: roleToken, ID: "freehold-provisioner", ARN: Provisioner,
		Inputs: in, Outputs: out, Created: now}, ManagementAccount+"/role/freehold-provisioner"); err != nil {
		return err
	}
	return tx.Set("seeded", now.UTC().Format(time.RFC3339))
}

// Account is the account that the caller acts in.
func (c caller) Account() string { return c.account }
