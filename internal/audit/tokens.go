package audit

import (
	"strings"

	"freehold.dev/freehold/internal/iam"
)

// A token is the text of a physical identity, in the one form in which two
// mentions of it are equal: an account's 12 digits, an ARN, "vpc-0123…", a key's
// UUID, a role's unique id, a bucket ("bucket:name"), an e-mail, a host.

// tokens visits each token in a text: a plain value, a URL, or a document of
// JSON, also one that is escaped in another. A token may be visited twice, and
// what looks like an identity and is none is harmless: nobody owns it. It must
// not miss one, so it looks at the whole text and not at what parses.
func tokens(text string, visit func(token string)) {
	for i := 0; i < len(text); {
		if text[i] == '\\' {
			i = unescape(text, i)
			continue
		}
		if !wordly[text[i]] {
			i++
			continue
		}
		j := i + 1
		for j < len(text) && wordly[text[j]] {
			j++
		}
		word(text[i:j], visit)
		i = j
	}
}

// wordly are the characters that an ARN, a URL or an e-mail address may have. A
// backslash ends a word: it escapes a quote or a new line.
var wordly [256]bool

func init() {
	for c := range wordly {
		wordly[c] = alnum(byte(c)) || strings.IndexByte(":/._@+=*-?", byte(c)) >= 0
	}
}

// unescape returns where a text goes on after what is escaped: one character,
// or four digits, however often the document that it is in was put in another.
func unescape(text string, i int) int {
	for i < len(text) && text[i] == '\\' {
		i++
	}
	if i < len(text) && text[i] == 'u' {
		return min(i+5, len(text))
	}
	return min(i+1, len(text))
}

func alnum(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func word(w string, visit func(string)) {
	if len(w) < 5 {
		return
	}
	switch {
	case strings.HasPrefix(w, "arn:"):
		arnTokens(w, visit)
	case strings.IndexByte(w, '@') > 0:
		visit(strings.ToLower(strings.Trim(w, ".:/")))
	}
	if i := strings.Index(w, "://"); i > 0 {
		rest := strings.TrimRight(w[i+len("://"):], "/.")
		if w[:i] == "s3" {
			rest, _, _ = strings.Cut(rest, "/")
			visit(bucketToken(rest))
		} else {
			visit(rest)
		}
	}
	// A bucket's host names: bucket.s3.amazonaws.com, bucket.s3.eu-west-1.amazonaws.com.
	if i := strings.Index(w, ".s3"); i > 0 && strings.Contains(w[i:], "amazonaws") {
		visit(bucketToken(w[strings.LastIndexByte(w[:i], '/')+1 : i]))
	}
	for i := 0; i < len(w); {
		if !alnum(w[i]) {
			i++
			continue
		}
		j := i + 1
		for j < len(w) && (alnum(w[j]) || w[j] == '-') {
			j++
		}
		run(w[i:j], visit)
		i = j
	}
}

// run looks at letters, digits and dashes: account ids anywhere between dashes,
// ids of EC2 and keys of KMS as a whole, unique ids of IAM, Route 53 and EKS.
func run(s string, visit func(string)) {
	if len(s) < 10 {
		return
	}
	if strings.HasPrefix(s, "mrk-") || uuid(s) || cloudID(s) {
		visit(s)
	}
	for part := range strings.SplitSeq(s, "-") {
		if len(part) == 12 && digits(part) || len(part) >= 12 && capitals(part) {
			visit(part)
		}
	}
}

// cloudID reports whether s is an id as EC2 and others give them: words, and 8
// or 17 hexadecimal digits.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
func cloudID(s string) bool {
	i := strings.LastIndexByte(s, '-')
	if i < 1 {
		return false
	}
	if n := len(s) - i - 1; n != 8 && n != 17 {
		return false
	}
	return hexadecimal(s[i+1:])
}

func uuid(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && hexadecimal(s[:8]) && hexadecimal(s[24:])
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func hexadecimal(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// capitals reports whether s is capitals and digits, both: AROA…, Z0123…, an
// EKS issuer's id.
func capitals(s string) bool {
	letters, numbers := false, false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z':
			letters = true
		case c >= '0' && c <= '9':
			numbers = true
		default:
			return false
		}
	}
	return letters && numbers
}

// arnTokens visits an ARN, what it is a part of, and who a session is of.
func arnTokens(w string, visit func(string)) {
	w = strings.TrimRight(w, ":/.*?")
	arn, err := iam.ParseARN(w)
	if err != nil {
		return
	}
	visit(w)
	role, _ := arn.AssumedRole()
	switch {
	case arn.Service == "s3":
		bucket, _, _ := strings.Cut(arn.Resource, "/")
		if !strings.ContainsAny(bucket, "*?:") {
			visit(bucketToken(bucket))
		}
	case role != "":
		arn.Resource = "assumed-role/" + role
		visit(arn.String())
	default:
		// "…:log-group:name:*" and "…:table/name/index/x" are a part of a thing
		// that the account's id finds, if nothing nearer does.
	}
}

func bucketToken(name string) string { return "bucket:" + name }

// bucketName reports whether a property's value is a bucket's name. Only under
// a key that says so: the name "data" may be a bucket, and is many other things.
func bucketName(key, value string) bool {
	if len(value) < 3 || len(value) > 63 || !strings.Contains(key, "ucket") && !strings.Contains(key, "UCKET") {
		return false
	}
	for i := range len(value) {
		if c := value[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' && c != '.' {
			return false
		}
	}
	return true
}
