// Package sandbox compiles and runs strangers' Go code. It is the second wall of the judge: whatever the code does, it reads nothing of the
// machine but what is named, writes nothing but its scratch, reaches no network, and has ended, with all that it started, when the judge says so.
//
// There are two kinds. Bubblewrap gives namespaces of its own for files, processes, network, IPC and host name, and a scratch folder in memory
// that has a size. Landlock works where namespaces are forbidden, as in most containers. Both share the rest: a user of its own where the judge is
// root, no privileges, limits, and a filter that refuses the system calls which no Go program of ours needs: sockets, namespaces, tracing, shared memory,
// new sessions and groups of processes, and with Limits.Alone new processes. So a kill of the group, or of the first process of a namespace, gets all.
//
// A program that starts a sandbox calls Launch first thing in main: it starts itself once more inside, to set limits from there. See launch_linux.go.
//
// # The build cache
//
// The shared cache is read-only: what a submission's build writes must not be found by another's. The go command does build with a read-only GOCACHE,
// but only by luck: go 1.26 fails ("setup failed") as soon as it wants to keep an index of a folder whose newest file is older than two seconds, and
// GODEBUG=goindex=0, which avoids that, takes a third more CPU time. Overlayfs needs bubblewrap 0.11 or root; hard links would share what is
// written, a copy or symbolic links cost by the size of the cache. So a build has an empty GOCACHE in its scratch, and its GOCACHEPROG is this
// program: it answers from the shared cache and writes into the scratch. See cache.go, and Toolchain for warming.
package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"whyhow/scripts/internal/workbook"
)

// The kinds of sandboxes.
const (
	Bubblewrap = "bubblewrap"
	Landlock   = "landlock"
	None       = "none" // no sandbox: for code that is trusted
)

// Sandbox is a kind of sandbox that works on this machine. It may run many programs at a time.
type Sandbox struct {
	name  string
	lacks []string
	system
}

// Name is one of the kinds. It belongs into the record of a run.
func (s *Sandbox) Name() string { return s.name }

// Lacks says what of the package's promises this sandbox does not hold, a clause each. It belongs into the record of a run.
func (s *Sandbox) Lacks() []string { return slices.Clone(s.lacks) }

// Spec is a program to run. All paths are absolute, and are the same inside as outside.
type Spec struct {
	Args []string // the program's file, which Read must cover, and its arguments
	Dir  string   // the working folder
	Env  []string // the environment, all of it

	Read    []string // files and folders that may be read and executed; what others may not read on the host (mode), a root judge's sandbox cannot either
	Write   []string // folders that may be written too, and that keep what was written; for what a build makes, never for code that runs
	Scratch string   // a folder of this submission's own that may be written, made if need be. In bubblewrap it lives in memory: it is empty at first, and nothing of it is left

	Stdout, Stderr io.Writer  // as in exec.Cmd; standard input is empty
	Files          []*os.File // the program finds them from 3 on

	Limits Limits
}

// Limits are what a program may use; wall time is the context's. Zero fields have the defaults that are given.
type Limits struct {
	CPU     time.Duration // of each process, in whole seconds, then SIGKILL ends it; 1 min
	Memory  int64         // bytes of data of each process; 2 GiB. NoLimit: none, for the race detector, which maps terabytes
	Tasks   int           // threads of all processes together; 256
	Alone   bool          // the program may start threads, and no process: what Memory says then holds of all. For code that runs; the go command starts compilers
	File    int64         // bytes of each file; 256 MiB
	Scratch int64         // bytes of all files in Scratch; 512 MiB. In Write, and with Landlock, that is looked at ten times a second
}

// NoLimit is a Memory without a limit.
const NoLimit = -1

func (l *Limits) fill() {
	for _, d := range []struct {
		field *int64
		value int64
	}{{(*int64)(&l.CPU), int64(time.Minute)}, {&l.Memory, 2 << 30}, {&l.File, 256 << 20}, {&l.Scratch, 512 << 20}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if l.Tasks == 0 {
		l.Tasks = 256
	}
}

// check finds what would make a sandbox of another shape than its caller thinks.
func (spec *Spec) check() error {
	if len(spec.Args) == 0 {
		return fmt.Errorf("sandbox: no program")
	}
	writable := slices.Clone(spec.Write)
	if spec.Scratch != "" {
		writable = append(writable, spec.Scratch)
	}
	for _, path := range slices.Concat([]string{spec.Args[0], spec.Dir}, spec.Read, writable) {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path {
			return fmt.Errorf("sandbox: %q is no clean absolute path", path)
		}
	}
	for _, path := range slices.Concat(spec.Read, spec.Write) {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	for _, path := range spec.Read {
		for _, w := range writable {
			if within(path, w) {
				return fmt.Errorf("sandbox: %s is to be read alone, but may be written as part of %s", path, w)
			}
		}
	}
	return nil
}

// within says whether path is folder or below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator))
}

// Ending is how a program ended.
type Ending struct {
	Code   int            // its exit status; -1 if a signal ended it
	Signal syscall.Signal // that signal
	CPU    time.Duration  // what it and the processes for whose end it waited used
	Reason string         // why the sandbox ended it, if it did
}

// Find returns the sandbox of a kind, or for "" the best that works here: it is tried. An error has a hint.
func Find(kind string) (*Sandbox, error) {
	switch kind {
	case None:
		return &Sandbox{name: None, lacks: []string{"there is no sandbox: the code may do all that its user may"}}, nil
	case Bubblewrap, Landlock:
		return find(kind)
	case "":
		s, bubblewrap := find(Bubblewrap)
		if bubblewrap == nil {
			return s, nil
		}
		s, landlock := find(Landlock)
		if landlock == nil {
			return s, nil
		}
		return nil, workbook.Errorf("install bubblewrap on Linux (apt-get install bubblewrap), or run code that you trust with --sandbox=none",
			"no sandbox works here:\n%w\n%w", bubblewrap, landlock)
	}
	return nil, workbook.Errorf("the kinds are bubblewrap, landlock and none", "there is no sandbox %q", kind)
}

// probe tries a sandbox: it starts this program in it, which ends at once. See Launch.
func (s *Sandbox) probe() error {
	if !launchable {
		return fmt.Errorf("sandbox: main does not begin with sandbox.Launch()")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var said strings.Builder
	p, err := s.Start(context.Background(), Spec{
		Args: []string{self, command, "nothing"}, Dir: "/", Read: append([]string{self}, libraries(self)...), Stdout: &said, Stderr: &said,
		Limits: Limits{Alone: true},
	})
	if err == nil {
		var end Ending
		if end, err = p.Wait(); err == nil && end.Code != 0 {
			err = fmt.Errorf("exit status %d", end.Code)
		}
	}
	if err != nil {
		return fmt.Errorf("%s does not work here: %w", s.name, join(err, said.String()))
	}
	return nil
}

// join adds to an error what a program said.
func join(err error, said string) error {
	if said = strings.TrimSpace(said); said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// launchable says that Launch was called.
var launchable bool

// command is the first argument by which this program knows that it is to do the work of this package.
const command = "sandbox-launch"
