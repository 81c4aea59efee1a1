package passkey

import (
	"container/list"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
)

// maxChallenges bounds the ceremonies that wait. Those that anybody may begin are
// kept apart from those of people who are signed in, so that a flood of the first
// cannot push out the second.
const maxChallenges = 8192

// challenges are ceremonies that were begun and not finished. They live in memory:
// after a restart people press the button again.
type challenges struct {
	now  func() time.Time
	mu   sync.Mutex
	byID map[string]*list.Element
	age  *list.List // oldest in front
}

type waiting struct {
	session webauthn.SessionData
	until   time.Time
}

func newChallenges(now func() time.Time) *challenges {
	return &challenges{now: now, byID: map[string]*list.Element{}, age: list.New()}
}

// keep remembers a ceremony. The oldest gives way when there are too many.
func (c *challenges) keep(s webauthn.SessionData) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for e := c.age.Front(); e != nil; e = c.age.Front() {
		if w := e.Value.(waiting); c.age.Len() < maxChallenges && now.Before(w.until) {
			break
		}
		c.drop(e)
	}
	c.byID[s.Challenge] = c.age.PushBack(waiting{s, now.Add(life)})
}

// take returns the ceremony of a challenge and forgets it: whatever becomes of it,
// it is good once.
func (c *challenges) take(challenge string) (webauthn.SessionData, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[challenge]
	if !ok {
		return webauthn.SessionData{}, refuse(Stale, nil)
	}
	c.drop(e)
	w := e.Value.(waiting)
	// A clock set back by more than a challenge lives makes it stale, too.
	if left := w.until.Sub(c.now()); left <= 0 || left > 2*life {
		return webauthn.SessionData{}, refuse(Stale, nil)
	}
	return w.session, nil
}

func (c *challenges) drop(e *list.Element) {
	delete(c.byID, e.Value.(waiting).session.Challenge)
	c.age.Remove(e)
}
