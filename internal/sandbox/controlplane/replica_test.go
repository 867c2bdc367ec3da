package controlplane

import "testing"

func TestWhatReadyzAnswersIsReportedInOneLine(t *testing.T) {
	for reason, tc := range map[string]struct{ said, want string }{
		"only the checks that failed": {
			"500 Internal Server Error: [+]ping ok\n[-]first-pass failed: reason withheld\n[-]lease failed: reason withheld\nhealthz check failed\n",
			"it waits for first-pass, lease",
		},
		"an answer without checks is reported as it is": {"dial tcp 127.0.0.1:1: connection refused", "dial tcp 127.0.0.1:1: connection refused"},
	} {
		t.Run(reason, func(t *testing.T) {
			if got := brief(tc.said); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
