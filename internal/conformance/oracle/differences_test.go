package oracle_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/conformance/oracle"
	"freehold.dev/freehold/internal/iam"
)

// difference is a place where the oracle is wrong by AWS's documentation. Each is
// one construct of the policy language, and is written for the oracle in another
// way, by which AWS means the same: so all else around it is still compared.
type difference struct {
	name string
	doc  string // where AWS says so
	// line writes a line of a condition anew, or returns its values as they are.
	line func(a asking, operator string, values iam.Values) iam.Values
	// document writes a whole document anew.
	document func(iam.Document) iam.Document
	// example is denied, and the oracle allows it as it stands; or the reverse.
	example oracle.Question
}

// The order counts: after the first, all documents are of the newer version.
var differences = []difference{
	{
		name: "the older version of the language has variables",
		doc:  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html",
		document: func(d iam.Document) iam.Document {
			if d.Version == "2012-10-17" {
				return d
			}
			literal := func(values iam.Values) iam.Values {
				out := slices.Clone(values)
				for i, v := range out {
					out[i] = strings.ReplaceAll(v, "${", "${$}{")
				}
				return out
			}
			out := iam.New()
			for _, s := range d.Statement {
				s.Resource, s.NotResource = literal(s.Resource), literal(s.NotResource)
				s.Condition = lines(s.Condition, func(operator string, values iam.Values) iam.Values {
					out := slices.Clone(values)
					for i, v := range out {
						if strings.Contains(v, "${") { // the text itself, which no request has
							out[i] = nobodys(operator)
						}
					}
					return out
				})
				out.Statement = append(out.Statement, s)
			}
			return out
		},
		example: func() oracle.Question {
			q := one(iam.Deny, "StringEquals", "aws:UserAgent", "${aws:UserAgent}", map[string]string{"aws:UserAgent": "cli"})
			q.Identity[0].Version = "2008-10-17"
			return q
		}(),
	},
	{
		name: "a star that is escaped for an operator without wildcards is the text of its escape",
		doc:  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-infotouse",
		line: func(_ asking, operator string, values iam.Values) iam.Values {
			if !strings.Contains(operator, "Equals") || !strings.Contains(operator, "String") {
				return values
			}
			out := slices.Clone(values)
			for i, v := range out {
				out[i] = strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$").Replace(v)
			}
			return out
		},
		example: one(iam.Deny, "StringEquals", "aws:UserAgent", "a${*}", map[string]string{"aws:UserAgent": "a*"}),
	},
	{
		name: "the block of all addresses of version four contains none of them",
		doc:  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress",
		line: func(_ asking, operator string, values iam.Values) iam.Values {
			if !strings.Contains(operator, "IpAddress") {
				return values
			}
			return replaced(values, "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1")
		},
		example: one(iam.Deny, "IpAddress", "aws:SourceIp", "0.0.0.0/0", map[string]string{"aws:SourceIp": "203.0.113.7"}),
	},
	{
		name: "an address by itself is compared with addresses of its own version only",
		doc:  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress",
		line: func(_ asking, operator string, values iam.Values) iam.Values {
			if !strings.Contains(operator, "IpAddress") {
				return values
			}
			out := slices.Clone(values)
			for i, v := range out {
				if a, err := netip.ParseAddr(v); err == nil {
					out[i] = netip.PrefixFrom(a, a.BitLen()).String()
				}
			}
			return out
		},
		example: one(iam.Deny, "NotIpAddress", "aws:SourceIp", "203.0.113.7", map[string]string{"aws:SourceIp": "2001:db8::7"}),
	},
	{
		name: "an ARN is taken apart at the colon of a variable in it",
		doc:  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-wheretouse",
		line: func(a asking, operator string, values iam.Values) iam.Values {
			if !strings.Contains(operator, "Arn") {
				return values
			}
			return a.each(values, func(value string, known bool) (string, bool) { return escaped.Replace(value), known })
		},
		example: one(iam.Deny, "ArnLike", "aws:SourceArn", "arn:aws:sns:eu-central-1:${aws:PrincipalAccount}:topic",
			map[string]string{"aws:SourceArn": "arn:aws:sns:eu-central-1:" + own + ":topic"}),
	},
	{
		name: "a variable without a value keeps a negated operator from holding",
		doc:  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value",
		line: func(a asking, operator string, values iam.Values) iam.Values {
			if !strings.Contains(operator, "Not") {
				return values
			}
			out := slices.Clone(values)
			for i, v := range out {
				if _, whole := a.expand(v, func(string, bool) (string, bool) { return "", true }); !whole {
					out[i] = nobodys(operator)
				}
			}
			return out
		},
		example: one(iam.Deny, "StringNotEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}", nil),
	},
}

// nobodys is a value for an operator that no request has.
func nobodys(operator string) string {
	if strings.Contains(operator, "Arn") {
		return "arn:aws:nothing:::of-that-name"
	}
	return "a value that no request has"
}

