package fwhelper

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
)

// blocks makes a list of entries that begins at an address.
func blocks(first string, n int, left time.Duration) []Entry {
	out := make([]Entry, n)
	a, until := netip.MustParseAddr(first), time.Now().Add(left)
	for i := range out {
		out[i] = Entry{netip.PrefixFrom(a, a.BitLen()), until}
		a = a.Next()
	}
	return out
}

// inForce lists the single addresses of IPv4 that packets are really held
// against: those of the set the rules ask.
func inForce(t testing.TB) []nftables.SetElement {
	t.Helper()
	out, err := exec.Command("nft", "list", "chain", "inet", tableName, "early").CombinedOutput()
	if err != nil {
		return nil // no such chain: nothing is
	}
	suffix := ""
	if strings.Contains(string(out), "@blk4_b") {
		suffix = "_b"
	}
	if !strings.Contains(string(out), "@blk4"+suffix+" ") {
		t.Fatalf("no rule asks a set: %s", out)
	}
	list, err := (&nftables.Conn{}).GetSetElements(blockSet(&ipv4, suffix))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Whenever the process is killed, the kernel holds one of the states it was
// asked for, whole: with states of one transaction and with states of several.
func TestKilled(t *testing.T) {
	realKernel(t)
	kills := 100
	if testing.Short() {
		kills = 10
	}
	for name, arg := range map[string]string{"one transaction": childArg, "several": smallArg} {
		t.Run(name, func(t *testing.T) { killed(t, arg, kills) })
	}
}

func killed(t *testing.T, arg string, kills int) {
	pids := make(chan int, 1)
	states := map[byte]int{11: 1100, 12: 1300} // first byte of the addresses, and how many
	tables := []Table{{Blocks: blocks("11.0.0.1", 1100, time.Hour)}, {Blocks: blocks("12.0.0.1", 1300, time.Hour)}}
	var turn atomic.Int64
	next := func() Table { return tables[int(turn.Add(1))%len(tables)] }
	p := New(Options{
		Path: program(t), Args: []string{arg}, Log: pidLog(pids), Refill: func(context.Context) (Table, error) { return next(), nil },
	})
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	looked := make(chan struct{})
	wait.Go(func() { // it is started again as soon as the kernel was looked at
		for ctx.Err() == nil {
			if err := p.Run(ctx); ctx.Err() == nil && !strings.Contains(err.Error(), "signal killed") {
				t.Errorf("it ended by itself: %v; %s", err, p.refusal)
			}
			select {
			case <-looked:
			case <-ctx.Done():
			}
		}
	})
	wait.Go(func() {
		for ctx.Err() == nil {
			_ = p.Replace(ctx, next())
		}
	})
	seen := map[byte]int{}
	for range kills {
		pid := <-pids
		time.Sleep(time.Duration(rand.IntN(30_000)) * time.Microsecond)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for syscall.Kill(pid, 0) == nil { // until it is gone the kernel may do what it was told last
			time.Sleep(100 * time.Microsecond)
		}
		list := inForce(t)
		looked <- struct{}{}
		if len(list) == 0 {
			seen[0]++
			continue
		}
		first := list[0].Key[0]
		seen[first]++
		if len(list) != states[first] {
			t.Errorf("%d elements of state %d, want %d", len(list), first, states[first])
		}
		for _, e := range list {
			if e.Key[0] != first {
				t.Fatalf("a mixture: %v in state %d", e.Key, first)
			}
		}
	}
	t.Logf("states seen: %v", seen)
	if len(seen) < 2 && kills >= 50 {
		t.Error("only one state was ever seen: the kills prove nothing")
	}
}
