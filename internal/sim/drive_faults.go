package sim

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// DriveFault is a way in which drives break on demand.
type DriveFault struct {
	Kind  string `json:"kind"`
	Every int    `json:"every"` // the n-th chance of each kind strikes; default 1, every one
	Times int    `json:"times"` // at most so often; 0 has no bound
	User  string `json:"user"`  // only on this user's drive; empty means all
	Vary  bool   `json:"vary"`  // what is wrong is another thing each time, although every chance strikes

	chances, fired int
}

// The kinds of DriveFault.
const (
	FaultDeltaExpired     = "deltaExpired"     // a delta with token answers 410 resyncChangesApplyDifferences with a Location
	FaultDeltaUpload      = "deltaUpload"      // the same with resyncChangesUploadDifferences
	FaultDuplicateRows    = "duplicateRows"    // a delta tells earlier states of an item too, and walks repeat rows
	FaultEmptyPages       = "emptyPages"       // a delta page is empty and has a nextLink
	FaultDownloadExpired  = "downloadExpired"  // a download address is refused with 401
	FaultHalfDownload     = "halfDownload"     // the connection ends in the middle of the content
	FaultWrongContent     = "wrongContent"     // one byte of the content is not what the item holds
	FaultChangedWhileRead = "changedWhileRead" // the item gets a new version after its address was handed out and before the bytes go out
	FaultVanished         = "vanishedWhileRead"
	FaultETag             = "etagConflict"  // a change answers 412
	FaultLocked           = "locked"        // a change answers 423
	FaultUploadLost       = "uploadLost"    // an upload session is forgotten
	FaultUploadTwice      = "uploadAckLost" // a fragment is taken, the answer is 503
	FaultThrottle         = "throttle"      // 429 with Retry-After, which pauses the application
)

var driveFaultKinds = []string{FaultDeltaExpired, FaultDeltaUpload, FaultDuplicateRows, FaultEmptyPages, FaultDownloadExpired, FaultHalfDownload, FaultWrongContent,
	FaultChangedWhileRead, FaultVanished, FaultETag, FaultLocked, FaultUploadLost, FaultUploadTwice, FaultThrottle}

type driveFaults struct {
	mu   sync.Mutex // guards list
	list []*DriveFault
}

// AddDriveFault switches a fault on.
func (s *Sim) AddDriveFault(f DriveFault) error {
	if !slices.Contains(driveFaultKinds, f.Kind) {
		return fmt.Errorf("unknown drive fault %q: want one of %v", f.Kind, driveFaultKinds)
	}
	f.Every = max(f.Every, 1)
	s.drives.faults.mu.Lock()
	defer s.drives.faults.mu.Unlock()
	s.drives.faults.list = append(s.drives.faults.list, &f)
	return nil
}

// ClearDriveFaults switches all drive faults off.
func (s *Sim) ClearDriveFaults() {
	s.drives.faults.mu.Lock()
	defer s.drives.faults.mu.Unlock()
	s.drives.faults.list = nil
}

// strikes says whether a fault of a kind hits at this chance.
func (d *driveService) strikes(kind string, owner *User) bool {
	_, ok := d.strike(kind, owner)
	return ok
}

// strike is strikes, and gives the fault as it is then.
func (d *driveService) strike(kind string, owner *User) (DriveFault, bool) {
	d.faults.mu.Lock()
	defer d.faults.mu.Unlock()
	for _, f := range d.faults.list {
		if f.Kind != kind || f.User != "" && owner != nil && f.User != owner.ID && f.User != owner.UPN {
			continue
		}
		f.chances++
		if f.chances%f.Every != 0 || f.Times > 0 && f.fired >= f.Times {
			continue
		}
		f.fired++
		d.s.stats.fault("drive." + kind)
		return *f, true
	}
	return DriveFault{}, false
}

// faulty wraps a handler of the drives: what may break before and after, and the RateLimit headers.
func (d *driveService) faulty(h Handler) Handler {
	return func(c *Call) (*Reply, error) {
		l := d.s.limiters[ClassSharePoint].(*sharePointLimiter)
		if d.strikes(FaultThrottle, nil) {
			return nil, tooMany("tooManyRequests", "The request has been throttled.", 2*time.Second)
		}
		if !c.Route.Public && c.Method != http.MethodGet && c.Method != http.MethodPost {
			if d.strikes(FaultETag, nil) {
				return nil, Fail(412, "resourceModified", "ETag does not match current item's value")
			}
			if d.strikes(FaultLocked, nil) {
				return nil, Fail(423, "resourceLocked", "The resource you are attempting to access is locked")
			}
		}
		r, err := h(c)
		if e, ok := err.(*Error); ok { //nolint:errorlint // handlers return it bare
			l.annotate(c, func(k, v string) { e.With(k, v) })
		} else if r != nil {
			l.annotate(c, func(k, v string) { r.With(k, v) })
		}
		return r, err
	}
}

// torn ends in the middle.
type torn struct {
	io.ReadCloser
	left int64
}

func (t *torn) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := t.ReadCloser.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	return n, err
}

// flipped changes the byte at a place.
type flipped struct {
	io.ReadCloser
	at   int64
	bits byte
}

// wrongBits are what is changed of a byte: always the same where every read is wrong, as of files into which the service writes, else others each time, as
// chance would have it.
func (f DriveFault) wrongBits() byte {
	if f.Every <= 1 && !f.Vary {
		return 0x40
	}
	return byte(1 + f.fired*37%255)
}

func (f *flipped) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if f.at >= 0 && f.at < int64(n) {
		p[f.at] ^= f.bits
	}
	f.at -= int64(n)
	return n, err
}

// changeWhileRead makes a new version of a file, as somebody who saves at a bad moment.
func (d *driveService) changeWhileRead(x *drive, key uint64) {
	n, ok := x.own(key)
	if !ok || n.folder {
		return
	}
	d.edit(x, n, x.seq()+1)
}
