package trusts

import (
	"testing"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

func TestWhatIsKnownOfADocumentIsJudgedWhileTheRestIsNot(t *testing.T) {
	open := object{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
	for name, c := range map[string]struct {
		policy any
		want   rule.Answer
	}{
		"an open statement beside an unknown one":  {object{"Statement": list{open, rule.Unknown{}}}, rule.Violated},
		"a closed statement beside an unknown one": {object{"Statement": list{object{"Effect": "Deny", "Principal": "*", "Action": "*"}, rule.Unknown{}}}, rule.Undecided},
		"an unknown document":                      {rule.Unknown{}, rule.Undecided},
		"no document":                              {nil, rule.Pass},
		"an empty document":                        {"{}", rule.Pass},
		"an empty text":                            {" ", rule.Pass},
		"what is not a document":                   {`{"Statement": [{"Effect": "Deny"`, rule.Violated},
		"a number":                                 {7.0, rule.Violated},
	} {
		e := example.Of(name, "aws:s3/bucketPolicy:BucketPolicy", object{"policy": c.policy})
		if got := rule.On(checkResourcePolicy)(e.Resource, e.Scope); got.Answer != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
}
