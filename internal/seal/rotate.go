package seal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"honeyguide"
)

// A Status says how the keys of a node stand. It holds no key.
type Status struct {
	Sealed   bool       `json:"sealed" doc:"private files and rows are sealed under the master key"`
	Master   string     `json:"master,omitempty" doc:"what opened them: own = keys/master.key, key or passphrase = one the operator gives"`
	MasterAt time.Time  `json:"master_at,omitzero" doc:"when the ring came under that master key"`
	Masters  int        `json:"masters" doc:"master keys that open them; two until a new one is used for the first time"`
	Keys     []KeyState `json:"keys" doc:"data keys, newest first; more than one while a rotation is not over"`
	Files    int        `json:"files" doc:"private files that are sealed"`
	Stale    int        `json:"stale_files" doc:"of these, under an older data key"`
	Clear    []string   `json:"clear,omitempty" doc:"private files that lie in clear"`
}

// KeyState is a data key by its id.
type KeyState struct {
	ID   string    `json:"id" doc:"the first bytes of a hash of it"`
	Made time.Time `json:"made,omitzero"`
}

// Rotating reports whether a rotation is not over.
func (s Status) Rotating() bool { return s.Sealed && len(s.Keys) > 1 }

// Status looks at the keys and the files.
func (v *Vault) Status() (Status, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := Status{Sealed: !v.o.Clear, Master: v.master, Masters: len(v.ring.slots)}
	if n := len(v.ring.slots); n > 0 {
		s.MasterAt = v.ring.slots[n-1].Made
	}
	for i, k := range v.box.held.Load().keys {
		state := KeyState{ID: hex.EncodeToString(k.id[:])}
		if i < len(v.ring.made) {
			state.Made = v.ring.made[i]
		}
		s.Keys = append(s.Keys, state)
	}
	names, err := v.sealedNames()
	if err != nil {
		return s, err
	}
	s.Files = len(names)
	for _, path := range names {
		if raw, _, err := readPrivate(path); err == nil && v.stale(raw) {
			s.Stale++
		}
	}
	s.Clear, err = v.inClear()
	return s, err
}

// inClear names the private files that are not sealed. What is public, or opens the
// rest, is none of them.
func (v *Vault) inClear() ([]string, error) {
	list, err := os.ReadDir(v.o.Dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range list {
		name := e.Name()
		if !e.Type().IsRegular() || Public(name) || slices.Contains([]string{MasterFile, nextFile, RingFile}, name) {
			continue
		}
		if sealed, err := headOf(v.path(name)); err == nil && !sealed {
			out = append(out, name)
		}
	}
	return out, nil
}

func (v *Vault) stale(raw []byte) bool {
	return Seals(raw) && v.box.Stale(raw[len(fileHead):])
}

// errClear refuses what only sealed vaults do.
func errClear() error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "encryption is off (secrets.encryption), so there is nothing to rotate; switch it on first"}
}

// Rotate begins to use a new data key, or goes on with a rotation that is not over.
// What was sealed before still opens.
func (v *Vault) Rotate() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.o.Clear || v.o.ReadOnly {
		return errClear()
	}
	if len(v.ring.keys) > 1 {
		return nil
	}
	before := v.ring
	v.ring.prepend(v.o.Now())
	if err := v.save(); err != nil {
		v.ring = before
		return err
	}
	v.share(nil)
	return nil
}

// share gives the keys of the ring to the box. dropped are those that only what was
// read before needs.
func (v *Vault) share(dropped []key) {
	h := v.ring.held(v.o.Now())
	if was := v.box.held.Load(); was != nil {
		h.old = append(slices.Clone(was.old), dropped...)
	}
	v.box.held.Store(h)
}

