package awsprovider

import (
	"errors"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/sandbox/store"
)

// verify refuses in the transaction what AWS would: references to nothing,
// malformed documents, and what the type's own check says. Values that an
// update leaves alone are not looked at again: neither does AWS.
func (c *Call) verify() error {
	for _, r := range c.Type.Refs {
		for _, found := range walk(c.In, r.Path) {
			value := text(found.value)
			if value == "" || r.If != nil && !r.If(value) || r.Known != nil && r.Known(value) || c.had(r.Path, value) {
				continue
			}
			ok, err := c.refers(r, value)
			if err != nil {
				return err
			}
			if !ok {
				return parseError(c.Expand(strings.ReplaceAll(r.Error, "{value}", value)))
			}
		}
	}
	for path, g := range c.Type.Policies {
		if g.choose != nil {
			g = g.choose(c)
		}
		for _, found := range walk(c.In, path) {
			if old := walk(c.OldIn, path); len(old) == 1 && equal(old[0].value, found.value) {
				continue
			}
			if err := g.check(found.value, c.principal); err != nil {
				return err
			}
		}
	}
	if c.Type.Check != nil {
		return c.Type.Check(c)
	}
	return nil
}

// had reports whether the value was at the path before the update.
func (c *Call) had(path, value string) bool {
	for _, a := range walk(c.OldIn, path) {
		if text(a.value) == value {
			return true
		}
	}
	return false
}

func (c *Call) refers(r Ref, value string) (bool, error) {
	by := r.By
	if by == nil {
		by = []string{"id", "arn"}
	}
	for _, token := range r.To {
		for _, b := range by {
			rows, err := c.search(token, b, value, r.AnyAccount)
			if err != nil || len(rows) > 0 {
				return err == nil, err
			}
		}
	}
	return false, nil
}

// principal reports whether a principal of a policy exists: AWS turns the ARNs of
// IAM principals into their unique ids when it stores a document, and refuses
// those that it cannot.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (c *Call) principal(p string) (bool, error) {
	if p == "*" {
		return true, nil
	}
	account := p
	if !iam.IsAccount(p) {
		arn, err := iam.ParseARN(p)
		if err != nil || arn.Service != "iam" && arn.Service != "sts" {
			return false, nil
		}
		account = arn.Account
		if arn.Role() != "" {
			rows, err := c.Tx.List(store.Filter{Account: account, Type: roleToken, ARN: p})
			return len(rows) > 0, err
		}
		if arn.Service == "iam" && arn.Resource != "root" {
			return false, nil // users and groups do not exist here
		}
	}
	a, err := accountOf(c.Tx, account)
	if errors.Is(err, errNoAccount) {
		return false, nil
	}
	return err == nil && a.status != suspended, err
}

// quota refuses one more than the service quota allows.
func (c *Call) quota() error {
	if c.Type.Quota == nil {
		return nil
	}
	limit, used, err := c.usage()
	if err == nil && used >= limit {
		return parseError(c.Expand(strings.ReplaceAll(c.Type.Quota.Error, "{limit}", strconv.Itoa(limit))))
	}
	return err
}

// usage is the quota of the call's type, and how much of it is used: with what
// is gone but kept, as a closed account counts, and a key until its end.
func (c *Call) usage() (limit, used int, err error) {
	q := c.Type.Quota
	limit = q.Limit
	set, err := c.Tx.Setting("quota/" + q.Name)
	if err != nil {
		return 0, 0, err
	}
	if set != "" {
		if limit, err = strconv.Atoi(set); err != nil {
			return 0, 0, err
		}
	}
	rows, err := c.Tx.List(store.Filter{Account: c.Account, Region: c.Region, Type: c.Type.Token})
	if err != nil {
		return 0, 0, err
	}
	for _, r := range rows {
		if q.Counts != nil && q.Counts(r) || q.Counts == nil && !r.ByCloud {
			used++
		}
	}
	return limit, used, nil
}

// blocked refuses a deletion that something stands in the way of, and removes
// what a forced one takes along.
func (c *Call) blocked() error {
	for _, b := range c.Type.Blocks {
		rows, err := c.linked(b.Link)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if b.Unless == "" || !c.Bool(b.Unless) {
				return parseError(c.Expand(strings.ReplaceAll(b.Error, "{other}", r.ID)))
			}
			if err := c.Drop(r); err != nil {
				return err
			}
		}
	}
	if c.Type.Refuse != nil {
		return c.Type.Refuse(c)
	}
	return nil
}

// claim writes the row and its identities; a taken one is AWS's error.
func (c *Call) claim(r store.Row) error {
	err := c.Tx.Put(r, c.keys()...)
	taken, is := errors.AsType[*store.DuplicateError](err)
	if !is {
		return err
	}
	for _, u := range c.Type.Unique {
		if c.key(u) == taken.Key {
			return parseError(c.Expand(u.Error))
		}
	}
	return errf("ResourceAlreadyExists", "%s", taken.Key)
}
