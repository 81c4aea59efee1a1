package coreutils

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// keygenLetters are ssh-keygen's options as its getopt takes them.
const keygenLetters = "ABHLQUXceghiklopquvyC:D:E:F:I:M:N:O:P:R:V:Y:Z:a:b:f:m:n:r:s:t:w:z:"

// A keygen is one run of ssh-keygen. The texts are those of OpenSSH 9.2p1.
type keygen struct {
	p                                *Proc
	kind, file, comment, host, hash  string
	bits                             int
	newPass, oldPass                 string
	hasPass, hasOld, hasComment      bool
	quiet, verbose, list, haveHost   bool
	show, change, all, export, hashy bool
	remove                           bool
}

func sshKeygen(p *Proc) int {
	k := &keygen{p: p, hash: "SHA256"}
	opts, args, ok := p.sshOptions(keygenLetters)
	if !ok {
		return 1
	}
	for _, o := range opts {
		if status := k.option(o.name[0], o.val); status != 0 {
			return status
		}
	}
	if len(args) > 0 {
		p.sshRefuse("Too many arguments.")
		return 1
	}
	if f := letters(opts); f["Q"] && !f["f"] {
		return k.fatal("KRL checking requires an input file")
	}
	return k.run()
}

// say prints to standard output unless -q.
func (k *keygen) say(format string, a ...any) {
	if !k.quiet {
		k.p.printf(format, a...)
	}
}

// fatal is OpenSSH's end after an error.
func (k *keygen) fatal(format string, a ...any) int {
	k.p.flush()
	k.p.complain(strings.ReplaceAll(sprintf(format, a...), "\n", "\r\n") + "\r\n") // as its log ends lines
	return 255
}

func (k *keygen) option(c byte, val string) int {
	switch c {
	case 't':
		k.kind = strings.ToLower(val)
	case 'f':
		k.file = val
	case 'b':
		n, err := strconv.Atoi(val)
		if err != nil || n <= 0 {
			return k.fatal("Bits has bad value %s (invalid)", val)
		}
		k.bits = n
	case 'C':
		k.comment, k.hasComment = val, true
	case 'N':
		k.newPass, k.hasPass = val, true
	case 'P':
		k.oldPass, k.hasOld = val, true
	case 'E':
		k.hash = strings.ToUpper(val)
		if !slices.Contains([]string{"SHA256", "MD5", "SHA1"}, k.hash) {
			return k.fatal("Invalid hash algorithm %q", val)
		}
	case 'q':
		k.quiet = true
	case 'v':
		k.verbose = true
	case 'l':
		k.list = true
	case 'y':
		k.show = true
	case 'p':
		k.change = true
	case 'A':
		k.all = true
	case 'e':
		k.export = true
	case 'H':
		k.hashy = true
	case 'R':
		k.remove, k.haveHost, k.host = true, true, val
	case 'F':
		k.haveHost, k.host = true, val
	case 'a', 'm', 'o', 'O', 'Z', 'w':
	default:
		k.p.Watch.Unsupported("ssh-keygen -" + string(c))
	}
	return 0
}

func (k *keygen) run() int {
	switch {
	case k.haveHost || k.hashy:
		return k.knownHosts()
	case k.list:
		return k.fingerprints()
	case k.change:
		return k.passphrase()
	case k.show:
		return k.showPublic()
	case k.export:
		return k.exported()
	case k.all:
		return k.hostKeys()
	}
	if k.kind == "" {
		k.kind = "rsa"
	}
	if k.kind == "dsa" { // nobody makes these: the report shows who did
		k.p.Watch.Unsupported("ssh-keygen -t dsa")
	}
	if status := k.checkBits(); status != 0 {
		return status
	}
	return k.generate()
}

// checkBits fills in the size of the key.
func (k *keygen) checkBits() int {
	switch k.kind {
	case "rsa":
		switch {
		case k.bits == 0:
			k.bits = 3072
		case k.bits < 1024:
			return k.fatal("Invalid RSA key length: minimum is 1024 bits")
		case k.bits > 16384:
			return k.fatal("Invalid RSA key length: maximum is 16384 bits")
		}
	case "ecdsa":
		if k.bits == 0 {
			k.bits = 256
		}
		if k.bits != 256 && k.bits != 384 && k.bits != 521 {
			return k.fatal("Invalid ECDSA key length: valid lengths are 256, 384 or 521 bits")
		}
	case "dsa":
		if k.bits == 0 {
			k.bits = 1024
		}
		if k.bits != 1024 {
			return k.fatal("Invalid DSA key length: must be 1024 bits")
		}
	case "ed25519":
	default:
		return k.fatal("unknown key type %s", k.kind)
	}
	return 0
}

