package perl

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/vfs"
)

// spent is how a fake world ends a program that used up its budget.
type spent struct{}

// A fake is a world without files whose programs print what they were.
type fake struct{ steps, bytes int }

func (f *fake) Step(n int) {
	if f.steps -= n; f.steps < 0 {
		panic(spent{})
	}
}

func (f *fake) Alloc(n int) {
	if f.bytes -= n; f.bytes < 0 {
		panic(spent{})
	}
}
func (f *fake) Unsupported(string)                           {}
func (f *fake) Now() time.Time                               { return time.Unix(1_790_000_000, 0) }
func (f *fake) Sleep(time.Duration)                          { f.Step(1000) }
func (f *fake) Getenv(string) string                         { return "" }
func (f *fake) Environ() []string                            { return []string{"HOME=/root"} }
func (f *fake) Setenv(string, string)                        {}
func (f *fake) Getwd() string                                { return "/w" }
func (f *fake) Chdir(string) error                           { return vfs.ENOENT }
func (f *fake) UID() int                                     { return 0 }
func (f *fake) PID() int                                     { return 7 }
func (f *fake) PPID() int                                    { return 6 }
func (f *fake) ReadDir(string) ([]string, error)             { return nil, vfs.ENOENT }
func (f *fake) Change(string, string, string, uint32) error  { return vfs.EACCES }
func (f *fake) Reach(string) string                          { return "Connection refused" }
func (f *fake) Exists(byte, string) bool                     { return false }
func (f *fake) Open(string, int) (io.ReadWriteCloser, error) { return nil, vfs.ENOENT }
func (f *fake) Spawn(argv []string, _ io.Reader, out, _ io.Writer) int {
	if out != nil {
		_, _ = io.WriteString(out, strings.Join(argv, " ")+"\n")
	}
	return 0
}

func attempt(src string, steps int) (out, errs string, status int) {
	var o, e bytes.Buffer
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(spent); !ok {
				panic(r)
			}
			out, errs, status = o.String(), e.String(), 137
		}
	}()
	w := &fake{steps: steps, bytes: 16 << 20}
	status = Run(w, Program{Source: src, File: "-e", InPlace: "\x00", Stdin: strings.NewReader("a\nb\n"), Stdout: &o, Stderr: &e})
	return o.String(), e.String(), status
}

// TestBombs runs programs that never end or grow without bound.
func TestBombs(t *testing.T) {
	for _, src := range []string{
		"1 while 1", "$x='a';$x.=$x while 1", "@a=(1);push @a,@a while 1", "print 'a' x 1e12", "sub f{f()}f()", "@a=(1..1e9)", "$a[1e9]=1", "printf '%1000000000d',1", "while(1){$h{$i++}=1}",
		strings.Repeat("(", 100_000), strings.Repeat("if(1){", 2000), strings.Repeat("-", 100_000) + "1", "$_='a'x100000;/(a*)*b/", "s/a/aa/g while 1", "$s=sprintf('%s'x1000,('a'x1000)x1000)", "@x=(1)x1e9", "for(;;){}", "$x=\\$x;print $$x",
		"$_='ab';while(/a|b/g){$n++;redo}", "$r=[];push @$r,$r;print \"@$r\"", "print join ',',('a'..'zzzzzzzz')", "$x='\"' x 1000;eval $x", "local $_='a'x1000;$_=~s/./$_/g for 1..100",
	} {
		start := time.Now()
		attempt(src, 300_000)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%.60q took %v", src, d)
		}
	}
}

func FuzzRun(f *testing.F) {
	for _, s := range []string{
		"print \"@{[1+2]} $h{a}[0] $#a\\n\"", "my ($a,@b)=(1,2,3);for(@b){s/2/x/;print}", "sub f{my %o=@_;return $o{a}}print f(a=>1)", "use Socket;socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in(1,inet_aton('h')))",
		"print map{$_=>1}sort{$a<=>$b}grep{/\\d/}qw(3 1)", "$_='k=v';my($k,$v)=/(\\w)=(.)/;print <<E;\n$k\nE\n", "open(F,'<f')||die $!;while(<F>){chomp;next unless /x/;last}", "print pack('H*','41'),unpack('H*','a'),hex('ff'),`id`,system('x')",
		"tr/a-z/A-Z/;y/a//d;print sprintf('%05.2f|%-3s',1,2)", "eval{die{a=>1}};print $@->{a}", "{local $/;$x=<STDIN>}", "$x=$y?1:2;$x//=3;$x**=2;print $x..5",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 4096 {
			return
		}
		attempt(src, 20_000)
	})
}
