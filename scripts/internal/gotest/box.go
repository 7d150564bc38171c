package gotest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"whyhow/scripts/internal/workbook"
)

// Box is where strangers' code is compiled and run.
type Box interface {
	// Tags are build tags that every build has besides.
	Tags() string
	// Compile runs a go command in dir, the workbook's root. It may read what read names, and write into two empty folders: scratch, which nobody reads afterwards, and made.
	// built is false if the code is at fault, and said is then what the go command said.
	Compile(ctx context.Context, args []string, dir string, read []string, scratch, made string) (said []byte, built bool, err error)
	// Run starts a program of tests. It may read what read names, write into scratch, an empty folder, use so much CPU time, and start no other.
	Run(ctx context.Context, cmd *exec.Cmd, cpu time.Duration, read []string, scratch string) (Program, error)
}

// Confine has this Runner compile and run in a box from now on.
func (r *Runner) Confine(box Box) { r.box = box }

// compileInBox is compile's part in a box.
func (b *build) compileInBox(ctx context.Context, dir string, flags, read []string) (out []byte, err error) {
	scratch, made := filepath.Join(b.dir, "own"), filepath.Join(b.dir, "made")
	for _, dir := range []string{scratch, made} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, noSpace(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "vendor", "katas", "solutions"} {
		if _, err := os.Stat(filepath.Join(b.Root, name)); err == nil {
			read = append(read, filepath.Join(b.Root, name))
		}
	}
	binary := filepath.Join(made, filepath.Base(b.binary))
	out, built, err := b.box.Compile(ctx, b.arguments(dir, "test", append(flags, "-o", binary)...), b.Root, append(read, b.readable()...), scratch, made)
	switch {
	case err != nil:
		return nil, err
	case !built:
		return out, errBuild
	}
	return nil, os.Rename(binary, b.binary)
}

// readable are the files of the build's folder that a compiler needs, by their names: what is written there by the box is none of them.
func (b *build) readable() (files []string) {
	for _, pattern := range []string{"*.go", "*.json"} {
		files = append(files, workbook.Files(b.dir, pattern)...)
	}
	for _, f := range files {
		_ = os.Chmod(f, 0o644) // the box has another user
	}
	return files
}
