package hold_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/sandbox/hold"
)

func TestOnlyRequestsThatChangeAnObjectAreRefused(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Method+" "+r.URL.String()) }))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: hold.Transport(http.DefaultTransport)}
	lost := errors.New("lost")
	refused := hold.With(t.Context(), func(context.Context) error { return lost })
	for _, tc := range []struct {
		method, path string
		changes      bool
	}{
		{http.MethodGet, "/a", false},
		{http.MethodHead, "/a", false},
		{http.MethodOptions, "/a", false},
		{http.MethodPatch, "/a?dryRun=All", false},
		{http.MethodPost, "/a?dryRun=All&fieldManager=x", false},
		{http.MethodPatch, "/a?fieldManager=x", true},
		{http.MethodPost, "/a", true},
		{http.MethodPut, "/a", true},
		{http.MethodDelete, "/a", true},
		{"WHATEVER", "/a", true},
	} {
		for _, ctx := range []context.Context{t.Context(), refused} {
			got = nil
			r, err := http.NewRequestWithContext(ctx, tc.method, server.URL+tc.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(r)
			if err == nil {
				_ = resp.Body.Close()
			}
			want := fmt.Sprintf("[%s %s]", tc.method, tc.path)
			if tc.changes && ctx == refused {
				want = "[]"
			}
			if errors.Is(err, lost) != (want == "[]") || fmt.Sprint(got) != want {
				t.Errorf("%s %s, refused %t: %v; the server got %s, want %s", tc.method, tc.path, ctx == refused, err, strings.Join(got, ", "), want)
			}
		}
	}
}
