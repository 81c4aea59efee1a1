package honeyguide_test

import (
	"go/ast"
	"go/token"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"honeyguide/internal/archtest"
)

const (
	maxFile = 400 // lines
	maxFunc = 60  // lines
)

// tenants says which folders may import a package; none means nobody. Standard
// library paths match exactly, module paths match with all their packages.
var tenants = map[string][]string{
	"github.com/benhoyt/goawk":             {"internal/deception/coreutils"},
	"github.com/boombuler/barcode":         {"internal/auth/totp"},
	"github.com/coreos/go-oidc":            {"internal/auth/oidc"},
	"github.com/descope":                   {"internal/auth/passkey"}, // tests only
	"github.com/go-jose":                   {"internal/auth/oidc"},    // tests only: what a hostile provider signs
	"github.com/go-webauthn":               {"internal/auth/passkey"},
	"golang.org/x/oauth2":                  {"internal/auth/oidc"},
	"github.com/danielgtaylor":             {"internal/api"},
	"github.com/caddyserver":               {"internal/certs"},
	"go.uber.org/zap":                      {"internal/certs"}, // the word for "no log" that certmagic asks for
	"github.com/expr-lang/expr":            {"internal/playbook"},
	"github.com/go-pdf/fpdf":               {"internal/incident", "internal/comply"},
	"github.com/google/nftables":           {"internal/fwhelper"},
	"github.com/mdlayher/netlink":          {"internal/fwhelper"},
	"github.com/jackc/pgx":                 {"internal/sqldb"},
	"modernc.org/sqlite":                   {"internal/sqldb"},
	"github.com/klauspost":                 {"internal/colblock"},
	"github.com/knadh/koanf":               {"internal/config"},
	"github.com/miekg/dns":                 {"internal/sensor/dns"},
	"go.yaml.in/yaml":                      {"internal/config", "internal/sigma", "internal/playbook", "internal/enrich/assets", "internal/comply"},
	"github.com/oschwald":                  {"internal/enrich/geo"},
	"github.com/johannesboyne/gofakes3":    {"internal/app"}, // tests only: a store of objects
	"github.com/landlock-lsm":              {"internal/sandbox"},
	"golang.org/x/net/bpf":                 {"internal/sandbox"},
	"github.com/nats-io":                   {"internal/eventlog/jetstream"},
	"filippo.io/age":                       {"internal/evidence", "internal/seal"},
	"github.com/spf13/cobra":               {"internal/cli"},
	"github.com/rogpeppe":                  {"cmd"},           // tests only
	"golang.org/x/crypto/ssh":              {"internal/demo"}, // the decoy's attacker; no server is made of it
	"golang.org/x/crypto/chacha20":         {"internal/sshwire"},
	"golang.org/x/crypto/poly1305":         {"internal/sshwire"},
	"golang.org/x/mod/sumdb":               {"internal/audit"},
	"mvdan.cc/sh/v3/syntax":                {"internal/deception/shell"},
	"mvdan.cc/sh/v3/interp":                {}, // touches the host
	"mvdan.cc/sh/v3/expand":                {}, // touches the host
	"github.com/sirupsen/logrus":           {}, // log/slog
	"github.com/pkg/errors":                {}, // errors, fmt
	"github.com/stretchr":                  {}, // testing, go-cmp
	"math/rand":                            {}, // math/rand/v2, crypto/rand
	"net/http/pprof":                       {}, // registers on the default mux
	"log":                                  {"tools"},
	"os/exec":                              {"internal/sandbox", "tools", "test"},
	"net/smtp":                             {"internal/fetcher"},
	"golang.org/x/crypto/chacha20poly1305": {"internal/seal"},
	"golang.org/x/crypto/argon2":           {"internal/auth/password", "internal/seal"},
	"net/http": {
		"internal/api", "internal/app", "internal/auth/oidc", "internal/certs", "internal/cli", "internal/client", "internal/fetcher",
		"internal/netx", "internal/respond", "internal/enrich", "internal/sensor", "internal/source", "test",
	},
}

