package place

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/kopia/kopia/repo/blob"

	"holdfast/internal/holdfast"
)

func guarded(t *testing.T) (Options, *Store, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	o := Options{Dir: filepath.Join(t.TempDir(), "place"), Organization: "org", Password: bytes.Repeat([]byte{0xA7}, 32), Log: slog.New(slog.NewTextHandler(log, nil))}
	if err := Prepare(o.Dir, Description{ID: "id", KeyID: "key"}); err != nil {
		t.Fatal(err)
	}
	if err := Create(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return o, s, log
}

func TestDeletionAndOverwriteNeedTheMaintenanceToken(t *testing.T) {
	_, s, log := guarded(t)
	ctx := context.Background()
	if err := s.PutRecord(ctx, Record{Name: "point/a", Data: []byte("kept")}); err != nil {
		t.Fatal(err)
	}
	for id := range s.ledger.blobs {
		if err := s.storage.DeleteBlob(ctx, id); holdfast.KindOf(err) != holdfast.KindConflict {
			t.Errorf("deletion of %s: %v", id, err)
		}
		if err := s.storage.PutBlob(ctx, id, slice("other"), blob.PutOptions{}); holdfast.KindOf(err) != holdfast.KindConflict {
			t.Errorf("overwrite of %s: %v", id, err)
		}
		if err := s.storage.PutBlob(withMaintenance(ctx), id, slice("other"), blob.PutOptions{}); holdfast.KindOf(err) != holdfast.KindConflict {
			t.Errorf("overwrite of %s within maintenance: %v", id, err)
		}
	}
	if err := s.storage.PutBlob(ctx, scheduleID, slice("other"), blob.PutOptions{}); holdfast.KindOf(err) != holdfast.KindConflict {
		t.Errorf("schedule outside of maintenance: %v", err)
	}
	if n := strings.Count(log.String(), "refused a change"); n != 3*len(s.ledger.blobs)+1 {
		t.Errorf("%d refusals are logged, want %d", n, 3*len(s.ledger.blobs)+1)
	}
	id := recordID("point/a")
	if err := s.storage.DeleteBlob(withMaintenance(ctx), id); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "maintenance deletes a blob") || !strings.Contains(log.String(), string(id)) {
		t.Error("deletion by maintenance is not logged")
	}
	if _, err := s.ReadRecord(ctx, "point/a"); holdfast.KindOf(err) != holdfast.KindNotFound {
		t.Errorf("deleted record: %v", err)
	}
	if _, err := s.storage.disk.stat(id); err != nil {
		t.Errorf("the blob left the disk before the ledger had its deletion: %v", err)
	}
}

func TestRepeatedPutOfTheSameBytesIsNoOverwrite(t *testing.T) {
	_, s, _ := guarded(t)
	ctx := context.Background()
	var b buffer
	if err := s.storage.GetBlob(ctx, "kopia.blobcfg", 0, -1, &b); err != nil {
		t.Fatal(err)
	}
	if err := s.storage.PutBlob(ctx, "kopia.blobcfg", slice(b.Bytes()), blob.PutOptions{}); err != nil {
		t.Errorf("same bytes: %v", err)
	}
}

func TestNothingSecretIsOnDisk(t *testing.T) {
	o, s, log := guarded(t)
	w, err := s.Session(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	const text = "a sentence that nobody but the owner may read"
	if _, _, err := w.Put(context.Background(), strings.NewReader(text), Block); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Flush(context.Background()), s.PutRecord(context.Background(), Record{Name: "point/a", Data: []byte(text)})); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, dir := range []string{o.Dir, s.scratch} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			all.WriteString(path)
			all.Write(data)
			if fi, ferr := e.Info(); ferr == nil && fi.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", path, fi.Mode())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.ReadFile(filepath.Join(s.scratch, "kopia.json"))
	if err != nil || !strings.Contains(string(config), `"type": "holdfast"`) || strings.Contains(string(config), o.Dir) {
		t.Errorf("kopia's configuration is %s, %v", config, err)
	}
	all.WriteString(log.String())
	for what, secret := range map[string]string{
		"password": string(o.Password), "kopia's password": o.kopiaPassword(), "hex": hex.EncodeToString(o.Password),
		"base64": base64.StdEncoding.EncodeToString(o.Password), "record key": string(s.sealer.key), "content": text,
	} {
		if bytes.Contains(all.Bytes(), []byte(secret)) {
			t.Errorf("%s is on disk or in the log in clear", what)
		}
	}
	if bytes.Contains(all.Bytes(), []byte("kopia.repository")) || strings.Contains(all.String(), ".f\n") {
		t.Error("a stranger's kopia would find its repository")
	}
	s.log.Info("scratch", "dir", s.scratch)
	scratch := s.scratch
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(scratch); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("scratch directory is left: %v", err)
	}
}