// home is the user's home folder as ssh-keygen takes it: from /etc/passwd.
func (k *keygen) home() string {
	_, _, home, _, _ := k.p.account(k.p.userName(k.p.Cred.UID))
	return home
}

// ask reads the name of the key's file.
func (k *keygen) ask(question, kind string) bool {
	if k.file != "" {
		return true
	}
	def := k.home() + "/.ssh/id_" + kind
	k.p.print(question + " (" + def + "): ")
	k.p.flush()
	line, err := readLine(k.p.Stdin)
	if err != nil && line == "" {
		return false
	}
	k.file = strings.TrimSpace(line)
	if k.file == "" {
		k.file = def
	}
	return true
}

func (k *keygen) generate() int {
	p := k.p
	k.say("Generating public/private %s key pair.\n", k.kind)
	p.step(2000 + 20*k.bits)
	kind := k.kind
	if kind == "dsa" {
		kind, k.bits = "rsa", 1024
	}
	pair, err := newKeyPair(kind, k.bits)
	if err != nil {
		return k.fatal("sshkey_generate failed")
	}
	if !k.ask("Enter file in which to save the key", k.kind) {
		return 1
	}
	ssh := k.home() + "/.ssh"
	if _, err := p.stat(ssh); err != nil && strings.HasPrefix(k.file, ssh) {
		if err := p.FS.Mkdir(p.Cred, ssh, 0o700); err != nil {
			p.complain("Could not create directory '" + ssh + "': " + why(err) + "\r\n")
		} else {
			k.say("Created directory '%s'.\n", ssh)
		}
	}
	if _, err := p.stat(k.file); err == nil && !k.overwrite() {
		return 1
	}
	if !k.hasPass && !k.twice("Enter passphrase (empty for no passphrase): ") {
		return 1
	}
	if !k.hasComment {
		k.comment = p.userName(p.Cred.UID) + "@" + p.hostName()
	}
	if err := k.save(k.file, pair); err != nil {
		p.flush()
		p.complain("Saving key \"" + k.file + "\" failed: " + why(err) + "\r\n")
		return 1
	}
	fp, raw := keyPrint(pair.public, k.hash)
	k.say("Your identification has been saved in %s\nYour public key has been saved in %s.pub\nThe key fingerprint is:\n%s %s\nThe key's randomart image is:\n%s\n",
		k.file, k.file, fp, k.comment, randomArt(raw, artTitle(pair.kind, pair.bits), k.hash))
	return 0
}

func artTitle(kind string, bits int) string { return keyLabel(kind) + " " + strconv.Itoa(bits) }

func (k *keygen) overwrite() bool {
	k.p.printf("%s already exists.\nOverwrite (y/n)? ", k.file)
	k.p.flush()
	line, _ := readLine(k.p.Stdin)
	return strings.HasPrefix(strings.ToLower(line), "y")
}

// twice asks for a new passphrase until it is typed twice the same.
func (k *keygen) twice(question string) bool {
	for range 100 {
		one, ok := k.p.prompt(question)
		two, ok2 := k.p.prompt("Enter same passphrase again: ")
		if one == two {
			k.newPass = one
			return true
		}
		if !ok || !ok2 {
			return false
		}
		k.p.print("Passphrases do not match.  Try again.\n")
	}
	return false
}

// save writes both files of a key.
func (k *keygen) save(file string, pair keyPair) error {
	p := k.p
	_ = p.FS.Remove(p.Cred, p.path(file))
	write := func(name string, mode uint32, text string) error {
		f, err := p.FS.Open(p.Cred, p.path(name), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, mode&^p.Umask)
		if err != nil {
			return err
		}
		_, err = f.Write([]byte(text))
		if e := f.Close(); err == nil {
			err = e
		}
		return err
	}
	if err := write(file, 0o600, pair.encode(k.comment, k.newPass)); err != nil {
		return err
	}
	return write(file+".pub", 0o644, publicLine(pair.kind, pair.public, k.comment))
}

func publicLine(kind string, blob []byte, comment string) string {
	return strings.TrimRight(kind+" "+base64.StdEncoding.EncodeToString(blob)+" "+comment, " ") + "\n"
}

