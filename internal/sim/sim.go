// Package sim is a simulated Microsoft 365: Entra ID, Microsoft Graph, Exchange Online, OneDrive, SharePoint and Teams, behind one
// TLS port that serves the real host names. It is the judge of everything else, so it knows nothing of the product.
//
// # How a request travels
//
// serve.go finds the host by name (SNI and Host header), then the Route by method and path, checks the bearer token and
// the permission that the route asks for, lets the Limiter of the route's Class admit the call, lets the faults strike,
// and calls the route's Handler with a Call. The Handler returns a Reply or an error; an *Error has Microsoft's shape.
// Parts of a $batch travel the same way, each on its own.
//
// # How to add endpoints
//
// A part of the service (entra.go, directory.go, mail*.go, drive*.go, site*.go, team*.go) has one method that returns its []Route, and New
// joins them. A pattern is a path of literals (matched without regard to case), {name} for one segment, which may carry
// a literal suffix as in "{item}:", and a last {name...} for the escaped rest. OData spellings are folded before the
// match: users('a') is users/a, delta() and microsoft.graph.delta() are delta. A literal beats a {name}, a {name} beats
// a rest.
//
//	Route{Host: HostGraph, Method: "GET", Pattern: "/v1.0/drives/{drive}/root/delta", Class: ClassSharePoint,
//		Permissions: []string{"Files.Read.All"}, Handle: s.driveDelta}
//
// A Handler reads c.Params, c.Query (see odata.go for $select, $filter, $top) and c.Body, takes the time from c.Now,
// and answers JSON(200, v), Bytes(200, type, b) or a Reply with Content for large bodies. It fails with Fail(404,
// "itemNotFound", "…"). Set Cost on a route when a call costs more than one resource unit; c.Cost may also be raised by
// the handler. s.limiters[ClassSharePoint] is where the resource units of SharePoint are counted.
//
// Control endpoints (plain HTTP on loopback) are added with s.control.HandleFunc("GET /oracle/…", …).
// Content is a function of the seed: derive streams of random numbers with newRand(s.opt.Seed, "what", index…).
// What a client stored goes into s.blobs (a spill file), not into memory. What was served is reported to s.oracle.
package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"holdfast/internal/sys"
)

// Options says what New builds. The zero value of every field but Dir works.
type Options struct {
	Dir     string // where ca.pem, tenant.json and the spill files are written; made if absent
	Listen  string // TLS address, default 127.0.0.1:0
	Control string // plain HTTP address of the control port, default 127.0.0.1:0
	Proxy   string // address of the HTTP CONNECT proxy; none if empty
	Users   int    // number of users; 0 takes the profile's
	Groups  int    // groups besides those of departments and teams
	Profile string // tiny (default), small, medium, large
	Seed    uint64 // content is a function of it; 0 is a seed like any other
	Corpus  string // folder of .eml files, served as mail, and other files, served as documents
	Limits  string // enforce, count or off (default)
	Tenant  string // the first label of the tenant's host names, default holdfastsim
	Cloud   string // worldwide (default), usgovernment, usdefence or china

	RedirectURIs []string // to which the sign-in page may send a user back; POST /application changes them

	TokenLife   time.Duration // life of an access token, default 1 h
	Replication time.Duration // how long what was registered or granted takes to reach who issues tokens; default 2 s, negative none
	Roles       []string      // application permissions that are granted, default all that some route asks for
	DeltaLife   time.Duration // age at which a mail delta link is refused, default 30 days
	Mail        MailShape     // overrides what the profile says about mailboxes; zero fields keep the profile's
	PIM         PIMShape      // the same for calendars, contacts and tasks
	Items       bool          // mailboxes also have contact groups, journal entries, notes in a folder below Notes and tasks that To Do does not show
	FilesPer    int           // files in a drive; 0 takes the profile's
	Site        SiteShape     // overrides what the profile says about sites; zero fields keep the profile's
	Team        TeamShape     // the same for teams
	Chat        ChatShape     // the same for chats
	Clock       sys.Clock     // default the machine's; POST /clock moves the simulator's own view of it
	MaxRequests int           // requests served at once, default 256

	// OnResponse, if set, sees every answer of the simulated hosts, each part of a batch on its own, before it is sent.
	OnResponse func(Exchange)
}

