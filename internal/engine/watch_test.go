package engine

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

func created(name string) events.EngineEvent {
	urn := "urn:pulumi:acme.cluster::freehold::aws:ec2/vpc:Vpc::" + name
	return events.EngineEvent{EngineEvent: apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: apitype.StepEventMetadata{
		Op: apitype.OpCreate, URN: urn, Type: "aws:ec2/vpc:Vpc", New: &apitype.StepEventStateMetadata{Custom: true},
	}}}}
}

// A bubble fails when a goroutine is left in it, and shows by its clock when
// somebody waited.
func TestTheReaderOfARunsEventsEndsWithTheRun(t *testing.T) {
	broken := errors.New("the CLI did not start")
	for reason, tc := range map[string]struct {
		run  func(chan events.EngineEvent) error
		want []string
		err  error
	}{
		"the CLI has ended its stream": {
			func(ch chan events.EngineEvent) error { ch <- created("a"); ch <- created("b"); close(ch); return nil }, []string{"a", "b"}, nil,
		},
		"the CLI never connected": {
			func(chan events.EngineEvent) error { return broken }, nil, broken,
		},
		"the CLI connected, and nobody closes": {
			func(ch chan events.EngineEvent) error { ch <- created("a"); return broken }, []string{"a"}, broken,
		},
		"its stream broke off": {
			func(ch chan events.EngineEvent) error {
				ch <- created("a")
				ch <- events.EngineEvent{Error: errors.New("EOF")}
				close(ch)
				return broken
			}, []string{"a"}, broken,
		},
		"another goroutine sends, as the API does": {
			func(ch chan events.EngineEvent) error {
				sent := make(chan struct{})
				go func() { defer close(sent); time.Sleep(time.Minute); ch <- created("late"); close(ch) }()
				<-sent
				return nil
			}, []string{"late"}, nil,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatch(Stack{}, nil, time.Now)
				var ended time.Time
				err := w.following(func(ch chan events.EngineEvent) error {
					defer func() { ended = time.Now() }()
					return tc.run(ch)
				})
				if !errors.Is(err, tc.err) {
					t.Errorf("got %v, want %v", err, tc.err)
				}
				if waited := time.Since(ended); waited != 0 {
					t.Errorf("it waited %s after the run", waited)
				}
				var got []string
				for _, s := range w.steps {
					got = append(got, s.Name)
				}
				if d := cmp.Diff(tc.want, got); d != "" {
					t.Errorf("steps (-want +got):\n%s", d)
				}
			})
		})
	}
}
