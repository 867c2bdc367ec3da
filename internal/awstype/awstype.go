// Package awstype has one row for each type of AWS resource that Freehold makes,
// or finds in an account: its token, how it is found again, listed and removed,
// which IAM actions that takes, and what drift ignores of it.
//
// The functions that call AWS are in internal/cloud/aws, under the names that
// the rows give; tests hold that each name has a function, and each function a
// name. Tests also derive from the rows what the roles of the phases may do.
package awstype

import (
	"slices"
	"strings"
	"sync"

	"freehold.dev/freehold/internal/unknown"
)

// Row is what Freehold knows of one type.
type Row struct {
	// Token is the Pulumi type, "aws:iam/role:Role".
	Token string
	// Service is the service's prefix in IAM actions, "iam".
	Service string
	// Source is the AWS page that the row was written from.
	Source string

	// By are the inputs that identify what a creation made: all must be known
	// before anything can be looked for. "oidc.name" is a nested input,
	// "subnetId|gatewayId" one of two, and Tags, at the end of such a choice or
	// alone, the tags of the identity.
	By []string
	// With are further inputs by which Find tells it from others. Each may be
	// absent, and then has the value that AWS gives it; what it is must be known.
	With []string
	// Find, List and Remove name the functions of internal/cloud/aws. An empty
	// Find: no stack makes the type, or creating it again overwrites what is
	// there. An empty List: no inventory shows it, see Unlisted. An empty
	// Remove: what it is a part of takes it along, or Freehold never removes it.
	Find, List, Remove string
	// Unlisted says why no inventory shows the type.
	Unlisted string
	// Kinds are the type's service and kinds in ARNs, "dynamodb/table", by which
	// the Tagging API shows it. ByName is true if the id of what that alone
	// lists is the last part of the ARN, and not the whole. "*" is every kind.
	Kinds  []string
	ByName bool

	// PartOf is the type that takes this one along when it goes.
	PartOf string
	// Uses are the types that AWS does not remove while this one uses them.
	Uses []string

	// Make are the actions that make and change it, Read those that the
	// provider and Find read it by, Delete those that remove it, and Look
	// those that an inventory lists it by. What services do in the name of the
	// caller is included.
	Make, Read, Delete, Look []string

	// Ignore are properties that drift leaves out unless a program sets them.
	Ignore []Property
	// Scaled is a property that somebody else sets between two others, and which
	// is no drift as long as it is there: see Between.
	Scaled Between
	// Slot are the inputs that name a place with room for one: two with equal
	// values cannot be side by side. The syntax is that of By.
	Slot []string
	// Overwrites is true if a creation overwrites what is there, and does not
	// fail: what fills the slot is never in the way.
	Overwrites bool
	// ReadBy is the output by which the provider reads it beside its id.
	ReadBy string

	// Quota is the service quota that counts it, "vpc/L-F678F1CE", of those that
	// a data plane runs into first.
	Quota string
	// ByWorkload is true if a controller in a cluster may make it, for what
	// runs there.
	ByWorkload bool
	// Foreign says why the row is there though no stack makes the type.
	Foreign string
}

// Between is a number that may be anything from one property to another.
type Between struct{ Path, Least, Most string }

// Property is a property and why drift ignores it.
type Property struct{ Name, Why string }

// Tags stands for the tags of the identity.
const Tags = "tags"

// Tagged is the List of what the Tagging API alone lists.
const Tagged = "tagged"

// perAccount is the slot of a setting that an account has once.
const perAccount = "(account)"

// IdentityTags tell apart what has no name: of two things in one layer, the
// names in the tags differ.
var IdentityTags = []string{"Name", OrgTag, "freehold.dev/layer"}

// OrgTag is the tag that says which org a resource belongs to.
const OrgTag = "freehold.dev/org"

var rows = sync.OnceValue(func() []Row {
	return slices.Concat(
		otherRows, eksRows, balancingRows, computeRows, networkRows, connectionRows,
		registryRows, auditRows, bucketRows, settingRows, keyRows, iamRows, organizationRows,
	)
})

var byToken = sync.OnceValue(func() map[string]Row {
	all := map[string]Row{}
	for _, r := range rows() {
		all[r.Token] = r
	}
	return all
})

var byKind = sync.OnceValue(func() map[string]Row {
	all := map[string]Row{}
	for _, r := range rows() {
		for _, kind := range r.Kinds {
			all[kind] = r
		}
	}
	return all
})

// All returns every row, by service.
func All() []Row { return slices.Clone(rows()) }

// Of returns a type's row; ok is false if it has none.
func Of(token string) (r Row, ok bool) {
	r, ok = byToken()[token]
	return r, ok
}