// MailShape describes the generated mailboxes.
type MailShape struct {
	Messages        int     // messages per mailbox
	Folders         int     // folders besides the well-known ones
	MeanSize        int     // mean bytes of a message as MIME
	WithAttachments float64 // share of messages with attachments; negative for none
	SharedShare     float64 // share of attachments drawn from SharedFiles files common to all; negative for none
	SharedFiles     int
	OneFolder       bool // all messages lie in the inbox
}

// Sim is a running simulator. All methods may be called at once from many goroutines.
type Sim struct {
	opt     Options
	cloud   cloud
	shape   profile
	clock   *sys.Shifted
	tenant  tenant
	ca      *authority
	hosts   map[string]HostKind
	foreign map[string]bool // hosts of other clouds, where no token belongs
	routes  map[HostKind][]*route
	control *http.ServeMux

	entra     *entra
	dir       *directory
	mail      *mailService
	groupMail groupBoxes
	drives    *driveService
	sites     *siteService
	teams     *teamService
	blobs     *blobStore
	oracle    *oracle
	stats     *stats
	faults    *faults
	limiters  map[Class]Limiter
	slots     chan struct{}

	listener, controlListener, proxyListener net.Listener
	servers                                  []*http.Server
	closeOnce                                sync.Once
	closeErr                                 error
	done                                     chan struct{}
	wg                                       sync.WaitGroup
}

// New opens the ports, writes ca.pem and tenant.json, and serves until Close.
func New(opt Options) (*Sim, error) {
	if opt.Dir == "" {
		return nil, errors.New("simulator: no folder given")
	}
	if err := os.MkdirAll(opt.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("simulator folder: %w", err)
	}
	opt, shape, err := opt.complete()
	if err != nil {
		return nil, err
	}
	where, err := cloudNamed(opt.Cloud)
	if err != nil {
		return nil, err
	}
	s := &Sim{
		opt: opt, cloud: where, shape: shape, clock: sys.NewShifted(opt.Clock),
		control: http.NewServeMux(), limiters: map[Class]Limiter{},
		slots: make(chan struct{}, opt.MaxRequests), done: make(chan struct{}),
	}
	if err := s.build(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (o Options) complete() (Options, profile, error) {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&o.Listen, "127.0.0.1:0")
	def(&o.Control, "127.0.0.1:0")
	def(&o.Profile, "tiny")
	def(&o.Limits, LimitsOff)
	def(&o.Tenant, "holdfastsim")
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.DeltaLife == 0 {
		o.DeltaLife = 30 * 24 * time.Hour
	}
	switch {
	case o.Replication == 0:
		o.Replication = 2 * time.Second
	case o.Replication < 0:
		o.Replication = 0
	}
	if o.Clock == nil {
		o.Clock = sys.System
	}
	if o.MaxRequests <= 0 {
		o.MaxRequests = 256
	}
	switch o.Limits {
	case LimitsEnforce, LimitsCount, LimitsOff:
	default:
		return o, profile{}, fmt.Errorf("simulator: limits %q: want enforce, count or off", o.Limits)
	}
	p, err := newProfile(o)
	return o, p, err
}

// build makes every part and opens the ports; what it opened is closed by Close.
func (s *Sim) build() (err error) {
	s.stats = newStats()
	s.faults = newFaults(s.opt.Seed)
	if s.blobs, err = openBlobs(s.opt.Dir); err != nil {
		return err
	}
	if s.oracle, err = openOracle(s.opt.Dir); err != nil {
		return err
	}
	if err = s.openTenant(); err != nil {
		return err
	}
	s.limiters[ClassOutlook] = newOutlookLimiter(s)
	s.limiters[ClassIdentity] = newIdentityLimiter(s)
	s.entra = newEntra(s)
	s.dir = newDirectory(s)
	if s.mail, err = newMailService(s); err != nil {
		return err
	}
	if err = s.initDrives(); err != nil {
		return err
	}
	s.initSites()
	s.initTeams()
	all := s.entraRoutes()
	all = append(all, s.batchRoutes()...)
	all = append(all, s.directoryRoutes()...)
	all = append(all, s.groupRoutes()...)
	all = append(all, s.groupReadRoutes()...)
	all = append(all, s.applicationRoutes()...)
	all = append(all, s.mailRoutes()...)
	all = append(all, s.exchangeRoutes()...)
	all = append(all, s.contactRoutes()...)
	all = append(all, s.calendarRoutes()...)
	all = append(all, s.todoRoutes()...)
	all = append(all, s.settingsRoutes()...)
	all = append(all, s.groupMailRoutes()...)
	all = append(all, s.driveRoutes()...)
	all = append(all, s.siteRoutes()...)
	all = append(all, s.restRoutes()...)
	all = append(all, s.teamRoutes()...)
	all = append(all, s.chatRoutes()...)
	if err = s.addRoutes(all); err != nil {
		return err
	}
	s.controlRoutes()
	if err = s.writeTenant(); err != nil {
		return err
	}
	return s.listen()
}

func (s *Sim) listen() (err error) {
	open := func(addr string) net.Listener {
		if err != nil || addr == "" {
			return nil
		}
		var l net.Listener
		l, err = net.Listen("tcp", addr)
		return l
	}
	s.listener = open(s.opt.Listen)
	s.controlListener = open(s.opt.Control)
	s.proxyListener = open(s.opt.Proxy)
	if err != nil {
		return fmt.Errorf("simulator port: %w", err)
	}
	s.start(s.listener, http.HandlerFunc(s.serveHTTP), &tls.Config{GetCertificate: s.ca.certificate, MinVersion: tls.VersionTLS12})
	s.start(s.controlListener, s.control, nil)
	if s.proxyListener != nil {
		s.start(s.proxyListener, http.HandlerFunc(s.serveProxy), nil)
	}
	return nil
}

func (s *Sim) start(l net.Listener, h http.Handler, t *tls.Config) {
	srv := &http.Server{Handler: h, TLSConfig: t, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: discardLog}
	s.servers = append(s.servers, srv)
	s.wg.Go(func() {
		if t != nil {
			_ = srv.ServeTLS(l, "", "") // ends with ErrServerClosed
		} else {
			_ = srv.Serve(l)
		}
	})
}

// Run waits until ctx ends or Close is called, then closes.
func (s *Sim) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-s.done:
	}
	return s.Close()
}

