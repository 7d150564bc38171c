// Firstrun is kata practice for a machine on which nothing has been built yet. It has all that a first verdict needs and leaves out what takes a
// minute to compile: the journal's database and the drawing of figures. When the first verdict is there it builds the whole kata command beside the learner's work;
// make practice runs that from then on.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/practice"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	switch err := run(ctx); {
	case ctx.Err() != nil:
		os.Exit(130)
	case err != nil:
		fmt.Fprintf(os.Stderr, "kata: %v\n", err)
		if hint := workbook.HintOf(err); hint != "" {
			fmt.Fprintf(os.Stderr, "hint: %s\n", hint)
		}
		os.Exit(3)
	}
}

func run(ctx context.Context) error {
	w, err := workbook.Open(".")
	if err != nil {
		return err
	}
	runner, err := gotest.New(w.Root)
	if err != nil {
		return err
	}
	state := filepath.Join(w.Root, ".kata")
	store := building{progress.Spool{Dir: filepath.Join(state, "spool")}, sync.OnceFunc(func() { build(ctx) })}
	p, err := progress.Of(store)
	if err != nil {
		return err
	}
	k := p.Next(w, nil)
	if k == nil {
		k = w.Katas[0]
	}
	v := terminal.View{Path: filepath.FromSlash, Command: filepath.Join("bin", "kata"), Width: terminal.Width(os.Stdout)}
	v.All = v.Command + " test -v " + k.Number
	if !practice.Interactive(os.Stdin, os.Stdout) {
		fmt.Fprintf(os.Stderr, "no terminal: this runs once; on a terminal it would run on every save of %s\n\n", k.Display(k.File))
		_, err := practice.Once(ctx, runner, store.Spool, k, gotest.Subject{}, gotest.Options{}, v, terminal.Writer(os.Stdout), false)
		return err
	}
	l := practice.Loop{
		Workbook: w, Runner: runner, Store: store, Text: v,
		Artifacts: func(k *workbook.Kata) string { return filepath.Join(state, "data", k.Name, gotest.Learner) },
		Draw:      func(r *gotest.Report) ([]string, error) { return draw(ctx, r) },
	}
	return l.Run(ctx, k, os.Stdin, os.Stdout)
}

// building is a Spool that begins to build the rest when the first run is recorded.
type building struct {
	progress.Spool
	start func()
}

func (b building) Add(r *gotest.Report) error {
	b.start()
	return b.Spool.Add(r)
}

// build builds bin/kata while the learner works. A signal that ends this program ends it too; after a plain quit it may go on to its end.
func build(ctx context.Context) {
	cmd := exec.CommandContext(ctx, "make", "--silent", "bin/kata")
	if nice, err := exec.LookPath("nice"); err == nil {
		cmd.Path, cmd.Args = nice, append([]string{"nice"}, cmd.Args...)
	}
	// If it fails, make practice says so the next time.
	_ = cmd.Start()
}

// draw lets bin/kata draw the figures, once it is there.
func draw(ctx context.Context, r *gotest.Report) ([]string, error) {
	kata := filepath.Join("bin", "kata")
	if _, err := os.Stat(kata); err != nil {
		return nil, errors.New("they can be drawn when bin/kata has been built, in a minute: bin/kata figure " + r.Kata[:3])
	}
	out, err := exec.CommandContext(ctx, kata, "figure", r.Kata).Output()
	return strings.Fields(string(out)), err
}
