package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"freehold.dev/freehold/internal/engine"
)

// A CLI that cannot say what it does, does it all the same and ends well.
func TestARunWhoseEventsDoNotComeHasNotEndedWell(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lost := filepath.Join(dir, "lost")
	// mute makes a CLI that says nothing in as many of its runs.
	mute := func(runs int) *engine.Engine {
		if err := os.WriteFile(lost, fmt.Appendf(nil, "%d", runs), 0o600); err != nil {
			t.Fatal(err)
		}
		cli := filepath.Join(t.TempDir(), "pulumi")
		script := fmt.Sprintf(`#!/bin/sh
left=$(cat %[1]q)
case " $* " in
*" --event-log "*) [ "$left" = 0 ] || echo $((left - 1)) >%[1]q ;;
*) left=0 ;;
esac
if [ "$left" != 0 ]; then
	for arg; do
		shift
		[ "$arg" = --event-log ] || case $arg in tcp://*) ;; *) set -- "$@" "$arg" ;; esac
	done
fi
exec %[2]q "$@"
`, lost, pulumiCLI(t))
		if err := os.WriteFile(cli, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		return newEngineOn(t, cli)
	}
	for doing, run := range map[string]func(*engine.Engine) (engine.Result, error){
		"an up":     func(e *engine.Engine) (engine.Result, error) { return e.Up(t.Context(), stack("in"), nil) },
		"a preview": func(e *engine.Engine) (engine.Result, error) { return e.Preview(t.Context(), stack("in"), nil) },
	} {
		if res, err := run(mute(9)); !errors.Is(err, engine.ErrUnheard) || len(res.Outputs) > 0 || len(res.Steps) > 0 {
			t.Errorf("%s that is never heard: %v, outputs %v, steps %v", doing, err, res.Outputs, res.Steps)
		}
		res, err := run(mute(1))
		if err != nil {
			t.Errorf("%s that is heard at its second attempt: %v", doing, err)
		}
		if len(res.Steps) == 0 {
			t.Errorf("%s that is heard at its second attempt says nothing", doing)
		}
	}
}
