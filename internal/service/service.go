package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// Deps is what the rules stand on. Rand, Log and Clock have defaults; Explorer may be nil when nothing is browsed.
type Deps struct {
	Store     Store
	Clock     sys.Clock
	Rand      io.Reader
	Keys      *Keys
	Directory Directory
	Vaults    Vaults
	Explorer  Explorer
	Searcher  Searcher // nil: there is no search
	// Identities may be nil: then nobody signs in with Microsoft.
	Identities Identities
	Registrar  Registrar // nil: nobody signs in by device code
	Mailer     Mailer    // nil: no mail is sent
	Live       Live      // nil: dry runs and comparing with Microsoft 365 are refused
	Log        *slog.Logger
	Version    string
	// Proxy is the built-in proxy's host name and port, for people.
	Proxy     string
	ProxyPort int
	// SessionIdle is how long a restore session may be idle before it stops; 0 is an hour.
	SessionIdle time.Duration
	// BrowserIdle and BrowserLife are how long a browser's login lives unused, and at all; 0 is 15 minutes and 8 hours.
	BrowserIdle time.Duration
	BrowserLife time.Duration
	// BrowserProof is for how long a browser's person is not asked again who he is; 0 is 10 minutes.
	BrowserProof time.Duration
	// Lease is how long a claim holds without being renewed; 0 is holdfast.LeaseTime. Proxies must be told the same.
	Lease time.Duration
	// Poll is how often a waiting Claim looks by itself, though a bell in this process is quicker; 0 is 2 s, less than 0 lets
	// Claim not wait at all.
	Poll time.Duration
	// Tick is how often schedules, stops and idle sessions are looked at; 0 is 1 s.
	Tick time.Duration
}

// Service is all the rules, by noun. Control is what a proxy calls.
type Service struct {
	Organizations   *Organizations
	Directories     *Directories
	Searches        *Searches
	Repositories    *Repositories
	Jobs            *Jobs
	JobSessions     *JobSessions
	RestorePoints   *RestorePoints
	Protected       *Protected
	RestoreSessions *RestoreSessions
	Baskets         *Baskets
	SavedSearches   *SavedSearches
	Inquiries       *Inquiries
	Proxies         *Proxies
	Licenses        *Licenses
	Admin           *Admin
	Users           *Users
	BrowserSessions *BrowserSessions
	Passkeys        *Passkeys
	APIKeys         *APIKeys
	RbacRoles       *RbacRoles
	Portal          *Portal
	Exclusions      *Exclusions
	Mails           *Mails
	Events          *Events
	Audit           *Audit
	Overview        *Overview
	Control         *Control

	*core
}

// core is what the nouns share.
type core struct {
	Deps
	bell        bell
	feed        *feed
	directories directoryLocks
	// restoreCredentials keeps the credentials that came with restore requests, in memory only.
	devices            deviceSignIns
	exports            preparedExports
	mu                 sync.Mutex // guards the two below
	restoreCredentials map[holdfast.TaskID]holdfast.Credential
	// started pairs the wall clock with the store's, which never jumps, so that a jump of the former shows.
	started struct{ wall, steady time.Time }
}

