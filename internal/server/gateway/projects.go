package gateway

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/encoding/protojson"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/server/edge"
)

const (
	// maxSet is what the namespace controller reads at most.
	maxSet = 32 << 20
	// setIn is shorter than the time that the controller gives the whole answer.
	setIn = 20 * time.Second
	// setAgain is when a controller whose set could not be had asks again. It has
	// the projects that it had, so there is no hurry.
	setAgain = 30 * time.Second
)

// serveProjects answers GET /v1/projects with the document that GetProjectSet
// returns. A controller that has this revision already gets 304.
func (c *call) serveProjects(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), setIn)
	defer cancel()
	set, code := c.projectSet(ctx)
	if code != 0 {
		if code == connect.CodeUnavailable {
			retryAfter(w.Header(), setAgain)
		}
		answer(w, r, code, code.String())
		return
	}
	// A document of another org must not leave, whatever went wrong.
	if set.GetOrg() != c.host.Org {
		c.g.o.Log.Error("a service answered for another org", "service", c.callee.ID, "org", c.host.Org, "answered", set.GetOrg(), "request", c.request)
		answer(w, r, connect.CodeInternal, "internal")
		return
	}
	edge.RecordOf(r.Context()).Code = codeOK
	private(w.Header())
	etag := `"` + set.GetRevision() + `"`
	w.Header().Set("ETag", etag)
	if matches(r.Header["If-None-Match"], etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, set.GetDocument())
}

// matches reports whether one of the tags is etag, by the weak comparison that
// RFC 9110, section 13.1.2 demands here.
func matches(headers []string, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// projectSet calls GetProjectSet. code is 0 if there is an answer.
func (c *call) projectSet(ctx context.Context) (set *freeholdv1.GetProjectSetResponse, code connect.Code) {
	failed := func(err error) (*freeholdv1.GetProjectSetResponse, connect.Code) {
		c.g.o.Log.Error("a service did not answer", "service", c.callee.ID, "procedure", c.procedure, "request", c.request, "error", err)
		return nil, connect.CodeUnavailable
	}
	u := *c.callee.URL
	u.Path = c.procedure
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), nil)
	if err != nil {
		return failed(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Connect-Protocol-Version", "1")
	c.sign(req)
	setBody(req, []byte("{}"))
	resp, err := c.callee.Transport.RoundTrip(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	if name := codeOf(resp); name != codeOK {
		for code = connect.CodeCanceled; code <= connect.CodeUnauthenticated; code++ {
			if code.String() == name {
				return nil, code
			}
		}
		return nil, connect.CodeUnavailable
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSet))
	if err != nil {
		return failed(err)
	}
	set = &freeholdv1.GetProjectSetResponse{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, set); err != nil {
		return failed(err)
	}
	return set, 0
}
