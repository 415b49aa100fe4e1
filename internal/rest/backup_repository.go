package rest

import (
	"context"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

func (a *API) backupRepositoryGetRepositories(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	proxy, err := r.queryID("proxyId")
	if err != nil {
		return nil, err
	}
	pool, err := r.queryID("proxyPoolId")
	if err != nil {
		return nil, err
	}
	organization, err := r.queryID("organizationId")
	if err != nil {
		return nil, err
	}
	longTerm, err := r.queryBool("longTerm", false)
	if err != nil {
		return nil, err
	}
	all, err := a.services.Repositories.List(ctx, r.user, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	var holds map[holdfast.RepositoryID]bool
	if organization != "" {
		used, err := a.services.Organizations.UsedRepositories(ctx, r.user, holdfast.OrganizationID(organization), holdfast.Page{})
		if err != nil {
			return nil, err
		}
		holds = map[holdfast.RepositoryID]bool{}
		for _, u := range used {
			holds[u.Repository.ID] = true
		}
	}
	kept := all[:0]
	for _, repo := range all {
		// Pools and long-term repositories are not built, so nothing is in one.
		if pool != "" || longTerm || proxy != "" && string(repo.Proxy) != proxy || holds != nil && !holds[repo.ID] {
			continue
		}
		kept = append(kept, repo)
	}
	return page(r, w, cut(w, kept), func(repo holdfast.Repository) contract.RESTBackupRepository {
		return repositoryToContract(r.links, repo)
	}), nil
}

func (a *API) backupRepositoryAdd(ctx context.Context, r *request) (any, error) {
	var in contract.RESTBackupRepositoryFromClient
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec, err := repositoryFromContract(in)
	if err != nil {
		return nil, err
	}
	repo, err := a.services.Repositories.Create(ctx, r.user, spec)
	if err != nil {
		return nil, err
	}
	return repositoryToContract(r.links, repo), nil
}

func (a *API) backupRepositoryGetRepositoriesById(ctx context.Context, r *request) (any, error) {
	id, err := r.id("repositoryId")
	if err != nil {
		return nil, err
	}
	repo, err := a.services.Repositories.Get(ctx, r.user, holdfast.RepositoryID(id))
	if err != nil {
		return nil, err
	}
	return repositoryToContract(r.links, repo), nil
}

func (a *API) backupRepositoryUpdateRepository(ctx context.Context, r *request) (any, error) {
	id, err := r.id("repositoryId")
	if err != nil {
		return nil, err
	}
	in := contract.RESTBackupRepositoryFromClient{}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec, err := repositoryFromContract(in)
	if err != nil {
		return nil, err
	}
	_, err = a.services.Repositories.Update(ctx, r.user, holdfast.RepositoryID(id), spec)
	return nil, err
}

func (a *API) backupRepositoryRemove(ctx context.Context, r *request) (any, error) {
	id, err := r.id("repositoryId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Repositories.Delete(ctx, r.user, holdfast.RepositoryID(id))
}

func (a *API) backupRepositoryGetRepositoryStorageUsage(ctx context.Context, r *request) (any, error) {
	id, err := r.id("repositoryId")
	if err != nil {
		return nil, err
	}
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	used, err := a.services.Repositories.Usage(ctx, r.user, holdfast.RepositoryID(id), w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, used, func(u service.RepositoryUsage) contract.RESTBackupRepositoryStorageUsageInfo {
		return contract.RESTBackupRepositoryStorageUsageInfo{
			ID:             new(string(u.Organization.ID)),
			Name:           optional(u.Organization.Name),
			UsedSpaceBytes: &u.Bytes,
		}
	}), nil
}

func (a *API) backupRepositoryStartSynchronizeAction(ctx context.Context, r *request) (any, error) {
	id, err := r.id("repositoryId")
	if err != nil {
		return nil, err
	}
	s, err := a.services.Repositories.Synchronize(ctx, r.user, holdfast.RepositoryID(id))
	if err != nil {
		return nil, err
	}
	return synchronizationToContract(r.links, s), nil
}

func (a *API) backupRepositoryExplore(ctx context.Context, r *request) (any, error) {
	id, err := r.id("repositoryId")
	if err != nil {
		return nil, err
	}
	organization, err := r.queryID("organizationId")
	if err != nil {
		return nil, err
	}
	var in contract.RESTExploreOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return a.explore(ctx, r, exploration{
		Organization: holdfast.OrganizationID(organization),
		Repository:   holdfast.RepositoryID(id),
		at:           in.DateTime, kind: string(value(in.Type)), showDeleted: in.ShowDeleted, allVersions: in.ShowAllVersions,
	})
}

// years are the retention periods that the contract names by word.
var years = map[contract.RESTBackupRepositoryYearlyRetentionPeriod]int{
	contract.RESTBackupRepositoryYearlyRetentionPeriodYear1:   1,
	contract.RESTBackupRepositoryYearlyRetentionPeriodYears2:  2,
	contract.RESTBackupRepositoryYearlyRetentionPeriodYears3:  3,
	contract.RESTBackupRepositoryYearlyRetentionPeriodYears5:  5,
	contract.RESTBackupRepositoryYearlyRetentionPeriodYears7:  7,
	contract.RESTBackupRepositoryYearlyRetentionPeriodYears10: 10,
	contract.RESTBackupRepositoryYearlyRetentionPeriodYears25: 25,
}

func repositoryToContract(l links, repo holdfast.Repository) contract.RESTBackupRepository {
	id := string(repo.ID)
	out := contract.RESTBackupRepository{
		ID:                     uid(repo.ID),
		Name:                   &repo.Name,
		Description:            &repo.Description,
		Path:                   &repo.Path,
		CapacityBytes:          &repo.Capacity,
		FreeSpaceBytes:         &repo.Free,
		RetentionType:          new(contract.RESTBackupRepositoryRetentionTypeSnapshotBased),
		RetentionFrequencyType: optional(contract.RESTBackupRepositoryRetentionFrequencyType(repo.RetentionFrequency)),
		DailyTime:              optional(repo.DailyTime),
		DailyType:              optional(contract.RESTBackupRepositoryDailyType(repo.DailyType)),
		MonthlyTime:            optional(repo.MonthlyTime),
		MonthlyDaynumber:       optional(contract.RESTBackupRepositoryMonthlyDaynumber(repo.MonthlyDayNumber)),
		MonthlyDayofweek:       optional(contract.RESTBackupRepositoryMonthlyDayofweek(repo.MonthlyDayOfWeek)),
		ProxyID:                uid(repo.Proxy),
		IsLongTerm:             new(false),
		IsOutdated:             new(false),
		IsOutOfSync:            &repo.OutOfDate,
		IsIndexed:              new(true),
		IsMigrationLocked:      new(false),
		IsOutOfOrder:           new(false),
		Links: contract.RESTLinkHALDictionary{
			"self":                  l.to(repositoryPath, id),
			"proxy":                 l.to("/Proxies/{proxyId}", string(repo.Proxy)),
			"backedupOrganizations": l.to(repositoryPath+"/backedupOrganizations", id),
		},
	}
	p := repo.Retention
	switch {
	case p.Forever:
		out.RetentionPeriodType = new(contract.RESTBackupRepositoryRetentionPeriodTypeYearly)
		out.YearlyRetentionPeriod = new(contract.RESTBackupRepositoryYearlyRetentionPeriodKeep)
	case p.Days > 0:
		out.RetentionPeriodType = new(contract.RESTBackupRepositoryRetentionPeriodTypeDaily)
		out.DailyRetentionPeriod = new(int32(p.Days))
	case p.Months > 0:
		out.RetentionPeriodType = new(contract.RESTBackupRepositoryRetentionPeriodTypeMonthly)
		out.MonthlyRetentionPeriod = new(int32(p.Months))
	default:
		out.RetentionPeriodType = new(contract.RESTBackupRepositoryRetentionPeriodTypeYearly)
		for name, n := range years {
			if n == p.Years {
				out.YearlyRetentionPeriod = &name
			}
		}
	}
	return out
}

func repositoryFromContract(in contract.RESTBackupRepositoryFromClient) (service.RepositorySpec, error) {
	spec := service.RepositorySpec{
		Name:               in.Name,
		Description:        in.Description,
		Path:               in.Path,
		Proxy:              holdfast.ProxyID(uuidText(in.ProxyID)),
		RetentionType:      string(value(in.RetentionType)),
		RetentionFrequency: textOf(in.RetentionFrequencyType),
		DailyTime:          in.DailyTime,
		DailyType:          textOf(in.DailyType),
		MonthlyTime:        in.MonthlyTime,
		MonthlyDayNumber:   textOf(in.MonthlyDaynumber),
		MonthlyDayOfWeek:   textOf(in.MonthlyDayofweek),
		ObjectStorage:      in.ObjectStorage != nil,
		Attach:             value(in.AttachUsedRepository),
	}
	switch {
	case in.ProxyPoolID != nil:
		return spec, holdfast.Invalid("proxy pools are not built yet; leave proxyPoolId out")
	case value(in.ObjectStorageEncryptionEnabled) || in.EncryptionKeyID != nil:
		return spec, holdfast.Invalid("a repository always has its own key, made by Holdfast; leave encryptionKeyId and objectStorageEncryptionEnabled out, and export the recovery kit")
	case in.RetentionPeriodType == nil && in.DailyRetentionPeriod == nil && in.MonthlyRetentionPeriod == nil && in.YearlyRetentionPeriod == nil:
		return spec, nil
	}
	kind := string(value(in.RetentionPeriodType))
	if kind == "" { // the one period that is given tells
		switch {
		case in.DailyRetentionPeriod != nil:
			kind = "Daily"
		case in.MonthlyRetentionPeriod != nil:
			kind = "Monthly"
		default:
			kind = "Yearly"
		}
	}
	var p holdfast.RetentionPeriod
	missing := func(name string) error {
		return holdfast.Invalid("%s is missing, although retentionPeriodType is %s", name, kind)
	}
	switch kind {
	case "Daily":
		if in.DailyRetentionPeriod == nil {
			return spec, missing("dailyRetentionPeriod")
		}
		p.Days = int(*in.DailyRetentionPeriod)
	case "Monthly":
		if in.MonthlyRetentionPeriod == nil {
			return spec, missing("monthlyRetentionPeriod")
		}
		p.Months = int(*in.MonthlyRetentionPeriod)
	case "Yearly":
		if in.YearlyRetentionPeriod == nil {
			return spec, missing("yearlyRetentionPeriod")
		}
		name := contract.RESTBackupRepositoryYearlyRetentionPeriod(*in.YearlyRetentionPeriod)
		if p.Forever = name == contract.RESTBackupRepositoryYearlyRetentionPeriodKeep; !p.Forever {
			p.Years = years[name]
		}
	}
	spec.Retention = &p
	return spec, nil
}

// textOf is an optional enum value as a text.
func textOf[T ~string](p *T) *string {
	if p == nil {
		return nil
	}
	return new(string(*p))
}
