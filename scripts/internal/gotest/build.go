package gotest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"whyhow/scripts/internal/workbook"
)

// build is one package of tests, linked with the subject's code.
type build struct {
	*Runner
	kata    *workbook.Kata
	steps   []Step
	subject Subject
	options Options

	dir     string            // temporary, for all of the below
	binary  string            // the linked tests
	overlay string            // the overlay's file
	file    string            // the file that is compiled in the stub's place, absolute
	shown   string            // that file as its owner knows it
	source  []byte            // its text
	gone    bool              // there is no such file
	notes   []string          // what a reader must know, see Report
	rename  *strings.Replacer // from what Go prints to shown
	env     []string          // what the tests find in their environment besides

	goVersion string   // of the go command that linked binary
	unstarted *outcome // of every step, once a process has died before the first test: the next would too

	judges      workbook.Judges
	companionOf map[string]string // by the names of fuzz targets and examples: the tests to whose steps they belong
}

func (r *Runner) newBuild(k *workbook.Kata, steps []Step, s Subject, o Options) (*build, error) {
	dir, err := temporary()
	if err != nil {
		return nil, err
	}
	b := &build{Runner: r, kata: k, steps: steps, subject: s, options: o, dir: dir, binary: filepath.Join(dir, "kata.test")}
	if r.box != nil {
		err = os.Chmod(dir, 0o711) // the sandbox may have another user, who comes to what that one is given
	}
	if err == nil {
		err = b.place()
	}
	if err != nil {
		b.remove()
		return nil, err
	}
	return b, nil
}

func (b *build) remove() { os.RemoveAll(b.dir) }

// place decides which file is compiled, and what it is called in messages.
func (b *build) place() (err error) {
	stub := b.kata.File
	b.file, b.shown = stub, b.display(stub)
	inPlace := b.subject.inPlace()
	switch {
	case inPlace:
		if _, err := os.Stat(stub); errors.Is(err, fs.ErrNotExist) {
			b.renamed()
		}
	case b.subject.Source != nil:
		b.file, b.shown = filepath.Join(b.dir, filepath.Base(stub)), filepath.Base(stub)
		if err := os.WriteFile(b.file, b.subject.Source, 0o600); err != nil {
			return noSpace(err)
		}
	default:
		if b.file, err = filepath.Abs(b.subject.File); err != nil {
			return err
		}
	}
	if name := b.subject.File; name != "" {
		b.shown = filepath.ToSlash(name)
		if filepath.IsAbs(name) {
			b.shown = b.display(name)
		}
	}
	// The compiler names the file, the running program the stub.
	b.rename = strings.NewReplacer(b.display(b.file), b.shown, b.file, b.shown, stub, b.shown, workbook.Module+"/"+b.display(stub), b.shown, b.display(stub), b.shown)
	b.source, err = os.ReadFile(b.file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && inPlace:
		b.gone = true
	case err != nil:
		return err
	}
	return b.look()
}

// lay writes the overlay: the subject's file, the hidden test, and what tells the results.
func (b *build) lay() error {
	replace := map[string]string{}
	if !b.subject.inPlace() {
		replace[b.kata.File] = b.file
	}
	if hidden := b.kata.HiddenTest(); b.options.Hidden {
		replace[filepath.Join(b.kata.Dir, filepath.Base(hidden))] = hidden
	}
	if err := placeHarness(b.dir, b.Root, b.kata.Dir, b.kata.Package, replace); err != nil {
		return noSpace(err)
	}
	return b.writeOverlay(replace)
}

// writeOverlay has files compiled in the place of others, or where there are none.
func (b *build) writeOverlay(replace map[string]string) error {
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return err
	}
	b.overlay = filepath.Join(b.dir, "overlay.json")
	if err := os.WriteFile(b.overlay, overlay, 0o600); err != nil {
		return noSpace(err)
	}
	return nil
}

// mapped names the file under test as its owner does, in what the tests and the code print. check.Rescue and t.Errorf
// name files without their folders.
func (b *build) mapped(text string) string {
	text = b.rename.Replace(text)
	base := filepath.Base(b.kata.File)
	if !strings.Contains(text, base) {
		return text
	}
	bare := regexp.MustCompile(`(?m)(^|[\s(])` + regexp.QuoteMeta(base) + `(:\d+)`)
	return bare.ReplaceAllStringFunc(text, func(at string) string { return strings.Replace(at, base, b.shown, 1) })
}

