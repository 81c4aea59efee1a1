package sensor

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/machine"
)

// Accept says which logins a decoy lets in:
//
//	never    none, not even a planted credential
//	list     weak passwords of accounts the machine has; a third of them only
//	         after two to four tries of the same source
//	always   every password of every account the machine has
//	after-N  whatever the N-th try of a source brings, and from then on that pair
//
// A planted credential always opens its service, except with never. Who was let
// in with a password gets in with it again, and under list and after-N with no
// other: a real account has one password.
type Accept string

// AcceptList is the default policy.
const AcceptList Accept = "list"

// Check says what is wrong with a policy.
func (a Accept) Check() error {
	switch a {
	case "never", AcceptList, "always":
		return nil
	}
	if a.after() < 1 {
		return fmt.Errorf("accept: %q: want never, list, always or after-N with N from 1 to 100", string(a))
	}
	return nil
}

// after returns N of after-N, or 0.
func (a Accept) after() int {
	digits, ok := strings.CutPrefix(string(a), "after-")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 100 {
		return 0
	}
	return n
}

// A Credential is a planted user and password and the service it opens; an
// empty service means all of them.
type Credential struct {
	Service  string
	User     string
	Password string
}

// weak are the passwords the machine's administrators are taken to have chosen.
// The pairs scanners try to tell a decoy (root with 123456, password, root or
// nothing, and the device passwords of the first Mirai list) are not among them.
var weak = []string{
	"1234", "12345", "12345678", "123456789", "1234567890", "123", "1111", "111111", "000000", "123123", "123321",
	"112233", "121212", "654321", "666666", "888888", "159753", "987654321", "1q2w3e", "1q2w3e4r", "1q2w3e4r5t",
	"1qaz2wsx", "1qaz@WSX", "qwerty", "qwerty123", "qwe123", "qweasd", "asdfgh", "asd123", "zxcvbn", "abc123",
	"abcd1234", "a123456", "aa123456", "Aa123456", "admin123", "admin1234", "admin@123", "Admin@123", "root123",
	"root1234", "root@123", "Root123", "root2024", "root2025", "toor", "pass", "pass123", "pass1234", "passw0rd",
	"Passw0rd", "password1", "password123", "Password1", "P@ssw0rd", "P@ssw0rd123", "p@ssword", "changeme",
	"letmein", "welcome", "welcome1", "Welcome1", "welcome123", "iloveyou", "monkey", "dragon", "master", "secret",
	"server", "linux", "debian", "ubuntu", "raspberry", "test123", "test1234", "default", "system", "manager",
	"qazwsx", "zaq12wsx", "q1w2e3r4", "!QAZ2wsx", "Huawei@123", "calvin", "alpine", "nopassword", "support123",
}

// refused are generic pairs no account has, for they are what scanners try.
var refused = []string{"", "123456", "password", "root", "admin"}

// listed reports whether the list policy has the pair.
func listed(user, password string) bool {
	if slices.Contains(refused, password) || password == user {
		return false
	}
	if slices.Contains(weak, password) {
		return true
	}
	tail, ok := strings.CutPrefix(strings.ToLower(password), strings.ToLower(user))
	return ok && slices.Contains([]string{"1", "12", "123", "1234", "12345", "123456", "@123", "2024", "2025", "!"}, tail)
}

// tries returns how many attempts of src must have been made before the pair
// opens: 1 for two thirds of the pairs, 2 to 4 for the others.
func tries(seed []byte, src netip.Addr, user, password string) int {
	n := draw(seed, "accept\x00"+src.String()+"\x00"+user+"\x00"+password)
	if n%3 != 0 {
		return 1
	}
	return 2 + int(n/3%3)
}

// Login reports whether user and password let src into service. It counts the
// attempt. Only accounts of the machine that have a login shell can be let in,
// except by a planted credential of a service without a shell.
func (w *World) Login(src netip.Addr, service string, a Accept, user, password string) bool {
	if a == "never" {
		return false
	}
	if w.Planted(service, user, password) {
		return true
	}
	if _, ok := w.Account(user); !ok {
		w.attempt(src, service, user)
		return false
	}
	s := w.known(src)
	defer w.mu.Unlock()
	s.tries++
	if a == "always" {
		return true
	}
	known, ok := s.pairs[user]
	if ok && known != password || !ok && !opens(a, s.tries, w.seed, s.addr, user, password) {
		s.fail(machine.Failure{User: user, Peer: w.guess(src, s.tries), At: w.now(), Server: servers[service]})
		return false
	}
	if ok {
		return true
	}
	s.set(user, password)
	return true
}

func opens(a Accept, made int, seed []byte, src netip.Addr, user, password string) bool {
	if n := a.after(); n > 0 {
		return made >= n && password != ""
	}
	return listed(user, password) && made >= tries(seed, src, user, password)
}

func (w *World) attempt(src netip.Addr, service, user string) {
	s := w.known(src)
	defer w.mu.Unlock()
	s.tries++
	s.fail(machine.Failure{User: "invalid user " + user, Peer: w.guess(src, s.tries), At: w.now(), Server: servers[service]})
}

// servers are the programs that write refused logins into a log.
var servers = map[string]string{"ssh": "sshd", "telnet": "telnetd"}

// guess makes up the port of a peer, which does not matter enough to be told.
func (w *World) guess(src netip.Addr, n int) netip.AddrPort {
	return netip.AddrPortFrom(src, uint16(32768+draw(w.seed, "port\x00"+src.String()+strconv.Itoa(n/3))%28000))
}

// maxFailed bounds the refused logins a source's log shows when it gets in.
const maxFailed = 8

// fail remembers a refused login for the log the source will read.
func (s *source) fail(f machine.Failure) {
	if f.Server == "" {
		return
	}
	f.User = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, f.User[:min(len(f.User), 64)])
	if t := tableOf(s.fs); t != nil {
		t.Fail(f)
		return
	}
	if len(s.failed) == maxFailed {
		s.failed = append(s.failed[:0], s.failed[1:]...)
	}
	s.failed = append(s.failed, f)
}

// Planted reports whether the pair is a planted credential of service.
func (w *World) Planted(service, user, password string) bool {
	for _, b := range w.baits {
		for _, c := range b.Credentials {
			if c.User == user && c.Password == password && (c.Service == "" || c.Service == service) {
				return true
			}
		}
	}
	return false
}
