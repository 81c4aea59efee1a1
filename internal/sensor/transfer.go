package sensor

import (
	"context"
	"io"
	"strings"

	"honeyguide"
	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/sftp"
)

// SFTPServer is the program of sshd's subsystem sftp on the pretended machine.
const SFTPServer = "/usr/lib/openssh/sftp-server"

// ServeSFTP answers as the user's sftp-server until the peer ends it, and
// returns its exit status. Everything read, written, listed and changed is
// reported; what is read is searched for bait.
func (w *World) ServeSFTP(ctx context.Context, s *Session, user string, in io.Reader, out io.Writer) int {
	a := w.account(user)
	fs := w.FS(s)
	fs.OnWrite(func(path string, size int64, sum string) { s.stored(path, size, sum, "sftp") })
	if t := machine.TableOf(fs); t != nil {
		login := t.OpenSSH(a.User, a.Cred.UID, a.Cred.GID, false, s.Dst, s.Src)
		defer login.Close()
		pid := t.Spawn(machine.Process{
			PPID: login.SSHD, UID: a.Cred.UID, GID: a.Cred.GID, User: a.User, Exe: SFTPServer, Args: []string{SFTPServer},
			Cwd: a.Home, State: "Ss", VSZ: 6112, RSS: 4404,
		})
		defer t.Exit(pid)
	}
	watch := &transfers{ses: s}
	defer watch.end()
	status := sftp.Serve(ctx, in, searched{out, s}, sftp.Options{FS: fs, Cred: a.Cred, Home: a.Home, Umask: 0o22, Watch: watch})
	return status
}

// copies reports the command line of an scp client of before OpenSSH 9: it gives
// -t or -f with the options it was given itself.
func copies(line string) bool {
	words := strings.Fields(line)
	if len(words) < 3 || words[0] != "scp" && words[0] != "/usr/bin/scp" {
		return false
	}
	for _, w := range words[1:] {
		if !strings.HasPrefix(w, "-") {
			return false
		}
		if strings.ContainsAny(w, "tf") {
			return true
		}
	}
	return false
}

// searched is output that is searched for bait and not recorded.
type searched struct {
	w   io.Writer
	ses *Session
}

func (o searched) Write(p []byte) (int, error) {
	o.ses.Sent(p)
	return o.w.Write(p)
}

// transfers turns what sftp-server does into events.
type transfers struct {
	ses     *Session
	running string
}

// Began says what bait that leaves from here on is the doing of.
func (t *transfers) Began(op, path string) {
	what := "sftp: " + op + " " + path
	if what == t.running {
		return
	}
	t.end()
	t.running = what
	t.ses.Running(what)
}

func (t *transfers) end() {
	if t.running != "" {
		t.ses.Ran(t.running)
		t.running = ""
	}
}

// Opened reports an open that was refused; what is opened is reported when it
// is closed.
func (t *transfers) Opened(path string, writes bool, err string) {
	if err == "" {
		return
	}
	activity := honeyguide.ActivityFileRead
	if writes {
		activity = honeyguide.ActivityFileWrite
	}
	e := fileEvent(activity, path)
	e.Set(honeyguide.AttrStatusText, err)
	t.ses.Emit(e)
}

// Read reports a file that was read.
func (t *transfers) Read(path string, size int64, sum string) {
	e := fileEvent(honeyguide.ActivityFileRead, path)
	e.Set(honeyguide.AttrSize, size)
	e.Set(honeyguide.AttrSHA256, sum)
	t.ses.Emit(e)
	t.end()
}

// Listed reports a folder that was listed.
func (t *transfers) Listed(path string, entries int) {
	e := fileEvent(honeyguide.ActivityFileList, path)
	e.Set(honeyguide.AttrCount, entries)
	t.ses.Emit(e)
}

// Changed reports what else was done to files, or refused.
func (t *transfers) Changed(op, path, to, err string) {
	e := fileEvent(honeyguide.ActivityFileChange, path)
	e.Set(honeyguide.AttrDetail, op)
	e.Set(honeyguide.AttrToPath, to)
	e.Set(honeyguide.AttrStatusText, err)
	t.ses.Emit(e)
}

// Unsupported reports a request sftp-server does not know.
func (t *transfers) Unsupported(what string) {
	e := honeyguide.Event{Class: honeyguide.ClassFile, Activity: honeyguide.ActivityUnsupported}
	e.Set(honeyguide.AttrDetail, what)
	t.ses.Emit(e)
}

func fileEvent(activity, path string) honeyguide.Event {
	e := honeyguide.Event{Class: honeyguide.ClassFile, Activity: activity}
	e.Set(honeyguide.AttrPath, clean(path))
	e.Set(honeyguide.AttrTool, "sftp")
	return e
}
