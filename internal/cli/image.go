package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/image"
	"honeyguide/internal/rootfs"
	"honeyguide/internal/safetext"
)

func (c *command) imageCmd() *cobra.Command {
	g := group("image", "Make and look at indexes of file systems, which pretended hosts are made from.")
	g.AddCommand(c.imageBuildCmd(), c.imageShowCmd(), c.imageDiffCmd())
	return g
}

func (c *command) imageBuildCmd() *cobra.Command {
	var (
		root, out, since, settings string

		bases []string
		o     rootfs.Options
	)
	cmd := &cobra.Command{
		Use:   "build --from-rootfs DIR",
		Short: "Write the index of a root file system.",
		Long: `Reads a root made by debootstrap, a container's or a mounted disk's, and writes
its facts: names, modes, owners, sizes, times, links, what kind of bytes files
hold, and the packages. What belongs to the machine the root was made on (host
keys, logs, caches, /proc, /dev) is left out: a pretended host makes its own.
The root is only read. The same root gives the same bytes.

With --contents the text of files up to 64 KiB is kept too. Such an image holds
what the root held: look through it before you let attackers read it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if root == "" {
				return usagef("which root? use --from-rootfs DIR")
			}
			if since != "" {
				t, err := time.Parse(time.RFC3339, since)
				if err != nil {
					return usagef("--since %q is no time; write it like 2026-01-31T12:00:00Z", since)
				}
				o.Since = t
			}
			if o.Name == "" {
				o.Name = filepath.Base(filepath.Clean(root))
			}
			x, err := rootfs.Read(cmd.Context(), root, o)
			if err != nil {
				return err
			}
			if settings != "" {
				var b bytes.Buffer
				if err := rootfs.Sketch(&b, root, x); err != nil {
					return err
				}
				if err := os.WriteFile(settings, b.Bytes(), 0o644); err != nil {
					return fmt.Errorf("write settings: %w", err)
				}
			}
			if len(bases) > 0 {
				base, err := readLayers(bases)
				if err != nil {
					return err
				}
				x = image.Layer(base, x)
			}
			var b bytes.Buffer
			if err := image.Write(&b, x); err != nil {
				return err
			}
			if out == "" {
				out = o.Name + ".hgi"
			}
			if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
				return fmt.Errorf("write image: %w", err)
			}
			fmt.Fprintf(c.err, "wrote %s: %d entries, %d packages, %d bytes\n", safetext.Term(out), len(x.Entries), len(x.Packages), b.Len())
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&root, "from-rootfs", "", "`folder` that holds the root")
	f.StringVarP(&out, "output", "o", "", "`file` to write (default NAME.hgi)")
	f.StringVar(&o.Name, "name", "", "`name` of the image (default the folder's)")
	f.StringArrayVar(&bases, "base", nil, "write only what differs from this image `file`; repeat for layers")
	f.StringVar(&settings, "settings", "", "also write the configuration's settings, without its words, to this `file`")
	f.StringVar(&since, "since", "", "files changed from this `time` on were made by the installation")
	f.BoolVar(&o.Sorted, "sorted", false, "list folders by name, not in the order of this disk")
	f.BoolVar(&o.Contents, "contents", false, "keep the content of text files")
	f.StringArrayVar(&o.Keep, "keep", nil, "take along what matches this `pattern` though it is a machine's own")
	return cmd
}

// maxImage bounds an image file, bytes.
const maxImage = 512 << 20

func readImage(name string) (*image.Index, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxImage+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	x, err := image.Read(b)
	if err != nil {
		return nil, fmt.Errorf("read image %s: %w", name, err)
	}
	return x, nil
}

func readLayers(names []string) (*image.Index, error) {
	var x *image.Index
	for _, name := range names {
		l, err := readImage(name)
		if err != nil {
			return nil, err
		}
		if x == nil {
			x = l
			continue
		}
		x = image.Merge(x, l)
	}
	return x, nil
}

func (c *command) imageShowCmd() *cobra.Command {
	var packages bool
	cmd := &cobra.Command{
		Use: "show FILE", Short: "List what an image holds.", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			x, err := readImage(args[0])
			if err != nil {
				return err
			}
			if packages {
				for i := range x.Packages {
					p := &x.Packages[i]
					fmt.Fprintf(c.out, "%s\t%s\t%s\n", safetext.Term(p.Name), safetext.Term(p.Get("Version")), safetext.Term(p.Get("Architecture")))
				}
				return nil
			}
			for i := range x.Entries {
				fmt.Fprintln(c.out, safetext.Term(image.Line(x, int32(i))))
			}
			fmt.Fprintf(c.err, "%s: %d entries, %d packages, %d removed\n", safetext.Term(x.Name), len(x.Entries), len(x.Packages), len(x.Removed))
			return nil
		},
	}
	cmd.Flags().BoolVar(&packages, "packages", false, "list the packages instead")
	return cmd
}

func (c *command) imageDiffCmd() *cobra.Command {
	return &cobra.Command{
		Use: "diff A B", Short: "Say what B has more, less or otherwise than A.", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := readImage(args[0])
			if err != nil {
				return err
			}
			b, err := readImage(args[1])
			if err != nil {
				return err
			}
			for _, line := range image.Diff(a, b) {
				fmt.Fprintln(c.out, safetext.Term(line))
			}
			return nil
		},
	}
}
