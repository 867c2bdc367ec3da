package awsprovider

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"freehold.dev/freehold/internal/iam"
)

// Grammar is what AWS demands of one kind of policy document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type Grammar struct {
	name  string
	limit int // characters
	// spaces is true if white space counts: IAM does not count it, Organizations does.
	spaces    bool
	principal presence
	resource  presence
	effects   []iam.Effect
	// malformed and tooLong are the codes of a refusal.
	malformed, tooLong string
	// vendor is what every action begins with, "sts:"; empty: anything.
	vendor string
	// everyone is true if the principal can only be "*".
	everyone bool
	// named is true if NotPrincipal is not supported.
	named bool
	// free is true for documents of another grammar: only JSON and size count.
	free bool
	// choose picks the grammar by the resource, where its type does not tell.
	choose func(c *Call) Grammar
	// exists is true if principals in the document must be there.
	exists bool
}

type presence int

const (
	mayBe presence = iota
	mustBe
	mustNotBe
)

var both = []iam.Effect{iam.Allow, iam.Deny}

// The kinds of documents, with the limits of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html and
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html.
var (
	identityPolicy = Grammar{name: "identity policy", limit: 6144, principal: mustNotBe, resource: mustBe, effects: both,
		malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded"}
	inlinePolicy = Grammar{name: "inline policy", limit: 10240, principal: mustNotBe, resource: mustBe, effects: both,
		malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded"}
	trustPolicy = Grammar{name: "trust policy", limit: 2048, principal: mustBe, resource: mustNotBe, effects: both,
		malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded", exists: true, vendor: "sts:", named: true}
	servicePolicy = Grammar{name: "service control policy", limit: 10240, spaces: true, principal: mustNotBe, resource: mayBe, effects: both,
		malformed: "MalformedPolicyDocumentException", tooLong: "ConstraintViolationException"}
	resourceControlPolicy = Grammar{name: "resource control policy", limit: 5120, spaces: true, principal: mustBe, resource: mustBe, effects: []iam.Effect{iam.Deny}, everyone: true, named: true,
		malformed: "MalformedPolicyDocumentException", tooLong: "ConstraintViolationException"}
	bucketPolicy = Grammar{name: "bucket policy", limit: 20480, spaces: true, principal: mustBe, resource: mustBe, effects: both,
		malformed: "MalformedPolicy", tooLong: "PolicyTooLarge", exists: true}
	keyPolicy = Grammar{name: "key policy", limit: 32768, spaces: true, principal: mustBe, resource: mustBe, effects: both,
		malformed: "MalformedPolicyDocumentException", tooLong: "LimitExceededException", exists: true}
	repositoryPolicy = Grammar{name: "repository policy", limit: 10240, spaces: true, principal: mustBe, resource: mustNotBe, effects: both,
		malformed: "InvalidParameterException", tooLong: "LimitExceededException", exists: true}
)

var (
	actionPattern    = regexp.MustCompile(`^([a-zA-Z0-9-]+:[a-zA-Z0-9*?]+|\*)$`)
	sidPattern       = regexp.MustCompile(`^[a-zA-Z0-9]*$`)
	resourcePattern  = regexp.MustCompile(`^(\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+)$`)
	accountPattern   = regexp.MustCompile(`^\d{12}$`)
	servicePrincipal = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$`)
)

// document reads a policy: a text, or the object that the SDK also takes.
func document(v any) (iam.Document, error) {
	if s, ok := v.(string); ok {
		return iam.Parse(s)
	}
	return iam.Decode(v)
}

// written is the JSON object of a document and its text. The document may be of
// another language than IAM's.
func written(v any) (object map[string]any, text string, err error) {
	if m, ok := v.(map[string]any); ok {
		b, err := json.Marshal(m)
		return m, string(b), err
	}
	text, _ = v.(string)
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return nil, text, fmt.Errorf("not a JSON object: %w", err)
	}
	return object, text, nil
}

// list reads AWS's "one or many".
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// check returns AWS's refusal of a document, or nil. known says whether a
// principal's ARN exists; it is asked only where AWS asks.
func (g Grammar) check(v any, known func(principal string) (bool, error)) error {
	_, text, err := written(v)
	if err != nil {
		return errf(g.malformed, "%s", "This policy contains invalid Json: "+err.Error())
	}
	size := len(text)
	if !g.spaces {
		size = unspaced(text)
	}
	if size > g.limit {
		return errf(g.tooLong, "Cannot exceed quota for %s size: %d characters, the limit is %d", g.name, size, g.limit)
	}
	if g.free {
		return nil
	}
	doc, err := document(v)
	if err != nil {
		return errf(g.malformed, "%s", "Syntax errors in policy: "+err.Error())
	}
	if why := g.grammar(doc); why != "" {
		return errf(g.malformed, "%s", why)
	}
	if !g.exists {
		return nil
	}
	for _, s := range doc.Statement {
		for _, p := range []*iam.Principal{s.Principal, s.NotPrincipal} {
			if err := g.principalsExist(p, known); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g Grammar) principalsExist(p *iam.Principal, known func(principal string) (bool, error)) error {
	for kind, id := range p.All() {
		if kind != "AWS" {
			continue
		}
		ok, err := known(id)
		if err != nil {
			return err
		}
		if !ok {
			return errf(g.malformed, "Invalid principal in policy: \"AWS\":\"%s\"", id)
		}
	}
	return nil
}

func (g Grammar) grammar(doc iam.Document) string {
	if doc.Version == "" {
		return "The policy must contain a valid version string"
	}
	if len(doc.Statement) == 0 {
		return "Syntax errors in policy: no Statement"
	}
	sids := map[string]bool{}
	for i, s := range doc.Statement {
		if why := g.statement(s); why != "" {
			return fmt.Sprintf("%s (statement %d)", why, i)
		}
		if s.Sid != "" && sids[s.Sid] {
			return fmt.Sprintf("Statement IDs (SID) in a single policy must be unique: %s", s.Sid)
		}
		sids[s.Sid] = true
	}
	return ""
}

func (g Grammar) statement(s iam.Statement) string {
	if !slices.Contains(g.effects, s.Effect) {
		return fmt.Sprintf("Effect of a %s must be one of %q, got %q", g.name, g.effects, s.Effect)
	}
	// Resource policies allow more in a Sid than letters and digits.
	if g.principal == mustNotBe && !sidPattern.MatchString(s.Sid) {
		return "Statement IDs (SID) must be alpha-numeric: " + s.Sid
	}
	if g.everyone && s.Principal != nil && !s.Principal.Anyone {
		return "Principal of a " + g.name + " must be \"*\""
	}
	if g.everyone && (s.NotAction != nil || slices.Contains(s.Action, "*")) {
		return "Action of a " + g.name + " must name services, and NotAction is not supported"
	}
	for _, why := range []string{
		exactlyOne("Action", mustBe, s.Action != nil, s.NotAction != nil, len(s.Action)+len(s.NotAction) == 0),
		exactlyOne("Principal", g.principal, s.Principal != nil, s.NotPrincipal != nil, isEmpty(s.Principal) && isEmpty(s.NotPrincipal)),
		g.notPrincipal(s),
		exactlyOne("Resource", g.resource, s.Resource != nil, s.NotResource != nil, len(s.Resource)+len(s.NotResource) == 0),
	} {
		if why != "" {
			return why
		}
	}
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		if !actionPattern.MatchString(a) {
			return fmt.Sprintf("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: %q", a)
		}
		if !strings.HasPrefix(strings.ToLower(a), g.vendor) {
			return fmt.Sprintf("a %s may only specify actions of %q, got %q", g.name, g.vendor, a)
		}
	}
	for _, r := range slices.Concat(s.Resource, s.NotResource) {
		if !resourcePattern.MatchString(r) {
			return fmt.Sprintf("Resource %s must be in ARN format or \"*\".", r)
		}
	}
	return condition(s.Condition)
}

// notPrincipal holds where AWS supports NotPrincipal: beside Deny, in policies
// of resources that are not roles.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (g Grammar) notPrincipal(s iam.Statement) string {
	switch {
	case s.NotPrincipal == nil:
		return ""
	case g.named:
		return "Has prohibited field NotPrincipal"
	case s.Effect != iam.Deny:
		return "NotPrincipal is supported with Effect Deny only"
	default:
		return ""
	}
}

func isEmpty(p *iam.Principal) bool {
	for range p.All() {
		return false
	}
	return true
}

func exactlyOne(element string, p presence, is, not, empty bool) string {
	switch {
	case p == mustBe && empty:
		switch element {
		case "Action":
			return "Policy statement must contain actions."
		case "Resource":
			return "Policy statement must contain resources."
		}
		return "Missing required field Principal"
	case p == mustNotBe && (is || not):
		if element == "Principal" {
			return "Policy document should not specify a principal."
		}
		return "Has prohibited field " + element
	}
	return ""
}

func condition(c iam.Condition) string {
	for _, op := range slices.Sorted(maps.Keys(c)) {
		if !iam.IsOperator(op) {
			return "Invalid Condition type : " + op
		}
		if len(c[op]) == 0 {
			return "Syntax errors in policy: condition " + op + " has no keys"
		}
		for _, k := range slices.Sorted(maps.Keys(c[op])) {
			if !strings.Contains(k, ":") {
				return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: " + k
			}
			if len(c[op][k]) == 0 {
				return "Syntax errors in policy: condition key " + k + " has no value"
			}
		}
	}
	return ""
}

// samePolicy reports whether two documents say the same.
func samePolicy(a, b any) bool {
	x, _, errX := written(a)
	y, _, errY := written(b)
	return errX == nil && errY == nil && equal(x, y)
}

// unspaced counts a document's characters as IAM does: without white space.
func unspaced(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
