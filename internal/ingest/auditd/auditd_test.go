package auditd_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/auditd"
	"honeyguide/internal/ingest/ingesttest"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{auditd.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "auditd") }

func TestPromises(t *testing.T) {
	ingesttest.LinePromises(t, formats(t), "auditd",
		`type=USER_LOGIN msg=audit(1795289401.000:92734): pid=900 uid=0 msg='op=login acct="root" addr=198.51.100.7 res=failed'`,
		`type=EXECVE msg=audit(1795289404.000:5): argc=1 a0="sh"`)
}

func FuzzAuditd(f *testing.F) {
	f.Add([]byte(`type=EXECVE msg=audit(1:2): argc=99999 a0="a" a1[0]=41 a1[1]=4
type=X msg=audit(1:2): msg='msg='msg='`))
	f.Add([]byte(`node=a type= msg=audit(9999999999999999:1): a={}{}==`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "auditd", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.LineBenchmark(b, formats(b), "auditd", `type=SYSCALL msg=audit(1795289400.155:%d): arch=c000003e syscall=257 success=no exit=-13 a0=558e251634a0 a1=558e25162a50 items=2 ppid=29002 pid=1631 auid=1000 uid=0 tty=pts0 ses=104 comm="curl" exe="/usr/bin/curl" key=(null)`)
}
