package coreutils

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"strconv"
	"strings"
)

// keyKinds are the kinds of keys made here: how ssh-keygen names them and the
// bits they have when nothing is asked for.
var keyKinds = map[string]struct {
	wire, shown string
	bits        int
}{"rsa": {"ssh-rsa", "RSA", 3072}, "ed25519": {"ssh-ed25519", "ED25519", 256}}

func sshKeygen(p *Proc) int {
	opts, _, ok := p.sshOptions(keygenLetters)
	if !ok {
		return 1
	}
	set := map[string]string{}
	for _, o := range opts {
		set[o.name] = o.val
	}
	has := func(n string) bool { _, ok := set[n]; return ok }
	file := cmp.Or(set["f"], p.homeDir()+"/.ssh/id_"+cmp.Or(set["t"], "rsa"))
	fatal := func(s string) int { p.complain(s + "\r\n"); return 255 }
	switch {
	case has("l"), has("y"):
		return p.showKey(file, has("l"))
	case has("R"), has("F"):
		known := cmp.Or(set["f"], p.homeDir()+"/.ssh/known_hosts")
		if _, err := p.stat(known); err != nil {
			return fatal("Cannot stat " + known + ": " + why(err))
		}
		return 1
	case has("Q"):
		return fatal("KRL checking requires an input file")
	case has("A"):
		return 0
	}
	kind := cmp.Or(set["t"], "rsa")
	k, known := keyKinds[kind]
	if !known {
		if kind == "ecdsa" || kind == "dsa" {
			p.Watch.Unsupported("ssh-keygen -t " + kind)
		}
		return fatal("unknown key type " + kind)
	}
	bits := k.bits
	if n, err := strconv.Atoi(set["b"]); err == nil && kind == "rsa" {
		switch {
		case n < 1024:
			return fatal("Invalid RSA key length: minimum is 1024 bits")
		case n > 16384:
			return fatal("Invalid RSA key length: maximum is 16384 bits")
		}
		bits = n
	}
	return p.makeKey(kind, bits, file, set, has)
}

// homeDir is the caller's own.
func (p *Proc) homeDir() string {
	_, _, home, _, _ := p.account(p.userName(p.Cred.UID))
	return cmp.Or(home, "/")
}

func (p *Proc) makeKey(kind string, bits int, file string, set map[string]string, has func(string) bool) int {
	quiet := has("q")
	if !quiet {
		p.printf("Generating public/private %s key pair.\n", kind)
	}
	if !has("f") {
		p.printf("Enter file in which to save the key (%s): ", file)
		p.flush()
		if s, _ := readLine(p.Stdin); s != "" {
			file = s
		}
	}
	if _, err := p.stat(file); err == nil {
		p.printf("%s already exists.\nOverwrite (y/n)? ", file)
		p.flush()
		if s, _ := readLine(p.Stdin); !strings.HasPrefix(strings.ToLower(s), "y") {
			return 1
		}
	}
	phrase := set["N"]
	if !has("N") {
		phrase, _ = p.prompt("Enter passphrase (empty for no passphrase): ")
		_, _ = p.prompt("Enter same passphrase again: ")
	}
	if phrase != "" {
		p.Watch.Auth("ssh-keygen", file, phrase)
	}
	comment := p.userName(p.Cred.UID) + "@" + p.hostName()
	if has("C") {
		comment = set["C"]
	}
	public, secret := p.newKey(kind, bits)
	line := keyKinds[kind].wire + " " + base64.StdEncoding.EncodeToString(public)
	if comment != "" {
		line += " " + comment
	}
	if err := p.writeText(file, privateKey(kind, public, secret, comment, p.noise(4))); err != nil {
		p.complain("Saving key \"" + file + "\" failed: " + why(err) + "\r\n")
		return 1
	}
	_ = p.FS.Chmod(p.Cred, p.path(file), 0o600)
	_ = p.writeText(file+".pub", line+"\n")
	_ = p.FS.Chmod(p.Cred, p.path(file+".pub"), 0o644)
	if !quiet {
		print := fingerprint(public)
		p.printf("Your identification has been saved in %s\nYour public key has been saved in %s.pub\nThe key fingerprint is:\n%s %s\nThe key's randomart image is:\n%s", file, file, print, comment, keyPicture(public, sprintf("%s %d", keyKinds[kind].shown, bits)))
	}
	return 0
}