// display names a file as Reports do.
func (b *build) display(file string) string {
	if b.rename != nil && b.isSubject(file) {
		return b.shown
	}
	return workbook.Display(b.Root, file)
}

// inKata names a file of the folder in which the tests run, of which only the base is known.
func (b *build) inKata(base string) string {
	if base == filepath.Base(b.kata.File) {
		return b.shown
	}
	return b.display(filepath.Join(b.kata.Dir, base))
}

func noSpace(err error) error {
	return workbook.Errorf("set TMPDIR to a folder with space that you may write to", "cannot write a temporary file: %w", err)
}

// goCommand is the go command on a package of the build's: its verb, then the flags that decide what is compiled, then others.
func (b *build) goCommand(ctx context.Context, dir, verb string, flags ...string) *exec.Cmd {
	cmd := b.Go(ctx, b.arguments(dir, verb, flags...)...)
	if b.options.Race {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=1")
	}
	return cmd
}

func (b *build) arguments(dir, verb string, flags ...string) []string {
	args := append([]string{verb, "-overlay", b.overlay, "-tags", b.tags()}, flags...)
	if b.options.Race {
		args = append(args, "-race")
	}
	return append(args, "./"+workbook.Display(b.Root, dir))
}

// tags are the build tags: for the hidden test, and of gonum's for strangers' code.
func (b *build) tags() string {
	var tags []string
	if b.options.Hidden {
		tags = append(tags, "hidden")
	}
	if b.box != nil {
		tags = append(tags, b.box.Tags())
	}
	return strings.Join(tags, ",")
}

// link builds the test binary. Of the package under test every error is wanted, not the first ten alone.
func (b *build) link(ctx context.Context) (*BuildError, error) {
	if b.gone {
		p := Problem{File: b.shown, Message: "the file is gone; this brings the stub back: git checkout -- " + b.shown}
		return &BuildError{Problems: []Problem{p}, Output: p.String()}, nil
	}
	if err := b.lay(); err != nil {
		return nil, err
	}
	if b.options.Slow != nil {
		defer time.AfterFunc(2*time.Second, b.options.Slow).Stop()
	}
	said, built, err := b.compile(ctx, b.kata.Dir, []string{"-gcflags=-dwarf=false -e"})
	if built || err != nil {
		return nil, err
	}
	return b.explain(said), nil
}

// compile links the tests in a folder, with more flags if need be; in a sandbox other files besides the workbook may be read. If they do not build, said is
// what the go command said. An error is not the code's.
func (b *build) compile(ctx context.Context, dir string, flags []string, read ...string) (said string, built bool, err error) {
	var out []byte
	flags = append([]string{"-c", "-vet=off", "-ldflags=-s -w"}, flags...)
	if b.box == nil {
		out, err = b.goCommand(ctx, dir, "test", append(flags, "-o", b.binary)...).CombinedOutput()
	} else {
		out, err = b.compileInBox(ctx, dir, flags, read)
	}
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		return "", false, cancelled(ctx)
	case err == nil:
		return "", true, b.linked()
	case !errors.As(err, &exit) && !errors.Is(err, errBuild):
		return "", false, fmt.Errorf("go test -c: %w", err)
	}
	return string(out), false, b.toolFailed(ctx, string(out))
}

// errBuild is a build in a sandbox that failed.
var errBuild = errors.New("the build failed")

