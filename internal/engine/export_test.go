package engine

// Bugs lets tests plant mistakes.
type Bugs = bugs

// Plant switches a mistake on.
func (e *Engine) Plant(set func(b *Bugs)) { set(&e.bugs) }

// The mistakes.
var (
	CommitFirst        = func(b *Bugs) { b.commitFirst = true }
	BelieveStorage     = func(b *Bugs) { b.believeStorage = true }
	GuessCommit        = func(b *Bugs) { b.guessCommit = true }
	StaleTakesAll      = func(b *Bugs) { b.staleTakesAll = true }
	EmptyWhenGone      = func(b *Bugs) { b.emptyWhenGone = true }
	PublishCheckpoints = func(b *Bugs) { b.publishCheckpoints = true }
	SwallowCheckpoints = func(b *Bugs) { b.swallowCheckpoints = true }
	AlwaysNew          = func(b *Bugs) { b.alwaysNew = true }
	ForgetMisses       = func(b *Bugs) { b.forgetMisses = true }
	Unordered          = func(b *Bugs) { b.unordered = true }
	PointUnwritten     = func(b *Bugs) { b.pointUnwritten = true }
	NeverAgain         = func(b *Bugs) { b.neverAgain = true }
)
