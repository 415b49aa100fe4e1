package service

import (
	"context"
	"time"

	"holdfast/internal/holdfast"
)

// Proxies are the workers. So far there is the built-in one.
type Proxies struct{ *core }

// builtInProxy is the id of the proxy within the server, in every installation.
const builtInProxy holdfast.ProxyID = "0d1c1e5a-6f5e-5b6c-8f35-b7a6f0a1c001"

// BuiltInProxy is the id under which the server's own proxy claims tasks.
const BuiltInProxy = builtInProxy

// onlineFor is how long a proxy counts as online after it was heard of.
const onlineFor = time.Minute

// List gives the proxies.
func (p *Proxies) List(ctx context.Context, u User, page holdfast.Page) ([]holdfast.Proxy, error) {
	if err := p.may(u, ActSeeProxies); err != nil {
		return nil, err
	}
	all, err := read(ctx, p.core, func(ctx context.Context, tx Tx) ([]holdfast.Proxy, error) { return tx.Proxies(ctx, page) })
	for i := range all {
		all[i].Online = p.online(all[i])
	}
	return all, err
}

// Get gives one proxy.
func (p *Proxies) Get(ctx context.Context, u User, id holdfast.ProxyID) (holdfast.Proxy, error) {
	if err := p.may(u, ActSeeProxies); err != nil {
		return holdfast.Proxy{}, err
	}
	one, err := read(ctx, p.core, func(ctx context.Context, tx Tx) (holdfast.Proxy, error) { return tx.Proxy(ctx, id) })
	one.Online = p.online(one)
	return one, err
}

// online: the built-in proxy lives and dies with the process that answers.
func (p *Proxies) online(one holdfast.Proxy) bool {
	return one.BuiltIn || p.now().Sub(one.LastSeen) < onlineFor
}

// Describe changes a proxy's description.
func (p *Proxies) Describe(ctx context.Context, u User, id holdfast.ProxyID, description string) error {
	return p.change(ctx, u, id, "proxy.update", func(one *holdfast.Proxy) { one.Description = description })
}

// Maintain switches maintenance on, in which the proxy finishes what it has and claims nothing new, or off.
func (p *Proxies) Maintain(ctx context.Context, u User, id holdfast.ProxyID, on bool) error {
	defer p.bell.ring()
	return p.change(ctx, u, id, map[bool]string{true: "proxy.maintenance.enable", false: "proxy.maintenance.disable"}[on], func(one *holdfast.Proxy) { one.Maintenance = on })
}

func (p *Proxies) change(ctx context.Context, u User, id holdfast.ProxyID, act string, edit func(*holdfast.Proxy)) error {
	if err := p.may(u, ActChangeProxy); err != nil {
		return err
	}
	return p.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		one, err := tx.Proxy(ctx, id)
		if err != nil {
			return err
		}
		edit(&one)
		if err := p.audit(ctx, tx, u, act, "proxy/"+string(id), one.HostName); err != nil {
			return err
		}
		return tx.PutProxy(ctx, one)
	})
}

// Heard records what a proxy says of itself.
func (c *Control) Heard(ctx context.Context, id holdfast.ProxyID, cpu, memory float64) error {
	return c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		one, err := tx.Proxy(ctx, id)
		if err != nil {
			return err
		}
		one.LastSeen, one.CPU, one.Memory = c.now(), cpu, memory
		return tx.PutProxy(ctx, one)
	})
}