// toolFailed tells a machine at fault from code at fault.
func (b *build) toolFailed(ctx context.Context, out string) error {
	if err := b.tooOld(ctx); err != nil {
		return err
	}
	for _, fault := range []struct{ says, message, hint string }{
		{"GOCACHE is not defined", "the go command has no place for its build cache", "set HOME or GOCACHE to a folder that you may write to"},
		{"build cache is disabled by GOCACHE=off", "the build cache is turned off", "unset GOCACHE, or set it to a folder that you may write to"},
		{"module cache not found", "the go command has no place for modules", "set HOME or GOPATH to a folder that you may write to"},
		{"Files beneath GOMODCACHE () must not", "the go command has no place for modules", "set HOME or GOPATH to a folder that you may write to"},
		{"GOPATH entry is relative", "GOPATH is not an absolute path", "unset GOPATH, or set it to an absolute path"},
		{"must be absolute path", "a variable of your environment is not an absolute path", "set GOCACHE and GOMODCACHE to absolute paths, or unset them"},
		{"no space left on device", "the disk is full", "free some space, or set TMPDIR and GOCACHE to a disk that has it"},
		{"read-only file system", "the build could not write its files", "set TMPDIR and GOCACHE to folders that you may write to"},
		{"-race requires cgo", "the race detector needs a C compiler", "install gcc, or run without --race"},
		{"C compiler", "the race detector needs a C compiler", "install gcc, or run without --race"},
		{"-race is not supported", "the race detector does not run on this machine", "run without --race"},
		{"dial tcp", "Go could not fetch the workbook's modules", "connect to the network once and run: go mod download"},
		{"module lookup disabled", "Go could not fetch the workbook's modules", "allow it once: GOPROXY=https://proxy.golang.org go mod download"},
	} {
		if strings.Contains(out, fault.says) {
			return workbook.Errorf(fault.hint, "%s:\n%s", fault.message, strings.TrimSpace(out))
		}
	}
	if b.box != nil {
		return nil // a compiler that was ended at its limits, say: whose code that needs must bear it
	}
	if !position.MatchString(out) && !strings.Contains(out, "found packages") && !strings.Contains(out, "import cycle") {
		return workbook.Errorf(suspects(), "go test -c failed:\n%s", strings.TrimSpace(out))
	}
	return nil
}

// suspects is a hint: the variables of the environment that change what the go command does and that a build here does not set itself.
func suspects() string {
	var set []string
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "GO") && value != "" && !slices.Contains([]string{"GOPATH", "GOROOT", "GOLANG_VERSION"}, name) &&
			!slices.ContainsFunc(environment, func(own string) bool { return strings.HasPrefix(own, name+"=") }) {
			set = append(set, v)
		}
	}
	if len(set) == 0 {
		return "go build ./... in the workbook may say more"
	}
	return "these variables change what go does, try without them: " + strings.Join(set, " ")
}

// tooOld asks the go command for its version. It is asked only when a build has failed, to keep the loop fast.
func (b *build) tooOld(ctx context.Context) error {
	out, err := b.Go(ctx, "env", "GOVERSION").Output()
	have := strings.TrimSpace(string(out))
	mod, readErr := os.ReadFile(filepath.Join(b.Root, "go.mod"))
	line := goLine.FindSubmatch(mod)
	if readErr != nil || line == nil || have == "" && err == nil {
		return nil
	}
	need := "go" + string(line[1])
	if err == nil && (!version.IsValid(have) || version.Compare(have, need) >= 0) {
		return nil
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && !strings.Contains(string(exit.Stderr), "requires go") {
		return nil // go env itself failed: something else is wrong, and the build's own words say what
	}
	return workbook.Errorf("install a newer Go from https://go.dev/dl", "the workbook needs %s or newer, this machine has %s", need,
		cmp.Or(have, "an older one"))
}

var (
	goLine   = regexp.MustCompile(`(?m)^go (\d[\w.]*)`)
	position = regexp.MustCompile(`(?m)^\s*(\S.*?\.go):(\d+)(?::(\d+))?:? (.*)$`)
	noModule = regexp.MustCompile(`no required module provides package ([^;\s]+)|package ([^;\s]+) is not in std`)
	packages = regexp.MustCompile(`found packages (\w+) \(([^)]+)\) and (\w+) \(([^)]+)\)`)
)

// explain turns what the compiler printed into a BuildError, in the words of the file's owner: the problem to mend first comes first.
func (b *build) explain(out string) *BuildError {
	shown := strings.TrimSpace(b.rename.Replace(out))
	e := &BuildError{Problems: problems(shown), Output: shown}
	for _, special := range []func(*BuildError) []Problem{b.conflict, b.otherPackage, b.twice, b.foreign, b.contractBroken} {
		if first := special(e); len(first) > 0 {
			rest := slices.DeleteFunc(e.Problems, func(p Problem) bool { // what was explained is not said twice
				return p.Line > 0 && p.File == first[0].File && p.Line == first[0].Line
			})
			e.Problems = append(first, rest...)
			return e
		}
	}
	if len(e.Problems) == 0 {
		e.Problems = []Problem{{Message: firstLine(shown)}}
	}
	return e
}

// mostProblems is how many problems of one build are kept.
const mostProblems = 100

// problems reads the compiler's. Lines that are indented belong to the one before.
func problems(out string) []Problem {
	var all []Problem
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if m := position.FindStringSubmatch(line); m != nil && !strings.HasPrefix(line, "\t") && len(all) < mostProblems {
			p := Problem{File: filepath.ToSlash(m[1]), Message: m[4]}
			p.Line, _ = strconv.Atoi(m[2])
			p.Column, _ = strconv.Atoi(m[3])
			all = append(all, p)
		} else if n := len(all); n > 0 && strings.HasPrefix(line, "\t") {
			all[n-1].Message += "\n" + strings.ReplaceAll(line, "\t", "    ")
		}
	}
	return all
}

