// Kata runs the workbook: it lists the questions, tests what a learner wrote, gives hints, draws the figures of an answer.
//
// Data goes to standard output, talk to standard error. Exit status: 0 all passed, 1 something failed, 2 wrong usage,
// 3 the tool itself failed, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/sandbox"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

const (
	exitFailed      = 1
	exitUsage       = 2
	exitTool        = 3
	exitInterrupted = 130
)

const allCommands = "kata --help lists the commands, kata COMMAND --help their flags"

// errFailed is a run that found something to fail; all there is to say has been said.
var errFailed = errors.New("something failed")

// usageError is a command line that cannot be obeyed.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	sandbox.Launch() // where this program is started again, inside one
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	// SIGPIPE: a reader that went away ends a run as Ctrl-C does, with its processes and its temporary folder.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()

	a := &app{dir: ".", out: terminal.Writer(os.Stdout), talk: terminal.Writer(os.Stderr)}
	root := a.root()
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, errFailed):
		return exitFailed
	}
	fmt.Fprintf(a.talk, "kata: %s\n", a.typed(err.Error()))
	hint := workbook.HintOf(err)
	if hint == "" && errors.Is(err, syscall.ENOSPC) {
		hint = "the disk is full: free some space"
	}
	if !a.started && hint == "" {
		hint = allCommands
		if c != root {
			hint = "usage: " + a.typed(c.UseLine())
		}
	}
	if hint != "" {
		fmt.Fprintf(a.talk, "hint: %s\n", a.typed(hint))
	}
	var usage usageError
	if !a.started || errors.As(err, &usage) {
		return exitUsage
	}
	return exitTool
}

// app is what the commands share: where they work and where they write.
type app struct {
	dir       string
	out, talk io.Writer
	started   bool // the command line was understood
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kata",
		Short: "Practise deep-learning interview questions in Go",
		Long: `kata runs the workbook. KATA is any unambiguous part of a name: q05, 5, batch.

Start with: kata practice`,
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		PersistentPreRun:   func(*cobra.Command, []string) { a.started = true },
	}
	root.PersistentFlags().StringVarP(&a.dir, "dir", "C", ".", "work in the workbook around `DIR`")
	root.AddCommand(a.practice(), a.list(), a.next(), a.test(), a.hint(), a.answer(), a.figure(), a.export(), a.grade(), a.gradebook(), a.verify(), a.mutants(), a.overlay())
	root.SetOut(a.out)
	root.SetErr(a.talk)
	known(root)
	return root
}

// known has the library's own commands refuse what they do not know, as ours do.
func known(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				if of, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return workbook.Errorf(allCommands, "unknown command %q for %q", append(rest, args...)[0], of.CommandPath())
				}
				return nil
			}
		case "completion":
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
}

// words is what a command takes that is no flag: at least so many words, the first of which names a kata, and at most so many.
func words(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("%s needs the name of a kata", c.Name())
		case len(args) > most:
			return fmt.Errorf("%s does not take %q", c.Name(), args[most])
		}
		return nil
	}
}
