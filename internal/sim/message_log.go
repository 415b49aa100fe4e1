package sim

import (
	"slices"
	"strconv"
	"time"
)

// place is where a message is: a channel or a chat.
type place interface {
	placeID() string
	messagesPath() string      // the address of its messages below /v1.0
	describe(m map[string]any) // writes into the JSON of a message where it is
	messages() *messageLog     // all of the team, or of the chat
	since() time.Time          // before which it takes no messages
	generated(i int) bool      // whether the i-th message that the seed makes is here
	find(root, id int64) *post // root 0 is a message that replies to none; nil when there is none
}

// messageLog is the messages of a team or of a chat: those that the seed makes when they are asked for, and what came and changed since.
type messageLog struct {
	s     *Sim
	seed  uint64
	begun time.Time            // the first generated one comes an hour later
	posts int                  // generated ones
	step  time.Duration        // from one generated one to the next
	make  func(i int) *post    // the i-th generated one as the seed has it
	over  map[int]*post        // generated ones that changed
	added []*post              // in the order they came
	byID  map[messageKey]*post // of added
}

type messageKey struct {
	place string
	id    int64
}

func newMessageLog(s *Sim, seed uint64, begun time.Time) messageLog {
	return messageLog{s: s, seed: seed, begun: begun}
}

// fill has the seed make so many messages.
func (l *messageLog) fill(posts int) {
	l.posts = posts
	if posts > 0 {
		l.step = max(epochEnd.Sub(l.begun)/time.Duration(posts+1), 4*time.Millisecond).Truncate(time.Millisecond)
	}
}

func (l *messageLog) h(i int, purpose uint64) uint64 {
	return mix(l.seed ^ mix(uint64(i)*0x9e3779b97f4a7c15+purpose))
}

// generatedID is when the i-th generated message was written.
func (l *messageLog) generatedID(i int) int64 {
	jitter := time.Duration(l.h(i, 1) % uint64(max(l.step/2/time.Millisecond, 1)))
	return l.begun.Add(time.Hour).Add(time.Duration(i)*l.step).UnixMilli() + int64(jitter)
}

// generatedIndex is the inverse of generatedID.
func (l *messageLog) generatedIndex(id int64) (int, bool) {
	if l.step == 0 || l.posts == 0 {
		return 0, false
	}
	i := int((id - l.begun.Add(time.Hour).UnixMilli()) / l.step.Milliseconds())
	return i, i >= 0 && i < l.posts && l.generatedID(i) == id
}

// generatedModified is when the i-th generated message last changed, without making the message.
func (l *messageLog) generatedModified(i int) time.Time {
	at := time.UnixMilli(l.generatedID(i)).UTC()
	switch h := l.h(i, 3); {
	case h%61 == 0: // deleted
		return at.Add(time.Hour)
	case h%17 == 0: // edited
		return at.Add(10 * time.Minute)
	case h%5 == 0: // somebody reacted
		return at.Add(5 * time.Minute)
	}
	return at
}

// post gives the i-th generated message as it is now.
func (l *messageLog) post(i int) *post {
	if p := l.over[i]; p != nil {
		return p
	}
	return l.make(i)
}

// own gives a message that may be changed.
func (l *messageLog) own(p *post) *post {
	if p.index < 0 {
		return p
	}
	if o := l.over[p.index]; o != nil {
		return o
	}
	if l.over == nil {
		l.over = map[int]*post{}
	}
	l.over[p.index] = p
	return p
}

// add takes a message; its id must be free.
func (l *messageLog) add(p *post) {
	if l.byID == nil {
		l.byID = map[messageKey]*post{}
	}
	p.index = -1
	l.s.teams.came++
	p.came = l.s.teams.came
	l.added = append(l.added, p)
	l.byID[messageKey{p.at.placeID(), p.id}] = p
}

// addFree takes a message at its time, or at the next millisecond that is free.
func (l *messageLog) addFree(p *post) {
	for l.taken(p.at, p.id) {
		p.id++
	}
	p.modified = p.created()
	l.add(p)
}

// clear takes all messages away for good.
func (l *messageLog) clear() { l.posts, l.over, l.added, l.byID = 0, nil, nil, nil }

// taken says whether a message of a place has that id.
func (l *messageLog) taken(at place, id int64) bool {
	if l.byID[messageKey{at.placeID(), id}] != nil {
		return true
	}
	i, ok := l.generatedIndex(id)
	return ok && at.generated(i)
}

// find gives a message of a place by its id.
func (l *messageLog) find(at place, id int64) *post {
	if p := l.byID[messageKey{at.placeID(), id}]; p != nil {
		return p
	}
	if i, ok := l.generatedIndex(id); ok && at.generated(i) {
		return l.post(i)
	}
	return nil
}

// earlier is how many of added had come when a number of the service's was given.
func (l *messageLog) earlier(came int) int {
	n, _ := slices.BinarySearchFunc(l.added, came, func(p *post, came int) int {
		if p.came <= came {
			return -1
		}
		return 1
	})
	return n
}

// nth is the n-th message, newest first: what was added, then what the seed makes. added is how many were added when the walk began.
func (l *messageLog) nth(n, added int) *post {
	if n < added {
		return l.added[added-1-n]
	}
	return l.post(l.posts - 1 - (n - added))
}

// createdAt is when the n-th message was written.
func (l *messageLog) createdAt(n, added int) time.Time {
	if n < added {
		return l.added[added-1-n].created()
	}
	return time.UnixMilli(l.generatedID(l.posts - 1 - (n - added))).UTC()
}

// modifiedAt is when the n-th message last changed.
func (l *messageLog) modifiedAt(n, added int) time.Time {
	if n < added {
		return l.added[added-1-n].modified
	}
	i := l.posts - 1 - (n - added)
	if p := l.over[i]; p != nil {
		return p.modified
	}
	return l.generatedModified(i)
}

// path is the address of a message below /v1.0.
func (p *post) path() string {
	if p.root != 0 {
		return p.at.messagesPath() + "/" + strconv.FormatInt(p.root, 10) + "/replies/" + strconv.FormatInt(p.id, 10)
	}
	return p.at.messagesPath() + "/" + strconv.FormatInt(p.id, 10)
}
