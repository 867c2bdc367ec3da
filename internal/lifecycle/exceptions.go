package lifecycle

import (
	"fmt"
	"slices"
	"time"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/policies"
)

// checkExceptions refuses exceptions that answer for nothing: of a rule that
// there is not, of one that allows none, and past their last day.
func (s *Service) checkExceptions(p plan.Plan) error {
	rules := policies.All()
	today := s.Now().UTC().Format(time.DateOnly)
	for i, e := range p.Exceptions {
		field := fmt.Sprintf("exceptions[%d]", i)
		at := slices.IndexFunc(rules, func(r policies.Rule) bool { return r.ID == e.Rule })
		switch {
		case at < 0:
			return &Error{
				Org: p.Org, Err: fmt.Errorf("%w: %s.rule: there is no rule %s", ErrInvalid, field, e.Rule),
				Next: "take the rule's id from the finding; docs/policies.md lists them all",
			}
		case rules[at].NoException:
			return &Error{
				Org: p.Org, Err: fmt.Errorf("%w: %s: rule %s (%s) allows no exception", ErrInvalid, field, e.Rule, rules[at].Title),
				Next: rules[at].Fix,
			}
		case e.Expires < today:
			return &Error{
				Org: p.Org, Err: fmt.Errorf("%w: %s: the exception of %s for %q has expired on %s", ErrInvalid, field, e.Rule, e.Resource, e.Expires),
				Next: rules[at].Fix + "; or have " + e.Approver + " answer for it until another day",
			}
		}
	}
	return nil
}
