package awsprovider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"freehold.dev/freehold/internal/iam"
)

// length bounds a string's characters.
func length(least, most int) Rule {
	return func(v any) string {
		if n := utf8.RuneCountInString(text(v)); n < least || n > most {
			return fmt.Sprintf("expected length to be in the range (%d - %d), got %d", least, most, n)
		}
		return ""
	}
}

// notEmpty requires a string to hold something.
func notEmpty(v any) string {
	if text(v) == "" {
		return "must not be empty"
	}
	return ""
}

// match requires a pattern.
func match(re *regexp.Regexp) Rule {
	return func(v any) string {
		if s := text(v); !re.MatchString(s) {
			return fmt.Sprintf("value %q does not match %s", s, re)
		}
		return ""
	}
}

// oneOf requires one of some words.
func oneOf(words ...string) Rule {
	return func(v any) string {
		if s := text(v); !slices.Contains(words, s) {
			return fmt.Sprintf("expected one of %q, got %q", words, s)
		}
		return ""
	}
}

// oneOfNumbers requires one of some numbers.
func oneOfNumbers(numbers ...float64) Rule {
	return func(v any) string {
		if n, _ := v.(float64); !slices.Contains(numbers, n) {
			return fmt.Sprintf("expected one of %v, got %v", numbers, v)
		}
		return ""
	}
}

// between bounds a number.
func between(least, most float64) Rule {
	return func(v any) string {
		if n, _ := v.(float64); n < least || n > most {
			return fmt.Sprintf("expected a number in the range (%v - %v), got %v", least, most, v)
		}
		return ""
	}
}

// count bounds a list's elements.
func count(least, most int) Rule {
	return func(v any) string {
		if l, _ := v.([]any); len(l) < least || len(l) > most {
			return fmt.Sprintf("expected %d to %d elements, got %d", least, most, len(l))
		}
		return ""
	}
}

// jsonText requires a string to hold JSON.
func jsonText(v any) string {
	s, ok := v.(string)
	if ok && !json.Valid([]byte(s)) {
		return "contains an invalid JSON: " + jsonError(s)
	}
	return ""
}

func jsonError(s string) string {
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return err.Error()
	}
	return "not JSON"
}

var arnPattern = regexp.MustCompile(`^arn:aws(-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.+$`)

// isARN requires an ARN, of a service if one is named.
func isARN(service string) Rule {
	return func(v any) string {
		s := text(v)
		if !arnPattern.MatchString(s) {
			return fmt.Sprintf("(%s) is an invalid ARN", s)
		}
		if arn, err := iam.ParseARN(s); err != nil || service != "" && arn.Service != service {
			return fmt.Sprintf("(%s) is not an ARN of %s", s, service)
		}
		return ""
	}
}

// tagRules are AWS's for keys and values, and its own prefix.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
func tagRules(tags map[string]any) []failure {
	var out []failure
	if len(tags) > 50 {
		out = append(out, failure{"tags", fmt.Sprintf("expected at most 50 tags, got %d", len(tags))})
	}
	for k, v := range tags {
		switch {
		case k == "" || utf8.RuneCountInString(k) > 128:
			out = append(out, failure{join("tags", k), "expected the length of a tag's key to be in the range (1 - 128)"})
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			out = append(out, failure{join("tags", k), "tags with the prefix aws: are reserved for AWS"})
		case utf8.RuneCountInString(text(v)) > 256:
			out = append(out, failure{join("tags", k), "expected the length of a tag's value to be in the range (0 - 256)"})
		case !tagPattern.MatchString(k) || !tagPattern.MatchString(text(v)):
			out = append(out, failure{join("tags", k), "a tag may hold letters, numbers, spaces and _ . : / = + - @"})
		}
	}
	return out
}

var tagPattern = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// eitherOf requires exactly one of some properties of an object.
func eitherOf(names ...string) Rule {
	return func(v any) string {
		m, _ := v.(map[string]any)
		if n := len(present(m, names)); n != 1 {
			return fmt.Sprintf("exactly one of %s must be given, got %d", strings.Join(names, ", "), n)
		}
		return ""
	}
}

// either is satisfied by one of two rules.
func either(a, b Rule) Rule {
	return func(v any) string {
		if b(v) == "" {
			return ""
		}
		return a(v)
	}
}
