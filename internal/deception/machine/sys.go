package machine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// Sys is the synthetic tree of /sys: what describes the hardware, and the
// folders one expects around it. It does not move.
type Sys struct {
	files   map[string]string
	links   map[string]string
	folders map[string][]string
	boot    time.Time
}

// NewSys builds the tree of a machine.
func NewSys(m *Machine) *Sys {
	s := &Sys{files: map[string]string{}, links: map[string]string{}, folders: map[string][]string{"": nil}, boot: m.Boot}
	for _, d := range []string{
		"block", "bus", "class", "dev", "devices", "firmware", "fs", "hypervisor", "kernel", "module", "power",
		"fs/bpf", "fs/cgroup", "fs/ext4", "fs/fuse/connections", "fs/pstore", "kernel/config", "kernel/debug", "kernel/security", "kernel/tracing", "kernel/mm/transparent_hugepage",
	} {
		s.dir(d)
	}
	p := m.Product
	for name, v := range map[string]string{
		"sys_vendor": p.Vendor, "product_name": p.Name, "product_version": p.Version, "bios_vendor": "SeaBIOS", "bios_version": p.BIOS,
		"bios_date": "04/01/2014", "chassis_vendor": p.Vendor, "chassis_type": "1", "product_uuid": m.id("dmi", 1), "product_serial": "", "board_vendor": "", "board_name": "",
	} {
		s.put("devices/virtual/dmi/id/"+name, v)
	}
	s.link("class/dmi/id", "../../devices/virtual/dmi/id")
	for i := range m.CPU.Count() {
		cpu := fmt.Sprintf("devices/system/cpu/cpu%d/", i)
		s.put(cpu+"topology/core_id", fmt.Sprint(i))
		s.put(cpu+"topology/physical_package_id", "0")
		s.put(cpu+"topology/thread_siblings_list", fmt.Sprint(i))
		if i > 0 {
			s.put(cpu+"online", "1")
		}
	}
	last := m.CPU.Count() - 1
	for _, n := range []string{"online", "possible", "present"} {
		s.put("devices/system/cpu/"+n, fmt.Sprintf("0-%d", last))
	}
	for n, v := range map[string]string{"meltdown": "Mitigation: PTI", "spectre_v1": "Mitigation: usercopy/swapgs barriers and __user pointer sanitization", "mds": "Mitigation: Clear CPU buffers; SMT Host state unknown"} {
		if m.CPU.Vendor == "AuthenticAMD" && n != "spectre_v1" {
			v = "Not affected"
		}
		s.put("devices/system/cpu/vulnerabilities/"+n, v)
	}
	for _, d := range m.Disks {
		s.put("devices/pci0000:00/0000:00:0a.0/virtio2/block/"+d.Name+"/size", fmt.Sprint(d.Size/512))
		s.put("devices/pci0000:00/0000:00:0a.0/virtio2/block/"+d.Name+"/removable", "0")
		s.put("devices/pci0000:00/0000:00:0a.0/virtio2/block/"+d.Name+"/queue/rotational", "1")
		s.link("block/"+d.Name, "../devices/pci0000:00/0000:00:0a.0/virtio2/block/"+d.Name)
	}
	for i, n := range m.Interfaces {
		at := "devices/pci0000:00/0000:00:12.0/virtio3/net/" + n.Name
		if n.Loopback {
			at = "devices/virtual/net/lo"
		}
		for f, v := range map[string]string{"address": n.MAC, "mtu": fmt.Sprint(n.MTU), "operstate": map[bool]string{true: "unknown", false: "up"}[n.Loopback], "carrier": "1", "ifindex": fmt.Sprint(i + 1), "type": map[bool]string{true: "772", false: "1"}[n.Loopback]} {
			s.put(at+"/"+f, v)
		}
		s.link("class/net/"+n.Name, "../../"+at)
	}
	s.put("kernel/mm/transparent_hugepage/enabled", "[always] madvise never")
	s.put("kernel/uevent_seqnum", "1893")
	s.put("power/state", "freeze mem disk")
	s.put("fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc")
	s.put("fs/cgroup/cgroup.procs", "1")
	for _, d := range []string{"init.scope", "system.slice", "user.slice"} {
		s.put("fs/cgroup/"+d+"/cgroup.procs", "")
	}
	for _, n := range []string{"ext4", "virtio_net", "virtio_blk", "fuse", "evdev"} {
		s.put("module/"+n+"/refcnt", "1")
	}
	for dir := range s.folders {
		slices.Sort(s.folders[dir])
	}
	return s
}

func (s *Sys) dir(path string) {
	if _, ok := s.folders[path]; ok {
		return
	}
	s.folders[path] = nil
	s.enter(path)
}

// enter lists a path in the folder above.
func (s *Sys) enter(path string) {
	i := strings.LastIndexByte(path, '/')
	up := path[:max(i, 0)]
	s.dir(up)
	s.folders[up] = append(s.folders[up], path[i+1:])
}

func (s *Sys) put(path, value string) {
	s.enter(path)
	s.files[path] = value + "\n"
}

func (s *Sys) link(path, target string) {
	s.enter(path)
	s.links[path] = target
}

// Lookup finds one entry.
func (s *Sys) Lookup(_ vfs.Env, rel string) (vfs.Entry, bool) {
	e := vfs.Entry{Path: rel[strings.LastIndexByte(rel, '/')+1:], Ino: 1 + number(rel)%90000, Mtime: s.boot}
	if v, ok := s.files[rel]; ok {
		e.Mode, e.Text, e.Size = readOnly, v, 4096
		switch {
		case strings.HasSuffix(rel, "enabled"), strings.HasSuffix(rel, "state"), strings.HasSuffix(rel, "online") && strings.Contains(rel, "/cpu/cpu"):
			e.Mode = readWrite
		case strings.HasSuffix(rel, "_serial"), strings.HasSuffix(rel, "_uuid"):
			e.Mode = vfs.Regular | 0o400
		}
		return e, true
	}
	if t, ok := s.links[rel]; ok {
		e.Mode, e.Target = vfs.Symlink|0o777, t
		return e, true
	}
	if _, ok := s.folders[rel]; ok {
		e.Mode = vfs.Dir | 0o755
		if rel == "" {
			e.Mode, e.Ino = vfs.Dir|0o555, 1
		}
		return e, true
	}
	return vfs.Entry{}, false
}

// List lists one folder.
func (s *Sys) List(env vfs.Env, rel string) []vfs.Entry {
	var out []vfs.Entry
	for _, n := range s.folders[rel] {
		if e, ok := s.Lookup(env, strings.TrimPrefix(rel+"/"+n, "/")); ok {
			out = append(out, e)
		}
	}
	return out
}

// Create fails as the kernel does in /sys.
func (*Sys) Create(_ string, dir bool) vfs.Errno {
	if dir {
		return vfs.EPERM
	}
	return vfs.EACCES
}
