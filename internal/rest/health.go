package rest

import (
	"context"

	"holdfast/internal/rest/contract"
)

// healthGet answers 200 with the report either way: monitors read the body, and a 503 without one tells less.
func (a *API) healthGet(ctx context.Context, _ *request) (any, error) {
	report := contract.RESTHealthReport{Status: new(contract.RESTHealthStatusHealthy), Entries: contract.RESTHealthReportEntries{}}
	database := contract.RESTHealthReportEntry{Status: new(contract.RESTHealthStatusHealthy)}
	if err := a.services.Healthy(ctx); err != nil {
		a.log.Error("health check failed", "error", err)
		database = contract.RESTHealthReportEntry{Status: new(contract.RESTHealthStatusUnhealthy), Description: new("the database does not answer; the server's log has the cause")}
		report.Status = new(contract.RESTHealthStatusUnhealthy)
	}
	report.Entries["database"] = database
	return report, nil
}
