package coreutils

import (
	"slices"
	"strings"
)

// blockIDs is blkid of util-linux 2.38: the tags of the devices named, or of
// all. It returns 2 when nothing is found, as for who may not open them.
func (p *Proc) blockIDs() int {
	opts, args, ok := p.getopt("c:DdgH:hilL:n:ko:O:ps:S:t:u:U:w:Vv", "match-tag=,s", "match-token=,t", "output=,o", "probe,p", "info,i", "uuid=,U", "label=,L", "list-one,l", "cache-file=,c")
	if !ok {
		return 4
	}
	if p.Cred.UID != 0 {
		return 2
	}
	var tags []string
	style, token := "full", ""
	for _, o := range opts {
		switch o.name {
		case "s":
			tags = append(tags, o.val)
		case "o":
			style = o.val
		case "t":
			token = o.val
		case "U":
			token, style = "UUID="+o.val, "device"
		case "L":
			token, style = "LABEL="+o.val, "device"
		}
	}
	if !slices.Contains([]string{"full", "value", "list", "device", "udev", "export"}, style) {
		p.errorf("unsupported output format %s", style)
		return 4
	}
	found := false
	seed := uint32(p.machine().Seed)
	for _, d := range p.machine().Disks {
		for _, part := range d.Parts {
			if part.UUID == "" || len(args) > 0 && !slices.Contains(args, "/dev/"+part.Name) {
				continue
			}
			all := [][2]string{{"UUID", part.UUID}, {"BLOCK_SIZE", "4096"}, {"TYPE", part.Type}, {"PARTUUID", sprintf("%08x-0%s", seed, part.Name[len(part.Name)-1:])}}
			if part.Type == "swap" { // a swap area has no block size
				all = slices.Delete(all, 1, 2)
			}
			if token != "" && !slices.ContainsFunc(all, func(kv [2]string) bool { return kv[0]+"="+kv[1] == strings.ReplaceAll(token, "\"", "") }) {
				continue
			}
			found = true
			p.blockID("/dev/"+part.Name, style, slices.DeleteFunc(all, func(kv [2]string) bool { return len(tags) > 0 && !slices.Contains(tags, kv[0]) }))
		}
	}
	if !found {
		return 2
	}
	return 0
}

// blockID prints the tags of one device.
func (p *Proc) blockID(device, style string, tags [][2]string) {
	switch style {
	case "device":
		p.print(device + "\n")
		return
	case "export":
		p.print("DEVNAME=" + device + "\n")
	case "full", "list":
		if len(tags) == 0 {
			return
		}
		p.print(device + ":")
	}
	for _, kv := range tags {
		switch style {
		case "value":
			p.print(kv[1] + "\n")
		case "export":
			p.print(kv[0] + "=" + kv[1] + "\n")
		case "udev":
			p.print("ID_FS_" + kv[0] + "=" + kv[1] + "\n")
		default:
			p.print(" " + kv[0] + "=\"" + kv[1] + "\"")
		}
	}
	if style == "full" || style == "list" || style == "export" {
		p.print("\n")
	}
}