// OfARN returns the row of what an ARN of a service names: "cluster/acme" of
// "eks". ok is false if there is none.
func OfARN(service, resource string) (r Row, ok bool) {
	kind, rest := "", resource // a topic and a queue are a name and nothing else
	if i := strings.IndexAny(resource, "/:"); i >= 0 {
		kind, rest = resource[:i], resource[i+1:]
	}
	sub, _, _ := strings.Cut(rest, "/")
	for _, k := range []string{kind + "/" + sub, kind, "*"} {
		if r, ok = byKind()[service+"/"+k]; ok {
			return r, true
		}
	}
	return Row{}, false
}

// Identified reports whether inputs say all that identifies a resource. What is
// not known yet, also in part, says nothing, and neither does a secret that is
// not shown. Of a choice, the first that is given counts: where that is not
// known, another one could lead to something else.
func (r Row) Identified(inputs map[string]any) bool {
	for _, paths := range r.By {
		names, byTags := strings.CutSuffix("|"+paths, "|"+Tags)
		names = strings.TrimPrefix(names, "|")
		if value(inputs, names) == "" && !(byTags && first(inputs, names) == nil && tagsOf(inputs) != nil) {
			return false
		}
	}
	return !slices.ContainsFunc(r.With, func(path string) bool { return unknown.Hidden(at(inputs, path)) })
}

// Identity returns of inputs what identifies the resource, and nothing else.
func (r Row) Identity(inputs map[string]any) map[string]any {
	out := map[string]any{}
	for _, paths := range slices.Concat(r.By, r.With) {
		for path := range strings.SplitSeq(paths, "|") {
			if tags := tagsOf(inputs); path == Tags && tags != nil {
				out[Tags] = tags
			} else if v := at(inputs, path); path != Tags && v != nil && !unknown.Hidden(v) {
				put(out, path, v)
			}
		}
	}
	return out
}

// tagsOf are the tags of the identity; nil unless all are given.
func tagsOf(inputs map[string]any) map[string]any {
	given, _ := inputs[Tags].(map[string]any)
	tags := map[string]any{}
	for _, key := range IdentityTags {
		s := text(given, key)
		if s == "" {
			return nil
		}
		tags[key] = s
	}
	return tags
}

// at returns what a path leads to; nil for nothing. What is in something that is
// not known is not known either.
func at(inputs map[string]any, path string) any {
	key, rest, nested := strings.Cut(path, ".")
	if !nested {
		return inputs[key]
	}
	switch in := inputs[key].(type) {
	case map[string]any:
		return at(in, rest)
	case nil:
		return nil
	default:
		return unknown.Value{}
	}
}

// put is the reverse of at.
func put(in map[string]any, path string, v any) {
	key, rest, nested := strings.Cut(path, ".")
	if !nested {
		in[key] = v
		return
	}
	inner, is := in[key].(map[string]any)
	if !is {
		inner = map[string]any{}
		in[key] = inner
	}
	put(inner, rest, v)
}

// HasSlot reports whether there is room for one only of a type, in some place,
// and a second creation there fails.
func HasSlot(token string) bool {
	r := byToken()[token]
	return len(r.Slot) > 0 && !r.Overwrites
}

// Slot returns the place with room for one that a resource with these inputs
// fills: where one of the same slot is in the account and region already, the
// creation of another fails. ok is false if the type has no such place, or the
// inputs do not say which.
func Slot(token string, inputs map[string]any) (slot string, ok bool) {
	if !HasSlot(token) {
		return "", false
	}
	slot = token
	for _, path := range byToken()[token].Slot {
		v := value(inputs, path)
		if v == "" {
			return "", false
		}
		slot += " " + v
	}
	return slot, true
}

// ReadBy returns the outputs by which the provider reads a resource of some
// types beside its id: of those that Terraform's provider has written with its
// newer framework, the ones that it reads by an attribute that is no input.
func ReadBy(token, id string) map[string]any {
	if by := byToken()[token].ReadBy; by != "" {
		return map[string]any{by: id}
	}
	return nil
}

// Ignored returns the properties that drift leaves out unless a program sets them.
func Ignored(token string) []string {
	var names []string
	for _, p := range byToken()[token].Ignore {
		names = append(names, p.Name)
	}
	return names
}

// Scaled returns the property that somebody else sets between two others; ok is
// false if the type has none.
func Scaled(token string) (b Between, ok bool) {
	b = byToken()[token].Scaled
	return b, b.Path != ""
}

// value returns the first of the paths that is given; "" for nothing, and for
// what is not known yet, for a secret that is not shown, and for what is no text.
func value(inputs map[string]any, paths string) string {
	if s, is := first(inputs, paths).(string); is && unknown.Known(s) {
		// A log group's ARN is written with and without its streams.
		return strings.TrimSuffix(s, ":*")
	}
	return ""
}

// first returns what the first path that leads to something leads to.
func first(inputs map[string]any, paths string) any {
	for path := range strings.SplitSeq(paths, "|") {
		if v := at(inputs, path); v != nil && v != "" {
			return v
		}
	}
	return nil
}

// text returns an input; "" for one that is absent, not known, or no text.
func text(in map[string]any, key string) string {
	if s, _ := in[key].(string); unknown.Known(s) {
		return s
	}
	return ""
}
