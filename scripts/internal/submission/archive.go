package submission

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	maxArchive   = 256 << 20 // bytes of an archive
	maxUnpacked  = 256 << 20 // bytes that a .tar.gz may unpack to while it is searched
	maxDirectory = 8 << 20   // bytes of a zip's list of files
)

// archiveSuffixes are those of archives that are opened, longest first.
var archiveSuffixes = []string{".tar.gz", ".tgz", ".tar", ".zip"}

// otherArchives are those that are not.
var otherArchives = []string{".tar.xz", ".tar.bz2", ".tar.zst", ".txz", ".tbz2", ".rar", ".7z", ".gz", ".xz", ".bz2", ".zst"}

// cutSuffix returns the name without the first of the suffixes that it has, in any case.
func cutSuffix(name string, suffixes []string) (string, bool) {
	for _, s := range suffixes {
		if len(name) >= len(s) && strings.EqualFold(name[len(name)-len(s):], s) {
			return name[:len(name)-len(s)], true
		}
	}
	return name, false
}

func isArchive(name string) bool {
	_, ok := cutSuffix(name, archiveSuffixes)
	return ok
}

// archive is a .zip, .tar or .tar.gz on disk. What it is, its first bytes say.
type archive struct{ dir, name string }

// open calls one of two functions with the open archive.
func (a archive) open(ctx context.Context, asZip func(*zip.Reader) error, asTar func(*tar.Reader) error) error {
	root, err := os.OpenRoot(a.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	f, err := openRegular(root, filepath.FromSlash(a.name))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.Size() > maxArchive:
		return fmt.Errorf("the archive has more than %d MiB", maxArchive>>20)
	case info.Size() == 0:
		return errors.New("the archive is empty, not even a list of files is in it")
	}
	in := bufio.NewReader(&interruptible{ctx, f})
	start, _ := in.Peek(512)
	switch {
	case bytes.HasPrefix(start, []byte("PK")):
		at := &budget{f, maxDirectory + 128<<10}
		z, err := zip.NewReader(at, info.Size())
		if at.left < 0 {
			return fmt.Errorf("the archive's list of files has more than %d MiB", maxDirectory>>20)
		}
		if z == nil {
			return fmt.Errorf("the archive is broken: %w", err)
		}
		at.left = maxArchive
		return asZip(z)
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		g, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("the archive is broken: %w", err)
		}
		return broken(asTar(tar.NewReader(&limited{g, maxUnpacked})))
	case len(start) == 512 && (string(start[257:262]) == "ustar" || bytes.Count(start, []byte{0}) == 512):
		return broken(asTar(tar.NewReader(in)))
	}
	return errors.New("it is no .zip, .tar or .tar.gz, whatever its name says: ask for one of these")
}

// broken says of an error of the archive's what a reader of it can understand.
func broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrHeader) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return fmt.Errorf("the archive is broken: %w", err)
	}
	return err
}

func (a archive) list(ctx context.Context) ([]entry, error) {
	var all []entry
	err := a.open(ctx, func(z *zip.Reader) error {
		for i, f := range z.File {
			e := entry{name: f.Name, kind: kindOf(f.Mode()), time: f.Modified, id: strconv.Itoa(i)}
			if strings.HasSuffix(f.Name, "/") {
				e.kind = directory
			}
			all = append(all, e)
		}
		return nil
	}, func(t *tar.Reader) error {
		return each(t, func(i int, h *tar.Header) error {
			if i >= maxEntries {
				return errEntries()
			}
			e := entry{name: h.Name, kind: kindOf(h.FileInfo().Mode()), time: h.ModTime, id: strconv.Itoa(i)}
			if h.Typeflag == tar.TypeLink {
				e.kind = link
			}
			all = append(all, e)
			return nil
		})
	})
	return all, err
}

// each calls f with every header of a tar.
func each(t *tar.Reader, f func(i int, h *tar.Header) error) error {
	for i := 0; ; i++ {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !(errors.Is(err, tar.ErrInsecurePath) && h != nil) {
			return err
		}
		if err := f(i, h); err != nil {
			return err
		}
	}
}

func (a archive) read(ctx context.Context, wanted []entry) ([]content, error) {
	all := make([]content, len(wanted))
	for i := range all {
		all[i].err = errChanged
	}
	err := a.open(ctx, func(z *zip.Reader) error {
		for i, e := range wanted {
			n, _ := strconv.Atoi(e.id)
			if n < len(z.File) {
				all[i] = unzip(z.File[n])
			}
		}
		return nil
	}, func(t *tar.Reader) error {
		left := len(wanted)
		err := each(t, func(n int, h *tar.Header) error {
			i := slices.IndexFunc(wanted, func(e entry) bool { return e.id == strconv.Itoa(n) })
			if i < 0 {
				return nil
			}
			all[i] = bounded(t)
			if left--; left == 0 {
				return io.EOF
			}
			return nil
		})
		if err == io.EOF {
			return nil
		}
		return err
	})
	return all, err
}

// stream calls f with the content of an entry of a zip.
func (a archive) stream(ctx context.Context, e entry, f func(io.Reader) error) error {
	return a.open(ctx, func(z *zip.Reader) error {
		n, _ := strconv.Atoi(e.id)
		if n >= len(z.File) {
			return errChanged
		}
		r, err := z.File[n].Open()
		if err != nil {
			return err
		}
		defer r.Close()
		return f(r)
	}, func(*tar.Reader) error { return errors.ErrUnsupported })
}

func unzip(f *zip.File) content {
	if f.Flags&1 != 0 {
		return content{err: errors.New("it is encrypted: pack it without a password")}
	}
	r, err := f.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return content{err: fmt.Errorf("it is packed by method %d, which few programs know: pack it as a usual .zip", f.Method)}
	}
	if err != nil {
		return content{err: fmt.Errorf("it is broken: %w", err)}
	}
	defer r.Close()
	c := bounded(r)
	if c.err != nil {
		c.err = fmt.Errorf("it is broken: %w", c.err)
	}
	return c
}

// limited reads at most so many bytes, and an error behind them.
type limited struct {
	io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("the archive unpacks to more than %d MiB", maxUnpacked>>20)
	}
	n, err := l.Reader.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// budget is a file of which at most so many bytes are read: a zip's list of files is kept in memory, and its end says how long it is, true or not.
type budget struct {
	io.ReaderAt
	left int64
}

func (b *budget) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errors.New("too much was read")
	}
	return b.ReaderAt.ReadAt(p, at)
}

// interruptible reads until its context ends.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
