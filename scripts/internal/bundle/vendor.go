package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// Vendor adds the libraries: what the bundle's packages import, and what a solution of the katas may import besides. It builds offline then.
func (b *Bundle) Vendor(ctx context.Context, katas []*workbook.Kata) (err error) {
	temp, err := os.MkdirTemp("", "kata-bundle-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	root := filepath.Join(temp, "whole")
	if err := b.WriteDir(ctx, root); err != nil {
		return err
	}
	mod, err := modfile.Parse("go.mod", b.files["go.mod"], nil)
	if err != nil {
		return err
	}
	imports := "package allowed\n"
	for _, p := range allowed(katas, mod) {
		imports += fmt.Sprintf("import _ %q\n", p)
	}
	// A folder of its own: no file of the bundle is in the way.
	extra := filepath.Join(root, "allowed")
	if err := errors.Join(os.Mkdir(extra, 0o777), os.WriteFile(filepath.Join(extra, "allowed.go"), []byte(imports), 0o666)); err != nil {
		return err
	}
	runner, err := gotest.New(root)
	if err != nil {
		return err
	}
	if out, err := runner.Go(ctx, "mod", "vendor").CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return workbook.Errorf("the libraries are downloaded once, if they are not there yet: go mod download in the workbook, with a connection", "go mod vendor: %w\n%s", err, bytes.TrimSpace(out))
	}
	vendor := os.DirFS(root)
	err = fs.WalkDir(vendor, "vendor", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file", name)
		}
		data, err := fs.ReadFile(vendor, name)
		if err != nil {
			return err
		}
		return b.Add(name, data)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the workbook needs no library
	}
	return err
}

// allowed are the packages of the libraries in mod that a solution of one of the katas may import.
func allowed(katas []*workbook.Kata, mod *modfile.File) (paths []string) {
	for _, k := range katas {
		for _, p := range gate.Imports(k) {
			of := func(r *modfile.Require) bool { return strings.HasPrefix(p, r.Mod.Path+"/") }
			if slices.ContainsFunc(mod.Require, of) && !slices.Contains(paths, p) {
				paths = append(paths, p)
			}
		}
	}
	slices.Sort(paths)
	return paths
}
