package sensor

import "net/netip"

// Ask makes the memory be asked for a source, as its first contact does.
func (w *World) Ask(src netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.source(src)
}
