// Package webhooktest is the other end of a webhook, for tests: a receiver that
// verifies, remembers, and answers as it is told.
package webhooktest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Secret is one that receivers know, and OldSecret the one before it.
const (
	Secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	OldSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

// Received is one request.
type Received struct {
	ID     string
	Header http.Header
	Body   []byte
	// Verified is whether one of its signatures was made with the receiver's secret.
	Verified bool
}

// Receiver is an http.Handler. Its fields are set before it serves.
type Receiver struct {
	// Secret is the one that signatures are compared with; empty: Secret.
	Secret string
	// Answer writes the answer to the nth request, from 1; nil: 204. What it
	// panics with ends the connection without one.
	Answer func(n int, w http.ResponseWriter, r Received)

	mu  sync.Mutex
	all []Received
}

// ServeHTTP remembers a request and answers it.
func (v *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		return
	}
	r := Received{ID: req.Header.Get(standardwebhooks.HeaderWebhookID), Header: req.Header, Body: body}
	secret := v.Secret
	if secret == "" {
		secret = Secret
	}
	// Tests have clocks of their own.
	if hook, err := standardwebhooks.NewWebhook(secret); err == nil {
		r.Verified = hook.VerifyIgnoringTimestamp(body, req.Header) == nil
	}
	v.mu.Lock()
	v.all = append(v.all, r)
	n := len(v.all)
	v.mu.Unlock()
	if v.Answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	v.Answer(n, w, r)
}

// All are the requests so far.
func (v *Receiver) All() []Received {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.all)
}

// IDs are the ids of the requests, each once, in the order in which they first
// came. A request without a good signature is "unverified".
func (v *Receiver) IDs() []string {
	var out []string
	for _, r := range v.All() {
		id := r.ID
		if !r.Verified {
			id = "unverified"
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// Types are the CloudEvents types of what IDs names, in its order.
func (v *Receiver) Types() []string {
	types := map[string]string{}
	for _, r := range v.All() {
		var e struct{ Type string }
		_ = json.Unmarshal(r.Body, &e) // what is none has no type
		types[r.ID] = e.Type
	}
	var out []string
	for _, id := range v.IDs() {
		out = append(out, types[id])
	}
	return out
}
