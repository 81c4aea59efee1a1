package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
)

// secretsCmd is `honeyguide secrets status|rotate`.
func (c *command) secretsCmd() *cobra.Command {
	root := group("secrets", "The keys that private files and secrets are sealed with.")
	root.AddCommand(c.secretsStatusCmd(), c.secretsRotateCmd())
	return root
}

func (c *command) secretsStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "How the keys stand; no key is shown.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var st client.SecretsStatus
			if err := c.get(cmd.Context(), "/secrets", nil, &st); err != nil {
				return err
			}
			return c.print(st, func(w io.Writer) { showSecrets(w, &st) })
		},
	}
}

var masterKinds = map[string]string{"own": "keys/master.key, made here", "key": "a key you give", "passphrase": "a passphrase you give"}

func showSecrets(w io.Writer, st *client.SecretsStatus) {
	if !st.Encryption {
		field(w, "encryption", "off: everything lies in clear (secrets.encryption)")
	} else {
		field(w, "encryption", "on")
		field(w, "master key", masterKinds[st.Master])
		field(w, "since", st.MasterAt)
		if st.Masters > 1 {
			field(w, "next", "a new master key is good, too: put it into the configuration and restart; then the one before opens nothing any more")
		}
	}
	for i, k := range st.Keys {
		name := "data key"
		if i > 0 {
			name = "older key"
		}
		field(w, name, safetext.Term(k.ID)+"  "+text(k.Made))
	}
	if st.Rotating {
		field(w, "rotation", "not over; it goes on with: honeyguide secrets rotate")
	}
	field(w, "files", fmt.Sprintf("%d sealed, %d under an older key", st.Files, st.StaleFiles))
	field(w, "rows", fmt.Sprintf("%d sealed, %d under an older key", st.Rows, st.StaleRows))
	if st.Lost > 0 {
		field(w, "lost", fmt.Sprintf("%d rows open with no key there is", st.Lost))
	}
	if len(st.Clear) > 0 && st.Encryption {
		field(w, "in clear", safetext.Term(strings.Join(st.Clear, ", "))+": sealed when they are used next")
	}
}

func (c *command) secretsRotateCmd() *cobra.Command {
	var master, own, ask bool
	var keyFile, passFile string
	cmd := &cobra.Command{
		Use: "rotate", Short: "Change the data keys, or the master key.", Args: cobra.NoArgs,
		Long: `Makes a new data key, seals every private file and every secret in the state under
it, and drops the older ones. It may be interrupted at any point and goes on when
it is asked again. With --master the master key is changed instead; nothing is
sealed anew. Works on a core that runs and on a data folder.

Secrets are read from files or from the terminal, never from the command line.`,
		Example: "  honeyguide secrets rotate\n  honeyguide secrets rotate --master\n  honeyguide secrets rotate --master --key-file /run/new.key",
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := 0
			for _, set := range []bool{own, ask, keyFile != "", passFile != ""} {
				if set {
					given++
				}
			}
			if given > 1 || given == 1 && !master {
				return usagef("want one of --key-file, --passphrase-file, --passphrase and --own, with --master")
			}
			order := map[string]any{"master": master, "own": own} // a Secret would send its mask
			for name, file := range map[string]string{"key": keyFile, "passphrase": passFile} {
				if file == "" {
					continue
				}
				text, err := secretOf(file)
				if err != nil {
					return err
				}
				order[name] = text.Reveal()
			}
			if ask {
				text, err := c.askSecret("new passphrase: ")
				if err != nil {
					return err
				}
				again, err := c.askSecret("once more: ")
				if err != nil {
					return err
				}
				if text != again {
					return usagef("these are two; nothing was changed")
				}
				order["passphrase"] = text.Reveal()
			}
			var st client.SecretsStatus
			if err := c.post(cmd.Context(), "/secrets/rotate", order, &st); err != nil {
				return err
			}
			return c.print(st, func(w io.Writer) { showSecrets(w, &st) })
		},
	}
	f := cmd.Flags()
	f.BoolVar(&master, "master", false, "change the master key")
	f.BoolVar(&own, "own", false, "go back to a master key in keys/master.key")
	f.StringVar(&keyFile, "key-file", "", "`file` of the new master key")
	f.StringVar(&passFile, "passphrase-file", "", "`file` of a passphrase as the new master key")
	f.BoolVar(&ask, "passphrase", false, "ask for a passphrase on the terminal")
	return cmd
}

// maxSecretFile bounds a file of a secret, in bytes.
const maxSecretFile = 4 << 10

// secretOf reads a secret from a file, without its last newline.
func secretOf(file string) (honeyguide.Secret, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	defer clear(raw)
	text := strings.TrimRight(string(raw), "\r\n")
	if text == "" || len(raw) > maxSecretFile {
		return "", usagef("%s: want a secret alone in a small file", safetext.Term(file))
	}
	return honeyguide.Secret(text), nil
}

// askSecret asks for a secret on the terminal, which does not show it.
func (c *command) askSecret(prompt string) (honeyguide.Secret, error) {
	in, ok := c.in.(*os.File)
	if !ok || !terminal(c.in) {
		return "", usagef("there is no terminal to ask on; give the secret in a file")
	}
	was, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
	if err != nil {
		return "", fmt.Errorf("ask for a secret: %w", err)
	}
	quiet := *was
	quiet.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(in.Fd()), unix.TCSETSF, &quiet); err != nil {
		return "", fmt.Errorf("ask for a secret: %w", err)
	}
	defer func() { _ = unix.IoctlSetTermios(int(in.Fd()), unix.TCSETS, was) }() // nothing better is left to try
	fmt.Fprint(c.err, prompt)
	defer fmt.Fprintln(c.err)
	line := make([]byte, 0, 256)
	defer func() { clear(line[:cap(line)]) }()
	for one := [1]byte{}; len(line) < cap(line); {
		n, err := in.Read(one[:])
		if n == 0 || one[0] == '\n' {
			if err != nil && err != io.EOF {
				return "", err
			}
			break
		}
		line = append(line, one[0])
	}
	return honeyguide.Secret(strings.TrimRight(string(line), "\r")), nil
}
