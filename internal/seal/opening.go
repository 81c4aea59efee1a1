package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"honeyguide"
)

func refusal(err error, format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Err: err, Message: fmt.Sprintf(format, args...) + " Nothing was changed"}
}

// openRing opens a vault whose ring is there.
func (v *Vault) openRing(raw []byte) error {
	d, err := parseRing(raw)
	if err != nil {
		return refusal(err, "%s is damaged; restore it from a backup, together with the master key of that time.", v.path(RingFile))
	}
	r, m, slot, err := v.unlock(d)
	if err != nil {
		return err
	}
	defer m.forget()
	v.ring, v.master, v.box = r, m.kind, &Box{}
	v.share(nil)
	if v.o.ReadOnly {
		return nil
	}
	if err := v.settle(m, slot); err != nil {
		return err
	}
	if err := v.merge(); err != nil {
		return err
	}
	if v.o.Clear {
		return v.uncover()
	}
	return v.dropLegacy()
}

// merge takes data keys that lie in clear beside a ring into it: a crash left both,
// or an older version ran meanwhile.
func (v *Vault) merge() error {
	keys, err := v.legacy()
	if err != nil || keys == nil {
		return err
	}
	fresh := false
	for _, k := range keys {
		if !slices.ContainsFunc(v.ring.keys, func(x key) bool { return x.raw == k.raw }) {
			v.ring.keys, v.ring.made = append(v.ring.keys, k), append(v.ring.made, v.age())
			fresh = true
		}
	}
	if !fresh {
		return nil
	}
	v.share(nil)
	v.did = append(v.did, legacyFile+" was taken into the ring")
	return v.save()
}

// age is when the data keys in clear were made.
func (v *Vault) age() time.Time {
	if st, err := os.Stat(v.path(legacyFile)); err == nil {
		return st.ModTime().UTC().Truncate(time.Second)
	}
	return v.o.Now().UTC().Truncate(time.Second)
}

// unlock finds the master key that opens a ring.
func (v *Vault) unlock(d ringDoc) (ring, material, int, error) {
	if v.o.Master.given() {
		m, err := v.o.Master.read()
		if err != nil {
			return ring{}, m, 0, err
		}
		r, at, err := d.open(m)
		if !errors.Is(err, ErrWrongKey) {
			return r, m, at, v.bad(err)
		}
		if r, at, own, err := v.unlockOwn(d); err == nil {
			// The operator has just begun to give a key: the own one hands over.
			own.forget()
			return r, m, -at - 1, nil
		}
		return ring{}, m, 0, refusal(ErrWrongKey, "%s is not the master key of %s. Give the one it was sealed with (%s), or restore the folder from a backup that belongs to it.",
			v.o.Master.name(), v.path(RingFile), kindsOf(d))
	}
	r, at, m, err := v.unlockOwn(d)
	switch {
	case err == nil:
		return r, m, at, nil
	case errors.Is(err, ErrDamaged), errors.Is(err, errRing):
		return ring{}, m, 0, v.bad(err)
	case !slices.ContainsFunc(d.Slots, func(s slot) bool { return s.Kind == MasterOwn }):
		return ring{}, m, 0, refusal(err, "the keys of this node are sealed under a master key of your own (%s), and none is given: set SOC_ENCRYPTION_KEY or SOC_ENCRYPTION_KEY_FILE, secrets.key_file or secrets.passphrase_file, or the systemd credential honeyguide.key.", kindsOf(d))
	case errors.Is(err, fs.ErrNotExist):
		return ring{}, m, 0, refusal(err, "%s is missing, and without it the keys of this node do not open. Put it back from where you keep its copy.", v.path(MasterFile))
	case errors.Is(err, ErrWrongKey):
		return ring{}, m, 0, refusal(err, "%s is not the master key of %s. Put back the right one, or restore both from the same backup.", v.path(MasterFile), v.path(RingFile))
	}
	return ring{}, m, 0, err
}

func (v *Vault) bad(err error) error {
	if err == nil {
		return nil
	}
	return refusal(err, "%s is damaged; restore it from a backup, together with the master key of that time.", v.path(RingFile))
}

// unlockOwn opens a ring with the own master key, or with the one that was about to
// take its place.
func (v *Vault) unlockOwn(d ringDoc) (r ring, at int, m material, err error) {
	var first error
	for _, name := range []string{MasterFile, nextFile} {
		if m, err = readOwn(v.o.Dir, name); err == nil {
			if r, at, err = d.open(m); err == nil {
				return r, at, m, nil
			}
			m.forget()
		}
		if first == nil || errors.Is(first, fs.ErrNotExist) && !errors.Is(err, fs.ErrNotExist) {
			first = err
		}
	}
	return ring{}, 0, m, first
}

// kindsOf says in words what opens a ring.
func kindsOf(d ringDoc) string {
	text := ""
	for i, s := range d.Slots {
		if i > 0 {
			text += ", or "
		}
		switch s.Kind {
		case MasterOwn:
			text += MasterFile + " made "
		case MasterPassphrase:
			text += "a passphrase set "
		default:
			text += "a key set "
		}
		text += s.Made.Format("2006-01-02")
	}
	return text
}