// plain are the folders that import the standard library only.
var plain = []string{".", "web", "rules", "internal/safetext"}

// deaf says what a folder may never import: the kit knows no host and no network.
var deaf = map[string][]string{
	"internal/deception": {"net", "net/http", "os", "os/exec", "os/signal", "os/user", "plugin", "syscall", "unsafe"},
}

// refused says what may not be used below a folder: peers recognise net/http's server.
var refused = map[string][]string{
	"internal/sensor": {"http.Server", "http.Serve", "http.ListenAndServe", "http.NewServeMux"},
}

// starters are the only folders that may start goroutines.
var starters = []string{"internal/supervise", "internal/sensor", "internal/eventlog", "test"}

// hosts are the rooms whose sub-folders are kinds.
var hosts = []string{
	"internal/sensor", "internal/ingest", "internal/enrich", "internal/detect", "internal/respond",
	"internal/eventlog", "internal/state", "internal/sink", "internal/auth", "internal/source",
}

// generated are the hosts whose kinds tools/kinds lists in internal/builtin.
var generated = []string{"internal/sensor", "internal/ingest", "internal/detect", "internal/respond", "internal/eventlog", "internal/state", "internal/enrich", "internal/source"}

func within(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

func under(dir string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return within(dir, r) })
}

// modular reports whether an import path is no part of the standard library.
func modular(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// covers reports whether the rule for path governs an import of p.
func covers(path, p string) bool {
	return p == path || modular(path) && strings.HasPrefix(p, path+"/")
}

// TestSizes reports what is long and never fails: length is a reason to look, not a fault.
func TestSizes(t *testing.T) {
	for _, f := range parse(t) {
		if f.Lines > maxFile && !f.Generated {
			t.Logf("long: %s has %d lines, over %d", f.Path, f.Lines, maxFile)
		}
		for _, d := range f.Syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.Span(fn) > maxFunc && !f.Generated {
				t.Logf("long: %s: %s is %d lines, over %d", f.Pos(fn), fn.Name.Name, f.Span(fn), maxFunc)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range parse(t) {
		if !f.Test {
			documented[f.Dir] = documented[f.Dir] || f.Syntax.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func TestTenants(t *testing.T) {
	for _, f := range parse(t) {
		for _, p := range f.Imports {
			if why := trespass(f, p); why != "" {
				t.Errorf("%s imports %s, which %s", f.Path, p, why)
			}
		}
	}
}

// trespass says why f may not import p, if so. Tests may visit a tenant.
func trespass(f archtest.File, p string) string {
	for path, dirs := range tenants {
		switch {
		case !covers(path, p) || under(f.Dir, dirs):
		case len(dirs) == 0:
			return "nobody may import"
		case !f.Test:
			return "lives in " + strings.Join(dirs, ", ") + " only"
		}
	}
	if slices.Contains(plain, f.Dir) && !f.Test && modular(p) {
		return "is not in the standard library"
	}
	for dir, paths := range deaf {
		if within(f.Dir, dir) && !f.Test && slices.Contains(paths, p) {
			return dir + " may not know"
		}
	}
	return ""
}

func TestStatements(t *testing.T) {
	for _, f := range parse(t) {
		if f.Test {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if why := fault(f, n); why != "" {
				t.Errorf("%s: %s", f.Pos(n), why)
			}
			return true
		})
	}
}

// fault says which law n breaks, if any.
func fault(f archtest.File, n ast.Node) string {
	switch x := n.(type) {
	case *ast.FuncDecl:
		if x.Name.Name == "init" && x.Recv == nil {
			return "init function"
		}
	case *ast.GoStmt:
		if !under(f.Dir, starters) {
			return "go statement; use supervise"
		}
	case *ast.StructType:
		if slices.ContainsFunc(x.Fields.List, isContext) {
			return "context stored in a struct"
		}
	case *ast.SelectorExpr:
		return unwanted(f.Dir, selector(x))
	}
	return ""
}

func isContext(field *ast.Field) bool { return selector(field.Type) == "context.Context" }

func unwanted(folder, name string) string {
	for dir, names := range refused {
		if within(folder, dir) && slices.Contains(names, name) {
			return name + " may not be used in " + dir
		}
	}
	return ""
}

func selector(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	pkg, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return pkg.Name + "." + s.Sel.Name
}

// TestKinds checks that a kind exports no package variable but Kind.
func TestKinds(t *testing.T) {
	for _, f := range parse(t) {
		if f.Test || !under(f.Dir, hosts) || slices.Contains(hosts, f.Dir) {
			continue
		}
		for _, name := range variables(f) {
			if name.IsExported() && name.Name != "Kind" {
				t.Errorf("%s: exported variable %s in a kind", f.Pos(name), name.Name)
			}
		}
	}
}

// variables returns the names of the package variables f declares.
func variables(f archtest.File) []*ast.Ident {
	var names []*ast.Ident
	for _, d := range f.Syntax.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				names = append(names, v.Names...)
			}
		}
	}
	return names
}

// tree is parsed once for all laws.
var tree = sync.OnceValues(func() ([]archtest.File, error) { return archtest.Files(".") })

func parse(t *testing.T) []archtest.File {
	t.Helper()
	files, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestBuiltinIsUpToDate compares the kinds there are with the generated list.
func TestBuiltinIsUpToDate(t *testing.T) {
	linked := map[string]bool{}
	for _, f := range parse(t) {
		if f.Dir == "internal/builtin" {
			for _, dir := range f.Internal(module) {
				linked[dir] = true
			}
		}
	}
	for _, f := range parse(t) {
		name := f.Dir[strings.LastIndexByte(f.Dir, '/')+1:]
		if f.Test || !slices.Contains(generated, strings.TrimSuffix(f.Dir, "/"+name)) || f.Path != f.Dir+"/"+name+".go" {
			continue
		}
		has := slices.ContainsFunc(variables(f), func(id *ast.Ident) bool { return id.Name == "Kind" })
		if has != linked[f.Dir] {
			t.Errorf("%s: declares a kind: %v, linked: %v; run make generate", f.Dir, has, linked[f.Dir])
		}
	}
}

// unreachable may not be among what the kit imports, not even by way of others:
// with them it could ask the host or the network.
var unreachable = []string{
	"net", "os/exec", "os/signal", "plugin", "log/syslog", "debug/elf", "mvdan.cc/sh/v3/interp", "mvdan.cc/sh/v3/expand", "mvdan.cc/sh/v3/shell",
	"golang.org/x/sys/unix", "runtime/cgo", "C",
}

// bearers are the only packages of the kit's dependencies that may bring os and
// syscall with them, each for a reason; TestNoSystemCalls in the shell shows by
// a trace that what they bring is not used.
var bearers = map[string]string{
	"mvdan.cc/sh/v3/syntax":         "the parser, whose errors and tests use os",
	"honeyguide/internal/supervise": "the only place that starts goroutines; logs to a handler it is given",
}

// userBearers are the only packages that may bring os/user: the writer of tar
// archives asks it for the owner of a real file, which nobody hands it here.
var userBearers = []string{"archive/tar"}

// TestDeceptionReachesNoHost follows every import of the kit, not only the
// direct ones.
func TestDeceptionReachesNoHost(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Standard}} {{join .Imports \" \"}}", "./internal/deception/...")
	list.Env = append(list.Environ(), "CGO_ENABLED=0") // as the product is built
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		dep, standard, imports := f[0], f[1] == "true", f[2:]
		seen++
		if slices.Contains(unreachable, dep) || strings.HasPrefix(dep, "net/") && dep != "net/netip" && dep != "net/url" {
			t.Errorf("internal/deception reaches %s", dep)
		}
		if slices.Contains(imports, "os/user") && !slices.Contains(userBearers, dep) {
			t.Errorf("internal/deception reaches os/user through %s", dep)
		}
		if standard || bearers[dep] != "" {
			continue
		}
		for _, p := range imports {
			if p == "os" || p == "syscall" || p == "unsafe" {
				t.Errorf("internal/deception reaches %s through %s", p, dep)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d dependencies were looked at", seen)
	}
}
