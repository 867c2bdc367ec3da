package iam

import "strings"

// applies answers whether a statement is for the request's caller. One that
// names nobody is a policy of an identity, and for whoever has that.
func (e evaluation) applies(s Statement) Answer {
	switch {
	case s.Principal != nil:
		return e.named(s.Principal)
	case s.NotPrincipal == nil:
		return Yes
	case s.Effect == Allow: // AWS does not support it
		return CannotTell
	default:
		return not(e.excepted(s.NotPrincipal))
	}
}

// named answers whether the caller is one of the principals. An account stands
// for everybody in it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (r Request) named(p *Principal) Answer {
	a := No
	for kind, id := range p.All() {
		a = or(a, r.is(kind, id))
	}
	return a
}

func (r Request) is(kind, id string) Answer {
	switch kind {
	case "Service":
		return answer(r.Service != "" && r.Service == id)
	case "Federated":
		return answer(r.Federated != "" && r.Federated == id)
	case "CanonicalUser": // an account, by an id that does not say which
		return and(CannotTell, answer(r.Principal != ""))
	case "AWS":
		if id == "*" {
			return Yes
		}
		if r.Principal == "" {
			return No
		}
		return or(r.isAccount(id), r.isCaller(id))
	default:
		return CannotTell
	}
}

// isAccount answers whether a principal is the caller's account.
func (r Request) isAccount(id string) Answer {
	account := AccountIn(r.Principal)
	a, err := ParseARN(id)
	root := err == nil && a.Service == "iam" && a.Resource == "root" && a.Account == account
	return answer(account != "" && (id == account || root))
}

// isCaller answers whether a principal is the caller: the role or user, or the
// role's session.
func (r Request) isCaller(id string) Answer {
	if id == r.Principal || r.Session != "" && id == r.Session {
		return Yes
	}
	a, err := ParseARN(id)
	if err != nil { // the id that AWS gives to a role or user whose name is gone
		return and(CannotTell, answer(!IsAccount(id)))
	}
	if strings.ContainsAny(id, "*?") { // AWS refuses these
		return and(CannotTell, answer(Match(id, r.Principal)))
	}
	caller, err := ParseARN(r.Principal)
	if err != nil || r.Session != "" || a.Account != caller.Account {
		return No
	}
	role, _ := a.AssumedRole()
	return and(CannotTell, answer(role != "" && role == caller.Role()))
}

// excepted answers whether NotPrincipal leaves the caller out. Depending on the
// service, AWS may check the account before the caller. So a caller who is named
// without the account, or by the account alone, may be left out or not.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (r Request) excepted(p *Principal) Answer {
	if r.Service != "" || r.Principal == "" || p.Has("AWS", "*") {
		return r.named(p)
	}
	account, caller := No, No
	for kind, id := range p.All() {
		if kind == "AWS" {
			account, caller = or(account, r.isAccount(id)), or(caller, r.isCaller(id))
		} else {
			caller = or(caller, r.is(kind, id))
		}
	}
	if a, err := ParseARN(r.Principal); err == nil && a.Resource == "root" {
		return or(account, caller)
	}
	if account == caller {
		return account
	}
	return CannotTell
}