// one is a question about one line of a condition.
func one(effect iam.Effect, operator, key, value string, context map[string]string) oracle.Question {
	all := iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"*"}}
	s := all
	s.Effect, s.Condition = effect, iam.Condition{operator: {key: {value}}}
	return oracle.Question{
		Request:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/x", Principal: principals[0], Context: context},
		Owner:    own,
		Identity: []iam.Document{iam.New(all, s)},
	}
}

func TestEachDifferenceIsOneAndIsGoneAsItIsWritten(t *testing.T) {
	t.Parallel()
	o := oracle.Start(t)
	for _, d := range differences {
		t.Run(d.name, func(t *testing.T) {
			if !strings.HasPrefix(d.doc, "https://docs.aws.amazon.com/") {
				t.Error("the row does not say where AWS says so")
			}
			replies, err := o.Ask(d.example, d.written(d.example))
			if err != nil {
				t.Fatal(err)
			}
			ours := d.example.Decide()
			if !disagree(ours, replies[0]) {
				t.Errorf("the row is stale: we say %s, and the oracle says %s", ours, replies[0].Verdict)
			}
			if disagree(ours, replies[1]) || ours == iam.Undecided || replies[1].Error != "" {
				t.Errorf("written so that the oracle reads it: we say %s, and the oracle says %s %s\n%s", ours, replies[1].Verdict, replies[1].Error, printed(d.written(d.example)))
			}
		})
	}
}

// written writes a question for the oracle.
func written(q oracle.Question) oracle.Question {
	for _, d := range differences {
		q = d.written(q)
	}
	return q
}

func (d difference) written(q oracle.Question) oracle.Question {
	a := asking{q}
	change := func(doc iam.Document) iam.Document {
		if d.document != nil {
			return d.document(doc)
		}
		out := iam.New()
		for _, s := range doc.Statement {
			s.Condition = lines(s.Condition, func(operator string, values iam.Values) iam.Values { return d.line(a, operator, values) })
			out.Statement = append(out.Statement, s)
		}
		return out
	}
	all := func(docs []iam.Document) []iam.Document {
		out := slices.Clone(docs)
		for i := range out {
			out[i] = change(out[i])
		}
		return out
	}
	levels := func(docs [][]iam.Document) [][]iam.Document {
		out := slices.Clone(docs)
		for i := range out {
			out[i] = all(out[i])
		}
		return out
	}
	q.Identity, q.ServiceControl, q.ResourceControl = all(q.Identity), levels(q.ServiceControl), levels(q.ResourceControl)
	for _, doc := range []**iam.Document{&q.Boundary, &q.Resources} {
		if *doc != nil {
			next := change(**doc)
			*doc = &next
		}
	}
	return q
}

// lines returns a condition with other values.
func lines(c iam.Condition, change func(operator string, values iam.Values) iam.Values) iam.Condition {
	if c == nil {
		return nil
	}
	out := iam.Condition{}
	for operator, keys := range c {
		out[operator] = map[string]iam.Values{}
		for key, values := range keys {
			out[operator][key] = change(operator, values)
		}
	}
	return out
}

func replaced(values iam.Values, old string, by ...string) iam.Values {
	var out iam.Values
	for _, v := range values {
		if v == old {
			out = append(out, by...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// asking is a question whose request has values for variables.
type asking struct{ oracle.Question }

var (
	variable = regexp.MustCompile(`\$\{([^},]+)(?:, '([^']*)')?\}`)
	escaped  = strings.NewReplacer("*", "${*}", "?", "${?}")
)

// value is what a variable stands for.
func (a asking) value(key string) (string, bool) {
	switch strings.ToLower(key) {
	case "aws:principalarn":
		return a.Principal, true
	case "aws:principalaccount":
		return iam.AccountIn(a.Principal), true
	case "aws:principalisawsservice":
		return "false", true
	}
	for k, v := range a.Context {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// expand replaces variables; whole is false where one has no value and no default.
func (a asking) expand(text string, by func(value string, known bool) (string, bool)) (out string, whole bool) {
	whole = true
	out = variable.ReplaceAllStringFunc(text, func(m string) string {
		parts := variable.FindStringSubmatch(m)
		if slices.Contains([]string{"*", "?", "$"}, parts[1]) {
			return m
		}
		value, known := a.value(parts[1])
		if !known && strings.Contains(m, "'") {
			value, known = parts[2], true
		}
		whole = whole && known
		if value, replace := by(value, known); replace {
			return value
		}
		return m
	})
	return out, whole
}

func (a asking) each(values iam.Values, by func(value string, known bool) (string, bool)) iam.Values {
	out := slices.Clone(values)
	for i, v := range out {
		out[i], _ = a.expand(v, by)
	}
	return out
}
