// Package route says which of Freehold's services answers which procedure. The
// table is total: a procedure that is not in it is answered by nobody.
package route

import (
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
)

// Service is one of the services that the control plane consists of. Its name is
// the last segment of its SPIFFE ID.
type Service string

// The services.
const (
	Gateway  Service = "gateway"  // the only one that is reached from outside
	Identity Service = "identity" // says who calls
	Control  Service = "control"  // reads the registry
	Worker   Service = "worker"   // runs operations
	Drift    Service = "drift"    // looks at what is there now
)

// Services are all of them.
func Services() []Service { return []Service{Gateway, Identity, Control, Worker, Drift} }

var table = map[string]Service{
	freeholdv1connect.OrganizationServiceGetOrganizationProcedure:    Control,
	freeholdv1connect.OrganizationServiceGetCallerProcedure:          Control,
	freeholdv1connect.DataPlaneServiceGetDataPlaneProcedure:          Control,
	freeholdv1connect.DataPlaneServicePlanDataPlaneProcedure:         Worker,
	freeholdv1connect.DataPlaneServiceOnboardDataPlaneProcedure:      Worker,
	freeholdv1connect.OperationServiceListOperationsProcedure:        Control,
	freeholdv1connect.OperationServiceGetOperationProcedure:          Control,
	freeholdv1connect.OperationServiceWaitOperationProcedure:         Control,
	freeholdv1connect.OperationServiceStreamOperationEventsProcedure: Control,
	freeholdv1connect.OperationServiceCancelOperationProcedure:       Control,
	freeholdv1connect.OperationServiceResumeOperationProcedure:       Worker,
	freeholdv1connect.ProjectServiceListProjectsProcedure:            Worker,
	freeholdv1connect.ProjectServiceAddProjectProcedure:              Worker,
	freeholdv1connect.ProjectServiceRemoveProjectProcedure:           Worker,
	freeholdv1connect.ProjectServiceGetProjectSetProcedure:           Control,
	freeholdv1connect.DriftServiceListDriftReportsProcedure:          Control,
	freeholdv1connect.DriftServiceRunDriftProcedure:                  Drift,
	freeholdv1connect.AuditServiceListAuditEntriesProcedure:          Control,
	freeholdv1connect.AuditServiceVerifyAuditLogProcedure:            Control,
	freeholdv1connect.ExceptionServiceListExceptionsProcedure:        Control,
	freeholdv1connect.EvidenceServiceListEvidenceProcedure:           Control,
	freeholdv1connect.EvidenceServiceFetchEvidenceProcedure:          Control,
	freeholdv1connect.FleetServiceListOrganizationsProcedure:         Control,
	freeholdv1connect.FleetServiceCompareOrganizationsProcedure:      Control,
	freeholdv1connect.FleetServiceListFleetAuditEntriesProcedure:     Control,
	freeholdv1connect.FleetServiceOnboardOrganizationProcedure:       Worker,
	freeholdv1connect.FleetServiceWaitOrganizationOperationProcedure: Control,
}

// Of returns the service that answers a procedure, such as
// "/freehold.v1.OperationService/ListOperations". ok is false for one that nobody
// answers.
func Of(procedure string) (s Service, ok bool) {
	s, ok = table[procedure]
	return s, ok
}

// Procedures returns all procedures of a service, sorted.
func Procedures(s Service) []string {
	var out []string
	for _, p := range slices.Sorted(maps.Keys(table)) {
		if table[p] == s {
			out = append(out, p)
		}
	}
	return out
}

// Fleet reports whether a procedure is for operators, on the operators' host. All
// others are for the callers of one org, on that org's host.
func Fleet(procedure string) bool {
	return strings.HasPrefix(procedure, "/"+freeholdv1connect.FleetServiceName+"/")
}
