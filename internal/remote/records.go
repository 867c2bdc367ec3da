package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/registry"
)

// Caller is who the caller is to the server.
func (c *Client) Caller(ctx context.Context) (event.Caller, error) {
	got, err := read(ctx, c.organization.GetCaller, &v1.GetCallerRequest{})
	if err := c.mine("show the caller", got.GetOrg(), err); err != nil {
		return event.Caller{}, err
	}
	return event.Caller{Org: c.Org(), Subject: got.GetSubject(), Name: got.GetDisplayName(), Roles: got.GetRoles()}, nil
}

// Status returns what is recorded of the org, or on the operators' host of any.
func (c *Client) Status(ctx context.Context, org string) (event.Status, error) {
	const doing = "status"
	if c.Org() == "" {
		all, err := c.Orgs(ctx)
		if err != nil {
			return event.Status{}, err
		}
		i := slices.IndexFunc(all, func(s event.Status) bool { return s.Org == org })
		if i < 0 {
			return event.Status{}, &lifecycle.Error{Org: org, Err: fmt.Errorf("%w: no such org", lifecycle.ErrInvalid), Next: "list the orgs with: freehold status"}
		}
		return all[i], nil
	}
	if err := c.asked(org); err != nil {
		return event.Status{}, err
	}
	got, err := read(ctx, c.organization.GetOrganization, &v1.GetOrganizationRequest{})
	if err := c.mine(doing, got.GetOrg(), err); err != nil {
		return event.Status{}, err
	}
	owned, err := c.DataPlane(ctx)
	if err != nil {
		return event.Status{}, err
	}
	ops, err := read(ctx, c.operation.ListOperations, &v1.ListOperationsRequest{PageSize: 1})
	if err := c.mine(doing, ops.GetOrg(), err); err != nil {
		return event.Status{}, err
	}
	var last *v1.Operation
	if all := ops.GetOperations(); len(all) > 0 {
		last = all[0]
	}
	return statusOf(org, got.GetOrganization(), owned, last), nil
}

// DataPlane returns what the org owns.
func (c *Client) DataPlane(ctx context.Context) (event.DataPlane, error) {
	got, err := read(ctx, c.dataPlane.GetDataPlane, &v1.GetDataPlaneRequest{})
	if err := c.mine("show the data plane", got.GetOrg(), err); err != nil {
		return event.DataPlane{}, err
	}
	return dataPlaneOf(c.Org(), got.GetDataPlane()), nil
}

