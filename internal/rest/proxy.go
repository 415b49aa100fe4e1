package rest

import (
	"context"
	"runtime"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
)

func (a *API) proxyGetProxies(ctx context.Context, r *request) (any, error) {
	w, err := r.window()
	if err != nil {
		return nil, err
	}
	proxies, err := a.services.Proxies.List(ctx, r.user, w.page())
	if err != nil {
		return nil, err
	}
	return page(r, w, proxies, func(p holdfast.Proxy) contract.RESTProxy { return proxyToContract(r.links, p) }), nil
}

func (a *API) proxyGetProxy(ctx context.Context, r *request) (any, error) {
	p, err := a.proxy(ctx, r)
	if err != nil {
		return nil, err
	}
	return proxyToContract(r.links, p), nil
}

// proxy is the one that the path names.
func (a *API) proxy(ctx context.Context, r *request) (holdfast.Proxy, error) {
	id, err := r.id("proxyId")
	if err != nil {
		return holdfast.Proxy{}, err
	}
	return a.services.Proxies.Get(ctx, r.user, holdfast.ProxyID(id))
}

// proxyUpdate changes the description, which is all that the built-in proxy has to change.
func (a *API) proxyUpdate(ctx context.Context, r *request) (any, error) {
	p, err := a.proxy(ctx, r)
	if err != nil {
		return nil, err
	}
	var in contract.RESTProxyFromClient
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	switch {
	case value(in.EnableNetworkThrottling):
		return nil, holdfast.Invalid("network throttling is not built yet; leave enableNetworkThrottling out or set it to false")
	case value(in.UseInternetProxy):
		return nil, holdfast.Invalid("internet proxies are not built yet; leave useInternetProxy out or set it to false")
	case in.HostName != nil && *in.HostName != p.HostName, in.Port != nil && int(*in.Port) != p.Port:
		return nil, holdfast.Invalid("the built-in proxy's host name and port are those of the server")
	case in.Description == nil:
		return nil, nil
	}
	return nil, a.services.Proxies.Describe(ctx, r.user, p.ID, *in.Description)
}

// proxyRescanAction: the built-in proxy's state is the server's own and always current, so there is nothing to wait for.
func (a *API) proxyRescanAction(ctx context.Context, r *request) (any, error) {
	_, err := a.proxy(ctx, r)
	return nil, err
}

func (a *API) proxyRescan(ctx context.Context, r *request) (any, error) {
	var in contract.RESTRescanOptions
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	for _, p := range in.Proxies {
		if _, err := a.services.Proxies.Get(ctx, r.user, holdfast.ProxyID(uuidText(p.ID))); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (a *API) proxyEnableMaintenanceAction(ctx context.Context, r *request) (any, error) {
	return a.maintainProxy(ctx, r, true)
}

func (a *API) proxyDisableMaintenanceAction(ctx context.Context, r *request) (any, error) {
	return a.maintainProxy(ctx, r, false)
}

func (a *API) maintainProxy(ctx context.Context, r *request, on bool) (any, error) {
	id, err := r.id("proxyId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Proxies.Maintain(ctx, r.user, holdfast.ProxyID(id), on)
}

func (a *API) proxyRemoveAction(ctx context.Context, r *request) (any, error) {
	p, err := a.proxy(ctx, r)
	if err != nil {
		return nil, err
	}
	return nil, holdfast.Conflict("proxy %s is built into the server and can't be removed", p.HostName)
}

func proxyToContract(l links, p holdfast.Proxy) contract.RESTProxy {
	status := contract.RESTProxyStatusOffline
	if p.Online {
		status = contract.RESTProxyStatusOnline
	}
	maintenance := contract.RESTProxyMaintenanceModeStateDisabled
	if p.Maintenance {
		maintenance = contract.RESTProxyMaintenanceModeStateEnabled
	}
	out := contract.RESTProxy{
		ID:                   uid(p.ID),
		HostName:             &p.HostName,
		Fqdn:                 &p.HostName,
		Description:          &p.Description,
		Port:                 new(int32(p.Port)),
		Type:                 new(contract.RESTProxyTypeWorkgroup),
		Status:               &status,
		MaintenanceModeState: &maintenance,
		CpuUsagePercent:      &p.CPU,
		MemoryUsagePercent:   &p.Memory,
		Version:              optional(p.Version),
		Role:                 []contract.RESTProxyRole{contract.RESTProxyRoleOrchestrator, contract.RESTProxyRoleScheduler, contract.RESTProxyRoleProcessor},
		Links: contract.RESTLinkHALDictionary{
			"self":         l.to("/Proxies/{proxyId}", string(p.ID)),
			"repositories": l.with(l.to("/BackupRepositories"), "proxyId", string(p.ID)),
		},
	}
	if p.BuiltIn {
		out.Type = new(contract.RESTProxyTypeLocal)
		switch runtime.GOOS {
		case "linux":
			out.OperatingSystem = new(contract.RESTProxyOperatingSystemLinux)
		case "windows":
			out.OperatingSystem = new(contract.RESTProxyOperatingSystemWindows)
		}
	}
	return out
}
