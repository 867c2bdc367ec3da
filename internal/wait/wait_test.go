package wait_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/wait"
)

// account is a wait of 30 minutes with a probe every 10 seconds.
func account(said *[]time.Duration) wait.For {
	f := wait.For{What: "account 111122223333 to become usable", Every: 10 * time.Second, Within: 30 * time.Minute, Now: time.Now}
	if said != nil {
		f.Say = func(waited time.Duration) { *said = append(*said, waited) }
	}
	return f
}

// doneAt is a probe that is done after so long.
func doneAt(began time.Time, after time.Duration) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) { return time.Since(began) >= after, nil }
}

func TestWhatIsThereAlreadyIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var said []time.Duration
		if err := wait.Until(t.Context(), account(&said), doneAt(began, 0)); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) != 0 || said != nil {
			t.Errorf("it waited %s and said %v", time.Since(began), said)
		}
	})
}

func TestItProbesWithPausesAndSaysHowLongItHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var said []time.Duration
		if err := wait.Until(t.Context(), account(&said), doneAt(began, 25*time.Second)); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(began); got != 30*time.Second {
			t.Errorf("it was done after %s, want 30s: the probe after 25s", got)
		}
		if d := cmp.Diff([]time.Duration{0, 10 * time.Second, 20 * time.Second}, said); d != "" {
			t.Errorf("it said (-want +got):\n%s", d)
		}
	})
}

func TestAWaitWithManyProbesSpeaksNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []time.Duration
		f := account(&said)
		f.Every, f.SayEvery = 50*time.Millisecond, 10*time.Second
		if err := wait.Until(t.Context(), f, doneAt(time.Now(), 21*time.Second)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]time.Duration{0, 10 * time.Second, 20 * time.Second}, said); d != "" {
			t.Errorf("it said (-want +got):\n%s", d)
		}
	})
}

func TestItGivesUpAtItsDeadlineAndSaysOnWhatAndWhy(t *testing.T) {
	unusable := errors.New("EC2 answers OptInRequired")
	for reason, tc := range map[string]struct {
		probe func(context.Context) (bool, error)
		why   error
		text  string
	}{
		"no reason is known": {
			func(context.Context) (bool, error) { return false, nil },
			nil, "gave up waiting for account 111122223333 to become usable after 30m0s",
		},
		"the probe knows the reason": {
			func(context.Context) (bool, error) { return false, wait.NotYet(unusable) },
			unusable, "gave up waiting for account 111122223333 to become usable after 30m0s: EC2 answers OptInRequired",
		},
		"the last probe is cut off": {
			func(ctx context.Context) (bool, error) {
				if ctx.Err() != nil {
					return false, ctx.Err()
				}
				return false, wait.NotYet(unusable)
			},
			unusable, "gave up waiting for account 111122223333 to become usable after 30m0s: EC2 answers OptInRequired",
		},
		"the probe hangs": {
			func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() },
			context.DeadlineExceeded, "gave up waiting for account 111122223333 to become usable after 30m0s: context deadline exceeded",
		},
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := wait.Until(t.Context(), account(nil), tc.probe)
				if !errors.Is(err, wait.ErrDeadline) || tc.why != nil && !errors.Is(err, tc.why) {
					t.Errorf("got %v, want it to wrap ErrDeadline and %v", err, tc.why)
				}
				if err == nil || err.Error() != tc.text {
					t.Errorf("got %v\nwant %s", err, tc.text)
				}
				if got := time.Since(began); got != 30*time.Minute {
					t.Errorf("it waited %s, want 30m", got)
				}
			})
		})
	}
}

// The reason of an earlier probe is not the reason of the last one.
func TestAReasonThatIsOverIsNotNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probes := 0
		err := wait.Until(t.Context(), account(nil), func(context.Context) (bool, error) {
			if probes++; probes == 1 {
				return false, wait.NotYet(errors.New("throttled"))
			}
			return false, nil
		})
		if err == nil || strings.Contains(err.Error(), "throttled") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAnErrorOfTheProbeEndsTheWaitAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied, began := errors.New("AccessDenied"), time.Now()
		err := wait.Until(t.Context(), account(nil), func(context.Context) (bool, error) { return false, denied })
		if err != denied { //nolint:errorlint // the error itself is compared
			t.Errorf("got %v", err)
		}
		if got := time.Since(began); got != 0 {
			t.Errorf("it waited %s", got)
		}
	})
}

func TestAContextThatEndsEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost, began := errors.New("the lease is lost"), time.Now()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(42*time.Second, func() { cancel(lost) })
		err := wait.Until(ctx, account(nil), func(context.Context) (bool, error) { return false, nil })
		if !errors.Is(err, lost) || errors.Is(err, wait.ErrDeadline) || !strings.Contains(err.Error(), "waiting for account 111122223333") {
			t.Errorf("got %v", err)
		}
		if got := time.Since(began); got != 42*time.Second {
			t.Errorf("it ended after %s, want 42s: not after its pause", got)
		}
	})
}

func TestAWaitWithoutADeadlineIsRefused(t *testing.T) {
	f := account(nil)
	f.Within = 0
	err := wait.Until(t.Context(), f, func(context.Context) (bool, error) { t.Error("it probed"); return true, nil })
	if err == nil || !strings.Contains(err.Error(), "Within") {
		t.Errorf("got %v", err)
	}
}

func TestAWaitIsHeardByWhoeverListensWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var heard []string
		ctx := wait.Heard(t.Context(), func(r wait.Report) { heard = append(heard, r.Waited.String()+" "+r.String()) })
		err := wait.Until(ctx, account(nil), func(context.Context) (bool, error) {
			switch after := time.Since(began); {
			case after < 90*time.Second:
				return false, wait.NotYet(errors.New("EC2 answers OptInRequired"))
			case after < 2*time.Minute:
				return false, nil
			}
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"0s waiting for account 111122223333 to become usable: EC2 answers OptInRequired",
			"1m0s waiting for account 111122223333 to become usable: EC2 answers OptInRequired",
			"1m30s waiting for account 111122223333 to become usable",
		}
		if d := cmp.Diff(want, heard); d != "" {
			t.Errorf("heard at once, each minute and when the reason changes (-want +got):\n%s", d)
		}
	})
}

func TestAWaitOfAnothersIsHeardWhileItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard []string
		ctx := wait.Heard(t.Context(), func(r wait.Report) { heard = append(heard, r.Waited.String()+" "+r.String()) })
		if err := wait.While(ctx, account(nil), func(context.Context) error { time.Sleep(95 * time.Second); return nil }); err != nil {
			t.Fatal(err)
		}
		want := []string{"10s waiting for account 111122223333 to become usable", "1m10s waiting for account 111122223333 to become usable"}
		if d := cmp.Diff(want, heard); d != "" {
			t.Errorf("heard (-want +got):\n%s", d)
		}
		err := wait.While(ctx, account(nil), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if !errors.Is(err, wait.ErrDeadline) || !strings.Contains(err.Error(), "account 111122223333") {
			t.Errorf("got %v", err)
		}
	})
}
