package awstype

import (
	"slices"
	"strings"
	"sync"
)

// Way is one way of sharing: something in an account that lets others in, hands
// something to them, joins their networks or sends data to them. The table of
// ways is total: a test holds that each type of which a rule of package policies
// says that it shares is in one of them.
type Way struct {
	// ID names the way, "ram-share", and Title says it to people.
	ID, Title string
	// Source is the AWS page that the row was written from.
	Source string
	// Rules are the rules of package policies that it breaks.
	Rules []string
	// Types are the Pulumi types as which an account's listing shows it, Also
	// other types by which a program makes the same: a listing shows those as
	// one of Types. One that ends in "*" is every type that begins so.
	Types, Also []string
	// List names the function of internal/cloud/aws that lists it: one of the
	// inventory (Lists), or of those that an audit alone asks.
	List string
	// Calls are the IAM actions by which it is listed. Where List is one of the
	// inventory's they are in the rows of Types, and here is what goes beyond.
	Calls []string
	// Ends are where it says who is at the other end.
	Ends []End
	// Region is the one region in which the service answers about it, where that
	// is not the org's: its calls pass the service control policy there.
	Region string
	// Control is how AWS Cloud Control lists it, where that is what does: List is
	// then the name of the type in CloudFormation.
	Control *Control
	// ShownBy is the type of another way whose listing shows all that of this one
	// leads elsewhere, and Because says how; List is empty then.
	ShownBy, Because string
	// Unlisted says why no listing of an account can show it; List is empty then.
	Unlisted string
}

// End is one place in which a way names the other end.
type End struct {
	// Path is the property, through all elements of lists on the way.
	Path string
	Is   Is
	// Kind is what the path from one to the other is called in reports.
	Kind string
	// Unless are properties that name for whom a service at Path may act: where
	// one of them is the account's own, nobody else comes by the service.
	Unless []string
	// From is where Cloud Control has the property: "/" goes into what the Pulumi
	// type has no level for, "S3Settings/ExpectedBucketOwner".
	From string
	// Rule is the rule that it breaks, where that is another than the way's.
	Rule string
	// Closed are the values of a switch that keep everybody else out.
	Closed []string
}

// Is says what stands at an end, and so how it is read.
type Is string

// What stands at an end.
const (
	// IsPolicy is a resource policy, IsTrust a role's trust policy, in which
	// services are at home, and IsPermissions what an identity may do.
	IsPolicy      Is = "policy"
	IsTrust       Is = "trust"
	IsPermissions Is = "permissions"
	// IsPrincipal is an account, the ARN of a principal, a service, "*" or "all".
	IsPrincipal Is = "principal"
	// IsAccount is a text that may name an account: its number, an ARN, a host.
	IsAccount Is = "account"
	// IsBucket is a bucket by its name or ARN, whose owner neither says.
	IsBucket Is = "bucket"
	// IsThing is the id of a thing that should be in the account itself.
	IsThing Is = "thing"
	// IsService is the name of a VPC endpoint's service.
	IsService Is = "service"
	// IsIssuer is the issuer whose tokens a cluster believes.
	IsIssuer Is = "issuer"
	// IsOutside is somebody outside, whoever it is.
	IsOutside Is = "outside"
	// IsSwitch lets others in unless it is one of End.Closed.
	IsSwitch Is = "switch"
)

// Ways returns every way, by group.
func Ways() []Way { return slices.Clone(ways()) }

var ways = sync.OnceValue(func() []Way {
	return slices.Concat(identityWays, keyWays, networkWays, nameWays, bucketWays, imageWays, messageWays, functionWays, storeWays, copyWays, memberWays, namedWays, controlWays, partWays, stateWays)
})

// WayOf returns the way that a listed thing of a type is; ok is false if it is none.
func WayOf(token string) (w Way, ok bool) {
	w, ok = waysByType()[token]
	return w, ok
}

var waysByType = sync.OnceValue(func() map[string]Way {
	all := map[string]Way{}
	for _, w := range ways() {
		for _, t := range w.Types {
			all[t] = w
		}
	}
	return all
})

// Has reports whether a way is of a type: as a listing shows it, or as a program makes it.
func (w Way) Has(token string) bool {
	return slices.ContainsFunc(slices.Concat(w.Types, w.Also), func(t string) bool {
		begin, family := strings.CutSuffix(t, "*")
		return t == token || family && strings.HasPrefix(token, begin)
	})
}

// SharingLists returns the lists that an audit reads beside an inventory's, each once, in the order of the ways.
func SharingLists() []string {
	var names []string
	for _, w := range ways() {
		if w.List != "" && !slices.Contains(lists(), w.List) && !slices.Contains(names, w.List) {
			names = append(names, w.List)
		}
	}
	return names
}

// SharingCalls returns the IAM actions of the lists of SharingLists, each once,
// and those that an inventory's lists need for an audit only.
func SharingCalls() []string {
	var calls []string
	for _, w := range ways() {
		calls = append(calls, w.Calls...)
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}

// Kinds of paths from one org to another.
const (
	kindTrust       = "trust"
	kindPolicy      = "policy"
	kindGrant       = "grant"
	kindPeering     = "peering"
	kindRoute       = "route"
	kindAssociation = "association"
	kindReference   = "reference"
)

// policyAt is the end of a resource policy.
func policyAt(path string) []End { return []End{{Path: path, Is: IsPolicy, Kind: kindPolicy}} }

// resourcePolicy is the way of a policy that a resource has of its own.
func resourcePolicy(id, title, token, path, list, source string, calls ...string) Way {
	return resourcePolicies(id, title, []string{token}, path, list, source, calls...)
}

// resourcePolicies is the way of the policies of several types that one list shows.
func resourcePolicies(id, title string, tokens []string, path, list, source string, calls ...string) Way {
	return Way{ID: id, Title: title, Source: source, Rules: []string{"FH305"}, Types: tokens, List: list, Calls: calls, Ends: policyAt(path)}
}

// and adds other types by which a program makes the same.
func (w Way) and(also ...string) Way {
	w.Also = append(slices.Clone(w.Also), also...)
	return w
}