// New makes the rules. Call Start before anything else.
func New(d Deps) *Service {
	if d.Clock == nil {
		d.Clock = sys.System
	}
	if d.Rand == nil {
		d.Rand = rand.Reader
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.SessionIdle == 0 {
		d.SessionIdle = time.Hour
	}
	if d.Lease == 0 {
		d.Lease = holdfast.LeaseTime
	}
	if d.Poll == 0 {
		d.Poll = 2 * time.Second
	}
	if d.Tick == 0 {
		d.Tick = time.Second
	}
	if d.BrowserIdle == 0 {
		d.BrowserIdle = browserIdle
	}
	if d.BrowserLife == 0 {
		d.BrowserLife = browserLife
	}
	if d.BrowserProof == 0 {
		d.BrowserProof = browserProof
	}
	feed := newFeed()
	d.Store = noted{d.Store, feed}
	c := &core{Deps: d, feed: feed, restoreCredentials: map[holdfast.TaskID]holdfast.Credential{}}
	admin := newAdmin(c)
	sessions := &RestoreSessions{core: c}
	passkeys := &Passkeys{core: c, admin: admin}
	browsers := &BrowserSessions{c, admin, sessions, passkeys}
	return &Service{
		Organizations:   &Organizations{c},
		Directories:     &Directories{c},
		Repositories:    newRepositories(c),
		Jobs:            &Jobs{c},
		JobSessions:     &JobSessions{c},
		RestorePoints:   &RestorePoints{c},
		Searches:        &Searches{c},
		Protected:       &Protected{c},
		Exclusions:      &Exclusions{c},
		Mails:           &Mails{c},
		RestoreSessions: sessions,
		Baskets:         &Baskets{c, sessions},
		SavedSearches:   &SavedSearches{c},
		Inquiries:       &Inquiries{core: c},
		Proxies:         &Proxies{c},
		Licenses:        &Licenses{c},
		Admin:           admin,
		Users:           &Users{c, admin},
		BrowserSessions: browsers,
		Passkeys:        passkeys,
		APIKeys:         &APIKeys{c, admin},
		RbacRoles:       &RbacRoles{c},
		Portal:          &Portal{core: c, admin: admin, browsers: browsers},
		Events:          &Events{c},
		Audit:           &Audit{c},
		Overview:        &Overview{c},
		Control:         &Control{c},
		core:            c,
	}
}

// Instance identifies this installation.
type Instance struct {
	ID      string
	Version string
}

// Instance gives the installation's id and the program's version.
func (s *Service) Instance(ctx context.Context) (Instance, error) {
	in := Instance{Version: s.Version}
	err := s.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		id, ok, err := tx.Setting(ctx, settingInstallation)
		if err == nil && !ok {
			err = errors.New("the installation has no id yet")
		}
		in.ID = id
		return err
	})
	return in, err
}

// Healthy says whether the database answers.
func (s *Service) Healthy(ctx context.Context) error {
	_, err := s.Instance(ctx)
	return err
}

// Names of settings.
const (
	settingInstallation = "installation"
	settingKeyCheck     = "key check"
)

func (c *core) now() time.Time { return c.Clock.Now().UTC().Truncate(time.Microsecond) }

// id draws a random UUID.
func (c *core) id() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(c.Rand, b[:]); err != nil {
		return "", fmt.Errorf("draw an id: %w", err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return holdfast.FormatUUID(b), nil
}

// read runs fn on a snapshot and hands its value on.
func read[T any](ctx context.Context, c *core, fn func(ctx context.Context, tx Tx) (T, error)) (T, error) {
	var out T
	err := c.Store.Read(ctx, func(ctx context.Context, tx Tx) error {
		var err error
		out, err = fn(ctx, tx)
		return err
	})
	return out, err
}

// write is read for changes; fn may run again.
func write[T any](ctx context.Context, c *core, fn func(ctx context.Context, tx Tx) (T, error)) (T, error) {
	var out T
	err := c.Store.Write(ctx, func(ctx context.Context, tx Tx) error {
		var err error
		out, err = fn(ctx, tx)
		return err
	})
	return out, err
}

// missing tells "there is none" from a fault of the database.
func missing(err error) bool { return holdfast.KindOf(err) == holdfast.KindNotFound }

// bell wakes everybody who waits for work in this process. The zero value works.
type bell struct {
	mu sync.Mutex // guards ch
	ch chan struct{}
}

// wait gives a channel that is closed at the next ring.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}

// OnStore adapts a store whose transactions are of type T, which has all rows.
func OnStore[T Tx](s interface {
	Read(ctx context.Context, fn func(ctx context.Context, tx T) error) error
	Write(ctx context.Context, fn func(ctx context.Context, tx T) error) error
	Now(ctx context.Context) (time.Time, error)
}) Store {
	return adapted[T]{s.Read, s.Write, s.Now}
}

type adapted[T Tx] struct {
	read, write func(ctx context.Context, fn func(ctx context.Context, tx T) error) error
	now         func(ctx context.Context) (time.Time, error)
}

func (a adapted[T]) Read(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return a.read(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
}

func (a adapted[T]) Write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return a.write(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
}

func (a adapted[T]) Now(ctx context.Context) (time.Time, error) { return a.now(ctx) }
