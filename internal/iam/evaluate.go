package iam

// Verdict is what one document answers to one request.
type Verdict string

// The verdicts. Only Allowed lets a request through.
const (
	Allowed Verdict = "allowed"
	Denied  Verdict = "denied"
	Silent  Verdict = "silent" // no statement fits: an implicit deny where nothing else allows
	// Undecided: a denial may fit; or none does, and an allowance may.
	Undecided Verdict = "undecided"
)

// Evaluate answers one request by this document alone, after AWS's rules: a
// denial that fits wins over every allowance.
//
// A statement fits, does not fit, or may fit, and "may" is not "no". It may fit
// where a condition has an operator that AWS does not document, a value that is
// not of the operator's kind (a number, a date, an address) or a key in
// Request.Unknown; where a principal is named by an id that does not say whose
// it is; where NotPrincipal names the caller without the caller's account; and
// where AWS does not support what the statement says.
//
// A denial that may fit keeps the request from being Allowed: the verdict is
// Undecided, or Denied if another denial fits. An allowance that may fit allows
// nothing. To enforce a policy, let through what is Allowed. To prove that a
// policy denies something, ask for Denied.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (d Document) Evaluate(r Request) Verdict {
	_, denied := d.Denial(r)
	allowed := d.strongest(r, Allow).answer
	switch {
	case denied == Yes:
		return Denied
	case denied == CannotTell:
		return Undecided
	case allowed == Yes:
		return Allowed
	case allowed == CannotTell:
		return Undecided
	default:
		return Silent
	}
}

// Denial returns whether the document denies a request, and the statement by
// which it does or may. It is for policies that can only take away, such as
// service control policies, where who allows is not asked.
func (d Document) Denial(r Request) (Statement, Answer) {
	s := d.strongest(r, Deny)
	return s.Statement, s.answer
}

type answered struct {
	Statement
	answer Answer
}

// strongest returns the first statement of an effect that fits the most surely.
// One of no effect that there is may have either.
func (d Document) strongest(r Request, effect Effect) (out answered) {
	e := evaluation{Request: r, variables: d.Version == version2012}
	for _, s := range d.Statement {
		a := CannotTell
		switch s.Effect {
		case effect:
			a = Yes
		case Allow, Deny:
			continue
		}
		if a = and(a, e.fits(s)); a > out.answer {
			out = answered{s, a}
		}
	}
	return out
}

// evaluation is a request beside a document.
type evaluation struct {
	Request
	// variables is true in the version of the language that has policy variables.
	variables bool
}

func (e evaluation) fits(s Statement) Answer {
	a := e.applies(s)
	if s.Action == nil && s.NotAction == nil { // AWS refuses it
		a = and(a, CannotTell)
	} else {
		a = and(a, answer(s.Covers(e.Action)))
	}
	a = and(a, e.touches(s))
	if a == No {
		return No
	}
	return and(a, e.holds(s.Condition))
}

// touches is Touches with policy variables. A pattern with one that has no value
// matches nothing. By NotResource it would not fit everything else instead, because
// it "might cause the entire statement to be invalid".
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (e evaluation) touches(s Statement) Answer {
	matches := func(absent Answer) func(string) Answer {
		return func(pattern string) Answer {
			pattern, whole := e.expand(pattern)
			switch whole {
			case Yes:
				return answer(Match(pattern, e.Resource))
			case No:
				return absent
			default:
				return CannotTell
			}
		}
	}
	switch {
	case s.NotResource != nil:
		return not(anyOf(s.NotResource, matches(CannotTell)))
	case s.Resource != nil:
		return anyOf(s.Resource, matches(No))
	default:
		return Yes
	}
}
