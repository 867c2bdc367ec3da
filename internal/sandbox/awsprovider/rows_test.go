package awsprovider

import (
	"slices"
	"testing"

	"freehold.dev/freehold/internal/awstype"
)

func TestTheSandboxHasEveryTypeThatTheStacksMakeAndCallsItAsItsRowDoes(t *testing.T) {
	for _, r := range awstype.All() {
		ty := byToken[r.Token]
		switch {
		case ty == nil && r.Foreign == "":
			t.Errorf("%s: a stack makes it, and the sandbox has no such type", r.Token)
			continue
		case ty == nil || r.Foreign != "":
			continue
		}
		// S3's actions are not called as its API is.
		if r.Service == "s3" {
			continue
		}
		for verb, of := range map[string]struct {
			call    string
			actions []string
		}{
			"creates": {ty.API.Create, r.Make}, "reads": {ty.API.Read, r.Read}, "deletes": {ty.API.Delete, r.Delete},
		} {
			if action := r.Service + ":" + of.call; of.call != "" && !slices.Contains(of.actions, action) {
				t.Errorf("%s: the sandbox %s it by %s, which its row does not have", r.Token, verb, action)
			}
		}
	}
}
