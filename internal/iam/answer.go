package iam

// Answer says whether something holds. CannotTell is neither yes nor no: it
// stays one through every "and", "or" and "not" that it decides.
type Answer int

// The answers, in the order that and, or and not rely on.
const (
	No Answer = iota
	CannotTell
	Yes
)

func (a Answer) String() string { return [...]string{"no", "cannot tell", "yes"}[a] }

func answer(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

func and(a, b Answer) Answer { return min(a, b) }
func or(a, b Answer) Answer  { return max(a, b) }
func not(a Answer) Answer    { return Yes - a }

// anyOf is No for nothing.
func anyOf[T any](list []T, is func(T) Answer) Answer {
	a := No
	for _, e := range list {
		a = or(a, is(e))
	}
	return a
}

// allOf is Yes for nothing.
func allOf[T any](list []T, is func(T) Answer) Answer {
	a := Yes
	for _, e := range list {
		a = and(a, is(e))
	}
	return a
}
