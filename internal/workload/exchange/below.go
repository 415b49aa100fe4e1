package exchange

import (
	"context"

	"holdfast/internal/m365"
)

// addTries bounds how often a thing below an item is made again whose making was not answered.
const addTries = 5

// below makes things of one kind below one item at the target (attachments, steps of a check list), each once. A call whose answer got lost does not tell
// whether it made the thing, so what is there is counted before it is made again: an item with many would hardly ever become whole if a single lost
// answer made it begin anew.
type below struct {
	there int                                    // how many there are
	count func(ctx context.Context) (int, error) // asks the service
}

// add calls make, again when nothing came of it.
func (b *below) add(ctx context.Context, make func() error) error {
	for try := 1; ; try++ {
		err := make()
		if err == nil {
			b.there++
			return nil
		}
		if !m365.OutcomeUnknown(err) || try == addTries || ctx.Err() != nil {
			return err
		}
		n, cerr := b.count(ctx)
		if cerr != nil {
			return cerr
		}
		if n > b.there {
			b.there = n
			return nil
		}
	}
}