// conflict finds what a merge left in the file.
func (b *build) conflict(*BuildError) []Problem {
	n := 0
	for line := range bytes.Lines(b.source) {
		n++
		if bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("<<<<<<<")) {
			return []Problem{{File: b.shown, Line: n, Message: "a merge left its marks here: keep one of the two sides, and remove the lines <<<<<<<, ======= and >>>>>>>"}}
		}
	}
	return nil
}

// otherPackage explains a folder with files of two packages.
func (b *build) otherPackage(e *BuildError) []Problem {
	m := packages.FindStringSubmatch(e.Output)
	if m == nil {
		return nil
	}
	name, file := m[1], m[2]
	if name == b.kata.Package {
		name, file = m[3], m[4]
	}
	p := Problem{File: b.inKata(file), Message: fmt.Sprintf("%s is package %s, but this folder is package %s", file, name, b.kata.Package)}
	if p.File == b.shown {
		p.Line = 1
	} else {
		p.Message += ": move the file out of it"
	}
	return []Problem{p}
}

// twice explains a name that another file of the folder declares too.
func (b *build) twice(e *BuildError) []Problem {
	if len(e.Problems) == 0 {
		return nil
	}
	p := e.Problems[0]
	declared, other, ok := strings.Cut(p.Message, " redeclared in this block")
	at := position.FindStringSubmatch(strings.TrimSpace(other))
	if !ok || at == nil || at[1] == p.File {
		return nil
	}
	if p.File == b.shown {
		p.File = filepath.ToSlash(at[1])
		p.Line, _ = strconv.Atoi(at[2])
		p.Column, _ = strconv.Atoi(at[3])
	}
	p.Message = fmt.Sprintf("%s is declared in %s as well as in %s: move %[2]s out of the folder", declared, filepath.Base(p.File), filepath.Base(b.shown))
	return []Problem{p}
}

// foreign explains an import of a module that the workbook does not have. go get, which Go suggests, would change the workbook.
func (b *build) foreign(e *BuildError) []Problem {
	for _, p := range e.Problems {
		if m := noModule.FindStringSubmatch(p.Message); m != nil {
			p.Message = fmt.Sprintf("a kata cannot import %s: it may import the standard library, gonum.org/v1/gonum, and what its stub imports", m[1])
			return []Problem{p}
		}
	}
	return nil
}

// contractBroken explains an error in the tests by what the file under test lacks.
func (b *build) contractBroken(e *BuildError) []Problem {
	if len(e.Problems) > 0 && e.Problems[0].File == b.shown {
		return nil
	}
	return b.broken()
}

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "# ") {
			return strings.TrimSpace(line)
		}
	}
	return s
}

// vet returns what go vet says of the file under test. The go command keeps what it said, with the place that the folder had then: the file goes by its base.
func (b *build) vet(ctx context.Context) ([]Problem, error) {
	out, err := b.goCommand(ctx, b.kata.Dir, "vet").CombinedOutput()
	if ctx.Err() != nil {
		return nil, cancelled(ctx)
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("go vet: %w", err)
	}
	var all []Problem
	for _, p := range problems(b.rename.Replace(string(out))) {
		if base := path.Base(p.File); p.File == b.shown || base == filepath.Base(b.kata.File) || base == filepath.Base(b.file) {
			p.File = b.shown
			all = append(all, p)
		}
	}
	return all, nil
}
