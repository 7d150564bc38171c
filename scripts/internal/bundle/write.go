package bundle

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"whyhow/scripts/internal/workbook"
)

// Whoever makes a bundle twice gets the same bytes, modes and times.
const (
	fileMode   = 0o644
	folderMode = 0o755
)

var written = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) // the first day that a zip archive knows

// Free is nil if a bundle can be written to the path: nothing is there, or an empty folder, and it is not in a workbook that the bundle is made from. The error has a hint.
func Free(w *workbook.Workbook, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	info, err := os.Lstat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.IsDir():
		return workbook.Errorf("name one that does not exist", "%s is there already", path)
	default:
		inside, err := os.ReadDir(abs)
		if err != nil {
			return err
		}
		if len(inside) > 0 {
			return workbook.Errorf("name a folder that does not exist: nothing is overwritten", "%s is there already, and is not empty", path)
		}
		if here, err := os.Stat("."); err == nil && os.SameFile(here, info) {
			return workbook.Errorf("name a folder that does not exist", "%s is the folder that you are in", path)
		}
	}
	root, err := os.Stat(w.Root)
	if err != nil {
		return err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return workbook.Errorf("make it first: mkdir -p "+filepath.Dir(path), "there is no folder %s", filepath.Dir(path))
	}
	for dir := parent; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && os.SameFile(info, root) {
			return workbook.Errorf("name a folder outside of it, beside it for example: "+filepath.Join(w.Root, "..", filepath.Base(abs)), "%s is inside the workbook", path)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// WriteDir writes the bundle as a folder. It is there in whole, or after an error not at all.
func (b *Bundle) WriteDir(ctx context.Context, dir string) error {
	return beside(ctx, dir, func(temp string) error {
		if err := folder(temp); err != nil {
			return err
		}
		for _, f := range b.Files() {
			if err := ctx.Err(); err != nil {
				return err
			}
			at := temp
			elements := strings.Split(f.Name, "/")
			for _, e := range elements[:len(elements)-1] {
				at = filepath.Join(at, e)
				if err := folder(at); err != nil {
					return err
				}
			}
			if err := file(filepath.Join(temp, filepath.FromSlash(f.Name)), func(w io.Writer) error {
				_, err := w.Write(f.Data)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// WriteZip writes the bundle as an archive of one folder with the name top. It is there in whole, or after an error not at all.
func (b *Bundle) WriteZip(ctx context.Context, path, top string) error {
	return beside(ctx, path, func(temp string) error {
		return file(temp, func(w io.Writer) error {
			buffer := bufio.NewWriter(w)
			archive := zip.NewWriter(buffer)
			for _, f := range b.Files() {
				if err := ctx.Err(); err != nil {
					return err
				}
				header := &zip.FileHeader{Name: top + "/" + f.Name, Method: zip.Deflate, Modified: written}
				header.SetMode(fileMode)
				entry, err := archive.CreateHeader(header)
				if err != nil {
					return err
				}
				if _, err := entry.Write(f.Data); err != nil {
					return err
				}
			}
			return errors.Join(archive.Close(), buffer.Flush())
		})
	})
}

// beside has a path made under another name in the same folder, and gives it its name when all of it is there.
func beside(ctx context.Context, path string, write func(temp string) error) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".kata-bundle-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	temp := filepath.Join(dir, filepath.Base(path))
	if err := write(temp); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		if err := os.Remove(path); err != nil { // an empty one, which not every system replaces
			return err
		}
	}
	return os.Rename(temp, path)
}

// folder makes a folder if need be, with the mode that all have, whatever the umask.
func folder(path string) error {
	err := os.Mkdir(path, folderMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(path, folderMode)
}

func file(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Chmod(fileMode), f.Close())
}