// settle finishes what a change of master keys began, now that m has opened the
// ring by a slot; below zero when m is new to it.
func (v *Vault) settle(m material, slot int) error {
	switch {
	case slot < 0:
		if err := v.ring.only(m, v.o.Now()); err != nil {
			return err
		}
		v.did = append(v.did, "the master key that is configured took the place of "+MasterFile+"; nothing asks for that file any more, old copies of the folder do: keep it elsewhere or remove it")
		return v.save()
	case slot == len(v.ring.slots)-1 && slot > 0:
		if err := v.ring.only(m, v.o.Now()); err != nil {
			return err
		}
		v.did = append(v.did, "the new master key is in use; the one before opens nothing any more")
		if err := v.save(); err != nil {
			return err
		}
	}
	if m.kind != MasterOwn {
		return nil
	}
	// Which of the two files was it that opened the ring?
	own, err := readOwn(v.o.Dir, MasterFile)
	defer own.forget()
	if err == nil && own.raw == m.raw {
		if err := v.remove(v.path(nextFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a master key that never was: %w", err)
		}
		return nil
	}
	return v.promote()
}

// promote puts the next own master key in the place of the one before.
func (v *Vault) promote() error {
	old, err := hold(v.path(MasterFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	v.step("before the new master key is in place")
	if err := errors.Join(os.Rename(v.path(nextFile), v.path(MasterFile)), syncDir(v.o.Dir)); err != nil {
		return fmt.Errorf("put the new master key in place: %w", err)
	}
	v.step("after the new master key is in place")
	if old != nil {
		return wipe(old)
	}
	return nil
}

// save writes the ring.
func (v *Vault) save() error {
	text, err := v.ring.text()
	if err == nil {
		err = v.place(v.path(RingFile), text, noTime)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", v.path(RingFile), err)
	}
	return nil
}

// begin opens a vault without a ring: a new one, or one of an older version.
func (v *Vault) begin() error {
	keys, err := v.legacy()
	if err != nil {
		return err
	}
	if keys == nil {
		names, err := v.sealedNames()
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return refusal(nil, "%s is missing, and %d files in %s are sealed with keys it holds. Restore it from a backup.", v.path(RingFile), len(names), v.o.Dir)
		}
	}
	switch {
	case v.o.ReadOnly && keys == nil:
		return fmt.Errorf("open %s: %w", v.path(RingFile), fs.ErrNotExist)
	case v.o.ReadOnly:
		v.o.Clear = true
	case v.o.Clear && keys == nil:
		k := randomKey()
		if err := v.place(v.path(legacyFile), keysText([]key{k}), noTime); err != nil {
			return fmt.Errorf("make the key of secrets: %w", err)
		}
		keys = []key{k}
	}
	if v.o.Clear {
		v.box = boxOf(keys...)
		return nil
	}
	return v.cover(keys)
}

// legacy reads the data keys that lie in clear; nil when there are none.
func (v *Vault) legacy() ([]key, error) {
	raw, _, err := readPrivate(v.path(legacyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of secrets: %w", err)
	}
	defer clear(raw)
	b, err := parseKeys(raw)
	if err != nil {
		return nil, refusal(err, "%s holds no key: want lines of 64 hexadecimal digits; restore it from a backup, or move it away: then second factors have to be set up anew.", v.path(legacyFile))
	}
	return b.held.Load().keys, nil
}

// cover makes the ring, with the data keys there are or a new one.
func (v *Vault) cover(keys []key) error {
	m, err := v.masterOrNew()
	if err != nil {
		return err
	}
	defer m.forget()
	now := v.o.Now()
	if keys == nil {
		v.ring.prepend(now)
	}
	for _, k := range keys {
		v.ring.keys, v.ring.made = append(v.ring.keys, k), append(v.ring.made, v.age())
	}
	if err := v.ring.only(m, now); err != nil {
		return err
	}
	if err := v.save(); err != nil {
		return err
	}
	v.master, v.box = m.kind, &Box{}
	v.share(nil)
	if keys != nil {
		v.did = append(v.did, "the keys of this node are sealed from now on")
	}
	return v.dropLegacy()
}

// masterOrNew reads the master key of a vault that is about to be made.
func (v *Vault) masterOrNew() (material, error) {
	if v.o.Master.given() {
		return v.o.Master.read()
	}
	m, err := readOwn(v.o.Dir, MasterFile)
	if errors.Is(err, fs.ErrNotExist) {
		if m, err = v.makeOwn(MasterFile); err != nil {
			return m, fmt.Errorf("make the master key: %w", err)
		}
	}
	return m, err
}

// dropLegacy removes the data keys in clear once the ring holds them.
func (v *Vault) dropLegacy() error {
	if err := v.remove(v.path(legacyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", v.path(legacyFile), err)
	}
	return nil
}

// uncover puts the data keys in clear again, because encryption was switched off.
// Files follow when they are read.
func (v *Vault) uncover() error {
	if err := v.place(v.path(legacyFile), keysText(v.ring.keys), noTime); err != nil {
		return fmt.Errorf("write %s: %w", v.path(legacyFile), err)
	}
	if err := v.remove(v.path(RingFile)); err != nil {
		return fmt.Errorf("remove %s: %w", v.path(RingFile), err)
	}
	v.ring, v.master = ring{}, ""
	v.did = append(v.did, "encryption is off: the keys of this node lie in clear")
	return syncDir(v.o.Dir)
}
