package ssh

import (
	"errors"
	"sync/atomic"
)

// The library grants every channel a window of 2 MiB and keeps what nobody
// reads. Peers could fill memory that way, so the bytes that arrived and were
// not read are counted, over all connections and per connection. They are
// counted as they come over the wire, which is a little too much; a channel that
// was read empty sets its connection's count right again.
const (
	maxUnread  = 192 << 20 // of all connections together
	fairUnread = 256 << 10 // of one connection, which it always may have
)

// errUnread ends a connection that sends what nobody reads when memory is short.
var errUnread = errors.New("input that nobody reads")

// inflow counts one connection's unread bytes.
type inflow struct {
	all      *atomic.Int64
	mine     atomic.Int64
	channels atomic.Int32
	over     atomic.Bool // the connection is closed: nothing is counted any more
}

// arrived counts n bytes in and says whether there is room for them.
func (f *inflow) arrived(n int) error {
	if f.over.Load() {
		return nil
	}
	mine, all := f.mine.Add(int64(n)), f.all.Add(int64(n))
	if all > maxUnread && mine > fairUnread {
		return errUnread
	}
	return nil
}

// read counts n bytes out; empty says that the channel had no more.
func (f *inflow) read(n int, empty bool) {
	if empty && f.channels.Load() <= 1 {
		f.reset()
		return
	}
	f.mine.Add(-int64(n))
	f.all.Add(-int64(n))
}

// closed counts a channel out.
func (f *inflow) closed() {
	if f.channels.Add(-1) <= 0 {
		f.reset()
	}
}

func (f *inflow) reset() { f.all.Add(-f.mine.Swap(0)) }
