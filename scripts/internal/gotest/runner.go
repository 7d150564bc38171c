package gotest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/workbook"
)

// Runner runs katas of one workbook. It may run several at a time.
type Runner struct {
	Root   string
	GoTool string // the go command's file

	box Box // nil: what is compiled and run is the reader's own
}

// New returns a Runner for the workbook at root. It is an error with a hint if there is no go command.
func New(root string) (*Runner, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return nil, workbook.Errorf("install Go from https://go.dev/dl, then open a new terminal",
			"there is no go command on the PATH: %w", err)
	}
	if root, err = filepath.Abs(root); err != nil {
		return nil, err
	}
	return &Runner{Root: root, GoTool: goTool}, nil
}

// Learner is the name of the learner's own code.
const Learner = "learner"

// Subject is whose code is under test. Without File and Source it is the learner's own file, in place; otherwise File,
// or Source, is put in that file's place for the run. Source goes first; File then only names it in messages.
type Subject struct {
	Name   string // goes into the Report; "" is Learner
	File   string
	Source []byte
}

func (s Subject) inPlace() bool { return s.File == "" && s.Source == nil }

// Options narrow a run. The zero value runs every step, then vets.
type Options struct {
	Race   bool
	Only   []string // the steps to run, hidden tests among them if Hidden; nil: all. The Report has these alone.
	NoWhy  bool     // how steps alone; the Report has these alone
	Hidden bool     // the hidden test too; the Report's last steps are its test functions
	NoVet  bool
	Seed   string // KATA_SEED for the tests; "" keeps the environment's

	HiddenSeed string // KATA_SEED for the hidden test; "" is that of the others

	// ArtifactDir keeps the figures that why steps save; the Report lists those of steps that passed. It is made if need
	// be, and figures of an earlier run in it are removed. "": none are kept.
	ArtifactDir string

	// Limit is the CPU time that a how step may use, 0: 10 s; a why step may use six times as much, and with Race both six times that. See limits for
	// a step that waits.
	Limit time.Duration

	FailFast bool // stop at the first step that fails; those behind it are missing
	Jobs     int  // how many variants run at a time; 0: one

	// Slow, if set, is called when the build has not ended after two seconds: the first on a machine compiles the standard
	// library.
	Slow func()
}

func (o Options) limit(kind workbook.Kind) time.Duration {
	limit := cmp.Or(o.Limit, 10*time.Second)
	if kind == workbook.Why {
		limit *= 6
	}
	if o.Race {
		limit *= 6
	}
	return limit
}

// Run builds the kata with the subject's code, runs the how steps, calls verdict (which may be nil) with the Report so
// far, runs the why steps in a second process and the hidden test in a third, vets, and returns the whole Report. In the Report that verdict gets, why
// steps not yet run have status "". If the build fails, verdict gets the final Report. An error means that the tool
// itself failed, or ctx was cancelled; code at fault is in the Report.
func (r *Runner) Run(ctx context.Context, k *workbook.Kata, s Subject, o Options, verdict func(*Report)) (*Report, error) {
	if verdict == nil {
		verdict = func(*Report) {}
	}
	steps, err := stepsOf(k, o)
	if err != nil {
		return nil, err
	}
	s.Name = cmp.Or(s.Name, Learner)
	b, err := r.newBuild(k, steps, s, o)
	if err != nil {
		return nil, err
	}
	defer b.remove()
	report, err := b.report(steps)
	if err != nil {
		return nil, err
	}
	if report.Build, err = b.link(ctx); err != nil {
		return nil, err
	}
	if report.Build != nil {
		for i := range report.Steps {
			report.Steps[i].Status = Missing
		}
		report.stamp()
		verdict(report)
		return report, nil
	}
	if err := b.executeAll(ctx, report, verdict); err != nil {
		return nil, err
	}
	if !o.NoVet {
		if report.Vet, err = b.vet(ctx); err != nil {
			return nil, err
		}
	}
	report.stamp()
	return report, nil
}

// stepsOf returns the kata's tests, narrowed by o.
func stepsOf(k *workbook.Kata, o Options) (steps []Step, err error) {
	if k.Err != nil {
		return nil, k.Err
	}
	for _, step := range k.Steps {
		steps = append(steps, Step{Test: step.Test, Title: step.Title, Kind: step.Kind, Points: step.Points})
	}
	if o.Hidden {
		hidden, err := hiddenTests(k)
		if err != nil {
			return nil, err
		}
		steps = append(steps, hidden...)
	}
	for _, test := range o.Only {
		if !slices.ContainsFunc(steps, func(s Step) bool { return s.Test == test }) {
			return nil, workbook.Errorf("the front matter of its README.md lists them", "%s has no step %s", k.Name, test)
		}
	}
	return slices.DeleteFunc(steps, func(s Step) bool {
		return o.NoWhy && s.Kind == workbook.Why || o.Only != nil && !slices.Contains(o.Only, s.Test)
	}), nil
}

// IsTest says whether f is a test function, by its name.
func IsTest(f *ast.FuncDecl) bool {
	return f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != "TestMain"
}

// hiddenTests returns the tests of hidden_test.go.
func hiddenTests(k *workbook.Kata) (steps []Step, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), k.HiddenTest(), nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("the hidden test of %s: %w", k.Name, err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && IsTest(f) {
			steps = append(steps, Step{Test: f.Name.Name, Title: f.Name.Name, Kind: workbook.Hidden})
		}
	}
	return steps, nil
}

// GoFlags are those of every build: without debug data in any package the linker has less to read, a tenth of the time of a build; without the folders' names in
// what is compiled, workbooks in several folders share it. The Makefile builds the tools so too, and nothing is compiled twice.
const GoFlags = "-buildvcs=false -trimpath -gcflags=all=-dwarf=false"

// environment is what the go command must find, whatever a learner's shell says: other values build something else, or nothing.
var environment = []string{
	"GOFLAGS=" + GoFlags, "GOWORK=off", "GO111MODULE=on", "GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "CGO_ENABLED=0", "GOGC=off",
}

// Go is a go command in the workbook. It is ended, with all that it started, when ctx ends.
func (r *Runner) Go(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, r.GoTool, args...)
	cmd.Dir = r.Root
	cmd.Env = append(os.Environ(), environment...)
	cmd.Env = append(cmd.Env, "PWD="+r.Root)
	if dir, err := filepath.Abs(os.TempDir()); err == nil && !filepath.IsAbs(os.TempDir()) {
		cmd.Env = append(cmd.Env, "TMPDIR="+dir) // a relative one would be another folder there
	}
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = time.Second
	return cmd
}

// temporary makes a folder for one run, and removes those of programs that were killed.
func temporary() (string, error) {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), "kata-run-*"))
	for _, dir := range old {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(dir) // another run tries again
		}
	}
	dir, err := os.MkdirTemp("", "kata-run-")
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", workbook.Errorf("set TMPDIR to a folder with space that you may write to", "no temporary folder: %w", err)
	}
	return dir, nil
}

// abandoned is how old a temporary folder must be for nobody to use it any longer: no run takes a day.
const abandoned = 24 * time.Hour

// cancelled returns ctx's error in words.
func cancelled(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("stopped: %w", ctx.Err())
	}
	return ctx.Err()
}
