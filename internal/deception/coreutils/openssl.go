package coreutils

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

const opensslVersion = "OpenSSL 3.0.22 25 Aug 2026"

func openssl(p *Proc) int {
	if len(p.Args) < 2 {
		return 0
	}
	args := p.Args[2:]
	switch verb := p.Args[1]; verb {
	case "version":
		p.print(opensslVersion + " (Library: " + opensslVersion + ")\n")
		return 0
	case "rand":
		return p.opensslRand(args)
	case "passwd":
		return p.opensslPasswd(args)
	case "base64":
		return p.opensslEnc(append([]string{"-base64"}, args...))
	case "enc":
		return p.opensslEnc(args)
	case "dgst", "md5", "sha1", "sha256", "sha512", "sha224", "sha384":
		if verb != "dgst" {
			args = append([]string{"-" + verb}, args...)
		}
		return p.opensslDigest(args)
	case "prime":
		return p.opensslPrime(args)
	case "x509":
		if i := slices.Index(args, "-in"); i >= 0 && i+1 < len(args) {
			if _, err := p.stat(args[i+1]); err != nil {
				p.complain("Could not open file or uri for loading certificate from " + args[i+1] + "\n")
				return 1
			}
		}
	}
	p.Watch.Unsupported(strings.Join(p.Args, " "))
	p.complain("Invalid command '" + p.Args[1] + "'; type \"help\" for a list.\n")
	return 1
}

func (p *Proc) opensslRand(args []string) int {
	n := 16
	if len(args) > 0 {
		if v, err := strconv.Atoi(args[len(args)-1]); err == nil && v > 0 && v <= 4096 {
			n = v
		}
	}
	raw := p.noise(n)
	switch {
	case contains(args, "-hex"):
		p.print(hex.EncodeToString(raw) + "\n")
	case contains(args, "-base64"):
		p.print(wrap64(base64.StdEncoding.EncodeToString(raw)))
	default:
		p.print(string(raw))
	}
	return 0
}

// noise is n bytes of the pretended machine's randomness.
func (p *Proc) noise(n int) []byte {
	b := make([]byte, n)
	if f, err := p.openFile("/dev/urandom"); err == nil {
		_, _ = io.ReadFull(f, b)
		_ = f.Close()
	}
	return b
}

// wrap64 breaks base64 into lines of 64.
func wrap64(s string) string {
	var b strings.Builder
	for ; len(s) > 64; s = s[64:] {
		b.WriteString(s[:64] + "\n")
	}
	return b.String() + s + "\n"
}

func (p *Proc) opensslPasswd(args []string) int {
	scheme, salt := "1", ""
	var words []string
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-1" || a == "-5" || a == "-6" || a == "-apr1":
			scheme = a[1:]
		case a == "-salt" && i+1 < len(args):
			i++
			salt = args[i]
		case a == "-stdin":
			_ = p.lines(p.Stdin, func(l []byte, _ bool) bool { words = append(words, string(l)); return len(words) < 100 })
		case strings.HasPrefix(a, "-"):
		default:
			words = append(words, a)
		}
	}
	if len(words) == 0 {
		one, ok := p.prompt("Password: ")
		if !ok {
			return 1
		}
		two, _ := p.prompt("Verifying - Password: ")
		if one != two {
			p.complain("Verify failure\n")
			return 1
		}
		words = []string{one}
	}
	if salt == "" {
		salt = p.random(8 + 8*map[bool]int{true: 1}[scheme == "5" || scheme == "6"])
	}
	for _, w := range words {
		p.step(5000)
		p.Watch.Auth("openssl passwd", "", w)
		if len(w) > 256 {
			w = w[:256]
		}
		switch scheme {
		case "5", "6":
			p.print(shaCrypt(w, salt, scheme == "6") + "\n")
		default:
			p.print(md5Crypt(w, salt, "$"+scheme+"$") + "\n")
		}
	}
	return 0
}

// opensslInput reads what -in names, or standard input.
func (p *Proc) opensslInput(args []string) ([]byte, bool) {
	name := "-"
	if i := slices.Index(args, "-in"); i >= 0 && i+1 < len(args) {
		name = args[i+1]
	}
	r, err := p.openFile(name)
	if err != nil {
		p.complain("Can't open \"" + name + "\" for reading, " + why(err) + "\n")
		return nil, false
	}
	defer r.Close()
	b, err := p.all(r)
	return b, err == nil
}