// ResealFiles seals every private file under the newest data key that is not yet,
// and returns how many there were.
func (v *Vault) ResealFiles() (n int, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.o.Clear || v.o.ReadOnly {
		return 0, errClear()
	}
	names, err := v.sealedNames()
	if err != nil {
		return 0, err
	}
	for name, path := range names {
		raw, st, err := readPrivate(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !v.stale(raw) {
			continue
		}
		if err != nil {
			return n, err
		}
		plain, err := v.openFile(raw, name)
		if err != nil {
			return n, fmt.Errorf("%s: %w", path, err)
		}
		err = v.place(path, v.sealFile(plain, name), st.ModTime())
		clear(plain)
		if err != nil {
			return n, fmt.Errorf("seal %s anew: %w", path, err)
		}
		n++
	}
	return n, nil
}

// Finish drops the older data keys. No file may use them, and the caller knows that
// no row does. What [Box.Derive] made of them for a use is known for as long as
// keep says.
func (v *Vault) Finish(keep map[string]time.Duration) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.o.Clear || v.o.ReadOnly {
		return errClear()
	}
	if len(v.ring.keys) < 2 {
		return nil
	}
	names, err := v.sealedNames()
	if err != nil {
		return err
	}
	for _, path := range names {
		if raw, _, err := readPrivate(path); err != nil || v.stale(raw) {
			return errors.Join(fmt.Errorf("%s still needs an older key", path), err)
		}
	}
	before, now := v.ring, v.o.Now()
	dropped := v.ring.keys[1:]
	v.ring.keys, v.ring.made, v.ring.gone = v.ring.keys[:1:1], v.ring.made[:1:1], map[string][]gone{}
	for use, long := range keep {
		for _, k := range dropped {
			v.ring.gone[use] = append(v.ring.gone[use], gone{hex.EncodeToString(k.derive(use)), now.Add(long).UTC()})
		}
	}
	for use, list := range before.gone {
		for _, g := range list {
			if now.Before(g.Until) && len(v.ring.gone[use]) < maxGone {
				v.ring.gone[use] = append(v.ring.gone[use], g)
			}
		}
	}
	if err := v.save(); err != nil {
		v.ring = before
		return err
	}
	v.share(dropped)
	return nil
}

// Rewrap puts the ring under a new master key; no file and no row changes. With the
// zero Master it is a new own key, at once. One the operator gives is good beside
// the one before until a start uses it; then the one before opens nothing any more.
func (v *Vault) Rewrap(to Master) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.o.Clear || v.o.ReadOnly {
		return errClear()
	}
	before := v.ring
	err := v.rewrap(to)
	if err != nil {
		v.ring = before
	}
	return err
}

func (v *Vault) rewrap(to Master) error {
	now := v.o.Now()
	if to.given() {
		m, err := to.read()
		if err != nil {
			return err
		}
		defer m.forget()
		if _, _, err := (ringDoc{Slots: v.ring.slots}).open(m); !errors.Is(err, ErrWrongKey) {
			return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: to.name() + " is a master key of this node already; give another one"}
		}
		if err := v.ring.add(m, now); err != nil {
			return err
		}
		return v.save()
	}
	if v.master == MasterOwn && len(v.ring.slots) == 1 {
		m, err := v.makeOwn(nextFile)
		if err != nil {
			return fmt.Errorf("make the new master key: %w", err)
		}
		defer m.forget()
		if err := v.ring.only(m, now); err != nil {
			return err
		}
		if err := v.save(); err != nil {
			return err
		}
		return v.promote()
	}
	if len(v.ring.slots) > 1 {
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "a new master key waits for its first use: put it into the configuration and restart; or remove the configured one"}
	}
	if _, err := os.Stat(v.path(MasterFile)); err == nil {
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: v.path(MasterFile) + " is from before and opens old copies of the folder; move it to where those are kept, then ask again"}
	}
	m, err := v.makeOwn(MasterFile)
	if err != nil {
		return fmt.Errorf("make the new master key: %w", err)
	}
	defer m.forget()
	if err := v.ring.add(m, now); err != nil {
		return err
	}
	return v.save()
}

// Public reports whether a file of the folder may be read by anybody: the public
// half of a key.
func Public(name string) bool {
	for _, end := range []string{".pub", ".crt", ".note"} {
		if len(name) > len(end) && name[len(name)-len(end):] == end {
			return true
		}
	}
	return false
}
