package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/sandbox/store"
)

// caller is who a call is made as, and where.
type caller struct {
	account string
	region  string // empty: none configured
	arn     string // as sts:GetCallerIdentity tells it
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
	parts := strings.SplitN(a.roleARN, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" || !strings.HasPrefix(parts[5], "role/") || !accountPattern.MatchString(parts[4]) {
		return caller{}, errf("ValidationError", "%s is invalid", a.roleARN)
	}
	session := first(a.session, "pulumi")
	target := caller{account: parts[4], region: who.region,
		arn: fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", parts[4], parts[5][strings.LastIndex(parts[5], "/")+1:], session)}
	r := &request{caller: target, service: "sts", action: "AssumeRole", takes: ordinary[Reading], id: a.roleARN, warn: warn, reads: true}
	if err := b.do(ctx, r, nil); err != nil {
		return caller{}, err
	}
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
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
		doc, _, err := document(roles[0].Outputs["assumeRolePolicy"])
		if err != nil {
			return err
		}
		if !trusts(doc, who, a, session) {
			return refused
		}
		return nil
	})
	return target, err
}

// trusts evaluates a trust policy for one caller: an explicit deny wins, and
// what we cannot evaluate allows nothing.
func trusts(doc map[string]any, who caller, a assumption, session string) bool {
	facts := map[string]string{
		"aws:principalarn": who.arn, "aws:principalaccount": who.account, "sts:rolesessionname": session,
	}
	if a.externalID != "" {
		facts["sts:externalid"] = a.externalID
	}
	if who.account == ManagementAccount {
		facts["aws:principalorgid"] = OrganizationID
	}
	allowed := false
	for _, s := range statements(doc) {
		if !slices.ContainsFunc(list(s["Action"]), func(v any) bool { return like(text(v), "sts:AssumeRole") }) || !isFor(s, who) || !holds(s["Condition"], facts) {
			continue
		}
		if s["Effect"] == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

// isFor tells whether a statement's principal is the caller, or its account.
func isFor(s statement, who caller) bool {
	return slices.ContainsFunc(principals(s, "AWS"), func(p string) bool {
		return p == "*" || p == who.arn || p == who.account || p == "arn:aws:iam::"+who.account+":root"
	})
}

// holds evaluates a statement's conditions; an operator or a key that we do not
// know does not hold.
func holds(v any, facts map[string]string) bool {
	operators, _ := v.(map[string]any)
	for op, keys := range operators {
		m, _ := keys.(map[string]any)
		for k, want := range m {
			fact, known := facts[strings.ToLower(k)]
			base, optional := strings.CutSuffix(op, "IfExists")
			if op == "Null" {
				if known == (text(list(want)[0]) == "true") {
					return false
				}
				continue
			}
			if !known && optional {
				continue
			}
			base, negated := strings.CutPrefix(strings.ReplaceAll(base, "Not", "!"), "String!")
			if !negated {
				base, negated = strings.CutPrefix(base, "Arn!")
			}
			exact := strings.HasSuffix(base, "Equals") && !strings.HasPrefix(base, "Arn")
			if !known && !negated || !strings.HasSuffix(base, "Equals") && !strings.HasSuffix(base, "Like") && !strings.HasSuffix(base, "EqualsIgnoreCase") {
				return false
			}
			matched := known && slices.ContainsFunc(list(want), func(w any) bool {
				if exact {
					return text(w) == fact
				}
				return like(text(w), fact)
			})
			if matched == negated {
				return false
			}
		}
	}
	return true
}

// like matches AWS's wildcards.
func like(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]) && pattern[p] != '*':
			p, i = p+1, i+1
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
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
