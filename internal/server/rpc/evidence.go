package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
)

// chunk is how much of a document one message holds.
const chunk = 64 << 10

// driftsShown is how many drift reports the evidence has.
const driftsShown = 10

type evidence struct{ *handlers }

// exhibit is one document that a reviewer can check without Freehold.
type exhibit struct {
	name, description, mediaType string
	read                         func(ctx context.Context, c caller) (any, error)
}

// ndjson is a list of which each item is one line.
type ndjson []any

func exhibits() []exhibit {
	const jsonType, linesType = "application/json", "application/x-ndjson"
	return []exhibit{
		{"audit-log", "who did what for the organization, and who was refused; each entry holds the hash of the one before", linesType, func(ctx context.Context, c caller) (any, error) {
			log, err := c.cases.AuditLog(ctx, c.org, 0)
			lines := ndjson{}
			for _, e := range log.Entries {
				lines = append(lines, e)
			}
			return lines, err
		}},
		{"data-plane", "the account, boundary, cluster and keys that the organization owns", jsonType, func(ctx context.Context, c caller) (any, error) {
			return c.records.DataPlane(ctx)
		}},
		{"drift-reports", "what the latest drift runs found", jsonType, func(ctx context.Context, c caller) (any, error) {
			return c.records.Drifts(ctx, driftsShown)
		}},
		{"exceptions", "violations of isolation rules that somebody accepted, and until when", jsonType, func(ctx context.Context, c caller) (any, error) {
			return c.records.Exceptions(ctx)
		}},
		{"identities", "every ARN, account, range and issuer that the organization owns; each has one owner, ever", jsonType, func(ctx context.Context, c caller) (any, error) {
			return c.records.Claims(ctx)
		}},
		{"operations", "what was run for the organization, and how it ended", jsonType, func(ctx context.Context, c caller) (any, error) {
			return c.records.Operations(ctx)
		}},
		{"plan", "what the data plane was last planned to be", jsonType, func(ctx context.Context, c caller) (any, error) {
			o, err := c.records.Org(ctx)
			return json.RawMessage(o.Plan), err
		}},
	}
}

// document is the whole text of an exhibit.
func (e exhibit) document(ctx context.Context, c caller) ([]byte, *freeholdv1.Evidence, error) {
	v, err := e.read(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice && list.IsNil() {
		v = []any{} // nothing is an answer, and not its absence
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	lines, ok := v.(ndjson)
	if !ok {
		lines = ndjson{v}
		enc.SetIndent("", "  ")
	}
	for _, line := range lines {
		if err := enc.Encode(line); err != nil {
			return nil, nil, err
		}
	}
	sum := sha256.Sum256(text.Bytes())
	return text.Bytes(), &freeholdv1.Evidence{
		Name: e.name, Description: e.description, MediaType: e.mediaType, Size: int64(text.Len()), Sha256: hex.EncodeToString(sum[:]),
	}, nil
}

// ListEvidence returns which documents there are.
func (h evidence) ListEvidence(ctx context.Context, _ *freeholdv1.ListEvidenceRequest) (*freeholdv1.ListEvidenceResponse, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	out := &freeholdv1.ListEvidenceResponse{Org: c.org}
	for _, e := range exhibits() {
		_, described, err := e.document(ctx, c)
		if err != nil {
			return nil, h.answer(ctx, err)
		}
		out.Evidence = append(out.Evidence, described)
	}
	return out, nil
}

// FetchEvidence sends one document.
func (h evidence) FetchEvidence(ctx context.Context, in *freeholdv1.FetchEvidenceRequest, stream freeholdv1connect.EvidenceServiceFetchEvidenceServerStream) error {
	c, err := h.caller(ctx)
	if err != nil {
		return err
	}
	all := exhibits()
	i := slices.IndexFunc(all, func(e exhibit) bool { return e.name == in.GetName() })
	if i < 0 {
		return connect.NewError(connect.CodeNotFound, "there is no such document; ListEvidence lists those there are")
	}
	text, described, err := all[i].document(ctx, c)
	if err != nil {
		return h.answer(ctx, err)
	}
	if err := stream.Send(&freeholdv1.FetchEvidenceResponse{Org: c.org, Content: &freeholdv1.FetchEvidenceResponse_Evidence{Evidence: described}}); err != nil {
		return err
	}
	for piece := range slices.Chunk(text, chunk) {
		if err := stream.Send(&freeholdv1.FetchEvidenceResponse{Org: c.org, Content: &freeholdv1.FetchEvidenceResponse_Chunk{Chunk: piece}}); err != nil {
			return err
		}
	}
	return nil
}
