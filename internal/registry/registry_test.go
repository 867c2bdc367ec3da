package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

// TestMain lets this binary be the second process of the tests that need one.
func TestMain(m *testing.M) {
	if file := os.Getenv("REGISTRY_TEST_HOLD"); file != "" {
		hold(file)
		return
	}
	os.Exit(m.Run())
}

// hold begins an operation on acme and waits to be killed.
func hold(file string) {
	r, err := registry.Open(context.Background(), file, time.Now)
	if err == nil {
		_, err = r.Begin(context.Background(), "acme", "onboard")
	}
	fmt.Println("held", err)
	time.Sleep(time.Hour)
}

func open(t *testing.T, file string) *registry.Registry {
	t.Helper()
	r, err := registry.Open(t.Context(), file, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestASecondOperationOnTheSameOrgIsBusyAndOnAnotherIsNot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	a, b := open(t, file), open(t, file)
	op, err := a.Begin(t.Context(), "acme", "onboard")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Begin(t.Context(), "acme", "offboard"); !errors.Is(err, registry.ErrBusy) ||
		!strings.Contains(err.Error(), op.ID) {
		t.Errorf("second operation on acme: %v, want ErrBusy naming %s", err, op.ID)
	}
	other, err := b.Begin(t.Context(), "globex", "onboard")
	if err != nil {
		t.Fatalf("operation on globex: %v", err)
	}
	if err := errors.Join(op.End(t.Context(), "succeeded", ""), other.End(t.Context(), "succeeded", "")); err != nil {
		t.Fatal(err)
	}
	op, err = b.Begin(t.Context(), "acme", "onboard")
	if err != nil {
		t.Fatalf("operation after the first ended: %v", err)
	}
	if op.Unclean || len(op.Interrupted) != 0 {
		t.Errorf("after a success: unclean %v, interrupted %v", op.Unclean, op.Interrupted)
	}
	if err := op.End(t.Context(), "failed", "no"); err != nil {
		t.Fatal(err)
	}
}

func TestAKilledOperationIsTakenOverWithoutAnUnlock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "REGISTRY_TEST_HOLD="+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var word, rest string
	if _, err := fmt.Fscan(out, &word, &rest); err != nil || rest != "<nil>" {
		t.Fatalf("the other process: %q %q %v", word, rest, err)
	}
	r := open(t, file)
	if _, err := r.Begin(t.Context(), "acme", "onboard"); !errors.Is(err, registry.ErrBusy) {
		t.Fatalf("while the other process lives: %v, want ErrBusy", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	op, err := r.Begin(t.Context(), "acme", "onboard")
	if err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	if !op.Unclean || len(op.Interrupted) != 1 || op.Interrupted[0].State != "failed" || op.Interrupted[0].ID == op.ID {
		t.Errorf("taken over: unclean %v, interrupted %+v", op.Unclean, op.Interrupted)
	}
	if err := op.End(t.Context(), "succeeded", ""); err != nil {
		t.Fatal(err)
	}
	if op, err = r.Begin(t.Context(), "acme", "onboard"); err != nil || len(op.Interrupted) != 0 || op.Unclean {
		t.Errorf("the operation after it: %+v, %v", op, err)
	}
}

func TestAnIdentityHasOneOwnerAndAClaimIsAllOrNothing(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "registry.db"))
	account := registry.Identity{Kind: "account", Value: "111122223333"}
	mail := registry.Identity{Kind: "e-mail", Value: "a@example.com"}
	for range 2 {
		if err := r.Claim(t.Context(), "acme", account); err != nil {
			t.Fatal(err)
		}
	}
	err := r.Claim(t.Context(), "globex", mail, account)
	var owned *registry.OwnedError
	if !errors.As(err, &owned) || owned.Owner != "acme" || owned.Identity != account {
		t.Fatalf("a second owner: %v", err)
	}
	if owner, err := r.Owner(t.Context(), mail); err != nil || owner != "" {
		t.Errorf("a refused claim left %q as the owner of its first identity, %v", owner, err)
	}
}

func TestTheLedgerSaysWhatOfManyValuesOthersOwn(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "registry.db"))
	ours, theirs := registry.Identity{Kind: "VPC", Value: "vpc-1"}, registry.Identity{Kind: "account", Value: "111122223333"}
	if err := errors.Join(r.Claim(t.Context(), "acme", ours), r.Claim(t.Context(), "globex", theirs)); err != nil {
		t.Fatal(err)
	}
	values := []string{ours.Value, theirs.Value}
	for i := range 1200 { // more than one statement may have
		values = append(values, fmt.Sprint("nobody's ", i))
	}
	got, err := r.OwnedByOthers(t.Context(), "acme", values)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]registry.OwnedError{{Identity: theirs, Owner: "globex"}}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got, err := r.OwnedByOthers(t.Context(), "acme", nil); len(got) > 0 || err != nil {
		t.Errorf("of no values: %v, %v", got, err)
	}
}

func TestWhatIsRecordedIsReadBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	r := open(t, file)
	if _, err := r.Org(t.Context(), "acme"); !errors.Is(err, registry.ErrUnknownOrg) {
		t.Fatalf("an org that never was: %v", err)
	}
	o := registry.Org{Org: "acme", State: "ready", Plan: []byte(`{"org":"acme"}`), Hash: "h", HashVersion: 1}
	if err := r.PutOrg(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	l := registry.Layer{
		Layer: "account", State: "done", Outputs: map[string]any{"accountId": "1"}, Resources: 3,
		Duration: time.Second, Error: "",
	}
	if err := r.PutLayer(t.Context(), "acme", l); err != nil {
		t.Fatal(err)
	}
	again := open(t, file)
	got, err := again.Org(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	o.Updated, got.Updated = time.Time{}, time.Time{}
	if d := cmp.Diff(o, got); d != "" {
		t.Errorf("org (-want +got):\n%s", d)
	}
	layers, err := again.Layers(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	gotLayer := layers["account"]
	gotLayer.Updated = time.Time{}
	if d := cmp.Diff(l, gotLayer); d != "" {
		t.Errorf("layer (-want +got):\n%s", d)
	}
}

func TestSharedComparesWhatTwoOrgsReallyHave(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "registry.db"))
	for org, key := range map[string]string{"acme": "arn:key/1", "globex": "arn:key/1", "initech": "arn:key/2"} {
		if err := r.PutOrg(t.Context(), registry.Org{Org: org, Plan: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		for _, l := range []registry.Layer{
			{Layer: "account", State: "done", Outputs: map[string]any{"accountId": org}},
			{Layer: "boundary", State: "done", Outputs: map[string]any{"accountId": org, "dataKeyArn": key}},
		} {
			if err := r.PutLayer(t.Context(), org, l); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := r.Shared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []finding.Shared{{Kind: "dataKeyArn", Value: "arn:key/1", Owners: []string{"acme", "globex"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
