package controller

import (
	"strings"
	"testing"
	"time"
)

func TestItIsReadyWhenItCouldWorkAndEndsInOrder(t *testing.T) {
	k := start(t, "")
	before := run(t, k.rc)
	eventually(t, "it is alive", func() bool { return strings.HasPrefix(before.answers("/healthz"), "200") })
	time.Sleep(time.Second)
	if got := before.answers("/readyz"); !strings.HasPrefix(got, "500") {
		t.Errorf("without the Project kind, /readyz answers %s", got)
	}
	k.define(definitionFile)
	before.ready(t)
	k.make(project("early"))
	k.ready("early")
	begin := time.Now()
	if err := before.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %s to end", took)
	}
	if got := before.answers("/healthz"); !strings.Contains(got, "refused") {
		t.Errorf("after its end, /healthz answers %s", got)
	}
}
