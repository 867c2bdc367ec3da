package iam_test

import (
	"testing"

	"freehold.dev/freehold/internal/iam"
)

func TestAStatementCoversWhatItsPatternsSay(t *testing.T) {
	for name, tt := range map[string]struct {
		statement iam.Statement
		action    string
		want      bool
	}{
		"a pattern in other letters":             {iam.Statement{Action: iam.Values{"STS:Assume*"}}, "sts:AssumeRole", true},
		"one character":                          {iam.Statement{Action: iam.Values{"sts:AssumeRol?"}}, "sts:AssumeRole", true},
		"a pattern that ends too early":          {iam.Statement{Action: iam.Values{"sts:Assume"}}, "sts:AssumeRole", false},
		"all others":                             {iam.Statement{NotAction: iam.Values{"iam:*"}}, "sts:AssumeRole", true},
		"all others, where it is among the ones": {iam.Statement{NotAction: iam.Values{"s*"}}, "sts:AssumeRole", false},
		"all others of none":                     {iam.Statement{NotAction: iam.Values{}}, "sts:AssumeRole", true},
		"no actions at all":                      {iam.Statement{}, "sts:AssumeRole", false},
	} {
		if got := tt.statement.Covers(tt.action); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestAVariableMayBeAnything(t *testing.T) {
	s := iam.Statement{Resource: iam.Values{"arn:aws:iam::${aws:PrincipalAccount}:role/a${aws:PrincipalTag/x, 'y'}"}}
	if !s.MayTouch(role) || s.Touches(role) || s.MayTouch("arn:aws:iam::111111111111:role/b") {
		t.Errorf("MayTouch %v, Touches %v", s.MayTouch(role), s.Touches(role))
	}
}

func TestAStatementTouchesWhatItsPatternsSay(t *testing.T) {
	for name, tt := range map[string]struct {
		statement iam.Statement
		want      bool
	}{
		"a pattern over a slash":         {iam.Statement{Resource: iam.Values{"arn:aws:iam::111111111111:*"}}, true},
		"a pattern over colons":          {iam.Statement{Resource: iam.Values{"arn:aws:*/app"}}, true},
		"a pattern in other letters":     {iam.Statement{Resource: iam.Values{"arn:aws:iam::111111111111:role/App"}}, false},
		"all others":                     {iam.Statement{NotResource: iam.Values{"arn:aws:s3:::*"}}, true},
		"all others, where it is not of": {iam.Statement{NotResource: iam.Values{"*"}}, false},
		"a trust policy's":               {iam.Statement{}, true},
		"an empty list":                  {iam.Statement{Resource: iam.Values{}}, false},
	} {
		if got := tt.statement.Touches(role); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
