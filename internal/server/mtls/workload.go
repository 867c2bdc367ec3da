package mtls

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

// WorkloadAPI is the source of a service whose SVID comes from a SPIFFE Workload
// API, such as that of SPIRE's agent. addr is its socket, such as
// unix:///run/spire/agent/public/api.sock; empty: what SPIFFE_ENDPOINT_SOCKET
// says. It waits for the first answer until ctx ends.
//
// A process with several services is entitled to several SVIDs. A service takes
// only the one with its own name, and has none if that is missing.
func WorkloadAPI(ctx context.Context, addr, trustDomain, service string) (Source, error) {
	if addr == "" {
		set, ok := workloadapi.GetDefaultAddress()
		if !ok {
			return nil, fmt.Errorf("no address of a SPIFFE Workload API: set %s", workloadapi.SocketEnv)
		}
		addr = set
	}
	if err := workloadapi.ValidateAddress(addr); err != nil {
		return nil, fmt.Errorf("SPIFFE Workload API at %s: %w", addr, err)
	}
	id := ID(trustDomain, service)
	source, err := workloadapi.NewX509Source(ctx,
		workloadapi.WithClientOptions(workloadapi.WithAddr(addr)),
		workloadapi.WithDefaultX509SVIDPicker(func(all []*x509svid.SVID) *x509svid.SVID {
			i := slices.IndexFunc(all, func(s *x509svid.SVID) bool { return s.ID == id })
			if i < 0 {
				return nil
			}
			return all[i]
		}))
	if err != nil {
		return nil, fmt.Errorf("SPIFFE Workload API at %s: %w", addr, err)
	}
	if _, err := source.GetX509SVID(); err != nil {
		err = fmt.Errorf("SPIFFE Workload API at %s gives this process no SVID of %s: register the workload: %w", addr, id, err)
		return nil, errors.Join(err, source.Close())
	}
	return source, nil
}
