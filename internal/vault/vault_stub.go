package vault

import (
	"context"

	"holdfast/internal/sys"
)

type cache struct{}

func newCache(int64) *cache { return &cache{} }

type zip struct{}

func newZip(int) *zip { return &zip{} }
func (*zip) close()   {}

type clockWatch struct{}

func newClockWatch(sys.Clock) *clockWatch { return &clockWatch{} }

func (v *Vault) createStore(context.Context, Ref) error        { return errUnbuilt }
func (v *Vault) openStore(context.Context, Ref) (store, error) { return nil, errUnbuilt }
