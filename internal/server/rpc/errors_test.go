package rpc

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"

	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/registry"
)

func TestACallerHearsThatTheDatabaseIsAwayAndNotWhereItIs(t *testing.T) {
	var log strings.Builder
	h := &handlers{Options{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	err := h.answer(t.Context(), &lifecycle.Error{Org: "acme", Err: fmt.Errorf("read the events: %w: user=registry_service at 10.0.0.1", registry.ErrUnavailable)})
	if got := err.Error(); connect.CodeOf(err) != connect.CodeUnavailable || got != "unavailable: unavailable" {
		t.Errorf("the caller hears %q", got)
	}
	if !strings.Contains(log.String(), "10.0.0.1") {
		t.Errorf("the log does not say why: %s", log.String())
	}
}
