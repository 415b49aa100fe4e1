package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"holdfast/internal/vault/place"
)

// store is the place where things are kept. Objects are addressed by their content: putting the same bytes twice stores them once. A record is
// durable when putRecord returns.
type store struct {
	place   *place.Store
	current atomic.Pointer[place.Session] // sees what it wrote before a flush
}

func (v *Vault) placeOptions(ctx context.Context, ref Ref) (place.Options, error) {
	if v.options.Password == nil {
		return place.Options{}, errors.New("the vault was given no passwords")
	}
	password, err := v.options.Password(ctx, ref)
	return place.Options{
		Dir: ref.Path, Organization: ref.Organization, Shard: ref.Shard, Password: password, CacheDir: v.options.CacheDir,
		Clock: v.options.Clock, Faults: v.options.Faults, Log: v.options.Log, ReadOnly: v.options.ReadOnly,
		Limits: place.Limits{Writers: v.options.Writers},
	}, err
}

func (v *Vault) openStore(ctx context.Context, ref Ref) (*store, error) {
	o, err := v.placeOptions(ctx, ref)
	if err != nil {
		return nil, err
	}
	s, err := place.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return &store{place: s}, nil
}

// session starts a write session.
func (s *store) session(ctx context.Context) (*session, error) {
	w, err := s.place.Session(ctx)
	if err != nil {
		return nil, err
	}
	s.current.Store(w)
	return &session{s, w}, nil
}

// open streams an object; it sees what the current session wrote.
func (s *store) open(ctx context.Context, id string) (io.ReadCloser, error) {
	r, _, err := s.openObject(ctx, id)
	return r, err
}

func (s *store) openObject(ctx context.Context, id string) (io.ReadSeekCloser, int64, error) {
	if w := s.current.Load(); w != nil {
		return w.OpenObject(ctx, place.ObjectID(id))
	}
	return s.place.OpenObject(ctx, place.ObjectID(id))
}

// get reads an object whole, at most limit bytes.
func (s *store) get(ctx context.Context, id string, limit int64) ([]byte, error) {
	r, size, err := s.openObject(ctx, id)
	if err != nil {
		return nil, err
	}
	data, err := whole(r, size, limit)
	return data, errors.Join(err, r.Close())
}

func (s *store) putRecord(ctx context.Context, name string, data []byte) error {
	return s.place.PutRecord(ctx, place.Record{Name: name, Data: data})
}

func (s *store) readRecord(ctx context.Context, name string) ([]byte, error) {
	return s.place.ReadRecord(ctx, name)
}

// records lists names that start with prefix, sorted.
func (s *store) records(ctx context.Context, prefix string) ([]string, error) {
	var list []string
	for name, err := range s.place.Records(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, nil
}

func (s *store) close(ctx context.Context) error { return s.place.Close(ctx) }

// session writes objects, which are durable after flush. After an error of its own, not of a reader, it is spent and what was not
// flushed is lost.
type session struct {
	store *store
	w     *place.Session
}

// put stores bytes that are compressed already.
func (s *session) put(ctx context.Context, data []byte) (string, error) {
	id, _, err := s.w.Put(ctx, bytes.NewReader(data), place.Block)
	return string(id), err
}

// putStream stores a large object in parts, compressed.
func (s *session) putStream(ctx context.Context, r io.Reader) (string, int64, error) {
	id, n, err := s.w.Put(ctx, r, place.File)
	return string(id), n, err
}

func (s *session) flush(ctx context.Context) error { return s.w.Flush(ctx) }

func (s *session) close(ctx context.Context) error {
	s.store.current.CompareAndSwap(s.w, nil)
	return s.w.Close(ctx)
}
