package awsprovider

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/awstype"
)

// Kind is how an injected fault shows.
type Kind string

// The kinds of faults.
const (
	// FaultError is an InternalFailure; nothing has happened.
	FaultError Kind = "error"
	// FaultTimeout is a call that hangs, then fails; nothing has happened. The
	// provider tries once more.
	FaultTimeout Kind = "timeout"
	// FaultThrottle is a ThrottlingException; the provider backs off and retries.
	FaultThrottle Kind = "throttle"
	// FaultLost is a call whose effect is there but whose answer is lost.
	FaultLost Kind = "lost"
)

var kinds = []string{string(FaultError), string(FaultTimeout), string(FaultThrottle), string(FaultLost)}

// Fault is a failure to inject into calls of one action.
type Fault struct {
	Service, Action string
	Kind            Kind
	Count           int // 0: each time
}

// ParseFault reads "service:Action=kind[:count]". What no table knows is an error.
func ParseFault(s string) (Fault, error) {
	fail := func(format string, args ...any) (Fault, error) {
		return Fault{}, fmt.Errorf("fault %q: %s", s, fmt.Sprintf(format, args...))
	}
	call, what, ok := strings.Cut(s, "=")
	service, action, ok2 := strings.Cut(call, ":")
	if !ok || !ok2 {
		return fail("want service:Action=error|timeout|throttle|lost[:count]")
	}
	known := actions()
	if _, is := known[service]; !is {
		return fail("unknown service %q%s", service, suggest(service, slices.Collect(maps.Keys(known))))
	}
	if !slices.Contains(known[service], action) {
		return fail("unknown action %q of %s%s", action, service, suggest(action, known[service]))
	}
	kind, times, counted := strings.Cut(what, ":")
	if !slices.Contains(kinds, kind) {
		return fail("unknown kind %q, want one of %s", kind, strings.Join(kinds, ", "))
	}
	f := Fault{Service: service, Action: action, Kind: Kind(kind)}
	if counted {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 {
			return fail("%q is not a count of 1 or more", times)
		}
		f.Count = n
	}
	return f, nil
}

// actions are the known calls by service.
func actions() map[string][]string {
	out := map[string][]string{"sts": {"AssumeRole", "GetCallerIdentity"}}
	for call := range Durations() {
		service, action, _ := strings.Cut(call, ":")
		if !slices.Contains(out[service], action) {
			out[service] = append(out[service], action)
		}
	}
	for _, call := range awstype.SharingCalls() {
		service, action, _ := strings.Cut(call, ":")
		if !slices.Contains(out[service], action) {
			out[service] = append(out[service], action)
		}
	}
	for _, f := range functions {
		if !slices.Contains(out[f.service], f.action) {
			out[f.service] = append(out[f.service], f.action)
		}
	}
	return out
}
