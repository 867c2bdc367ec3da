package dataplane

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"freehold.dev/freehold/internal/cloud"
)

// ErrWhichCluster is wrapped when it cannot be told whether a cluster is the one
// in which the bootstrap layer has its objects.
var ErrWhichCluster = errors.New("it cannot be told which cluster the bootstrap layer is in")

// Reached is how the bootstrap layer reached its cluster when it last ran.
type Reached struct {
	Server string // the API's URL
	CA     []byte // PEM
}

// Outlived reports whether the bootstrap layer's objects were in another cluster
// than the one that has its name now. EKS makes up the authority and the address
// of each cluster, so that of two clusters they are never the same:
//
//	authority   address     it is
//	the same    any         the same cluster, by whatever address
//	another     another     another cluster: the first is gone, as names are unique
//	another     the same    cannot tell
//
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html
func Outlived(was Reached, now cloud.Running) (bool, error) {
	ca, err := base64.StdEncoding.DecodeString(now.CA)
	switch {
	case err != nil || len(bytes.TrimSpace(ca)) == 0 || now.Endpoint == "":
		return false, fmt.Errorf("%w: the cloud says of the cluster neither address nor authority yet", ErrWhichCluster)
	case bytes.Equal(bytes.TrimSpace(ca), bytes.TrimSpace(was.CA)):
		return false, nil
	case was.Server == now.Endpoint:
		return false, fmt.Errorf("%w: %s has another certificate authority than before", ErrWhichCluster, now.Endpoint)
	default:
		return true, nil
	}
}
