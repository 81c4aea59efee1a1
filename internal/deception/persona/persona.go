// Package persona makes pretended hosts: a machine model, a base image of the
// file system and the facts its services announce, all from one secret seed.
// The same seed gives the same host, byte for byte; two seeds give two hosts
// that share nothing an attacker could recognise.
package persona

import (
	"fmt"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/image"
)

// Options vary a persona. The zero value is fine but for Now.
type Options struct {
	Now      time.Time // the moment of deployment; required
	Hostname string    // "" lets the seed choose
	Domain   string    // "" lets the seed choose
	Image    []byte    // index of a root of the operator's own to stand on; nil: the shipped one
}

// A Host is one pretended computer.
type Host struct {
	Name     string // of the persona: debian-12
	Machine  *machine.Machine
	Image    *vfs.Image
	Users    []User
	Groups   []Group
	SSH      SSHFacts
	HTTP     HTTPFacts
	App      App
	Packages map[string]Package // installed ones, by name

	seed []byte
	dpkg dpkg
}

// A Package is one installed package, as dpkg tells of it.
type Package struct {
	Name, Version, Arch, Size, Section, Priority, Summary string
	Essential                                             bool
	Fields                                                []image.Field // all of dpkg's, in its order
}

// A User is one line of /etc/passwd.
type User struct {
	Name, Gecos, Home, Shell string
	UID, GID                 uint32
	Hash                     string // of /etc/shadow
}

// A Group is one line of /etc/group.
type Group struct {
	Name    string
	GID     uint32
	Members []string
}

// SSHFacts are what the SSH server announces.
type SSHFacts struct{ Banner, Version string }

// HTTPFacts are what the web server announces.
type HTTPFacts struct{ Server string }

// An App is the pretended business application.
type App struct {
	Name, Dir, Database, DatabaseUser, User string
	Env                                     string // path of its .env file, the place for bait
}

// A recipe makes hosts of one persona.
type recipe struct {
	name string
	make func(seed []byte, name string, o Options) (*Host, error)
}

// recipes are the personas there are.
var recipes = []recipe{
	{"debian-12", debianServer},      // a server in use
	{"debian-12-fresh", debianFresh}, // the same as installed: no users, application and history
}

// Names lists the personas there are.
func Names() []string {
	var out []string
	for _, r := range recipes {
		out = append(out, r.name)
	}
	return out
}

// New makes a host of the persona of that name, see [Names].
func New(seed []byte, name string, o Options) (*Host, error) {
	for _, r := range recipes {
		if r.name == name {
			return r.make(seed, name, o)
		}
	}
	return nil, fmt.Errorf("persona %q: no such persona, there are %s", name, strings.Join(Names(), " and "))
}

// Plant puts a file into the base image, for bait. It fails once the first view
// was made.
func (h *Host) Plant(path string, owner vfs.Cred, mode uint32, content []byte) error {
	err := h.Image.Add(vfs.Entry{
		Path: path, Mode: vfs.Regular | mode&0o7777, UID: owner.UID, GID: owner.GID,
		Text: string(content), Mtime: h.Machine.Boot.Add(-9 * 24 * time.Hour),
	})
	if err != nil {
		return fmt.Errorf("plant: %w", err)
	}
	return nil
}

// User returns the base image's account of that name.
func (h *Host) User(name string) (User, bool) {
	for _, u := range h.Users {
		if u.Name == name {
			return u, true
		}
	}
	return User{}, false
}

// Cred returns a user's credentials with all groups.
func (h *Host) Cred(u User) vfs.Cred {
	c := vfs.Cred{UID: u.UID, GID: u.GID}
	for _, g := range h.Groups {
		for _, m := range g.Members {
			if m == u.Name {
				c.Groups = append(c.Groups, g.GID)
			}
		}
	}
	return c
}
