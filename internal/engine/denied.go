package engine

import (
	"fmt"
	"regexp"
	"strings"
)

// denial is what AWS says of an action that it did not allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
type denial struct {
	// Who was denied Action on Resource; each may be empty.
	Who, Action, Resource string
	// Explicit is a statement that denies; else none allows. Policy is the kind
	// of policy that decided, and ARN names it: both may be empty.
	Explicit    bool
	Policy, ARN string
	// Encoded is true where AWS has said why, and encoded it.
	Encoded bool
}

var (
	deniedSentence = regexp.MustCompile(`User: (\S+) is not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9*]+)(?: on resource: "?([^\s",;]+))?([^\n;]*)`)
	deniedToken    = regexp.MustCompile(`[Nn]ot authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9*]+)`)
	deniedCall     = regexp.MustCompile(`operation error ([A-Za-z0-9 ]+): ([A-Za-z0-9]+),[^\n;]*(?:AccessDenied|UnauthorizedOperation|Forbidden|AuthorizationError)`)
	deniedExplicit = regexp.MustCompile(`with an explicit deny in an? ([A-Za-z -]+?(?:policy|boundary))(?:: (arn:[^\s;,]+))?`)
	deniedNone     = regexp.MustCompile(`because no ([A-Za-z -]+?(?:policy|boundary)) allows`)
	deniedEncoded  = regexp.MustCompile(`[Ee]ncoded authorization failure message`)
)

// readDenial finds the first denial in the words of a provider.
func readDenial(text string) denial {
	d := denial{Encoded: deniedEncoded.MatchString(text)}
	why := text
	if m := deniedSentence.FindStringSubmatch(text); m != nil {
		d.Who, d.Action, d.Resource, why = m[1], m[2], strings.TrimRight(m[3], "."), m[4]
	} else if m := deniedToken.FindStringSubmatch(text); m != nil {
		d.Action = m[1]
	} else if m := deniedCall.FindStringSubmatch(text); m != nil {
		// The call's name is in most services the action's, and searchable in all.
		d.Action = strings.ToLower(strings.ReplaceAll(m[1], " ", "")) + ":" + m[2]
	}
	if m := deniedExplicit.FindStringSubmatch(why); m != nil {
		d.Explicit, d.Policy, d.ARN = true, m[1], strings.TrimRight(m[2], ".")
	} else if m := deniedNone.FindStringSubmatch(why); m != nil {
		d.Policy = m[1]
	}
	return d
}

// next says what to change, and where. To sign in again does not help.
func (d denial) next() string {
	action, who := or(d.Action, "the action"), or(d.Who, "the caller")
	on := ""
	if d.Resource != "" {
		on = " on " + d.Resource
	}
	var do string
	switch policy := d.Policy; {
	case d.Explicit:
		what := fmt.Sprintf("%s %s denies %s%s to %s", article(policy), policy, action, on, who)
		if d.ARN != "" {
			what = fmt.Sprintf("the %s %s denies %s%s to %s", policy, d.ARN, action, on, who)
		}
		do = what + ": " + fixDeny(policy)
	case d.Action == "sts:AssumeRoleWithWebIdentity":
		do = fmt.Sprintf("let the token's bearer assume %s: the role's trust policy must name the token's issuer, audience and subject",
			or(d.Resource, "the role"))
	case strings.HasPrefix(policy, "identity"), policy == "" && d.Action != "sts:AssumeRole":
		do = fmt.Sprintf("allow %s%s to %s in a policy of its own", action, on, who)
	case policy == "", policy == "resource-based policy" && d.Action == "sts:AssumeRole":
		do = fmt.Sprintf("let %s assume %s: its own policy must allow sts:AssumeRole, and the role's trust policy must name it, "+
			"with the external id if it asks for one", who, or(d.Resource, "the role"))
	case policy == "resource-based policy":
		do = fmt.Sprintf("allow %s to %s in the policy of %s", action, who, or(d.Resource, "the resource"))
	default:
		do = fmt.Sprintf("no %s allows %s%s to %s: %s", policy, action, on, who, fixMissing(policy))
	}
	if d.Encoded {
		do += "; aws sts decode-authorization-message decodes the message and names the statement"
	}
	return do + "; then run the same command again"
}

// fixDeny says where a statement that denies is changed.
func fixDeny(policy string) string {
	switch policy {
	case "service control policy", "resource control policy":
		return "if that is not intended, change or detach it in AWS Organizations, from the management account"
	case "permissions boundary":
		return "if that is not intended, change the boundary"
	case "session policy":
		return "open the session without it"
	default:
		return "if that is not intended, change that statement"
	}
}

// fixMissing says where a permission is added, of the policies that only limit.
func fixMissing(policy string) string {
	switch policy {
	case "service control policy", "resource control policy":
		return "allow it in AWS Organizations, from the management account"
	case "session policy":
		return "open the session without it"
	default:
		return "allow it there, too"
	}
}

func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
