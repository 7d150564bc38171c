package submission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/gate"
)

// source is a folder, archive or repository, or a single file. It is opened anew by each of its methods, and nothing of it stays open or in memory.
type source interface {
	// list returns what is in it, in any order, folders too or not. Names are as they are written there, with slashes.
	list(ctx context.Context) ([]entry, error)
	// read returns the contents of regular entries of the list, at most gate.Largest+1 bytes of each, in their order.
	read(ctx context.Context, wanted []entry) ([]content, error)
}

// part is a source of a submission.
type part struct {
	source
	label string // before the paths in it; "" for the only part
}

type entry struct {
	name string
	kind kind
	time time.Time // zero if it is not known
	id   string    // by which the source finds it again
}

type content struct {
	data []byte
	err  error
}

// kind is what an entry is, in words.
type kind string

const (
	regular   kind = "a file"
	directory kind = "a folder"
	link      kind = "a link"
	module    kind = "a submodule"
	special   kind = "a device, pipe or socket"
)

func kindOf(m fs.FileMode) kind {
	switch {
	case m.IsRegular():
		return regular
	case m.IsDir():
		return directory
	case m&fs.ModeSymlink != 0:
		return link
	}
	return special
}

// maxEntries is how many files and folders a submission may have. A checkout of the workbook has a thousand.
var maxEntries = 20_000

func errEntries() error { return fmt.Errorf("it has more than %d files and folders", maxEntries) }

var errChanged = errors.New("it changed while it was read")

// bounded reads what a submission may have of a file, and one byte more if there is more.
func bounded(r io.Reader) content {
	data, err := io.ReadAll(io.LimitReader(r, gate.Largest+1))
	return content{data, err}
}

// folder is one on disk. Links are not followed, and nothing outside is reached.
type folder struct{ dir string }

func (f folder) list(ctx context.Context) ([]entry, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var all []entry
	// No declared file lies deeper than three folders below the wrapping ones.
	for level, dirs := 0, []string{"."}; level <= maxWraps+2 && len(dirs) > 0; level++ {
		var below []string
		for _, dir := range dirs {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			inside, err := readDir(root, dir, maxEntries-len(all))
			if err != nil {
				return nil, err
			}
			for _, d := range inside {
				e := entry{name: path.Join(dir, d.Name()), kind: kindOf(d.Type())}
				e.id = e.name
				if e.kind == directory && !skipped(e.name) {
					below = append(below, e.name)
				}
				if info, err := d.Info(); err == nil {
					e.time = info.ModTime()
				}
				all = append(all, e)
			}
		}
		dirs = below
	}
	return all, nil
}

// readDir reads a folder of at most so many entries, in the order of their names.
func readDir(root *os.Root, dir string, most int) ([]fs.DirEntry, error) {
	d, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	inside, err := d.ReadDir(most + 1)
	if err == io.EOF {
		err = nil
	}
	if len(inside) > most {
		return nil, errEntries()
	}
	slices.SortFunc(inside, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return inside, err
}

func (f folder) read(_ context.Context, wanted []entry) ([]content, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var all []content
	for _, e := range wanted {
		all = append(all, readRegular(root, filepath.FromSlash(e.id)))
	}
	return all, nil
}

func readRegular(root *os.Root, name string) content {
	file, err := openRegular(root, name)
	if err != nil {
		return content{err: err}
	}
	defer file.Close()
	return bounded(file)
}

// openRegular opens a file that is a regular one before and after.
func openRegular(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is %s, and no regular file", kindOf(info.Mode()))
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	if opened, err := file.Stat(); err != nil || !os.SameFile(info, opened) {
		file.Close()
		return nil, errChanged
	}
	return file, nil
}

// file is one that lies beside those of others, under a name that a learning system gave it.
type file struct {
	dir, name string
	as        string // as the student named it
}

func (f file) list(context.Context) ([]entry, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Lstat(f.name)
	if err != nil {
		return nil, err
	}
	return []entry{{name: f.as, kind: kindOf(info.Mode()), time: info.ModTime(), id: f.name}}, nil
}

func (f file) read(ctx context.Context, wanted []entry) ([]content, error) {
	return folder{f.dir}.read(ctx, wanted)
}

// view is a part of a source: what has a name in it.
type view struct {
	source
	name func(string) (string, bool)
}

func (v view) list(ctx context.Context) ([]entry, error) {
	entries, err := v.source.list(ctx)
	inside := entries[:0]
	for _, e := range entries {
		var ok bool
		if e.name, ok = v.name(e.name); ok {
			inside = append(inside, e)
		}
	}
	return inside, err
}
