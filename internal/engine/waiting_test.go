package engine

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"freehold.dev/freehold/internal/event"
)

func TestAStepThatTakesLongSaysWhatItWaitsForUntilItIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var got []string
		stack := Stack{Org: "acme", Layer: "cluster", Until: func(_, op string) string { return "EKS is done with the " + op }}
		w := newWatch(stack, func(ev event.Event) {
			if ev.Type == event.Waiting {
				got = append(got, fmt.Sprintf("%s %s %s %s", time.Since(began), ev.Duration, ev.ResourceType, ev.Message))
			}
		}, time.Now)
		step := func(typ, name string, custom bool) apitype.StepEventMetadata {
			return apitype.StepEventMetadata{
				Op: apitype.OpCreate, Type: typ, URN: "urn:pulumi:acme.cluster::freehold::" + typ + "::" + name,
				New: &apitype.StepEventStateMetadata{Custom: custom},
			}
		}
		cluster := step("aws:eks/cluster:Cluster", "eks", true)
		w.take(apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: step("eks:index:Cluster", "cluster", false)}})
		w.take(apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: cluster}})
		stop := w.reporting(t.Context())
		time.Sleep(30 * time.Second)
		w.take(apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{URN: cluster.URN, Severity: "info", Message: "Still creating", Ephemeral: true}})
		time.Sleep(60 * time.Second)
		w.take(apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: cluster}})
		time.Sleep(2 * time.Minute)
		stop()
		want := []string{
			`20s 20s aws:eks/cluster:Cluster waiting for create of aws:eks/cluster:Cluster "eks" until EKS is done with the create`,
			`1m20s 1m20s aws:eks/cluster:Cluster waiting for create of aws:eks/cluster:Cluster "eks" until EKS is done with the create: Still creating`,
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

func TestARunThatWaitsForAPlaceSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &Engine{opts: Options{Now: time.Now}, slots: make(chan struct{}, 1)}
		var got []string
		sink := func(ev event.Event) { got = append(got, ev.Duration.String()+" "+ev.Message) }
		first, err := e.slot(t.Context(), Stack{}, sink)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(90*time.Second, first)
		second, err := e.slot(t.Context(), Stack{}, sink)
		if err != nil {
			t.Fatal(err)
		}
		second()
		want := []string{"0s waiting for another stack to finish: 1 run at the same time", "1m0s waiting for another stack to finish: 1 run at the same time"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}
