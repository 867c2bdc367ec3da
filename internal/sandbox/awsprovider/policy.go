package awsprovider

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
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
	effects   []string
	// malformed and tooLong are the codes of a refusal.
	malformed, tooLong string
	// vendor is what every action begins with, "sts:"; empty: anything.
	vendor string
	// everyone is true if the principal can only be "*".
	everyone bool
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

var both = []string{"Allow", "Deny"}

// The kinds of documents, with the limits of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html and
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html.
var (
	identityPolicy = Grammar{name: "identity policy", limit: 6144, principal: mustNotBe, resource: mustBe, effects: both,
		malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded"}
	inlinePolicy = Grammar{name: "inline policy", limit: 10240, principal: mustNotBe, resource: mustBe, effects: both,
		malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded"}
	trustPolicy = Grammar{name: "trust policy", limit: 2048, principal: mustBe, resource: mustNotBe, effects: both,
		malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded", exists: true, vendor: "sts:"}
	servicePolicy = Grammar{name: "service control policy", limit: 10240, spaces: true, principal: mustNotBe, resource: mayBe, effects: both,
		malformed: "MalformedPolicyDocumentException", tooLong: "ConstraintViolationException"}
	resourceControlPolicy = Grammar{name: "resource control policy", limit: 5120, spaces: true, principal: mustBe, resource: mustBe, effects: []string{"Deny"}, everyone: true,
		malformed: "MalformedPolicyDocumentException", tooLong: "ConstraintViolationException"}
	bucketPolicy = Grammar{name: "bucket policy", limit: 20480, spaces: true, principal: mustBe, resource: mustBe, effects: both,
		malformed: "MalformedPolicy", tooLong: "PolicyTooLarge", exists: true}
	keyPolicy = Grammar{name: "key policy", limit: 32768, spaces: true, principal: mustBe, resource: mustBe, effects: both,
		malformed: "MalformedPolicyDocumentException", tooLong: "LimitExceededException", exists: true}
	repositoryPolicy = Grammar{name: "repository policy", limit: 10240, spaces: true, principal: mustBe, resource: mustNotBe, effects: both,
		malformed: "InvalidParameterException", tooLong: "LimitExceededException", exists: true}
)

// elements are those of a statement.
var elements = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}

var (
	actionPattern    = regexp.MustCompile(`^([a-zA-Z0-9-]+:[a-zA-Z0-9*?]+|\*)$`)
	sidPattern       = regexp.MustCompile(`^[a-zA-Z0-9]*$`)
	resourcePattern  = regexp.MustCompile(`^(\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+)$`)
	accountPattern   = regexp.MustCompile(`^\d{12}$`)
	servicePrincipal = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$`)
	operatorPattern  = regexp.MustCompile(`^(ForAllValues:|ForAnyValue:)?(String(Not)?(Equals|EqualsIgnoreCase|Like)|Numeric(Not)?Equals|Numeric(Less|Greater)Than(Equals)?|Date(Not)?Equals|Date(Less|Greater)Than(Equals)?|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?$|^Null$`)
)

// statement is one statement of a document.
type statement map[string]any

// document reads a policy: a string, or the object that the SDK also takes.
func document(v any) (map[string]any, string, error) {
	if m, ok := v.(map[string]any); ok {
		b, err := json.Marshal(m)
		return m, string(b), err
	}
	s, _ := v.(string)
	var m map[string]any
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return nil, s, fmt.Errorf("not a JSON object: %w", err)
	}
	return m, s, nil
}

func statements(doc map[string]any) []statement {
	var out []statement
	for _, s := range list(doc["Statement"]) {
		if m, ok := s.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
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

// check tells AWS's refusal of a document, or nil. known says whether a
// principal's ARN exists; it is asked only where AWS asks.
func (g Grammar) check(v any, known func(principal string) (bool, error)) error {
	doc, written, err := document(v)
	if err != nil {
		return errf(g.malformed, "%s", "This policy contains invalid Json: "+err.Error())
	}
	size := len(written)
	if !g.spaces {
		size = unspaced(written)
	}
	if size > g.limit {
		return errf(g.tooLong, "Cannot exceed quota for %s size: %d characters, the limit is %d", g.name, size, g.limit)
	}
	if g.free {
		return nil
	}
	if why := g.grammar(doc); why != "" {
		return errf(g.malformed, "%s", why)
	}
	if !g.exists {
		return nil
	}
	for _, s := range statements(doc) {
		for _, p := range principals(s, "AWS") {
			ok, err := known(p)
			if err != nil {
				return err
			}
			if !ok {
				return errf(g.malformed, "Invalid principal in policy: \"AWS\":\"%s\"", p)
			}
		}
	}
	return nil
}

func (g Grammar) grammar(doc map[string]any) string {
	for k := range doc {
		if k != "Version" && k != "Id" && k != "Statement" {
			return "Syntax errors in policy: unknown element " + k
		}
	}
	if v := text(doc["Version"]); v != "2012-10-17" && v != "2008-10-17" {
		return "The policy must contain a valid version string"
	}
	raw := list(doc["Statement"])
	if len(raw) == 0 {
		return "Syntax errors in policy: no Statement"
	}
	sids := map[string]bool{}
	for i, r := range raw {
		s, ok := r.(map[string]any)
		if !ok {
			return fmt.Sprintf("Syntax errors in policy: statement %d is no object", i)
		}
		if why := g.statement(s); why != "" {
			return fmt.Sprintf("%s (statement %d)", why, i)
		}
		if sid := text(s["Sid"]); sid != "" && sids[sid] {
			return fmt.Sprintf("Statement IDs (SID) in a single policy must be unique: %s", sid)
		} else if sid != "" {
			sids[sid] = true
		}
	}
	return ""
}

func (g Grammar) statement(s statement) string {
	for k := range s {
		if !slices.Contains(elements, k) {
			return "Syntax errors in policy: unknown element " + k
		}
	}
	if !slices.Contains(g.effects, text(s["Effect"])) {
		return fmt.Sprintf("Effect of a %s must be one of %q, got %q", g.name, g.effects, text(s["Effect"]))
	}
	// Resource policies allow more in a Sid than letters and digits.
	if sid := text(s["Sid"]); g.principal == mustNotBe && !sidPattern.MatchString(sid) {
		return "Statement IDs (SID) must be alpha-numeric: " + sid
	}
	if p, is := s["Principal"]; g.everyone && is && p != "*" {
		return "Principal of a " + g.name + " must be \"*\""
	}
	if _, not := s["NotAction"]; g.everyone && not || g.everyone && slices.Contains(list(s["Action"]), any("*")) {
		return "Action of a " + g.name + " must name services, and NotAction is not supported"
	}
	if why := exactlyOne(s, "Action", mustBe); why != "" {
		return why
	}
	if why := exactlyOne(s, "Principal", g.principal); why != "" {
		return why
	}
	if why := exactlyOne(s, "Resource", g.resource); why != "" {
		return why
	}
	for _, a := range append(list(s["Action"]), list(s["NotAction"])...) {
		if !actionPattern.MatchString(text(a)) {
			return fmt.Sprintf("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: %q", text(a))
		}
		if !strings.HasPrefix(text(a), g.vendor) {
			return fmt.Sprintf("a %s may only specify actions of %q, got %q", g.name, g.vendor, text(a))
		}
	}
	for _, r := range append(list(s["Resource"]), list(s["NotResource"])...) {
		if !resourcePattern.MatchString(text(r)) {
			return fmt.Sprintf("Resource %s must be in ARN format or \"*\".", text(r))
		}
	}
	return condition(s["Condition"])
}

func exactlyOne(s statement, element string, p presence) string {
	_, is := s[element]
	_, not := s["Not"+element]
	empty := is && len(list(s[element])) == 0 || not && len(list(s["Not"+element])) == 0
	switch {
	case is && not:
		return fmt.Sprintf("Syntax errors in policy: both %s and Not%s", element, element)
	case p == mustBe && (!is && !not || empty):
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

func condition(v any) string {
	if v == nil {
		return ""
	}
	operators, ok := v.(map[string]any)
	if !ok {
		return "Syntax errors in policy: Condition is no object"
	}
	for _, op := range slices.Sorted(maps.Keys(operators)) {
		if !operatorPattern.MatchString(op) {
			return "Invalid Condition type : " + op
		}
		keys, ok := operators[op].(map[string]any)
		if !ok || len(keys) == 0 {
			return "Syntax errors in policy: condition " + op + " has no keys"
		}
		for k, values := range keys {
			if !strings.Contains(k, ":") {
				return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: " + k
			}
			if len(list(values)) == 0 {
				return "Syntax errors in policy: condition key " + k + " has no value"
			}
		}
	}
	return ""
}

// principals returns those of one kind ("AWS", "Service", "Federated") in a statement.
func principals(s statement, kind string) []string {
	var out []string
	for _, element := range []string{"Principal", "NotPrincipal"} {
		switch p := s[element].(type) {
		case string:
			if p == "*" && kind == "AWS" {
				out = append(out, p)
			}
		case map[string]any:
			for _, v := range list(p[kind]) {
				out = append(out, text(v))
			}
		}
	}
	return out
}

// samePolicy tells whether two documents say the same.
func samePolicy(a, b any) bool {
	x, _, errX := document(a)
	y, _, errY := document(b)
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
