package place

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/format"
	"github.com/kopia/kopia/repo/object"

	"holdfast/internal/holdfast"
	"holdfast/internal/sys"
)

// clear turns what the storage or kopia said into an error for people, with the next step. Errors that are already meant for
// people, ends of a context and injected faults keep their place in the chain.
func (s *storage) clear(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) && !errors.Is(cause, context.Canceled) {
		err = cause // the storage broke and ended kopia's endless retry
	}
	var clear *holdfast.Error
	switch {
	case errors.As(err, &clear) && clear.Message != err.Error():
		// Kopia's chain of what it was doing stands before the one sentence that helps.
		return &holdfast.Error{Kind: clear.Kind, Message: clear.Message, RetryAfter: clear.RetryAfter, Cause: err}
	case clear != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, format.ErrInvalidPassword):
		return wrongKey(s.disk.root, err)
	case errors.Is(err, sys.ErrInjected):
		return holdfast.Unavailable("storage of the backup repository in %s: %w", s.disk.root, err)
	case errors.Is(err, blob.ErrBlobNotFound), errors.Is(err, object.ErrObjectNotFound), errors.Is(err, content.ErrContentNotFound):
		return holdfast.Damaged("the backup repository in %s lacks data that was written: %w; run 'holdfast vault verify' to see what it hurts", s.disk.root, err)
	}
	return clearOS(s.disk.root, err)
}

// clearOS names the fault of a folder and what to do about it; other errors come back unchanged.
func clearOS(dir string, err error) error {
	var clear *holdfast.Error
	switch {
	case err == nil || errors.As(err, &clear):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return holdfast.Unavailable("no space is left in %s: free space or enlarge the disk, then run the job again; nothing stored is lost: %w", dir, err)
	case errors.Is(err, syscall.EROFS):
		return holdfast.Unavailable("%s is on a read-only file system: mount it writable, then try again: %w", dir, err)
	case errors.Is(err, fs.ErrPermission):
		return holdfast.Unavailable("no permission to use %s: give the account that runs holdfast read and write access to it, then try again: %w", dir, err)
	case errors.Is(err, fs.ErrNotExist):
		return holdfast.Unavailable("%s is missing: mount the disk or put the folder back, then try again: %w", dir, err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP):
		return holdfast.Invalid("%s can't be a folder: choose another one: %w", dir, err)
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ESTALE), errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		return holdfast.Unavailable("the disk under %s answers with an error: check the disk and its cable or mount, then try again: %w", dir, err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return holdfast.Unavailable("too many open files: raise the limit of open files for holdfast, then try again: %w", err)
	}
	return err
}

func wrongKey(dir string, err error) error {
	return holdfast.Invalid("the key does not open the backup repository in %s: the key file or recovery kit belongs to another one; use the right one: %w", dir, err)
}