// Close stops serving and waits for every goroutine of the simulator.
func (s *Sim) Close() error {
	s.closeOnce.Do(func() {
		close(s.done)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		for _, srv := range s.servers {
			if err := srv.Shutdown(ctx); err != nil {
				s.closeErr = errors.Join(s.closeErr, ignoreDeadline(srv.Close()))
			}
		}
		if len(s.servers) == 0 {
			for _, l := range []net.Listener{s.listener, s.controlListener, s.proxyListener} {
				if l != nil {
					s.closeErr = errors.Join(s.closeErr, l.Close())
				}
			}
		}
		s.wg.Wait()
		if s.mail != nil {
			s.mail.closeUploads()
		}
		if s.blobs != nil {
			s.closeErr = errors.Join(s.closeErr, s.blobs.close())
		}
		if s.oracle != nil {
			s.closeErr = errors.Join(s.closeErr, s.oracle.close())
		}
	})
	return s.closeErr
}

func ignoreDeadline(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Addr is the address of the TLS port.
func (s *Sim) Addr() string { return s.listener.Addr().String() }

// ControlAddr is the address of the control port.
func (s *Sim) ControlAddr() string { return s.controlListener.Addr().String() }

// ProxyAddr is the address of the CONNECT proxy, empty if there is none.
func (s *Sim) ProxyAddr() string {
	if s.proxyListener == nil {
		return ""
	}
	return s.proxyListener.Addr().String()
}

// Clock is the simulator's own clock; moving it moves token lives, delta expiry, limits and the times of changes.
func (s *Sim) Clock() *sys.Shifted { return s.clock }

func (s *Sim) now() time.Time { return s.clock.Now() }
