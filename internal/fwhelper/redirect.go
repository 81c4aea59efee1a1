package fwhelper

import (
	"errors"
	"fmt"

	"honeyguide/internal/ipc"
	"honeyguide/internal/netx"
)

func keyOf(r *ipc.FirewallRedirect) redirectKey {
	from, _ := netx.Normal(r.From)
	return redirectKey{from, r.TCP, r.Port}
}

// badRedirect says why a redirect may not go in beside those there are, "" when
// it may.
func (d *desk) badRedirect(r *ipc.FirewallRedirect, there map[redirectKey]redirectEnd) string {
	if why := d.judge.Refuse(r.From); why != "" {
		return why
	}
	key := keyOf(r)
	name := netx.Canonical(key.from)
	if why := badTTL(r.TTL); why != "" {
		return name + " " + why
	}
	to := r.To.Addr()
	switch {
	case r.Port == 0 || r.To.Port() == 0:
		return name + ": a redirect needs two ports from 1 to 65535"
	case to.Unmap().Is4() != key.from.Addr().Is4():
		return fmt.Sprintf("%s cannot be sent to %s, an address of the other version of IP", name, to)
	case !to.IsUnspecified() && (to.IsLoopback() || to.IsMulticast()):
		return fmt.Sprintf("%s cannot be sent to %s; name a port of this host, or another host", name, to)
	}
	if _, known := there[key]; known {
		return ""
	}
	if len(there) >= MaxRedirects {
		return fmt.Sprintf("%s is one too many: %d redirects are in force", name, len(there))
	}
	for k := range there {
		if k.tcp == key.tcp && k.port == key.port && k.from.Overlaps(key.from) {
			return fmt.Sprintf("%s overlaps %s, which is redirected from the same port", name, netx.Canonical(k.from))
		}
	}
	return ""
}

func (d *desk) redirect(list []ipc.FirewallRedirect, a *ipc.FirewallAnswer) error {
	b := d.begin()
	for _, r := range list {
		if why := d.badRedirect(&r, d.redirects); why != "" {
			refuse(a, r.From, why)
			continue
		}
		b.redirect(keyOf(&r), redirectEnd{r.To, b.at + r.TTL})
	}
	return b.commit()
}

// redirected reads a redirect back from the kernel.
func (d *desk) redirected(list []ipc.FirewallRedirect, a *ipc.FirewallAnswer) error {
	if len(list) != 1 {
		return errors.New("redirected: want one redirect")
	}
	key := keyOf(&list[0])
	if !key.from.IsValid() || !list[0].To.IsValid() {
		return errors.New("redirected: that is no redirect")
	}
	f, ok, err := d.kernel.getRedirect(&reroute{from: key.from, tcp: key.tcp, port: key.port, to: list[0].To})
	a.Found, a.Left = ok, f.left
	return err
}

func (d *desk) unredirect(list []ipc.FirewallRedirect) error {
	b := d.begin()
	for _, r := range list {
		b.unredirect(keyOf(&r))
	}
	return b.commit()
}
