package audit

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/unknown"
)

// leaf is one text of a resource's properties.
type leaf struct {
	path string
	key  string // the property's own name
	text string
}

// texts visits each text of some properties, with the keys of maps among them:
// a policy's condition has an issuer as its key. The path is only built where
// it is asked for: in the first pass nobody does.
func texts(properties map[string]any, paths bool, visit func(leaf)) {
	var walk func(path, key string, v any)
	walk = func(path, key string, v any) {
		switch v := v.(type) {
		case string:
			visit(leaf{path, key, v})
		case unknown.Value:
			visit(leaf{path, key, v.Text}) // it may name somebody already
		case map[string]any:
			for k, e := range v {
				at := path
				if paths {
					at = join(path, k)
				}
				if len(k) >= 12 {
					visit(leaf{at, key, k})
				}
				walk(at, k, e)
			}
		case []any:
			for i, e := range v {
				at := path
				if paths {
					at += "[" + strconv.Itoa(i) + "]"
				}
				walk(at, key, e)
			}
		}
	}
	for k, v := range properties {
		// The provider's bookkeeping, and what says again what others say.
		if k != "__meta" && k != "__defaults" {
			walk(k, k, v)
		}
	}
}

// join writes a property path as Pulumi does: keys that are no identifiers are quoted.
func join(path, key string) string {
	for _, r := range key {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return path + "[" + strconv.Quote(key) + "]"
		}
	}
	return path + "." + key
}

// statementWith finds the statement of a policy document that names a text, as
// JSON; "" if the text is in no document, or in none of its statements.
func statementWith(document, text string) string {
	document = strings.TrimSpace(document)
	if !strings.HasPrefix(document, "{") {
		return ""
	}
	var doc struct{ Statement any }
	if json.Unmarshal([]byte(document), &doc) != nil {
		return ""
	}
	statements, ok := doc.Statement.([]any)
	if !ok {
		statements = []any{doc.Statement}
	}
	for _, s := range statements {
		raw, err := json.Marshal(s)
		if err == nil && strings.Contains(string(raw), text) {
			return string(raw)
		}
	}
	return ""
}

// edgeKind says what way from one org to another a property is, and which rule
// it breaks; empty: none that knows it. What the table of ways does not hold is
// called by what the type and the path look like.
func edgeKind(typ, path, statement string) (kind, rule string) {
	if w, shares := awstype.WayOf(typ); shares {
		plain := indices.ReplaceAllString(path, "")
		for _, end := range w.Ends {
			if plain == end.Path || strings.HasPrefix(plain, end.Path+".") {
				return end.Kind, cmp.Or(end.Rule, ruleOf(typ))
			}
		}
		rule = ruleOf(typ)
	}
	return looksLike(typ, path, statement), rule
}

// indices are the places in lists that a path goes through.
var indices = regexp.MustCompile(`\[\d+\]`)

func looksLike(typ, path, statement string) string {
	low := strings.ToLower(typ)
	of := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(low, p) })
	}
	switch {
	case of("peering"):
		return "peering"
	case of("kms/grant", "principalassociation", "permission:", "snapshotcreatevolumepermission", "launchpermission"):
		return "grant"
	case strings.HasPrefix(path, "assumeRolePolicy"):
		return "trust"
	case of("zoneassociation", "association:", "attachment", "vpcendpoint"):
		return "association"
	case of("/route:", "/routetable:", "/defaultroutetable:"):
		return "route"
	case statement != "", strings.Contains(strings.ToLower(path), "policy"):
		return "policy"
	default:
		return "reference"
	}
}
