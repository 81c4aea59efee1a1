package shell

import (
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// A parsedText is what the parser made of a command. Nobody changes it.
type parsedText struct {
	text  string
	stmts []*syntax.Stmt
	bad   []defect
}

// Bounds of the cache: a tree takes some ten times the room of its text.
const (
	maxParsed     = 512
	maxParsedText = 512 // bytes of one text
)

// parsed are the commands parsed last, of all sessions: bots send the same lines
// over and over.
var parsed parseCache

// A parseCache begins anew when it is full.
type parseCache struct {
	mu sync.Mutex
	m  map[string]parsedText
}

func (c *parseCache) get(text string) (parsedText, bool) {
	if len(text) > maxParsedText {
		return parsedText{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.m[text]
	return p, ok
}

func (c *parseCache) put(text string, p parsedText) {
	if len(text) > maxParsedText {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || len(c.m) >= maxParsed {
		c.m = make(map[string]parsedText, 64)
	}
	c.m[text] = p
}