// read opens a private key, asking for its passphrase.
func (k *keygen) read() (keyPair, string, int) {
	p := k.p
	info, err := p.stat(k.file)
	var text string
	if err == nil {
		r, e := p.openFile(k.file)
		if err = e; e == nil {
			b, _ := p.all(r)
			text = string(b)
			_ = r.Close()
			p.alloc(-len(b))
		}
	}
	if err != nil {
		return keyPair{}, "", k.fatal("%s: %s", k.file, why(err))
	}
	if info.UID == p.Cred.UID && info.Mode&0o077 != 0 {
		line := strings.Repeat("@", 59)
		return keyPair{}, "", k.fatal("%s\n@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n%s\nPermissions 0%o for '%s' are too open.\nIt is required that your private key files are NOT accessible by others.\nThis private key will be ignored.\nLoad key \"%s\": bad permissions",
			line, line, info.Mode&0o777, k.file, k.file)
	}
	pair, comment, locked, err := decodeKey(text, k.oldPass)
	if locked && err != nil && !k.hasOld {
		k.oldPass, _ = p.prompt("Enter passphrase: ")
		pair, comment, _, err = decodeKey(text, k.oldPass)
	}
	if err != nil {
		if !locked {
			return pair, "", k.fatal("Load key \"%s\": error in libcrypto", k.file)
		}
		return pair, "", k.fatal("Load key \"%s\": %v", k.file, err)
	}
	return pair, comment, 0
}

func (k *keygen) showPublic() int {
	if !k.ask("Enter file in which the key is", "rsa") {
		return 1
	}
	pair, comment, status := k.read()
	if status == 0 {
		k.p.print(publicLine(pair.kind, pair.public, comment))
	}
	return status
}

func (k *keygen) passphrase() int {
	if !k.ask("Enter file in which the key is", "rsa") {
		return 1
	}
	pair, comment, status := k.read()
	if status != 0 {
		return status
	}
	k.p.printf("Key has comment '%s'\n", comment)
	if !k.hasPass && !k.twice("Enter new passphrase (empty for no passphrase): ") {
		return 1
	}
	if err := k.p.writeText(k.p.path(k.file), pair.encode(comment, k.newPass)); err != nil {
		k.p.complain("Saving key \"" + k.file + "\" failed: " + why(err) + ".\r\n")
		return 1
	}
	k.p.print("Your identification has been saved with the new passphrase.\n")
	return 0
}

// A publicKey is one line of a .pub, authorized_keys or known_hosts file.
type publicKey struct {
	before, kind, comment string
	blob                  []byte
	bits                  int
}

// parsePublic reads one line.
func parsePublic(line string) (publicKey, bool) {
	f := strings.Fields(line)
	for i := 0; i+1 < len(f); i++ {
		if _, ok := privateFields[f[i]]; !ok {
			continue
		}
		blob, err := base64.StdEncoding.DecodeString(f[i+1])
		if bits, ok := blobBits(blob); err == nil && ok {
			return publicKey{strings.Join(f[:i], " "), f[i], strings.Join(f[i+2:], " "), blob, bits}, true
		}
	}
	return publicKey{}, false
}

// publics reads the public keys of a file, or of the private key in it.
func (k *keygen) publics() ([]publicKey, int) {
	if !k.ask("Enter file in which the key is", "rsa") {
		return nil, 1
	}
	p := k.p
	if _, err := p.stat(k.file); err != nil && k.file != "-" {
		return nil, k.fatal("ssh-keygen: %s: %s", k.file, why(err))
	}
	var out []publicKey
	list, _ := p.readLines(k.file)
	for _, l := range list {
		if key, ok := parsePublic(l); ok && !strings.HasPrefix(l, "#") {
			out = append(out, key)
		}
	}
	if len(out) == 0 {
		if r, err := p.openFile(k.file); err == nil {
			b, _ := p.all(r)
			_ = r.Close()
			p.alloc(-len(b))
			if pair, comment, locked, err := decodeKey(string(b), ""); err == nil || locked {
				if comment == "" { // a locked key keeps its comment inside; the .pub has it too
					if pub, ok := parsePublic(p.slurp(p.path(k.file + ".pub"))); ok {
						comment = pub.comment
					}
				}
				f := &fields{b: pair.public}
				bits, _ := blobBits(pair.public)
				out = append(out, publicKey{kind: string(f.next()), comment: comment, blob: pair.public, bits: bits})
			}
		}
	}
	if len(out) == 0 {
		return nil, k.fatal("%s is not a public key file.", k.file)
	}
	return out, 0
}

func (k *keygen) fingerprints() int {
	list, status := k.publics()
	for _, key := range list {
		fp, raw := keyPrint(key.blob, k.hash)
		comment := key.comment
		if comment == "" {
			if comment = key.before; comment == "" {
				comment = "no comment"
			}
		}
		k.p.printf("%d %s %s (%s)\n", key.bits, fp, comment, keyLabel(key.kind))
		if k.verbose {
			k.p.print(randomArt(raw, artTitle(key.kind, key.bits), k.hash) + "\n")
		}
	}
	return status
}

