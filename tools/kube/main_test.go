package main

import (
	"slices"
	"testing"
)

func TestPick(t *testing.T) {
	cases := map[string]struct {
		reason  string
		args    []string
		want    string
		forward []string
		fails   bool
	}{
		"by argument": {
			reason: "the usual call; the program must not see our own name",
			args:   []string{"/opt/bin/freehold-kube", "etcd", "--name", "a"},
			want:   "etcd", forward: []string{"etcd", "--name", "a"},
		},
		"by the name of a link": {
			reason: "bin/kubectl is a symlink to freehold-kube",
			args:   []string{"/opt/bin/kubectl", "version"},
			want:   "kubectl", forward: []string{"/opt/bin/kubectl", "version"},
		},
		"by the name of a copy on Windows": {
			reason: "where links fail the file is copied, and has an extension",
			args:   []string{`kubectl.exe`, "get", "pods"},
			want:   "kubectl", forward: []string{`kubectl.exe`, "get", "pods"},
		},
		"nothing asked for": {
			reason: "a bare call explains itself",
			args:   []string{"freehold-kube"}, fails: true,
		},
		"unknown program": {
			reason: "kube-scheduler is not in the binary: no pod ever runs here",
			args:   []string{"freehold-kube", "kube-scheduler"}, fails: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, args, err := pick(tc.args)
			if (err != nil) != tc.fails {
				t.Fatalf("%s: error %v, want one: %v", tc.reason, err, tc.fails)
			}
			if p.name != tc.want || !slices.Equal(args, tc.forward) {
				t.Errorf("%s: got %q %q, want %q %q", tc.reason, p.name, args, tc.want, tc.forward)
			}
		})
	}
}