func TestThereIsNoCacheAndScratchIsSweptAfterACrash(t *testing.T) {
	o, s, _ := guarded(t)
	ctx := context.Background()
	w, err := s.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := w.Put(ctx, strings.NewReader("read me"), Block)
	if err = errors.Join(err, w.Flush(ctx), s.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	o.CacheDir = filepath.Join(t.TempDir(), "cache")
	dead := filepath.Join(o.CacheDir, scratchPrefix+"dead")
	if err := os.MkdirAll(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead, lockFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.ReadOnly = true
	var stores []*Store
	for range 2 {
		s, err := Open(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	for _, s := range stores {
		r, _, err := s.OpenObject(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil || string(text) != "read me" {
			t.Errorf("read %q, %v", text, err)
		}
		entries, err := os.ReadDir(s.scratch)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != lockFile && e.Name() != "kopia.json" {
				t.Errorf("scratch holds %s", e.Name())
			}
		}
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(o.CacheDir); err != nil || len(entries) != 0 {
		t.Errorf("cache directory holds %v, %v", entries, err)
	}
}

// powerLoss stands for a disk that forgets, at power loss, each name whose directory was not synced after the name was made.
type powerLoss struct {
	root    string
	mu      sync.Mutex
	durable map[string]map[string]bool // directory -> names that survive
	drop    bool                       // a planted bug: syncs of directories do nothing
}

func (p *powerLoss) sync(dir string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drop {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	p.durable[dir] = names
	return nil
}

// strike removes every name that would not have survived.
func (p *powerLoss) strike(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(p.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == p.root {
			return err
		}
		if p.durable[filepath.Dir(path)][e.Name()] {
			return nil
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if e.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAcknowledgedBlobsSurviveAPowerLoss(t *testing.T) {
	for name, drop := range map[string]bool{"synced": false, "planted bug: directory not synced": true} {
		t.Run(name, func(t *testing.T) {
			o, s, _ := guarded(t)
			disk := &powerLoss{root: o.root(), durable: map[string]map[string]bool{}, drop: drop}
			err := filepath.WalkDir(disk.root, func(path string, e fs.DirEntry, err error) error {
				if err == nil && e.IsDir() {
					entries, err := os.ReadDir(path) // what Create left is durable
					if err != nil {
						return err
					}
					disk.durable[path] = map[string]bool{}
					for _, e := range entries {
						disk.durable[path][e.Name()] = true
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			s.storage.disk.syncDir = disk.sync
			ctx := context.Background()
			w, err := s.Session(ctx)
			if err != nil {
				t.Fatal(err)
			}
			id, _, err := w.Put(ctx, strings.NewReader("acknowledged"), Block)
			if err == nil {
				err = errors.Join(w.Flush(ctx), s.PutRecord(ctx, Record{Name: "journal/1", Data: []byte("one")}))
			}
			if err != nil {
				t.Fatal(err)
			}
			head := s.LedgerHead()
			if err := s.Close(ctx); err != nil {
				t.Fatal(err)
			}
			disk.strike(t)
			s, err = Open(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(ctx); err != nil {
					t.Error(err)
				}
			}()
			_, recordErr := s.ReadRecord(ctx, "journal/1")
			r, _, objectErr := s.OpenObject(ctx, id)
			if objectErr == nil {
				objectErr = r.Close()
			}
			survived := recordErr == nil && objectErr == nil && s.Anchoring(head) == Anchored
			if survived == drop {
				t.Errorf("record: %v, object: %v, head known: %v", recordErr, objectErr, s.Anchoring(head) == Anchored)
			}
		})
	}
}

// In a namespace of its own the test mounts a small tmpfs: full disk and read-only mount are the kernel's, not a fake's.
func TestFullDiskAndReadOnlyFolder(t *testing.T) {
	const inside = "HOLDFAST_TEST_TMPFS"
	dir := os.Getenv(inside)
	if dir == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFullDiskAndReadOnlyFolder$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"="+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
			t.Skipf("this kernel gives no user namespaces: %v", err)
		}
		if err != nil || !bytes.Contains(out, []byte("--- PASS")) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: filepath.Join(dir, "place"), Organization: "org", Password: make([]byte, 32)}
	if err := Prepare(o.Dir, Description{ID: "id", KeyID: "key"}); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := Create(ctx, o); err != nil {
		t.Fatal(err)
	}
	s, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	put := func(n int) (ObjectID, error) {
		w, err := s.Session(ctx)
		if err != nil {
			return "", err
		}
		defer func() {
			if err := w.Close(ctx); err != nil {
				t.Error(err)
			}
		}()
		data := make([]byte, n)
		random := rand.New(rand.NewPCG(uint64(n), 1))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		id, _, err := w.Put(ctx, bytes.NewReader(data), Packed)
		if err != nil {
			return "", err
		}
		return id, errors.Join(w.Flush(ctx), s.PutRecord(ctx, Record{Name: "journal/" + string(id)[len(id)-8:], Data: []byte("x")}))
	}
	id, err := put(100 << 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put(8 << 20); holdfast.KindOf(err) != holdfast.KindUnavailable || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free space") || strings.Contains(err.Error(), "error writing") {
		t.Errorf("full disk: %v of kind %v", err, holdfast.KindOf(err))
	}
	if _, free, err := Usage(o.Dir); err != nil || free < 1<<20 {
		t.Errorf("%d bytes free after the failed write, %v: it left its unfinished file", free, err)
	}
	readable := func() {
		t.Helper()
		r, size, err := s.OpenObject(ctx, id)
		if err != nil || size != 100<<10 {
			t.Fatalf("%d bytes, %v", size, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	readable()
	if _, err := put(50 << 10); err != nil {
		t.Errorf("small write after the full disk: %v", err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err == nil {
		t.Error("remounted read-only below an open file")
	}
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, o); holdfast.KindOf(err) != holdfast.KindUnavailable || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("read-only folder: %v", err)
	}
	o.ReadOnly = true
	if s, err = Open(ctx, o); err != nil {
		t.Fatal(err)
	}
	readable()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// What marks by kopia's own snapshots would delete everything of ours.
func TestKopiasOwnCollectorIsNotLinked(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		rest, ok := strings.CutPrefix(name, "github.com/kopia/kopia/")
		if ok && (strings.HasPrefix(rest, "snapshot") || strings.HasPrefix(rest, "cli")) {
			t.Errorf("%s is linked", name)
		}
		for _, provider := range []string{"azure", "b2", "gcs", "gdrive", "rclone", "s3", "sftp", "webdav"} {
			if rest == "repo/blob/"+provider {
				t.Errorf("%s is linked; no cloud is used yet", name)
			}
		}
	}
	if !bytes.Contains(out, []byte("github.com/kopia/kopia/repo\n")) {
		t.Error("the list of packages is not what this test takes it for")
	}
}

func TestAFileInTheWayOfAFolderIsSaidSo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Describe(filepath.Join(file, "below")); holdfast.KindOf(err) != holdfast.KindInvalid || !strings.Contains(err.Error(), "choose another") {
		t.Errorf("got %v", err)
	}
}
