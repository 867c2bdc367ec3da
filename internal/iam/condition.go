package iam

import (
	"maps"
	"slices"
)

// holds answers whether all lines of a condition hold. Of lines whose operators
// or keys differ only in case, AWS does not say which one it takes.
func (e evaluation) holds(c Condition) Answer {
	a := Yes
	if _, found := twice(slices.Collect(maps.Keys(c))); found {
		a = CannotTell
	}
	for name, keys := range c {
		if _, found := twice(slices.Collect(maps.Keys(keys))); found || len(keys) == 0 { // nor what none means
			a = and(a, CannotTell)
		}
		for key, values := range keys {
			a = and(a, e.line(name, key, values))
		}
	}
	return a
}

// line answers one key of a condition. It is CannotTell for an operator that AWS does
// not document, for a value that is not of the operator's kind, and for a key
// of which nobody knows whether the request carries it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func (e evaluation) line(name, key string, values Values) Answer {
	op, known := parseOperator(name)
	got, there := e.fact(key)
	if !known || there == CannotTell || len(values) == 0 {
		return CannotTell
	}
	if op.null {
		return anyOf(values, func(v string) Answer { return isNull(v, got) })
	}
	if op.forAll || op.forAny { // an empty value is none, to these
		got = slices.DeleteFunc(slices.Clone(got), func(v string) bool { return v == "" })
	}
	if len(got) == 0 {
		return op.absent()
	}
	one := func(g string) Answer {
		a := anyOf(values, func(want string) Answer { return e.compare(op, want, g) })
		if op.negated {
			return not(a)
		}
		return a
	}
	switch {
	case op.forAll:
		return allOf(got, one)
	case op.forAny:
		return anyOf(got, one)
	case e.isList(key): // a multivalued key needs one of the two, however many it holds
		return CannotTell
	default:
		return one(got[0])
	}
}

// absent is the answer of an operator for a key that the request lacks.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (op operator) absent() Answer {
	switch {
	case op.forAll:
		return Yes
	case op.forAny && op.ifExists: // one says no and the other yes, and AWS does not say which wins
		return CannotTell
	case op.forAny:
		return No
	default:
		return answer(op.negated || op.ifExists)
	}
}

// isNull answers Null: "true" asks for a key that is absent.
func isNull(want string, got Values) Answer {
	absent, ok := parseBool(want)
	if !ok || len(got) == 1 && got[0] == "" {
		return CannotTell
	}
	return answer(absent == (len(got) == 0))
}

func (e evaluation) compare(op operator, want, got string) Answer {
	if !op.variables {
		return op.holds(want, got)
	}
	want, whole := e.expand(want)
	if whole != Yes {
		return whole
	}
	return op.holds(want, got)
}