// opensslEnc does base64 and AES in CBC mode with a given key.
func (p *Proc) opensslEnc(args []string) int {
	has := func(n ...string) bool {
		return slices.ContainsFunc(n, func(s string) bool { return contains(args, s) })
	}
	text, ok := p.opensslInput(args)
	if !ok {
		return 1
	}
	defer p.alloc(-len(text))
	p.step(1 + len(text)/64)
	bits := 0
	for _, n := range []int{128, 192, 256} {
		if name := strconv.Itoa(n); has("-aes-"+name+"-cbc", "-aes"+name) {
			bits = n
		}
	}
	in64 := has("-base64", "-a")
	key, iv := p.hexOption(args, "-K", bits/8), p.hexOption(args, "-iv", aes.BlockSize)
	decrypt := has("-d")
	if decrypt && in64 {
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			return 0
		}
		text = raw
	}
	if bits > 0 {
		if key == nil || iv == nil {
			p.Watch.Unsupported("openssl enc with a password")
			return 1
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return 1
		}
		if text, ok = cbc(block, iv, text, decrypt); !ok {
			p.complain("bad decrypt\n")
			return 1
		}
	} else if !in64 {
		p.Watch.Unsupported("openssl " + strings.Join(args, " "))
		return 1
	}
	switch {
	case !decrypt && in64 && has("-A"):
		p.print(base64.StdEncoding.EncodeToString(text))
	case !decrypt && in64:
		p.print(wrap64(base64.StdEncoding.EncodeToString(text)))
	default:
		p.print(string(text))
	}
	return 0
}

// hexOption is an option's hex number, filled with zeros to n bytes as openssl
// does with a warning; nil when it is not there.
func (p *Proc) hexOption(args []string, name string, n int) []byte {
	i := slices.Index(args, name)
	if i < 0 || i+1 >= len(args) {
		return nil
	}
	s := args[i+1]
	if len(s) < 2*n {
		p.complain("hex string is too short, padding with zero bytes to length\n")
		s += strings.Repeat("0", 2*n-len(s))
	}
	b, err := hex.DecodeString(s[:2*n])
	if err != nil {
		p.complain("non-hex digit\n")
		return nil
	}
	return b
}

// cbc encrypts with PKCS 7 padding, or takes it off.
func cbc(block cipher.Block, iv, text []byte, decrypt bool) ([]byte, bool) {
	if !decrypt {
		n := aes.BlockSize - len(text)%aes.BlockSize
		text = append(slices.Clone(text), slices.Repeat([]byte{byte(n)}, n)...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
		return text, true
	}
	if len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return nil, false
	}
	text = slices.Clone(text)
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	n := int(text[len(text)-1])
	if n == 0 || n > aes.BlockSize {
		return nil, false
	}
	return text[:len(text)-n], true
}

func (p *Proc) opensslDigest(args []string) int {
	name := "sha256"
	var files []string
	for _, a := range args {
		switch w := strings.TrimLeft(a, "-"); {
		case sumOf(w) != nil && a != w:
			name = w
		case strings.HasPrefix(a, "-"):
		default:
			files = append(files, a)
		}
	}
	label := map[string]string{"md5": "MD5", "sha1": "SHA1", "sha224": "SHA2-224", "sha256": "SHA2-256", "sha384": "SHA2-384", "sha512": "SHA2-512"}[name]
	shown := files
	if len(files) == 0 {
		files, shown = []string{"-"}, []string{"stdin"}
	}
	status := 0
	for i, f := range files {
		r, err := p.openFile(f)
		if err != nil {
			p.complain(f + ": " + why(err) + "\n")
			status = 1
			continue
		}
		h := sumOf(name)()
		_, _ = io.Copy(h, r)
		_ = r.Close()
		switch {
		case contains(args, "-r"):
			p.printf("%x *%s\n", h.Sum(nil), shown[i])
		default:
			p.printf("%s(%s)= %x\n", label, shown[i], h.Sum(nil))
		}
	}
	return status
}

func (p *Proc) opensslPrime(args []string) int {
	for _, a := range args {
		base := 10
		if contains(args, "-hex") {
			base = 16
		}
		n, ok := new(big.Int).SetString(a, base)
		if !ok || len(a) > 1000 {
			continue
		}
		p.step(1000 * (1 + len(a)))
		is := " is"
		if !n.ProbablyPrime(20) {
			is = " is not"
		}
		p.print(strings.ToUpper(n.Text(16)) + " (" + a + ")" + is + " prime\n")
	}
	return 0
}

// sumOf finds a digest by openssl's name for it.
func sumOf(name string) func() hash.Hash {
	switch name {
	case "md5", "sha1", "sha224", "sha256", "sha384", "sha512":
		return func() hash.Hash { h, _ := newHash(name + "sum"); return h }
	}
	return nil
}
