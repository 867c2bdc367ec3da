package aws

import (
	"net/http"
	"testing"
	"time"

	"freehold.dev/freehold/internal/cloud/cloudtest"
	"freehold.dev/freehold/internal/conformance/lab"
)

func TestExerciseAWS(t *testing.T) {
	l := lab.Start(t)
	l.Setenv()
	// Of the plugins only their environment is asked for.
	t.Setenv(attached, "aws:1,eks:1,kubernetes:1")
	cloudtest.Exercise(t, func() cloudtest.Cloud {
		c, err := Open(t.Context(), Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		c.base.HTTPClient = &http.Client{Transport: &http.Transport{Proxy: towards(l.Front.URL())}}
		return c
	})
}
