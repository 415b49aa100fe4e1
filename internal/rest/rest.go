// Package rest is the REST API: a thin skin that decodes a request, calls one method of package service and encodes
// what it returns.
//
// The contract's operation id is the address: Job_Add is the method jobAdd in job.go, and a line in routes.go. What all
// operations share lives once: finding them in router.go, the call's frame in serve.go, bodies in decode.go, pages in
// page.go, addresses in links.go, errors in errors.go, logins in auth.go. The shapes are in package contract.
package rest

import (
	"context"
	"crypto/tls"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"holdfast/internal/service"
	"holdfast/internal/sys"
)

// API answers the REST contract over the services.
type API struct {
	config   Config
	services *service.Service
	log      *slog.Logger
	clock    sys.Clock
	routers  map[int]*node // of the contract
	own      *node         // of what is beyond it
	// authenticate tells who has an access token: services.Admin, or a test's own.
	authenticate func(ctx context.Context, address, token string) (service.User, error)
	slots        chan struct{}
	waiters      chan struct{} // who waits for events
	ending       chan struct{} // closed when Serve is told to end
	web          *webFiles     // nil: only the API
	origin       *http.CrossOriginProtection

	mu       sync.Mutex // guards listener
	listener net.Listener
}

// Config is what an API needs.
type Config struct {
	Services *service.Service
	Listen   string // host:port
	TLS      *tls.Config
	Logger   *slog.Logger // nil: the default one
	Clock    sys.Clock    // nil: the machine's
	Web      fs.FS        // the built front end; nil: none is served
	// Patience is how long a call waits for a dry run or comparison before it is told that it goes on; 0 is 100 seconds.
	Patience time.Duration
}

// New returns an API that does not listen yet.
func New(c Config) *API {
	a := &API{config: c, services: c.Services, log: c.Logger, clock: c.Clock, routers: newRouters(), own: newRouter(ownRoutes), slots: make(chan struct{}, maxInFlight), waiters: make(chan struct{}, eventsWaiters), ending: make(chan struct{}), origin: http.NewCrossOriginProtection()}
	if c.Services != nil {
		a.authenticate = c.Services.Admin.Authenticate
	}
	if c.Web != nil {
		a.web = newWebFiles(c.Web)
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	if a.config.Patience == 0 {
		a.config.Patience = patience
	}
	if a.clock == nil {
		a.clock = sys.System
	}
	return a
}
