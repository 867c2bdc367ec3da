package dataplane_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
)

func TestAClusterIsKnownByItsAuthorityAndItsAddress(t *testing.T) {
	ca := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	was := dataplane.Reached{Server: "https://A.gr7.eu-west-1.eks.amazonaws.com", CA: []byte("one\n")}
	for reason, tc := range map[string]struct {
		now     cloud.Running
		another bool
		err     error
	}{
		"the same":                       {cloud.Running{Endpoint: was.Server, CA: ca("one")}, false, nil},
		"the same by another address":    {cloud.Running{Endpoint: "https://private.example", CA: ca("one\n")}, false, nil},
		"another":                        {cloud.Running{Endpoint: "https://B.gr7.eu-west-1.eks.amazonaws.com", CA: ca("two")}, true, nil},
		"another authority, same place":  {cloud.Running{Endpoint: was.Server, CA: ca("two")}, false, dataplane.ErrWhichCluster},
		"no authority":                   {cloud.Running{Endpoint: "https://B"}, false, dataplane.ErrWhichCluster},
		"no address":                     {cloud.Running{CA: ca("two")}, false, dataplane.ErrWhichCluster},
		"an authority that is not read":  {cloud.Running{Endpoint: "https://B", CA: "%"}, false, dataplane.ErrWhichCluster},
		"a cluster that is being made":   {cloud.Running{Kubernetes: "1.35"}, false, dataplane.ErrWhichCluster},
		"an authority of blanks is none": {cloud.Running{Endpoint: "https://B", CA: ca(" \n")}, false, dataplane.ErrWhichCluster},
	} {
		t.Run(reason, func(t *testing.T) {
			another, err := dataplane.Outlived(was, tc.now)
			if another != tc.another || !errors.Is(err, tc.err) {
				t.Errorf("another: %t, %v; want %t, %v", another, err, tc.another, tc.err)
			}
		})
	}
}