// sshFields joins fields as the protocol does: length, then bytes (RFC 4251, 5).
func sshFields(fields ...[]byte) []byte {
	var b []byte
	for _, f := range fields {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

// sshNumber is an mpint: a zero before a high bit.
func sshNumber(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) > 0 && b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return b
}

// newKey makes the public blob and the fields of the secret part. The numbers
// of an RSA key passed only a division by small primes: looking for real ones
// would let a stranger burn our time, and nothing here is opened by the key.
func (p *Proc) newKey(kind string, bits int) (public, secret []byte) {
	p.step(2000)
	wire := []byte(keyKinds[kind].wire)
	if kind == "ed25519" {
		key := ed25519.NewKeyFromSeed(p.noise(ed25519.SeedSize))
		pub := []byte(key.Public().(ed25519.PublicKey))
		return sshFields(wire, pub), sshFields(wire, pub, key)
	}
	e := big.NewInt(65537)
	one := big.NewInt(1)
	a, b := p.oddNumber(bits/2), p.oddNumber(bits-bits/2)
	n := new(big.Int).Mul(a, b)
	phi := new(big.Int).Mul(new(big.Int).Sub(a, one), new(big.Int).Sub(b, one))
	d := cmp.Or(new(big.Int).ModInverse(e, phi), one)
	inverse := cmp.Or(new(big.Int).ModInverse(b, a), one)
	return sshFields(wire, sshNumber(e), sshNumber(n)),
		sshFields(wire, sshNumber(n), sshNumber(e), sshNumber(d), sshNumber(inverse), sshNumber(a), sshNumber(b))
}

// oddNumber is a random number of that many bits, its two highest set.
func (p *Proc) oddNumber(bits int) *big.Int {
	n := new(big.Int).SetBytes(p.noise((bits + 7) / 8))
	n.SetBit(n, bits-1, 1).SetBit(n, bits-2, 1).SetBit(n, 0, 1)
	for i := n.BitLen() - 1; i >= bits; i-- {
		n.SetBit(n, i, 0)
	}
	for rest := new(big.Int); ; n.Add(n, big.NewInt(2)) {
		small := false
		for _, q := range []int64{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47} {
			small = small || rest.Mod(n, big.NewInt(q)).Sign() == 0
		}
		if !small {
			return n
		}
	}
}

// privateKey is OpenSSH's own format (PROTOCOL.key), without a passphrase.
func privateKey(kind string, public, secret []byte, comment string, check []byte) string {
	body := append(append(append([]byte{}, check...), check...), secret...)
	body = append(body, sshFields([]byte(comment))...)
	for i := byte(1); len(body)%8 != 0; i++ {
		body = append(body, i)
	}
	all := append([]byte("openssh-key-v1\x00"), sshFields([]byte("none"), []byte("none"), nil)...)
	all = binary.BigEndian.AppendUint32(all, 1)
	all = append(all, sshFields(public, body)...)
	text := base64.StdEncoding.EncodeToString(all)
	var b strings.Builder
	b.WriteString("-----BEGIN OPENSSH PRIVATE KEY-----\n")
	for ; len(text) > 70; text = text[70:] {
		b.WriteString(text[:70] + "\n")
	}
	return b.String() + text + "\n-----END OPENSSH PRIVATE KEY-----\n"
}

func fingerprint(public []byte) string {
	sum := sha256.Sum256(public)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// keyPicture walks over a board of 17 by 9 by the bits of the key's sum and
// shows how often each square was trodden.
func keyPicture(public []byte, title string) string {
	const wide, high, marks = 17, 9, " .o+=*BOX@%&#/^SE"
	var board [high][wide]int
	sum := sha256.Sum256(public)
	x, y := wide/2, high/2
	for _, c := range sum {
		for range 4 {
			x = min(max(x+2*int(c&1)-1, 0), wide-1)
			y = min(max(y+int(c&2)-1, 0), high-1)
			if board[y][x] < len(marks)-3 {
				board[y][x]++
			}
			c >>= 2
		}
	}
	board[high/2][wide/2], board[y][x] = len(marks)-2, len(marks)-1
	frame := func(s string) string {
		s = "[" + s + "]"
		left := (wide - len(s)) / 2
		return "+" + strings.Repeat("-", left) + s + strings.Repeat("-", wide-len(s)-left) + "+\n"
	}
	var b strings.Builder
	b.WriteString(frame(title))
	for _, row := range board {
		b.WriteByte('|')
		for _, n := range row {
			b.WriteByte(marks[n])
		}
		b.WriteString("|\n")
	}
	return b.String() + frame("SHA256")
}

// showKey is ssh-keygen -l or -y on a key file made here or brought along.
func (p *Proc) showKey(file string, short bool) int {
	text := ""
	r, err := p.openFile(file)
	if err == nil {
		b, _ := p.all(r)
		text = string(b)
		p.alloc(-len(b))
		_ = r.Close()
	}
	if err != nil {
		if short {
			p.complain("ssh-keygen: ")
		}
		p.complain(file + ": " + why(err) + "\r\n")
		return 255
	}
	if strings.HasPrefix(text, "-----BEGIN") {
		text = p.slurp(p.path(file) + ".pub")
	}
	f := strings.SplitN(strings.TrimSpace(strings.SplitN(text, "\n", 2)[0]), " ", 3)
	if len(f) < 2 {
		p.complain(file + " is not a public key file.\r\n")
		return 255
	}
	public, err := base64.StdEncoding.DecodeString(f[1])
	if err != nil || len(public) < 20 {
		p.complain(file + " is not a public key file.\r\n")
		return 255
	}
	if !short {
		p.print(strings.Join(f, " ") + "\n")
		return 0
	}
	comment := "no comment"
	if len(f) == 3 {
		comment = f[2]
	}
	shown, bits := strings.ToUpper(strings.TrimPrefix(f[0], "ssh-")), 256
	if shown == "RSA" {
		bits = (len(public) - 23) * 8
	}
	p.printf("%d %s %s (%s)\n", bits, fingerprint(public), comment, shown)
	return 0
}

// sshAdd finds no agent.
func sshAdd(p *Proc) int {
	p.complain("Could not open a connection to your authentication agent.\n")
	return 2
}

// sshKeyscan reaches nobody.
func sshKeyscan(p *Proc) int {
	hosts := p.bareWords("fpTtO")
	if len(hosts) == 0 {
		return plain(p)
	}
	for _, h := range hosts {
		p.Watch.Download("ssh://"+h, "ssh-keyscan", "")
	}
	p.sleep(resetWait)
	return 1
}

// sshAgent says where it would listen; nothing does.
func sshAgent(p *Proc) int {
	if contains(p.Args, "-k") {
		p.complain("SSH_AGENT_PID not set, cannot kill agent\n")
		return 1
	}
	sock, pid := "/tmp/ssh-"+p.random(12)+"/agent."+strconv.Itoa(p.PID), p.PID+2
	if contains(p.Args, "-c") {
		p.printf("setenv SSH_AUTH_SOCK %s;\nsetenv SSH_AGENT_PID %d;\necho Agent pid %d;\n", sock, pid, pid)
		return 0
	}
	p.printf("SSH_AUTH_SOCK=%s; export SSH_AUTH_SOCK;\nSSH_AGENT_PID=%d; export SSH_AGENT_PID;\necho Agent pid %d;\n", sock, pid, pid)
	return 0
}
