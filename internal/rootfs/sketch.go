package rootfs

import (
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"

	"honeyguide/internal/image"
)

// maxSketch bounds a configuration file worth sketching, bytes.
const maxSketch = 16 << 10

// sketched are the files outside packages' configuration that people read too.
var sketched = strings.Fields(`/usr/lib/systemd/system/*.service /usr/lib/systemd/system/*.timer /usr/lib/systemd/system/*.socket /usr/lib/os-release
	/etc/pam.d/common-* /etc/locale.gen /etc/hosts.allow /etc/hosts.deny /etc/default/locale /etc/networks /etc/network/interfaces /etc/nsswitch.conf /etc/modules
	/etc/ssh/sshd_config /etc/rsyslog.conf /etc/shells /usr/share/debconf/confmodule /etc/ca-certificates.conf /etc/php/8.2/*/php.ini /etc/php/8.2/mods-available/*.ini
	/var/lib/dpkg/statoverride* /var/lib/dpkg/diversions* /var/lib/dpkg/alternatives/* /var/lib/dpkg/triggers/* /var/lib/dpkg/arch
	/etc/default/grub /etc/mysql/mariadb.cnf /etc/profile /etc/python3/debian_config /etc/host.conf`)

// unread are files nobody reads, or whose every line is somebody's text.
var unread = strings.Fields(`/etc/mime.types /etc/magic* /etc/bash_completion.d/* /etc/profile.d/* /etc/profile /etc/bash.bashrc /etc/skel/* /etc/vim/* /etc/nanorc /etc/perl/*/* /etc/init.d/* /etc/groff/*
	/etc/apparmor.d/* /etc/apparmor.d/*/* /etc/nginx/koi-* /etc/nginx/win-* /etc/ufw/*/* /etc/logcheck/*/* /etc/ssl/* /etc/sv/*/* /etc/X11/*/* /etc/initramfs-tools/*/* /etc/grub.d/* /etc/gprofng.rc
	/etc/ca-certificates.conf /etc/php/8.2/*/php.ini /etc/apt/trusted.gpg.d/* /etc/dhcp/debug /etc/dhcp/*.d/* /etc/*/README* /etc/*/*/README* /etc/libnl-3/* /etc/ethertypes /etc/nginx/mime.types /etc/debconf.conf /etc/sudo*.conf /etc/manpath.config /etc/mysql/debian-start`)

var (
	// A setting that is switched off: the mark, and at once a word.
	offSetting = regexp.MustCompile(`^\s*[#;](?:[A-Za-z*<@%$/][^ ]*(?:[ =].{0,60})?|\s*\S.*[;{}])$`)
	// A line of a list whose entries are switched on by taking the mark away.
	offEntry = regexp.MustCompile(`^# [a-z]{2,3}_[A-Z]{2}\S* \S+$`)
)

// Sketch writes the settings of a root's configuration: the lines that say
// something to the machine, on or off, and "@@N" where N bytes of explanation
// stood. Who fills those with words of his own has files of the same keys, the
// same defaults and the same length. The form is that of [image.ParseTexts].
func Sketch(w io.Writer, dir string, x *image.Index) error {
	for i := range x.Entries {
		e := &x.Entries[i]
		p := x.Path(int32(i))
		if e.Kind != image.Text || e.Head != "" || e.Size > maxSketch || !worth(p, e) {
			continue
		}
		b, err := os.ReadFile(dir + p)
		if err != nil {
			return fmt.Errorf("sketch: %w", err)
		}
		if strings.Contains(string(b), "\n-- ") || strings.Contains(string(b), "@@") || !strings.HasSuffix(string(b), "\n") {
			continue // the form cannot hold it
		}
		if _, err := fmt.Fprintf(w, "-- %s --\n%s", p, sketch(string(b))); err != nil {
			return fmt.Errorf("sketch: %w", err)
		}
	}
	return nil
}

func worth(p string, e *image.Entry) bool {
	match := func(list []string) bool {
		for _, pattern := range list {
			if ok, err := path.Match(pattern, p); ok && err == nil {
				return true
			}
		}
		return false
	}
	return !match(unread) && (e.Conf && strings.HasPrefix(p, "/etc/") || match(sketched))
}

func sketch(text string) string {
	var b strings.Builder
	gap := 0
	flush := func() {
		if gap > 0 {
			fmt.Fprintf(&b, "@@%d\n", gap)
		}
		gap = 0
	}
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		comment := strings.HasPrefix(bare, "#") || strings.HasPrefix(bare, ";")
		off := offSetting.MatchString(strings.TrimSuffix(line, "\n")) && len(strings.Fields(bare)) <= 6
		if comment && !off && !offEntry.MatchString(bare) {
			gap += len(line)
			continue
		}
		flush()
		b.WriteString(line)
	}
	flush()
	return b.String()
}
