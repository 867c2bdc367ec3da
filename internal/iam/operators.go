package iam

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// comparison is how an operator compares a policy's value with the request's.
type comparison struct {
	holds func(want, got string) Answer
	// negated operators hold where the values do not match, also for want of one.
	negated bool
	// variables is true for the operators whose values may be policy variables.
	variables bool
}

// comparisons are all operators of AWS but Null, which compares nothing.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var comparisons = map[string]comparison{
	"StringEquals":              {holds: stringEquals, variables: true},
	"StringNotEquals":           {holds: stringEquals, variables: true, negated: true},
	"StringEqualsIgnoreCase":    {holds: stringEqualsIgnoreCase, variables: true},
	"StringNotEqualsIgnoreCase": {holds: stringEqualsIgnoreCase, variables: true, negated: true},
	"StringLike":                {holds: stringLike, variables: true},
	"StringNotLike":             {holds: stringLike, variables: true, negated: true},

	"NumericEquals":            {holds: number(0)},
	"NumericNotEquals":         {holds: number(0), negated: true},
	"NumericLessThan":          {holds: number(-1)},
	"NumericLessThanEquals":    {holds: number(-1, 0)},
	"NumericGreaterThan":       {holds: number(1)},
	"NumericGreaterThanEquals": {holds: number(0, 1)},

	"DateEquals":            {holds: date(0)},
	"DateNotEquals":         {holds: date(0), negated: true},
	"DateLessThan":          {holds: date(-1)},
	"DateLessThanEquals":    {holds: date(-1, 0)},
	"DateGreaterThan":       {holds: date(1)},
	"DateGreaterThanEquals": {holds: date(0, 1)},

	"Bool":         {holds: boolean},
	"BinaryEquals": {holds: binary},

	"IpAddress":    {holds: ipAddress},
	"NotIpAddress": {holds: ipAddress, negated: true},

	// The two ARN operators do the same.
	"ArnEquals":    {holds: arnLike, variables: true},
	"ArnLike":      {holds: arnLike, variables: true},
	"ArnNotEquals": {holds: arnLike, variables: true, negated: true},
	"ArnNotLike":   {holds: arnLike, variables: true, negated: true},
}

// operator is the name of an operator, taken apart.
type operator struct {
	comparison
	null, ifExists, forAll, forAny bool
}

// parseOperator knows every operator that AWS has, with its qualifiers; ok is
// false for any other name.
func parseOperator(name string) (op operator, ok bool) {
	if name == "Null" {
		return operator{null: true}, true
	}
	name, op.forAll = strings.CutPrefix(name, "ForAllValues:")
	if !op.forAll {
		name, op.forAny = strings.CutPrefix(name, "ForAnyValue:")
	}
	name, op.ifExists = strings.CutSuffix(name, "IfExists")
	op.comparison, ok = comparisons[name]
	return op, ok
}

// IsOperator reports whether AWS has a condition operator of that name, such as
// "ForAnyValue:StringLikeIfExists".
func IsOperator(name string) bool {
	_, ok := parseOperator(name)
	return ok
}

func stringEquals(want, got string) Answer { return answer(plain(want) == got) }

// stringEqualsIgnoreCase cannot tell where only letters outside of ASCII differ in
// case: AWS does not say whether it folds them.
func stringEqualsIgnoreCase(want, got string) Answer {
	want = plain(want)
	if lowered(want) == lowered(got) {
		return Yes
	}
	return and(CannotTell, answer(strings.EqualFold(want, got)))
}

func stringLike(want, got string) Answer { return answer(Match(want, got)) }

// arnLike compares part by part. Of a pattern that has fewer parts and a
// wildcard, "*", AWS does not say what it matches.
func arnLike(want, got string) Answer {
	pattern, err := ParseARN(want)
	if err != nil {
		if strings.ContainsAny(want, "*?") {
			return CannotTell
		}
		return No
	}
	a, err := ParseARN(got)
	return answer(err == nil && matchARN(pattern, a))
}

var decimal = regexp.MustCompile(`^[+-]?\d+(\.\d+)?$`)

// number holds where the request's number compares to the policy's as one of these.
func number(results ...int) func(want, got string) Answer {
	return func(want, got string) Answer {
		if !decimal.MatchString(want) || !decimal.MatchString(got) {
			return CannotTell
		}
		w, okW := new(big.Rat).SetString(want)
		g, okG := new(big.Rat).SetString(got)
		if !okW || !okG {
			return CannotTell
		}
		return answer(slices.Contains(results, g.Cmp(w)))
	}
}

// dateLayouts are the forms of ISO 8601 that the W3C's note names. The year alone
// is not among them, because it looks like seconds.
//
// https://www.w3.org/TR/NOTE-datetime
var dateLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01"}

var seconds = regexp.MustCompile(`^\d{5,15}$`)

func parseDate(s string) (time.Time, bool) {
	if seconds.MatchString(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return time.Unix(n, 0), err == nil
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// date is number for dates, in ISO 8601 or in seconds since 1970.
func date(results ...int) func(want, got string) Answer {
	return func(want, got string) Answer {
		w, okW := parseDate(want)
		g, okG := parseDate(got)
		if !okW || !okG {
			return CannotTell
		}
		return answer(slices.Contains(results, g.Compare(w)))
	}
}

func parseBool(s string) (value, ok bool) {
	return strings.EqualFold(s, "true"), strings.EqualFold(s, "true") || strings.EqualFold(s, "false")
}

func boolean(want, got string) Answer {
	w, okW := parseBool(want)
	g, okG := parseBool(got)
	if !okW || !okG {
		return CannotTell
	}
	return answer(w == g)
}

// binary compares bytes, which both sides have in base64.
func binary(want, got string) Answer {
	w, errW := base64.StdEncoding.DecodeString(want)
	g, errG := base64.StdEncoding.DecodeString(got)
	if errW != nil || errG != nil {
		return CannotTell
	}
	return answer(slices.Equal(w, g))
}

// ipAddress takes an address or a range of either version.
func ipAddress(want, got string) Answer {
	address, err := netip.ParseAddr(got)
	if err != nil {
		return CannotTell
	}
	address = address.Unmap()
	if single, err := netip.ParseAddr(want); err == nil {
		return answer(single.Unmap() == address)
	}
	block, err := netip.ParsePrefix(want)
	if err != nil {
		return CannotTell
	}
	return answer(block.Contains(address))
}
