package byhand

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"freehold.dev/freehold/internal/conformance/lab"
)

// Hand is whoever shares by hand, for one deal.
type Hand struct {
	Deal
	lab *lab.Lab
	env []string

	mu   sync.Mutex
	made map[string]string // what the scripts printed last, by name
}

// Begin makes what the sharings are of, in both accounts.
func Begin(l *lab.Lab, d Deal) (*Hand, error) {
	h := &Hand{Deal: d, lab: l, made: map[string]string{}}
	at := l.Dir("byhand-" + d.N)
	if err := os.Mkdir(at, 0o700); err != nil {
		return nil, err
	}
	h.env = append(d.Env(), "AT="+at)
	for _, g := range []struct{ account, script string }{{d.Account, ours.make}, {d.Partner, theirs.make}} {
		out, err := h.shell(g.account, g.script)
		if err != nil {
			return nil, fmt.Errorf("begin to share of %s with %s: %w", d.Account, d.Partner, err)
		}
		h.env = append(h.env, strings.Fields(out)...)
	}
	return h, nil
}

// Make shares, and Undo takes it back.
func (h *Hand) Make(s Sharing) error {
	out, err := h.shell(h.Account, s.Make)
	if err != nil {
		return fmt.Errorf("share %s with %s: %w", s.Name, h.Partner, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.made[s.Name] = out[strings.LastIndexByte(out, '\n')+1:]
	return nil
}

// Undo takes back what Make shared.
func (h *Hand) Undo(s Sharing) error {
	h.mu.Lock()
	made := h.made[s.Name]
	h.mu.Unlock()
	if _, err := h.shell(h.Account, s.Undo, "MADE="+made); err != nil {
		return fmt.Errorf("take back %s from %s: %w", s.Name, h.Partner, err)
	}
	return nil
}

// Try makes a call that the emulator should refuse.
func (h *Hand) Try(i Impossible) error {
	return i.check(func(script string) (string, error) { return h.shell(h.Account, script) })
}

// End removes what Begin made.
func (h *Hand) End() error {
	_, other := h.shell(h.Partner, theirs.undo)
	_, err := h.shell(h.Account, ours.undo)
	return errors.Join(err, other)
}

func (h *Hand) shell(account, script string, env ...string) (string, error) {
	return h.lab.Shell(account, "cd \"$AT\"\n"+words+script, slices.Concat(h.env, env)...)
}