// Orgs returns all orgs. It is for the operators' host.
func (c *Client) Orgs(ctx context.Context) ([]event.Status, error) {
	const doing = "list the orgs"
	if err := c.operators(doing); err != nil {
		return nil, err
	}
	var out []event.Status
	for token := ""; ; {
		got, err := read(ctx, c.fleet.ListOrganizations, &v1.ListOrganizationsRequest{PageSize: page, PageToken: token})
		if err != nil {
			return nil, c.problem(doing, err)
		}
		for _, o := range got.GetOrganizations() {
			out = append(out, statusOf(o.GetOrg(), o.GetOrganization(), dataPlaneOf(o.GetOrg(), o.GetDataPlane()), o.GetLastOperation()))
		}
		if token = got.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}

// operators refuses what only the operators' host offers.
func (c *Client) operators(doing string) error {
	if c.Org() == "" {
		return nil
	}
	return &lifecycle.Error{
		Org: c.Org(), Doing: doing, Err: fmt.Errorf("%w: %s is the server of one org", lifecycle.ErrInvalid, c.o.Server.URL()),
		Next: "use the operators' host, which begins with op.",
	}
}

// Shared returns what two orgs have in common. It is for the operators' host.
func (c *Client) Shared(ctx context.Context) ([]finding.Shared, error) {
	const doing = "compare the orgs"
	if err := c.operators(doing); err != nil {
		return nil, err
	}
	got, err := read(ctx, c.fleet.CompareOrganizations, &v1.CompareOrganizationsRequest{})
	if err != nil {
		return nil, c.problem(doing, err)
	}
	var out []finding.Shared
	for _, s := range got.GetShared() {
		out = append(out, finding.Shared{Kind: s.GetKind(), Value: s.GetValue(), Owners: s.GetOwners()})
	}
	return out, nil
}

// Projects returns the org's projects, as recorded and as its cluster has them.
func (c *Client) Projects(ctx context.Context, org string) (event.Projects, error) {
	if err := c.asked(org); err != nil {
		return event.Projects{}, err
	}
	got, err := read(ctx, c.project.ListProjects, &v1.ListProjectsRequest{})
	if err := c.mine("list projects", got.GetOrg(), err); err != nil {
		return event.Projects{}, err
	}
	out := event.Projects{Org: org}
	for _, p := range got.GetProjects() {
		out.Projects = append(out.Projects, projectOf(org, p))
	}
	return out, nil
}

// Drift looks for drift now. The server reads the cloud, which takes minutes.
func (c *Client) Drift(ctx context.Context, org string, _ event.Sink) (event.Drift, error) {
	if err := c.asked(org); err != nil {
		return event.Drift{}, err
	}
	got, err := c.drift.RunDrift(ctx, &v1.RunDriftRequest{})
	if err := c.mine("drift", got.GetOrg(), err); err != nil {
		return event.Drift{}, err
	}
	return driftOf(org, got.GetReport()), nil
}

// DriftReports returns what the latest drift runs found.
func (c *Client) DriftReports(ctx context.Context, most int) (event.DriftReports, error) {
	got, err := read(ctx, c.drift.ListDriftReports, &v1.ListDriftReportsRequest{PageSize: int32(most)})
	if err := c.mine("list drift reports", got.GetOrg(), err); err != nil {
		return event.DriftReports{}, err
	}
	out := event.DriftReports{Org: c.Org()}
	for _, r := range got.GetReports() {
		out.Reports = append(out.Reports, driftOf(c.Org(), r))
	}
	return out, nil
}

// Exceptions returns the violations that somebody answers for.
func (c *Client) Exceptions(ctx context.Context) (event.Exceptions, error) {
	got, err := read(ctx, c.exception.ListExceptions, &v1.ListExceptionsRequest{})
	if err := c.mine("list exceptions", got.GetOrg(), err); err != nil {
		return event.Exceptions{}, err
	}
	out := event.Exceptions{Org: c.Org()}
	for _, e := range got.GetExceptions() {
		out.Exceptions = append(out.Exceptions, event.Exception{
			Org: c.Org(), Rule: e.GetRule(), Resource: e.GetResource(), Reason: e.GetReason(), Approver: e.GetApprover(),
			Expires: e.GetExpireDate(), Active: e.GetActive(),
		})
	}
	return out, nil
}

// AuditLog returns the entries with a higher number, of the org's log, or on the
// operators' host of the fleet's.
func (c *Client) AuditLog(ctx context.Context, org string, after int64) (event.AuditLog, error) {
	const doing = "show the audit log"
	if err := c.asked(org); err != nil {
		return event.AuditLog{}, err
	}
	out := event.AuditLog{Org: org}
	for {
		entries, next, err := c.auditPage(ctx, after)
		if err != nil {
			return out, c.problem(doing, err)
		}
		for _, e := range entries {
			entry, err := entryOf(org, e)
			if err != nil {
				return out, c.problem(doing, err)
			}
			out.Entries = append(out.Entries, entry)
		}
		if next <= after {
			return out, nil
		}
		after = next
	}
}

func (c *Client) auditPage(ctx context.Context, after int64) (entries []*v1.AuditEntry, next int64, err error) {
	if c.Org() == "" {
		got, err := read(ctx, c.fleet.ListFleetAuditEntries, &v1.ListFleetAuditEntriesRequest{AfterSequence: after, PageSize: page})
		return got.GetEntries(), got.GetNextAfterSequence(), err
	}
	got, err := read(ctx, c.audit.ListAuditEntries, &v1.ListAuditEntriesRequest{AfterSequence: after, PageSize: page})
	return got.GetEntries(), got.GetNextAfterSequence(), c.mine("show the audit log", got.GetOrg(), err)
}

// VerifyAuditLog fetches a log and computes its chain of hashes here: it does not
// take the server's word for it.
func (c *Client) VerifyAuditLog(ctx context.Context, org, contains string) (event.AuditVerdict, error) {
	log, err := c.AuditLog(ctx, org, 0)
	if err != nil {
		return event.AuditVerdict{}, err
	}
	out := event.AuditVerdict{Org: org, Entries: int64(len(log.Entries)), OK: true}
	if n := len(log.Entries); n > 0 {
		out.Head = log.Entries[n-1].Hash
	}
	switch err := registry.Verify(event.AuditEntry{}, log.Entries); {
	case err != nil:
		out.OK, out.Problem = false, err.Error()
	case contains != "" && !slices.ContainsFunc(log.Entries, func(e event.AuditEntry) bool { return e.Hash == contains }):
		out.OK, out.Problem = false, fmt.Sprintf("it has no entry with the hash %s: entries are missing at the end", contains)
	}
	return out, nil
}

// EvidenceList returns which documents there are for a reviewer.
func (c *Client) EvidenceList(ctx context.Context) (event.EvidenceList, error) {
	got, err := read(ctx, c.evidence.ListEvidence, &v1.ListEvidenceRequest{})
	if err := c.mine("list evidence", got.GetOrg(), err); err != nil {
		return event.EvidenceList{}, err
	}
	out := event.EvidenceList{Org: c.Org()}
	for _, e := range got.GetEvidence() {
		out.Evidence = append(out.Evidence, c.evidenceOf(e))
	}
	return out, nil
}

func (c *Client) evidenceOf(e *v1.Evidence) event.Evidence {
	return event.Evidence{
		Org: c.Org(), Name: e.GetName(), Description: e.GetDescription(), MediaType: e.GetMediaType(), Size: e.GetSize(), SHA256: e.GetSha256(),
	}
}

// ErrDigest is wrapped by the error about a document that is not what its digest says.
var ErrDigest = errors.New("the document is not what its digest says")

// Evidence writes one document. Whatever was written is worth nothing if the
// error is not nil: its digest is known at the end only.
func (c *Client) Evidence(ctx context.Context, name string, w io.Writer) (event.Evidence, error) {
	const doing = "fetch evidence"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := c.evidence.FetchEvidence(ctx, &v1.FetchEvidenceRequest{Name: name})
	if err != nil {
		return event.Evidence{}, c.problem(doing, err)
	}
	defer s.Close()
	var about *v1.Evidence
	sum, size := sha256.New(), int64(0)
	for {
		got, err := s.Receive()
		if errors.Is(err, io.EOF) {
			break
		}
		if err := c.mine(doing, got.GetOrg(), err); err != nil {
			return event.Evidence{}, err
		}
		if e := got.GetEvidence(); e != nil {
			about = e
		}
		piece := got.GetChunk()
		sum.Write(piece)
		size += int64(len(piece))
		if _, err := w.Write(piece); err != nil {
			return event.Evidence{}, fmt.Errorf("write the evidence: %w", err)
		}
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	if about.GetSha256() != digest || about.GetSize() != size {
		return event.Evidence{}, c.problem(doing, fmt.Errorf("%w: %d bytes with SHA-256 %s, expected %d with %s", ErrDigest, size, digest, about.GetSize(), about.GetSha256()))
	}
	return c.evidenceOf(about), nil
}