func (k *keygen) exported() int {
	list, status := k.publics()
	if status != 0 {
		return status
	}
	p, key := k.p, list[0]
	p.printf("---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"%d-bit %s, converted by %s@%s from OpenSSH\"\n%s---- END SSH2 PUBLIC KEY ----\n",
		key.bits, keyLabel(key.kind), p.userName(p.Cred.UID), p.hostName(), wrap(base64.StdEncoding.EncodeToString(key.blob), 70))
	return 0
}

// hostKeys makes the missing host keys.
func (k *keygen) hostKeys() int {
	p := k.p
	prefix := k.file
	k.newPass, k.comment = "", "root@"+p.hostName()
	begun := false
	for _, t := range []struct {
		kind string
		bits int
	}{{"rsa", 3072}, {"ecdsa", 256}, {"ed25519", 256}} {
		file := prefix + "/etc/ssh/ssh_host_" + t.kind + "_key"
		if i, err := p.stat(file); err == nil && i.Size > 0 {
			continue
		}
		if !begun {
			k.p.print("ssh-keygen: generating new host keys: ")
			begun = true
		}
		p.print(strings.ToUpper(t.kind) + " ")
		p.step(2000 + 20*t.bits)
		pair, err := newKeyPair(t.kind, t.bits)
		if err == nil {
			err = k.save(file, pair)
		}
		if err != nil {
			p.flush()
			p.complain("Could not save your private key in " + file + ": " + why(err) + "\n")
			return 1
		}
	}
	if begun {
		p.print("\n")
	}
	return 0
}

// knownHosts finds, removes or hashes the hosts of a known_hosts file.
func (k *keygen) knownHosts() int {
	p := k.p
	if k.file == "" {
		k.file = k.home() + "/.ssh/known_hosts"
	}
	if _, err := p.stat(k.file); err != nil {
		return k.fatal("Cannot stat %s: %s", k.file, why(err))
	}
	text := p.slurp(p.path(k.file))
	var kept strings.Builder
	found, number := false, 0
	for line := range strings.Lines(text) {
		number++
		names, rest, _ := strings.Cut(strings.TrimLeft(line, " \t"), " ")
		matches := k.haveHost && rest != "" && names[0] != '#' && hostListed(names, k.host)
		switch {
		case matches && k.remove:
			p.printf("# Host %s found: line %d\n", k.host, number)
			found = true
			continue
		case matches:
			p.printf("# Host %s found: line %d \n", k.host, number)
			found = true
			if key, ok := parsePublic(line); ok && k.list {
				fp, _ := keyPrint(key.blob, k.hash)
				p.printf("%s %s %s\n", k.host, keyLabel(key.kind), fp)
			} else {
				p.print(line)
			}
		case k.hashy && rest != "" && names[0] != '#' && names[0] != '|' && names[0] != '@':
			for name := range strings.SplitSeq(names, ",") {
				kept.WriteString(hashHost(name) + " " + rest)
			}
			continue
		}
		kept.WriteString(line)
	}
	switch {
	case k.haveHost && !k.remove && !found:
		return 1
	case k.remove && !found:
		p.complain("Host " + k.host + " not found in " + k.file + "\r\n")
		return 0
	case !k.remove && !k.hashy:
		return 0
	}
	file := p.path(k.file)
	_ = p.writeText(file+".old", text)
	if err := p.writeText(file, kept.String()); err != nil {
		return k.fatal("rename\"%s\" to \"%s\": %s", k.file, k.file+".old", why(err))
	}
	_ = p.FS.Chmod(p.Cred, file+".old", 0o600)
	p.printf("%s updated.\nOriginal contents retained as %s.old\n", k.file, k.file)
	return 0
}

// hashHost is a name as HashKnownHosts writes it.
func hashHost(name string) string {
	var salt [20]byte
	_, _ = rand.Read(salt[:])
	m := hmac.New(sha1.New, salt[:])
	m.Write([]byte(name))
	return "|1|" + base64.StdEncoding.EncodeToString(salt[:]) + "|" + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// hostListed reports whether a known_hosts name field means the host.
func hostListed(names, host string) bool {
	if rest, ok := strings.CutPrefix(names, "|1|"); ok {
		salt, sum, _ := strings.Cut(rest, "|")
		s, err := base64.StdEncoding.DecodeString(salt)
		want, err2 := base64.StdEncoding.DecodeString(sum)
		if err != nil || err2 != nil {
			return false
		}
		m := hmac.New(sha1.New, s)
		m.Write([]byte(host))
		return hmac.Equal(m.Sum(nil), want)
	}
	return slices.Contains(strings.Split(names, ","), host)
}
