package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestLostKeyFileIsNeverReplaced(t *testing.T) {
	for name, database := range map[string]func(t *testing.T) string{
		"SQLite":     func(*testing.T) string { return "sqlite" },
		"PostgreSQL": func(t *testing.T) string { return storetest.PostgreSQLAddress(t) },
	} {
		t.Run(name, func(t *testing.T) {
			c := ServerConfig{Data: t.TempDir(), Database: database(t), AdminPassword: "correct horse battery"}
			start := func(c ServerConfig) error {
				s, err := New(t.Context(), c)
				if err == nil {
					err = s.Close(context.WithoutCancel(t.Context()))
				}
				return err
			}
			if err := start(c); err != nil {
				t.Fatal(err)
			}
			key := filepath.Join(c.Data, "keys", "kek")
			kept, err := os.ReadFile(key)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(key); err != nil {
				t.Fatal(err)
			}
			lost := []ServerConfig{c}
			if name == "PostgreSQL" { // the whole data folder is lost, or another one was named
				other := c
				other.Data = t.TempDir()
				lost = append(lost, other)
			}
			for _, c := range lost {
				err := start(c)
				if err == nil || !strings.Contains(err.Error(), "is missing") || !strings.Contains(err.Error(), "put it back from its copy") {
					t.Errorf("a start without the key file: %v", err)
				}
				if _, err := os.Lstat(filepath.Join(c.Data, "keys", "kek")); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a new key file was made: %v", err)
				}
			}
			if err := os.WriteFile(key, kept, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := start(c); err != nil {
				t.Errorf("with the key file back: %v", err)
			}
		})
	}
}

// A proxy that believes its leases to hold longer than they do goes on when another one has begun.
func TestProxyAndServerAgreeOnLeases(t *testing.T) {
	s, err := New(t.Context(), ServerConfig{Data: t.TempDir(), AdminPassword: "correct horse battery"})
	if err != nil {
		t.Fatal(err)
	}
	if s.worker.Lease != s.services.Lease || s.worker.Lease <= 0 {
		t.Errorf("the proxy takes leases for %v, the server gives them for %v", s.worker.Lease, s.services.Lease)
	}
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}
