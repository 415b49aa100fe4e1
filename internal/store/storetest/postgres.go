package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"holdfast/internal/store"
	"holdfast/internal/sys"
)

// PostgresBin is where Debian puts PostgreSQL 15.
const postgresBin = "/usr/lib/postgresql/15/bin"

// NoPostgres is the environment variable that leaves PostgreSQL out on purpose, when it is "1".
const NoPostgres = "HOLDFAST_NO_POSTGRES"

// cluster is a PostgreSQL server of this test process, started when first needed and stopped by Main.
var cluster struct {
	mu  sync.Mutex // guards all below
	dir string
	cmd *exec.Cmd
	err error
	n   int
}

// Main runs a package's tests, stops the PostgreSQL server that they started and calls after. Every TestMain whose tests use Each calls it.
func Main(m *testing.M, after ...func()) {
	// An interrupted run must not leave a server behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	finished := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			_ = stopCluster() // the process ends anyhow
			os.Exit(130)
		case <-finished:
		}
	}()
	code := m.Run()
	close(finished)
	stop()
	for _, f := range after {
		f()
	}
	if err := stopCluster(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		code = 1
	}
	os.Exit(code)
}

func stopCluster() error {
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	if cluster.cmd == nil {
		return nil
	}
	err := cluster.cmd.Process.Signal(syscall.SIGINT) // fast shutdown
	var exit *exec.ExitError
	if werr := cluster.cmd.Wait(); werr != nil && !errors.As(werr, &exit) {
		err = errors.Join(err, werr)
	}
	cluster.cmd = nil
	return errors.Join(err, os.RemoveAll(cluster.dir))
}

// PostgreSQL opens a new, empty database in a server of this test process. Without Debian's PostgreSQL 15 the test fails, unless
// HOLDFAST_NO_POSTGRES=1 says that leaving it out is meant.
func PostgreSQL(t testing.TB) func(clock sys.Clock, faults *sys.Faults) (*store.Store, error) {
	t.Helper()
	url := PostgreSQLAddress(t)
	return func(clock sys.Clock, faults *sys.Faults) (*store.Store, error) {
		return store.Open(context.Background(), store.Options{URL: url, Clock: clock, Faults: faults})
	}
}

// PostgreSQLAddress is the address of a new, empty database, for tests that run the product as a process.
func PostgreSQLAddress(t testing.TB) string {
	t.Helper()
	if os.Getenv(NoPostgres) == "1" {
		t.Skip("PostgreSQL is left out: " + NoPostgres + "=1")
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	if cluster.cmd == nil && cluster.err == nil {
		cluster.err = startCluster()
	}
	if cluster.err != nil {
		t.Fatalf("PostgreSQL 15 is needed: apt-get install postgresql-15, or set %s=1 to leave it out: %v", NoPostgres, cluster.err)
	}
	cluster.n++
	name := fmt.Sprintf("test%d", cluster.n)
	if out, err := asServer("createdb", "-h", cluster.dir, "-U", "postgres", name).CombinedOutput(); err != nil {
		t.Fatalf("create database: %v: %s", err, out)
	}
	return fmt.Sprintf("postgres://postgres@/%s?host=%s", name, cluster.dir)
}

func startCluster() error {
	dir, err := os.MkdirTemp("", "holdfast-postgres-")
	if err != nil {
		return err
	}
	cluster.dir = dir
	if cred, err := serverUser(); err != nil {
		return err
	} else if cred != nil {
		if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "data")
	if out, err := asServer("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	// A Unix socket only; what it keeps is thrown away, so nothing needs to reach the disk.
	cmd := asServer("postgres", "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := log.Close(); err != nil {
		return err
	}
	cluster.cmd = cmd
	for range 200 {
		out, err := asServer("psql", "-h", dir, "-U", "postgres", "-Atc", "SELECT 1").Output()
		if err == nil && strings.TrimSpace(string(out)) == "1" {
			return nil
		}
		if err := sys.System.Sleep(context.Background(), 50e6); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "log"))
	return errors.Join(fmt.Errorf("PostgreSQL does not answer: %s", text), err)
}

// asServer is a program of PostgreSQL, run as another user when this one is root, which PostgreSQL refuses.
func asServer(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(postgresBin, name), args...)
	cmd.Dir = "/"
	if cred, err := serverUser(); err == nil && cred != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	}
	return cmd
}

func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var last error
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			last = err
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, last
}
